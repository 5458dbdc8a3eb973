"""Pages that open offline: one HTML file with its style and images inside, light or dark as the
reader prefers.
"""

from __future__ import annotations

import base64
import copy
import logging
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from fledgling.core.files import write_text
from fledgling.reports.notebooks import question
from fledgling.reports.results import Results
from fledgling.reports.tables import change, estimate, leaning, measurement

_LOG = logging.getLogger(__name__)
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@cache
def _templates() -> Environment:
    """The templates, escaping every text that they are not told is HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "day": lambda started: started.replace("T", " ").replace("Z", " UTC"),
        "duration": duration,
        "link": lambda run: f"{run.folder.parent.name}/{run.folder.name}/report.html",
        "change": change,
        "embedded": lambda path: base64.b64encode(path.read_bytes()).decode("ascii"),
        "estimate": estimate,
        "leaning": leaning,
        "measurement": measurement,
    }
    return environment


def page(template: str, **values: Any) -> str:
    """A complete HTML document from a template of this package."""
    return _templates().get_template(template).render(values)


def write_page(path: Path, notebook: NotebookNode, results: Results) -> None:
    """Write an executed notebook as report.html: prose, outputs and figures, without the code."""
    title = question(notebook) or results.notebook
    try:
        body = body_of(notebook)
    except Exception as error:  # outputs may hold anything; the results are good without them
        _LOG.warning("%s: the outputs cannot be shown: %s", results.run_id, error)
        body = f'<p class="error">The outputs cannot be shown: {escape(str(error))}</p>'
    write_text(path, page("report.html", title=title, results=results, body=body))


def body_of(notebook: NotebookNode) -> str:
    """The cells as harmless HTML. Widgets are left out: without a server they would render as
    nothing.
    """
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
    return harmless(exporter.from_notebook_node(notebook)[0])


def harmless(html: str) -> str:
    """HTML without whatever could run code or ask for something from elsewhere. What a notebook
    shows may have come from a model, a teacher or a file, so no notebook is trusted here. The
    cleaning that nbconvert's own templates offer has no headings, paragraphs or pictures.

    >>> harmless('<p onclick="x()">a<script>b()</script><img src="https://c.org/d.png"></p>')
    '<p>a<img></p>'
    """
    return nh3.clean(
        html,
        tags=nh3.ALLOWED_TAGS | {"details", "summary"},
        attributes={**nh3.ALLOWED_ATTRIBUTES, "*": {"class", "title"}},
        clean_content_tags={"script", "style"},
        attribute_filter=_embedded_images_only,
        url_schemes={"http", "https", "mailto", "data"},
        url_relative="deny",
    )


def _embedded_images_only(tag: str, attribute: str, value: str) -> str | None:
    """Pictures from inside the page, links to outside it: never the other way round."""
    embedded = value.strip().lower().startswith("data:")
    if attribute in ("src", "href") and embedded != (tag == "img"):
        return None
    return value


def duration(seconds: float) -> str:
    """Seconds in the largest fitting unit.

    >>> duration(71.2), duration(8.25)
    ('1 min 11 s', '8.2 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
