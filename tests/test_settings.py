"""Every key of the configuration is read by code: a value that nothing reads is a promise broken.

The library is read as text. Names that hold a section (by annotation, by assignment from another
section, by a function's return annotation) are followed; ``section.key`` on such a name is a
reader of ``key``. A key of the same name on something else is none.
"""

import ast
import re
import typing
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from fledgling.core.paths import ROOT
from fledgling.core.settings import Section
from fledgling.reports.notebooks import list_notebooks, read_notebook
from fledgling.settings import Config

LIBRARY = ROOT / "lib" / "fledgling"
# Keys that only a person reads, with the reason.
FOR_PEOPLE = {
    "Config.name": "which layers were combined, for whoever opens config.yaml",
    "Name.preset": "the same",
    "Name.recipe": "the same",
    "Name.model": "the same",
    "TeachersSection.endpoint_defaults": "read where it fills the endpoints, by the section itself",
}
# Keys that still have no reader, with the package whose owner mends it.
KNOWN: dict[str, str] = {}


def sections_in(field: FieldInfo) -> list[type[Section]]:
    kinds = (field.annotation, *typing.get_args(field.annotation))
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)]


def sections(root: type[Section] = Config) -> dict[str, type[Section]]:
    """Every section class reachable from the whole configuration, by name."""
    found = {root.__name__: root}
    for field in root.model_fields.values():
        for kind in sections_in(field):
            found |= sections(kind)
    return found


SECTIONS = sections()


class Readers(ast.NodeVisitor):
    """Follows sections through modules. ``read`` collects ``Section.key``."""

    def __init__(self) -> None:
        self.returns = {"load_config": {"Config"}}  # function → the section that it returns
        self.attributes: dict[str, set[str]] = {}  # attribute of some object → what it may hold
        self.names: dict[str, set[str]] = {}  # name in this module → the section it holds
        self.read: set[str] = set()

    def kinds(self, node: ast.expr) -> set[str]:
        """The sections that an expression may hold; none where that is not known."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, set())
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            return self.kinds(node.args[0]) if name == "override" else self.returns.get(name, set())
        if not isinstance(node, ast.Attribute):
            return set()
        holders = self.kinds(node.value)
        if not holders:
            return self.attributes.get(node.attr, set())
        fields = [SECTIONS[holder].model_fields.get(node.attr) for holder in holders]
        return {kind.__name__ for field in fields if field for kind in sections_in(field)}

    def note(self, target: ast.expr, kinds: set[str]) -> None:
        if kinds and isinstance(target, ast.Name):
            self.names[target.id] = kinds
        elif kinds and isinstance(target, ast.Attribute):
            self.attributes[target.attr] = self.attributes.get(target.attr, set()) | kinds

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for line in node.body:
            if isinstance(line, ast.AnnAssign):  # a field of a dataclass
                self.note(ast.Attribute(node, ast.unparse(line.target)), named(line.annotation))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if named(node.returns):
            self.returns[node.name] = named(node.returns)
        arguments = node.args
        for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            self.names.pop(one.arg, None)  # an argument hides what another function called so
            self.note(ast.Name(one.arg), named(one.annotation))
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            together = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            targets = target.elts if together else [target]
            values = node.value.elts if together else [node.value]
            for one, value in zip(targets, values, strict=True):
                self.note(one, self.kinds(value))
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.note(node.target, named(node.annotation))
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        for holder in self.kinds(node.value):
            if node.attr in SECTIONS[holder].model_fields:
                self.read.add(f"{owner(SECTIONS[holder], node.attr).__name__}.{node.attr}")
        self.generic_visit(node)


def named(annotation: ast.expr | None) -> set[str]:
    """The sections that an annotation names, also as one of several: ``GateSection | None``."""
    words = re.findall(r"\w+", ast.unparse(annotation)) if annotation else []
    return SECTIONS.keys() & set(words)


def modules() -> Iterator[ast.Module]:
    """All code that computes; the sections themselves aside: a validator is no reader."""
    for folder in (LIBRARY, ROOT / "benchmarks"):
        for path in sorted(folder.rglob("*.py")):
            if path.name != "settings.py":
                yield ast.parse(path.read_text(encoding="utf-8"))
    for path in list_notebooks():
        cells = [cell.source for cell in read_notebook(path).cells if cell.cell_type == "code"]
        yield ast.parse("\n".join(cells))


def keys_read(trees: list[ast.Module]) -> set[str]:
    readers = Readers()
    for _ in range(3):  # what one module returns or stores is read in another
        for tree in trees:
            readers.names = {}
            readers.visit(tree)
    return readers.read


def keys() -> set[str]:
    """Every key under the section that brings it in, not under those that inherit it."""
    return {
        f"{owner(section, key).__name__}.{key}"
        for section in SECTIONS.values()
        for key in section.model_fields
    }


def owner(section: type[Section], key: str) -> type[Section]:
    """The class that declares a key."""
    return next(kind for kind in section.__mro__ if key in vars(kind).get("__annotations__", {}))


def test_every_key_is_read_by_code():
    unread = keys() - keys_read(list(modules())) - FOR_PEOPLE.keys()
    assert unread - KNOWN.keys() == set(), "read it, or take it out of the configuration"


def test_no_key_is_excused_that_is_read():
    assert KNOWN.keys() <= keys() - keys_read(list(modules())), "it has a reader: take it off"


def test_a_key_without_a_reader_is_found():
    source = """
def train(section: ReportsSection, others):
    print(section.job_gigabytes, others.time_limit_seconds)
"""
    assert keys_read([ast.parse(source)]) == {"ReportsSection.job_gigabytes"}


def test_a_section_is_followed_through_names_attributes_and_calls():
    source = """
class Pool:
    def __init__(self, section: TeachersSection) -> None:
        self.section = section
        limits = section.pool

    def ask(self):
        return self.section.agreement

def load() -> ReportsSection: ...

def run():
    print(load().longest_first)
"""
    found = keys_read([ast.parse(source)])
    assert {"TeachersSection.pool", "TeachersSection.agreement"} <= found
    assert "ReportsSection.longest_first" in found
