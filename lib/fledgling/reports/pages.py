"""Pages that open offline: one HTML file with its style and images inside, light or dark as the
reader prefers.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from nbconvert import HTMLExporter
from nbformat import NotebookNode

from fledgling.core.files import write_text
from fledgling.reports.notebooks import question
from fledgling.reports.tables import verdict_rows

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def page(title: str, body: str) -> str:
    """A complete HTML document around ``body``."""
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f'<link rel="icon" href="data:,">\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n'
        f"</body>\n</html>\n"
    )


def write_page(path: Path, notebook: NotebookNode, results: Mapping[str, Any]) -> None:
    """Write an executed notebook as report.html: its prose, outputs and figures, without the code."""
    title = question(notebook) or results["notebook"]
    error = (
        f'<p class="error"><strong>{escape(results["status"])}</strong>: {escape(results["error"])}</p>'
        if results.get("error")
        else ""
    )
    head = (
        f'<header class="top"><p><a href="../../index.html">All reports</a></p>'
        f"{chips(results)}{error}</header>"
    )
    write_text(
        path,
        page(title, f'{head}\n<article class="report">\n{notebook_body(notebook)}\n</article>'),
    )


def notebook_body(notebook: NotebookNode) -> str:
    """The cells as HTML. Widgets are left out: without a server they would render as nothing."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if _WIDGET_VIEW not in output.get("data", {})
            ]
    exporter = HTMLExporter(
        template_name="basic",
        embed_images=True,
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    body, _ = exporter.from_notebook_node(notebook)
    return body


def chips(results: Mapping[str, Any]) -> str:
    """Status, verdict count, preset, seed, time and start of a run, as a row of labels."""
    labels = []
    if results["status"] != "ok":
        labels.append(("bad", results["status"]))
    verdicts = results["verdicts"]
    if verdicts:
        passed = sum(verdict["passed"] for verdict in verdicts)
        labels.append(
            (
                "good" if passed == len(verdicts) else "bad",
                f"{passed} of {len(verdicts)} verdicts passed",
            )
        )
    where = results["environment"]
    labels += [
        ("", f"preset {results['preset']}"),
        ("", f"seed {results['seed']}"),
        ("", duration(results["seconds"])),
        ("", f"{where.get('device', '?')} {where.get('dtype', '')}"),
        ("", results["started"].replace("T", " ").replace("Z", " UTC")),
    ]
    return (
        '<div class="chips">'
        + "".join(
            f'<span class="chip {kind}">{escape(text.strip())}</span>' for kind, text in labels
        )
        + "</div>"
    )


def verdict_html(results: Mapping[str, Any]) -> str:
    """The verdict table of a run, or an empty string."""
    rows = "".join(
        f'<tr><td>{escape(metric)}</td><td>{escape(target)}</td><td class="number">{escape(measured)}</td>'
        f'<td class="{"passed" if passed else "missed"}">{"passed" if passed else "failed"}</td></tr>'
        for metric, target, measured, passed in verdict_rows(results["verdicts"])
    )
    if not rows:
        return ""
    return (
        '<div class="wide"><table><thead><tr><th>metric</th><th>target</th><th class="number">measured</th>'
        f"<th>verdict</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def duration(seconds: float) -> str:
    """Seconds in the largest fitting unit.

    >>> duration(71.2), duration(8.25)
    ('1 min 11 s', '8.2 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
