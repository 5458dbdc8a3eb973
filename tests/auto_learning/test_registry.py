from datetime import timedelta

import pytest

from fledgling.auto_learning.registry import CHALLENGER, Model, Registry, hash_folder
from fledgling.core.errors import DataError, ModelError


def add(registry, name, now, parent=None, master="support"):
    registry.add(Model(name, master, parent, "", "", name, str(now)))
    return name


def test_who_was_champion_at_any_time(workspace, now):
    registry = Registry(workspace)
    for day, name in enumerate(("a", "b", "c")):
        add(registry, name, now)
        registry.set_alias("support", "champion", name, now + timedelta(days=day), why="test")
    ask = lambda days: registry.serving("support", at=now + timedelta(days=days))  # noqa: E731
    assert ask(-0.1) is None
    assert [ask(days).id for days in (0, 0.9, 1, 1.9, 2, 500)] == ["a", "a", "b", "b", "c", "c"]
    assert registry.serving("support").id == "c"
    assert registry.previous_champion("support").id == "b"


def test_a_change_at_the_same_moment_is_the_later_of_the_two(workspace, now):
    registry = Registry(workspace)
    for name in ("a", "b"):
        add(registry, name, now)
        registry.set_alias("support", CHALLENGER, name, now, why="test")
    assert registry.serving("support", CHALLENGER).id == "b"
    registry.set_alias("support", CHALLENGER, None, now, why="test")
    assert registry.serving("support", CHALLENGER) is None


def test_each_master_has_models_of_its_own(workspace, now):
    registry = Registry(workspace)
    assert registry.start("support", now).id == "support-base"
    assert registry.start("security", now).id == "security-base"
    assert registry.start("support", now + timedelta(days=1)).id == "support-base"
    assert registry.masters() == ["security", "support"]
    assert len(registry.history("support")) == 1


def test_lineage_goes_back_to_the_base(workspace, now):
    registry = Registry(workspace)
    registry.start("support", now)
    add(registry, "one", now, "support-base")
    add(registry, "two", now, "one")
    assert [model.id for model in registry.lineage("two")] == ["two", "one", "support-base"]


def test_what_is_known_of_a_model_is_kept_and_added_to(workspace, now):
    registry = Registry(workspace)
    registry.add(Model("m", "support", None, "", "", "", str(now), {"lr": 1e-3}, {"loss": 0.5}))
    registry.measured("m", {"locality": 0.9, "gain": float("nan")})
    found = registry.get("m")
    assert found.settings == {"lr": 1e-3}
    assert found.metrics == {"loss": 0.5, "locality": 0.9, "gain": None}


def test_ids_are_taken_once_and_unknown_ones_list_what_there_is(workspace, now):
    registry = Registry(workspace)
    add(registry, "one", now)
    with pytest.raises(DataError, match="already"):
        add(registry, "one", now)
    with pytest.raises(ModelError, match="there are: one"):
        registry.get("tow")


def test_files_that_are_gone_or_changed_are_noticed(workspace, now):
    registry = Registry(workspace)
    folder = workspace.models / "m"
    folder.mkdir()
    (folder / "weights").write_bytes(b"one")
    registry.add(Model("m", "support", None, "m", hash_folder(folder), "", str(now)))
    registry.check_files(registry.get("m"))
    (folder / "weights").write_bytes(b"two")
    with pytest.raises(ModelError, match="not those that were registered"):
        registry.check_files(registry.get("m"))
    (folder / "weights").unlink()
    folder.rmdir()
    with pytest.raises(ModelError, match="gone"):
        registry.check_files(registry.get("m"))
