"""Peers in one run: the same model, facts, probes and cores for recipes of this project, TRL's
trainer, adaptible, and GRACE as EasyEdit has it.

python benchmarks/peers.py --facts 8 --recipes default,reader --peers trl,adaptible,grace

Every contestant runs in a process of its own, one after the other (benchmarks/contestants.py), so
that its memory is its own and its failure is a line of the table. Packages that are not installed
beside this project are looked for in --packages:

pip install --no-deps --target FOLDER adaptible
git clone https://github.com/zjunlp/EasyEdit FOLDER        # the index has no EasyEdit with GRACE

The facts are validation data: what is fixed here was chosen on tuning facts, see peer_learners.py.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from contestants import STREAMS, Course, Result, chosen
from peer_learners import PEERS
from rich.console import Console
from rich.table import Table

from fledgling.core import runtime
from fledgling.core.files import read_json, read_jsonl
from fledgling.core.records import Example
from fledgling.facts.learner import OnlineLearner, load_gate_readers
from fledgling.facts.measuring.streams import TaughtFact, sample
from fledgling.language.facts import take_at_word
from fledgling.models.loading import load_model
from fledgling.settings import load_config

INSTALL = {
    "trl": "pip install -e '.[compare]'",
    "adaptible": "pip install --no-deps --target FOLDER adaptible, then --packages FOLDER",
    "adaptible_all": "pip install --no-deps --target FOLDER adaptible, then --packages FOLDER",
    "grace": "git clone https://github.com/zjunlp/EasyEdit FOLDER, then --packages FOLDER",
}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
COLUMNS = {  # of a result: heading, format
    "direct": ("direct", ".2f"),
    "rephrased": ("re-\nphrased", ".2f"),
    "reverse": ("reverse", ".2f"),
    "use": ("use", ".2f"),
    "near_miss": ("near\nmiss", ".2f"),
    "anchor_kl": ("anchor\nKL", ".3f"),
    "seconds": ("seconds\na fact", ".2f"),
    "memory_mib": ("MiB", ".0f"),
}
_RAISED = re.compile(r"^[\w.]+(?:Error|Exception|Interrupt|Exit|NotFound)\b.*")


def main(
    facts: Annotated[int, typer.Option(help="How many facts of the stream.")] = 8,
    recipes: Annotated[str, typer.Option(help="Of this project.")] = "default,reader",
    peers: Annotated[str, typer.Option(help=f"Of {', '.join(PEERS)}; NAME:NUMBER retunes.")] = (
        ",".join(PEERS)
    ),
    packages: Annotated[
        str, typer.Option(help="A folder to look in first for the peers' packages.")
    ] = "",
    stream: Annotated[str, typer.Option(help=f"Of {', '.join(STREAMS)}.")] = "everyday",
    seed: Annotated[int, typer.Option(help="Of the facts drawn, and their order.")] = 1,
    minutes: Annotated[float, typer.Option(help="For one contestant, at most.")] = 30.0,
    out: Annotated[Path, typer.Option(help="One line a contestant is added here.")] = Path(
        "reports/peers.jsonl"
    ),
    resume: Annotated[
        bool, typer.Option(help="Take what --out holds of the same facts instead of running it.")
    ] = False,
) -> None:
    own, others = ([name for name in text.split(",") if name] for text in (recipes, peers))
    ids = [fact.id for fact in sample(STREAMS[stream](), facts, seed)]
    told = chosen(stream, ids)
    task = {"stream": stream, "facts": facts, "seed": seed}
    results = reached(out, task) if resume else {}
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / "course.json"
        missing = [name for name in (*own, *others) if name not in results]
        if missing:
            Course(stream, told, render(told)).save(course)
        for name in missing:
            found = compete(name, course, packages if name in others else "", minutes)
            results[name] = found
            with out.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({**task, **dataclasses.asdict(found)}) + "\n")
            print(name, found.error or "done", flush=True)
    own_results, peer_results = ([results[name] for name in names] for names in (own, others))
    console = Console()
    console.print(table([*own_results, *peer_results], f"{facts} {stream} facts"))
    console.print(verdict(own_results, peer_results), highlight=False)


def reached(path: Path, task: dict[str, object]) -> dict[str, Result]:
    """The newest result of each contestant in an earlier run on the same facts, by its name."""
    found = {}
    for _, line in read_jsonl(path) if path.is_file() else ():
        if {name: line.pop(name, None) for name in task} == task and not line["error"]:
            found[line["name"]] = Result(**line)
    return found


def render(facts: Sequence[TaughtFact]) -> list[list[Example]]:
    """The rows that the recipe per_fact learns each fact from."""
    config = load_config("full", recipe="per_fact")
    loaded = load_model(config.models, runtime.start())
    learner = OnlineLearner(loaded, config.facts, config.language, readers=load_gate_readers())
    told = [take_at_word(fact.turn, config.language) for fact in facts]
    rows = [learner.lessons.examples(fact, random.Random(0)) for fact in told]
    learner.close()
    return rows


def compete(name: str, course: Path, packages: str, minutes: float) -> Result:
    """One contestant's result, or its error: whatever it raised, or what ended its process."""
    path = course.with_name("result.json")
    path.unlink(missing_ok=True)
    script = str(Path(__file__).with_name("contestants.py"))
    places = [packages, os.environ.get("PYTHONPATH", "")]
    environment = os.environ | OFFLINE | {"PYTHONPATH": os.pathsep.join(filter(None, places))}
    try:
        done = subprocess.run(
            [sys.executable, script, name, str(course), str(path)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60 * minutes,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Result(name, error=f"nothing after {minutes:g} minutes")
    if done.returncode == 0 and path.is_file():
        return Result(**read_json(path))
    return Result(name, error=what_failed(name, done.stderr, done.returncode))


def what_failed(name: str, stderr: str, code: int) -> str:
    """The last error that a process wrote; where a package is missing, also how to get it.

    >>> what_failed("trl", "Traceback …\\nValueError: no rows\\nbye", 1)
    'ValueError: no rows'
    >>> what_failed("trl:1e-3", "ModuleNotFoundError: No module named 'trl'", 1)
    "ModuleNotFoundError: No module named 'trl' (pip install -e '.[compare]')"
    """
    raised = [line for line in stderr.splitlines() if _RAISED.match(line)]
    error = raised[-1] if raised else f"ended with {code}, without a word"
    if error.startswith("ModuleNotFoundError"):
        error += f" ({INSTALL.get(name.partition(':')[0], 'unknown')})"
    return error


def table(results: Sequence[Result], title: str) -> Table:
    """One line a contestant."""
    drawn = Table(title=title, box=None)
    drawn.add_column("contestant", no_wrap=True)
    for heading, _ in COLUMNS.values():
        drawn.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        values = [(getattr(result, name), form) for name, (_, form) in COLUMNS.items()]
        cells = ["-" if value is None else format(value, form) for value, form in values]
        drawn.add_row(result.name, *cells)
    return drawn


def verdict(own: Sequence[Result], peers: Sequence[Result]) -> str:
    """Whom each recipe is ahead of, and where it is not, with the figures. On recall, the mean over
    direct, rephrased and reverse questions, it is ahead only at no more near misses.
    """
    leads: dict[str, list[str]] = {"recall at no more near misses": [], "seconds a fact": []}
    behind = []
    for recipe, peer in itertools.product(own, peers):
        if recipe.error or peer.error:
            continue
        pair = f"{recipe.name} of {peer.name}"
        figures = [f"{one.recall:.2f} at near_miss {one.near_miss:.2f}" for one in (recipe, peer)]
        times = [f"{one.seconds:.2f} s" for one in (recipe, peer)]
        recalls = recipe.recall > peer.recall and recipe.near_miss <= peer.near_miss
        faster = recipe.seconds < peer.seconds
        tried = ((recalls, "recall", figures), (faster, "seconds a fact", times))
        for (led, what, (mine, theirs)), leading in zip(tried, leads.values(), strict=True):
            if led:
                leading.append(pair)
            else:
                behind.append(f"{pair} on {what} ({mine} against {theirs})")
    parts = {f"Ahead on {what}": pairs for what, pairs in leads.items()} | {"Not ahead": behind}
    parts["Did not run"] = [f"{one.name}, {one.error}" for one in (*own, *peers) if one.error]
    return "\n".join(f"{head}: {'; '.join(said) or 'none'}." for head, said in parts.items())


if __name__ == "__main__":
    typer.run(main)
