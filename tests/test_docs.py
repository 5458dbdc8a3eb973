"""The how-to pages name commands, files and settings that are there."""

import re

import click
import pytest
import typer

from fledgling.cli import COMMANDS, app
from fledgling.core.paths import ROOT
from fledgling.reports.notebooks import list_notebooks

PAGES = sorted((ROOT / "docs").glob("*.md"))
every = pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
# Commands of packages that a checkout may lack (see COMMANDS): then their pages are not held to it.
OPTIONAL = {"feedback": {"train", "export", "feedback"}}


def missing() -> set[str]:
    present = {
        package for package in COMMANDS if (ROOT / f"lib/fledgling/{package}/cli.py").exists()
    }
    return {name for package in OPTIONAL.keys() - present for name in OPTIONAL[package]}


def commands(page):
    """(words, options) of every ``fledgling …`` that stands as a command."""
    for line in re.findall(
        r"(?:^|\| |`)(fledgling [^`\n#|]+)", page.read_text(encoding="utf-8"), re.M
    ):
        words = line.split()[1:]
        yield (
            [word for word in words if not word.startswith("-")],
            [word for word in words if re.fullmatch(r"--?[a-z-]+", word)],
        )


@every
def test_commands_and_their_options_exist(page):
    root = typer.main.get_command(app)
    for words, options in commands(page):
        if words[0] in missing():
            continue
        command: click.Command = root
        while words and hasattr(command, "commands"):
            name = words.pop(0)
            assert name in command.commands, f"{page.name}: fledgling … {name}"
            command = command.commands[name]
        known = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)}
        assert set(options) <= known | {"--help"}, f"{page.name}: {command.name}"


@every
def test_files_that_pages_link_to_exist(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_index_and_every_notebook_in_its_list():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.stem != "README" and page.name not in index] == []
    listed = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    assert [path.stem for path in list_notebooks() if f"`{path.stem}`" not in listed] == []
