"""One notebook, executed by papermill in a process of its own: ``python -m fledgling.reports.worker
JOB.json``.

The parent reads what happens from two files in the job's folder: ``progress.jsonl`` gets a line for
each finished cell, ``outcome.json`` appears at the end. A process that can be killed is the only
time limit that holds: a cell may swallow KeyboardInterrupt.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from fledgling.core.files import read_json, write_json

PROGRESS = "progress.jsonl"
OUTCOME = "outcome.json"
LOG = "worker.log"


def execute(job: dict[str, Any]) -> str | None:
    """Run the notebook; ``None`` when every cell ran, else what went wrong in one line."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    folder = Path(job["folder"])
    use_this_interpreter(folder)

    def cell_done(cell_index: int, **_: Any) -> None:
        with (folder / PROGRESS).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"cell": cell_index}) + "\n")

    try:
        papermill.execute_notebook(
            verbatim(job["notebook"]),
            verbatim(str(folder / "notebook.ipynb")),
            parameters=job["parameters"],
            kernel_name="python3",
            language="python",
            cwd=job["cwd"],
            progress_bar=False,
            log_output=False,
            on_cell_complete=cell_done,
        )
    except PapermillExecutionError as error:
        return f"{error.ename}: {error.evalue} (cell {error.cell_index + 1})"
    except (
        Exception
    ) as error:  # a dead kernel, a full disk: whatever it is, the parent must be told
        return f"{type(error).__name__}: {error}"
    return None


def use_this_interpreter(folder: Path) -> None:
    """Let the kernel name "python3" mean this very interpreter, whatever kernels the user has
    installed.
    """
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    write_json(
        folder / "jupyter" / "kernels" / "python3" / "kernel.json",
        {"argv": command, "display_name": "Python 3", "language": "python"},
    )
    others = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(
        [str(folder / "jupyter"), *([others] if others else [])]
    )


def verbatim(path: str) -> str:
    """A path that papermill's own ``{placeholder}`` formatting leaves as it is."""
    return path.replace("{", "{{").replace("}", "}}")


def main() -> None:
    job = read_json(Path(sys.argv[1]))
    write_json(Path(job["folder"]) / OUTCOME, {"error": execute(job)})


if __name__ == "__main__":
    main()
