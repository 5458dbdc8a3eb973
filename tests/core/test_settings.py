import pytest

from fledgling.core.errors import ConfigError
from fledgling.settings import load_config


def test_a_copy_with_a_key_that_is_not_there_is_refused():
    section = load_config().reports
    assert section.model_copy(update={"job_gigabytes": 1.0}).job_gigabytes == 1.0
    with pytest.raises(ConfigError, match="ReportsSection has no key gigabytes, jobs"):
        section.model_copy(update={"jobs": 2, "gigabytes": 1.0})
