"""Files that hold tables: workbooks, databases, packed files; and texts, one a line.

Each kind is a module with two functions: ``parts(path, name)``, what may be chosen among in it, and
``unpack(path, name, part, folder)``, which makes a plain file of it below ``folder``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from labeling_core.sources import (
    duckdb_files,
    packed_files,
    sqlite_files,
    text_lines,
    workbooks,
    zip_files,
)
from labeling_core.sources.import_errors import file_error
from labeling_core.sources.plain_files import Plain, chosen_part
from labeling_core.sources.signatures import kind_of, refuse_other_things
from labeling_core.sources.text_lines import LINES

__all__ = ["LINES", "TAKEN", "Plain", "opened", "parts"]

# What can be taken, in words.
TAKEN = (
    "CSV, TSV, JSON lines, Parquet, Excel (.xlsx), SQLite and DuckDB files, text with one sample a "
    "line, and any of CSV, JSON lines and Parquet packed as .gz, .zst, .bz2, .xz or .zip"
)


class _Kind(Protocol):
    """A module that reads one kind of file that holds tables."""

    def parts(self, path: Path, name: str) -> tuple[str, ...]: ...

    def unpack(self, path: Path, name: str, part: str, folder: Path) -> Plain: ...


class _Found(NamedTuple):
    kind: _Kind | None
    parts: tuple[str, ...]


_KINDS: dict[str, _Kind] = {
    "workbook": workbooks,
    "sqlite": sqlite_files,
    "duckdb": duckdb_files,
    "zip": zip_files,
    "packed": packed_files,
}


def parts(path: Path, name: str) -> tuple[str, ...]:
    """The sheets, tables or packed files in ``path``, called ``name`` by the user, one of which is
    to be chosen; empty for a plain or a packed table.

    Raises LabelingError with one sentence if it is something that is not taken, or damaged.
    """
    return _found(path, name).parts


@contextmanager
def opened(path: Path, name: str, part: str = "") -> Iterator[Plain]:
    """A plain file of the table ``part`` in ``path``: the file itself where it is one already.

    ``part`` is one of :func:`parts`, empty where there is one at most, or LINES for a text whose
    lines are the samples. Parquet where the cells have types. Raises LabelingError with one
    sentence (``field="source"``, or ``"part"`` where it has to be chosen).
    """
    found = _found(path, name)
    if found.kind is None and not part:
        yield Plain(path, name)
        return
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        plain = Plain(path, name)
        lines = part == LINES and not found.parts
        if found.kind is not None:
            chosen = chosen_part(name, found.parts, "" if lines else part)
            plain = found.kind.unpack(path, name, chosen, Path(folder))
            _require_plain(plain, name)
        elif not lines:
            chosen_part(name, (), part)
        yield text_lines.table(plain, Path(folder)) if lines else plain


def _found(path: Path, name: str) -> _Found:
    kind = kind_of(path, name)
    if not kind:
        refuse_other_things(path, name)
        return _Found(None, ())
    return _Found(_KINDS[kind], _KINDS[kind].parts(path, name))


def _require_plain(plain: Plain, name: str) -> None:
    """What was packed is a table, not something that holds tables once more."""
    inside = f"{plain.name} in {name}" if plain.name != name else name
    if kind_of(plain.path, inside):
        raise file_error(
            name, f"holds “{plain.name}”, in which tables are packed once more; unpack it first"
        )
    refuse_other_things(plain.path, inside)
