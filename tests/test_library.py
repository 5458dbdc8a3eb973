"""Nothing in the library is there for its own test alone."""

import ast
import importlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from fledgling.core.paths import ROOT
from fledgling.reports.notebooks import list_notebooks, read_notebook

LIBRARY = ROOT / "lib"
# Called by a test or by somebody else's code, not by ours: name → why it may stay.
ALLOWED = {
    "fledgling.models.tiny": "stands in for a real model in tests",
    "fledgling.teachers.mock.FixedTeacher": "stands in for a real teacher in tests",
    "fledgling.feedback.trl_parts.Reporting": "is mixed into TRL's trainers, which call it",
    "fledgling.auto_learning.medallion.ray_data.open_table": "for whoever has Ray (optional)",
    "fledgling.tasks.store.load_graph_model": "opens in your own code what `tasks train` saved",
    "fledgling.reports.kernel.main": "is started as a process: python -m",
}
KNOWN: dict[str, str] = {}  # what still has no caller, with the package whose owner mends it


@dataclass
class Uses(ast.NodeVisitor):
    """Every name that a piece of code uses, and where each stands."""

    lines: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # by name
    imports: set[str] = field(default_factory=set)  # dotted, as in ``from a.b import c``

    def visit_Name(self, node: ast.Name) -> None:
        self.lines[node.id].append(node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.lines[node.attr].append(node.lineno)
        self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.imports |= {f"{node.module}.{alias.name}" for alias in node.names}


def uses(tree: ast.Module) -> Uses:
    found = Uses()
    found.visit(tree)
    return found


def library() -> dict[str, ast.Module]:
    """Module name → its code."""
    found = {}
    for path in sorted(LIBRARY.rglob("*.py")):
        parts = path.relative_to(LIBRARY).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def readers() -> Iterator[ast.Module]:
    """The code around the library: notebooks and benchmarks."""
    for path in (ROOT / "benchmarks").rglob("*.py"):
        yield ast.parse(path.read_text(encoding="utf-8"))
    for path in list_notebooks():
        cells = [cell.source for cell in read_notebook(path).cells if cell.cell_type == "code"]
        yield ast.parse("\n".join(cells))


def is_registered(node: ast.AST) -> bool:
    """Handed to a framework by its decorator: a command, a validator, a route."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any("(" in text or text.endswith("_validator") for text in decorators if "." in text)


def public(tree: ast.AST) -> list[ast.FunctionDef | ast.ClassDef]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    found = [node for node in tree.body if isinstance(node, kinds)]
    return [node for node in found if not node.name.startswith("_") and not is_registered(node)]


def overrides(module: str, owner: str, name: str) -> bool:
    """True where a method is called through the class that it comes from."""
    kind = getattr(importlib.import_module(module), owner)
    return any(hasattr(base, name) for base in kind.__mro__[1:])


def without_callers(modules: dict[str, ast.Module], around: list[ast.Module]) -> set[str]:
    """Public functions, classes and methods of ``modules`` that no code uses. A function must be
    named where its module is known; a method is looked for by its name alone.
    """
    used = {name: uses(tree) for name, tree in modules.items()}
    everywhere = [*used.values(), *(uses(tree) for tree in around)]
    imported = set().union(*(one.imports for one in everywhere))
    counts: Counter[str] = Counter()
    for one in everywhere:
        counts.update({word: len(lines) for word, lines in one.lines.items()})
    dead = set()
    for module, tree in modules.items():
        known_to = [one for one in everywhere if module in one.imports]
        for node in public(tree):
            called = any(node.name in one.lines for one in known_to)
            called |= f"{module}.{node.name}" in imported
            if not called and len(used[module].lines[node.name]) == inside(node, used[module]):
                dead.add(f"{module}.{node.name}")
            for method in public(node) if isinstance(node, ast.ClassDef) else ():
                called = counts[method.name] > inside(method, used[module])
                if not called and not overrides(module, node.name, method.name):
                    dead.add(f"{module}.{node.name}.{method.name}")
    return dead


def inside(node: ast.FunctionDef | ast.ClassDef, found: Uses) -> int:
    """How often a definition names itself."""
    return sum(node.lineno <= line <= node.end_lineno for line in found.lines[node.name])


def covered(name: str, names: dict[str, str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in names)


def test_everything_public_has_a_caller():
    dead = without_callers(library(), list(readers()))
    unexpected = {name for name in dead if not covered(name, ALLOWED) and not covered(name, KNOWN)}
    assert unexpected == set(), "call it, or take it out together with its test"


def test_nothing_is_excused_that_has_callers():
    dead = without_callers(library(), list(readers()))
    assert {name for name in KNOWN if not any(covered(one, {name: ""}) for one in dead)} == set()


def test_what_only_calls_itself_is_found():
    alone = ast.parse("def count(n):\n    return count(n - 1)\n\ndef used(): ...\n")
    around = ast.parse("from fledgling.alone import used")
    assert without_callers({"fledgling.alone": alone}, [around]) == {"fledgling.alone.count"}
