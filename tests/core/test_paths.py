import pytest

from fledgling.core.errors import RunError
from fledgling.core.paths import plain_name

NAMES = ["04_online_facts", "quick", "Mein Heft 2", "ü.v2", "a", "x" * 100]
ELSEWHERE = ["", ".", "..", "...", "../presets/quick", "a/b", "a\\b", "/a", ".a", "a.", " a", "a\n"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_kept_as_it_is(name):
    assert plain_name(name, "notebook") == name


@pytest.mark.parametrize("name", [*ELSEWHERE, "a\0", "x" * 101])
def test_what_could_lead_elsewhere_is_refused(name):
    with pytest.raises(RunError, match="cannot be the name of a folder"):
        plain_name(name, "notebook")
