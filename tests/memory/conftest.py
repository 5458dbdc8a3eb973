import pytest

from fledgling.settings import load_config


@pytest.fixture(scope="session")
def section():
    return load_config().memory
