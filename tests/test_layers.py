"""The rooms of the core and the one direction in which they import one another."""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from labeling_core.access import rights

ROOT = Path(__file__).parents[1]
CORE = ROOT / "labeling_core"
# A room imports only what stands above it; rooms in one line do not know each other.
LAYERS = (
    ("errors", "settings", "people", "config"),
    ("learning", "store"),
    ("access", "sources"),
    ("modalities",),
    ("projects",),
    ("labeling",),
    ("progress",),
    ("sessions",),
    ("models", "simulation"),
    ("integrity", "live_sql"),
    ("workspace",),
    ("use_cases", "web"),
    ("notebook",),
    ("commands",),
    ("__main__",),
    ("pages.deck",),
    ("pages.shell",),
    ("pages.blocks", "pages.forms"),
    ("pages",),
    ("app",),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
LONGEST_MODULE, LONGEST_FUNCTION = 300, 45  # lines


def modules() -> dict[str, Path]:
    """Every module of the program by its dotted name."""
    paths = [*CORE.rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
    return {name_of(path): path for path in paths}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room(name: str) -> str:
    """``learning`` for ``labeling_core.learning.batches``, ``pages`` for ``pages.home``."""
    parts = name.removeprefix("labeling_core.").split(".")
    inner = ".".join(parts[:2])
    return inner if parts[0] == "pages" and inner in LEVEL else parts[0]


def imports(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """The modules of the program that a module names, those imported inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                dotted = f"{node.module}.{each.name}"
                if dotted in known or node.module in known:
                    yield dotted if dotted in known else node.module


def graph() -> dict[str, set[str]]:
    """Module → the modules it imports."""
    paths = modules()
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in paths.items()}
    return {name: set(imports(tree, set(paths))) - {name} for name, tree in trees.items()}


def turned_round(found: dict[str, set[str]]) -> list[str]:
    """The imports that do not run from a room to one above it, or within a room."""
    return [
        f"{name} imports {other}"
        for name, others in sorted(found.items())
        for other in sorted(others)
        if other not in ("labeling_core", "pages")
        and room(name) != room(other)
        and LEVEL[room(other)] >= LEVEL[room(name)]
        and not (LEVEL[room(other)] == LEVEL[room(name)] == 0)
    ]


def circle(found: dict[str, set[str]]) -> list[str]:
    """The modules of one import circle; empty if there is none."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_rooms_import_one_another_in_one_direction() -> None:
    found = graph()
    assert len(found) > 150
    assert turned_round(found) == []
    assert circle(found) == []


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("labeling_core.projects.samples", "labeling_core.web.media_links"),
        ("labeling_core.learning.batches", "labeling_core.store.database"),
        ("labeling_core.sessions.loop", "labeling_core.workspace"),
        ("labeling_core.models.prediction", "labeling_core.simulation.replay"),
        ("labeling_core.web.routes", "pages.home"),
        ("pages.shell.sidebar", "pages.blocks.log_filter"),
    ],
)
def test_an_import_that_is_turned_round_is_found(name: str, other: str) -> None:
    found = graph()
    found[name] = found[name] | {other}
    assert turned_round(found) == [f"{name} imports {other}"]


def test_a_circle_within_a_room_is_found() -> None:
    found = graph()
    found["labeling_core.store.database"] |= {"labeling_core.store.eventlog"}
    assert set(circle(found)) >= {"labeling_core.store.database", "labeling_core.store.eventlog"}


def test_every_module_lies_in_a_room_and_few_outside() -> None:
    assert {room(name) for name in modules()} - {"labeling_core"} <= set(LEVEL)
    assert len([*CORE.glob("*.py")]) <= 8
    rooms = {each.name for each in CORE.iterdir() if (each / "__init__.py").exists()}
    assert len(rooms) == 16
    assert all((CORE / each / "__init__.py").read_text("utf-8") == "" for each in rooms)


def test_only_pages_lie_directly_in_the_pages_folder() -> None:
    found = {each.stem for each in (ROOT / "pages").glob("*.py")}
    named = {page for each in rights.PAGES for page in fnmatch.filter(found, each)}
    assert found == {*named, "main", "__init__"}


def test_no_module_and_no_function_is_too_long() -> None:
    for path in modules().values():
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= LONGEST_MODULE, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= LONGEST_FUNCTION, f"{path}: {node.name} has {lines} lines"


def test_no_two_test_files_have_one_name() -> None:
    """pytest imports a test file by its bare name: of two that share one, it refuses the second."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
