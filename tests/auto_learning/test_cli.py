import json

import pytest

from fledgling.auto_learning import rollout
from fledgling.cli import main


@pytest.fixture
def auto(workspace, capsys):
    """``auto("status", …)``: the command on the workspace; (exit code, output, errors)."""

    def call(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(["auto", *arguments, "--folder", str(workspace.folder)])
        said = capsys.readouterr()
        return stop.value.code or 0, said.out, said.err

    return call


def test_collect_reports_what_was_kept_and_why_not(auto, write_lines, outcome):
    write_lines("a", outcome(1), outcome(2, quality=2.0), outcome(3, success=False), b"{")
    code, out, _ = auto("collect")
    assert code == 0
    assert "received 4 lines, quarantined 1" in out
    assert "tasks processed: 3" in out and "of high quality: 1" in out
    assert "quality too low: 1" in out and "not successful: 1" in out
    again = json.loads(auto("collect", "--json")[1])
    assert (again["received"], again["processed"], again["rows"]["silver"]) == (0, 3, 3)


def test_status_says_who_serves_and_how_far_it_is(auto, world, section):
    world.work(30)
    found = json.loads(auto("status", "support", "--json")[1])[0]
    assert found["champion"] == "support-base" and found["challenger"] is None
    assert found["percent"] == pytest.approx(100 * found["new_examples"] / 1000)
    assert found["tokens"] > 0 and found["usd"] > 0
    rollout.deploy(world.workspace, section, world.model("m"), world.now)
    _, out, _ = auto("status")
    assert "m at 10% of the traffic" in out and "new of 1000" in out


def test_trigger_refuses_before_anything_is_loaded(auto, world):
    world.work(5)
    code, _, err = auto("trigger", "support")
    assert code == 1 and "new examples of 1000" in err


def test_the_hosted_file_is_written_and_its_path_said(auto, workspace, write_lines, outcome):
    write_lines("a", *[outcome(number) for number in range(10)])
    auto("collect")
    code, out, _ = auto("trigger", "support", "--hosted")
    path = next((workspace.folder / "hosted").glob("*.jsonl"))
    assert code == 0 and "not sent" in out and path.name in out.replace("\n", "")


def test_deploy_check_replay_promote_and_rollback(auto, world):
    world.model("m")
    assert "support-base 90%, m 10%" in auto("deploy", "m")[1]
    world.work(40)
    code, out, _ = auto("check", "support")
    assert code == 0 and "HOLD" in out and "undecided so far" in out
    code, out, _ = auto("check", "--replay", "1")
    assert code == 0 and "comes out the same" in out
    world.workspace.store.execute("UPDATE evidence SET completed = 0")
    code, _, err = auto("check", "--replay", "1")
    assert code == 1 and "the evidence is not what it was" in err
    code, _, err = auto("promote", "support")
    assert code == 1 and "--by-hand" in err
    assert "m is the champion" in auto("promote", "support", "--by-hand", "urgent")[1]
    assert "support-base serves support" in auto("rollback", "support")[1]
    kinds = [json.loads(line)["event"] for line in auto("events")[1].splitlines()]
    assert kinds == ["deployed", "decision", "promoted", "rolled_back"]
    assert "no challenger under test" in auto("check", "support")[1]


def test_unknown_models_and_broken_values_are_one_message(auto):
    code, _, err = auto("deploy", "nobody")
    assert code == 1 and err.count("error:") == 1 and "there is no model 'nobody'" in err
    code, _, err = auto("collect", "--set", "auto_learning.gate.alpha=2")
    assert code == 1 and "auto_learning.gate.alpha = 2 is not allowed" in err


def test_a_folder_that_is_not_there_is_said(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(["auto", "status", "--folder", str(tmp_path / "typo")])
    assert "there is no workspace" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()


def test_lineage_leads_back_to_the_base(auto, world, section):
    world.work(5)
    rollout.deploy(world.workspace, section, world.model("m"), world.now)
    code, out, _ = auto("lineage", "m")
    assert code == 0 and out.splitlines()[0].startswith("m ")


def test_areas_name_what_to_collect_and_what_to_rate(auto, world):
    world.work(30)
    code, out, _ = auto("areas", "support")
    assert code == 0 and out.strip()
