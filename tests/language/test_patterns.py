"""Patterns: users' own, broken ones, and ones that would never end."""

import time

import pytest
import yaml

from fledgling.core.errors import ConfigError
from fledgling.core.records import Turn
from fledgling.language.facts import detect
from fledgling.language.patterns import load_patterns
from fledgling.settings import load_config

SECTION = load_config().language
CATASTROPHIC = r"(?P<subject>(\w+\s?)+)(?P<object>(\w+\s?)+)+!{9}"


def write(tmp_path, *patterns, **more):
    path = tmp_path / "patterns.yaml"
    path.write_text(yaml.safe_dump({"patterns": list(patterns), **more}))
    return SECTION.model_copy(update={"patterns": str(path)})


def test_a_users_pattern_gives_its_relation(tmp_path):
    own = {
        "relation": "feeds",
        "match": r"(?P<subject>\w+) feeds (?P<object>.+)",
        "questions": ["What {do} {subject} feed?"],
    }
    fact = detect(Turn("Lena feeds the pigeons."), write(tmp_path, own))
    assert (fact.relation, fact.subject, fact.object) == ("feeds", "Lena", "the pigeons")


def test_min_confidence_of_a_pattern_holds_back(tmp_path):
    own = {
        "relation": "feeds",
        "match": r"(?P<subject>lena) (?P<object>feeds)",
        "min_confidence": 0.99,
    }
    assert detect(Turn("lena feeds"), write(tmp_path, own)) is None


def test_a_pattern_that_backtracks_without_end_is_cut_off(tmp_path):
    section = write(tmp_path, {"relation": "never", "match": CATASTROPHIC})
    start = time.perf_counter()
    fact = detect(Turn("Lena lives in a house " + "with a very long garden " * 8 + "."), section)
    assert time.perf_counter() - start < 1.0
    assert fact.relation == "statement"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"relation": "r", "match": "(?P<subject>a"}, "not a regular expression"),
        ({"relation": "r", "match": "(?P<subject>a)"}, "named groups"),
        ({"relation": "r", "match": "x", "colour": 1}, "unknown key 'colour'"),
        ({"relation": "r", "match": "(?P<subject>a)(?P<object>b)", "kind": "rumour"}, "rumour"),
        ({"relation": "r", "match": "(?P<subject>a)(?P<object>b)", "min_confidence": 3}, "0 to 1"),
        ({"match": "x"}, "relation"),
        ("text", "mapping"),
    ],
)
def test_broken_patterns_say_what_is_wrong(tmp_path, entry, message):
    with pytest.raises(ConfigError, match=message.replace("'", ".")):
        load_patterns(write(tmp_path, entry).patterns)


def test_a_missing_pattern_file_is_named():
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        load_patterns("nowhere.yaml")


def test_the_projects_patterns_ask_with_slots_that_exist():
    slots = {"{subject}", "{object}", "{be}", "{do}", "{have}", "{whose}"}
    for pattern in load_patterns(SECTION.patterns).patterns:
        for template in pattern.questions + pattern.reverse:
            rest = template
            for slot in slots:
                rest = rest.replace(slot, "")
            assert "{" not in rest and "}" not in rest, template
