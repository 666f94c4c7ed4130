"""docs/api.md, the reference of `import labeling_core as lc`: run this to write it anew."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

import labeling_core as lc
from labeling_core.integrity.storage import Storage, Use
from labeling_core.notebook.project import NextSample
from labeling_core.progress.label_filter import Wanted
from labeling_core.progress.learning_curve import Session
from labeling_core.settings import Category, Column, Settings

FILE = Path(__file__).parents[2] / "docs" / "api.md"
HEAD = """# Reference of `import labeling_core as lc`

Made of the docstrings by `tests/support/api_reference.py`. How it all goes together:
[notebook.md](notebook.md).
"""


def reference() -> str:
    """The whole document."""
    parts = [HEAD, *_function("lc.open", lc.open)]
    for name, each in (("lc.Labeling", lc.Labeling), ("lc.LabelingProject", lc.LabelingProject)):
        parts += [f"## {name}", _words(each), *_members(each)]
    parts += ["## lc.Error", _words(lc.Error)]
    for record in (NextSample, Session, Wanted, Storage, Use, Settings, Category, Column):
        parts += [f"## {record.__name__}", f"From `{record.__module__}`.", _words(record)]
        parts += [indent(_fields(record), "    ")]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _members(owner: type) -> Iterator[str]:
    for name, each in vars(owner).items():
        if isinstance(each, property):
            yield f"### {name}"
            yield _words(each)
        elif inspect.isfunction(each) and not name.startswith("_"):
            yield from _function(name, each, "###")


def _function(name: str, function: Any, level: str = "##") -> list[str]:
    found = inspect.signature(function)
    given = [_parameter(each) for each in found.parameters.values() if each.name != "self"]
    line = f"{name}({', '.join(given)}) -> {found.return_annotation}"
    if len(line) > 100:
        line = "\n    ".join([f"{name}(", *(f"{each}," for each in given)])
        line += f"\n) -> {found.return_annotation}"
    return [f"{level} {name}", indent(line, "    "), _words(function)]


def _parameter(given: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_KEYWORD: "**", inspect.Parameter.VAR_POSITIONAL: "*"}
    text = f"{stars.get(given.kind, '')}{given.name}: {given.annotation}"
    return text if given.default is inspect.Parameter.empty else f"{text} = {given.default!r}"


def _fields(record: Any) -> str:
    if is_dataclass(record):
        found = {each.name: each.type for each in fields(record) if each.name != "newer"}
    else:  # of a named tuple they are references that nobody has followed
        found = {
            name: getattr(kind, "__forward_arg__", kind)
            for name, kind in inspect.get_annotations(record).items()
        }
    return "\n".join(f"{name}: {kind}" for name, kind in found.items())


def _words(documented: Any) -> str:
    """A docstring as Markdown."""
    text = inspect.getdoc(documented) or ""
    text = re.sub(r":\w+:`([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")


if __name__ == "__main__":
    FILE.write_text(reference(), encoding="utf-8")
