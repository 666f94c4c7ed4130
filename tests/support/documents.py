"""What the documents name: code blocks, commands, links, files, functions, tables."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
CORE = ROOT / "labeling_core"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
ROOMS = {each.parent.name for each in CORE.glob("*/__init__.py")}
TOP = {each.stem for each in CORE.glob("*.py")} | ROOMS | {"pages", "labeling_core"}
# Where paths of the repository begin; what begins otherwise is made while the program runs.
FOLDERS = {each.name for each in ROOT.iterdir() if each.is_dir()}
# Made by the first start, or by whoever sets up a login.
MADE = {"data/labeling.duckdb", ".streamlit/secrets.toml"}
SOURCES = (".py", ".js", ".ts", ".md", ".toml", ".css")
# Dotted words that are other people's.
FOREIGN = {"st", "server"}
# What the examples for notebooks call things.
CALLED = {"lc": "labeling_core", "db": "Labeling", "project": "LabelingProject"}


class Block(NamedTuple):
    """One code block: where it stands, its language and its text."""

    document: str
    language: str
    text: str


def blocks() -> list[Block]:
    """All code blocks of all documents."""
    return [
        Block(str(path.relative_to(ROOT)), language.strip(), text)
        for path in DOCUMENTS
        for language, text in re.findall(
            r"^ *```([^\n]*)\n(.*?)^ *```$", path.read_text("utf-8"), re.DOTALL | re.MULTILINE
        )
    ]


def prose(path: Path) -> str:
    """A document without its code blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def inline(path: Path) -> list[str]:
    """What stands between single backticks."""
    return re.findall(r"`([^`\n]+)`", prose(path))


def commands() -> list[str]:
    """Every command of the documents, in blocks and within sentences, each once."""
    lines = [line for each in blocks() if each.language == "sh" for line in each.text.splitlines()]
    starts = r"(python|pip|bash|apt-get|ruff|npx?|node)\s"
    lines += [each for path in DOCUMENTS for each in inline(path) if re.match(starts, each)]
    return list(dict.fromkeys(line.partition("  #")[0].strip() for line in lines if line.strip()))


def links(path: Path) -> Iterator[tuple[Path, str]]:
    """File and anchor of every link of a document that leads to no other host."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield (path.parent / file if file else path), anchor


def anchors(path: Path) -> set[str]:
    """What the headings of a document can be linked by."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def wrong(name: str, tables: set[str]) -> str:
    """Why what stands between backticks names nothing; empty if it is fine, or no name at all.

    ``tables`` are those of the database, as ``schema.table``.
    """
    name = re.sub(r"\(.*\)$", "", name)
    if re.fullmatch(r"[\w.<>\-]+(/[\w.<>\-]*)+", name):
        return _wrong_path(name)
    if re.fullmatch(r"[\w\-]+\.(py|js|ts|md|toml|css)", name):
        return "" if (ROOT / name).exists() or name in SOURCE else "no such file"
    if re.fullmatch(r"[\w\-]+\.(npy|npz|onnx|parquet|skops|jsonl?|duckdb|key|zip)", name):
        return "" if name in SOURCE else "no module makes such a file"
    if re.fullmatch(r"[A-Za-z_]\w*(\.\w+)+", name):
        return _wrong_word(name, tables)
    return ""


SOURCE = "\n".join(each.read_text("utf-8") for each in sorted(CORE.rglob("*.py")))


def _wrong_path(name: str) -> str:
    first = name.partition("/")[0]
    if first in FOLDERS or name.endswith(SOURCES):
        return "" if name in MADE or (ROOT / name).exists() else "no such file"
    return ""


def _wrong_word(name: str, tables: set[str]) -> str:
    first, _, rest = name.partition(".")
    if first in CALLED:
        return _wrong_word(f"{CALLED[first]}.{rest}", tables)
    if first in FOREIGN or name in tables or rest in tables:
        return ""
    if first in TOP:
        dotted = name if first in ("pages", "labeling_core") else f"labeling_core.{name}"
        return "" if _resolves(dotted) else "no such module, function or table"
    if first[0].isupper():
        return "" if rest in _members(first) else "no class has such a member"
    return "what is it?"


def _resolves(dotted: str) -> bool:
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for at, part in enumerate(parts[end:], start=end):
            if isinstance(found, type) and part in _members(found.__name__):
                return at == len(parts) - 1
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@cache
def _members(name: str) -> frozenset[str]:
    """Methods and fields of the classes of that name, in Python or in the deck's JavaScript."""
    found: set[str] = set()
    for path in CORE.rglob("*.py"):
        text = path.read_text("utf-8")
        if not re.search(rf"^ *class {name}\b", text, re.MULTILINE):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and node.name == name:
                found |= {each for inner in ast.walk(node) for each in _named(inner)}
    for path in (ROOT / "pages" / "deck").glob("*.js"):
        text = path.read_text("utf-8")
        if re.search(rf"\bclass {name}\b", text):
            found |= set(re.findall(r"^  (?:async |get )?(\w+)\(", text, re.MULTILINE))
    return frozenset(found)


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        yield node.name
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    ):
        yield node.attr
