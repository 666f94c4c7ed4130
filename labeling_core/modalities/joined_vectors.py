"""Vectors of a table's rows that were computed elsewhere, joined to it by a key.

A Parquet file, or npz with an array for each column: one column of lists of numbers (in npz an
array [rows, width]), and beside it columns of the table that tell its rows apart, or ``sample_id``.
What is joined becomes one more column of the table, called as the features' key. For the worker
process and the command line: numpy and pyarrow are imported inside the functions.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.modalities import own_features
from labeling_core.settings import quote
from labeling_core.store.database import literal

if TYPE_CHECKING:
    import pyarrow as pa

ROW_ID = "__sample_id"  # the column of a table that says its rows' sample_id
NUMBER = "sample_id"
_INDEX = re.compile(r"__index_level_\d+__")  # what pandas calls an index without a name
_NUMERIC = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)")
_LISTS = re.compile(rf"({_NUMERIC.pattern})\[\d*\]")
_SETTINGS: dict[str, Any] = {"autoinstall_known_extensions": "false", "memory_limit": "1GB"}


class Joined(NamedTuple):
    """What was joined: the ``file``, its ``version``, the ``keys``; of the ``rows`` of the table
    those ``without`` a vector, and those with one of an ``other`` length than the ``width`` that
    most have, each with an example; and the vectors that are ``unused``."""

    file: str
    version: str
    keys: list[str]
    width: int
    rows: int
    without: int
    such: str
    other: int
    other_such: str
    unused: int

    def note(self) -> str:
        """All of it in a sentence."""
        found = self.rows - self.without - self.other
        text = (
            f"{self.file}, joined by {' and '.join(self.keys)}: {found:,} of {self.rows:,} rows "
            f"have a vector of {self.width:,} numbers"
        )
        if self.without:
            text += f"; {_have(self.without)} none, such as {self.such}"
        if self.other:
            text += f"; {_have(self.other)} one of another length, such as {self.other_such}"
        if self.without or self.other:
            text += ": it counts as missing"
        if self.unused:
            text += f"; {self.unused:,} vector{' is' if self.unused == 1 else 's are'} of no row"
        return f"{text}."


def notes(joined: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Column → :meth:`Joined.note`, of the fields of Joined as they are stored."""
    return {name: Joined(**each).note() for name, each in joined.items()}


def _have(number: int) -> str:
    return f"{number:,} {'has' if number == 1 else 'have'}"


def keys_of(features: Sequence[str]) -> list[str]:
    """Those of the ``features`` (see registry.parts) that are vectors."""
    return [each for each in features if each.startswith(own_features.VECTORS)]


def join(table: Path, features: Sequence[str], target: Path) -> dict[str, Joined]:
    """Write the Parquet ``table`` with the vectors of each of ``features`` to Parquet ``target``.

    Rows keep their order; their sample_id is in the column ROW_ID, or else their number from 1.
    Raises LabelingError for vectors that are not there, cannot be read, are joined by what is no
    column of the table, have a key twice, or fit no row.
    """
    found, selected, joins = dict[str, Joined](), "", ""
    with duckdb.connect(config=_SETTINGS) as con:
        con.execute(f"SET temp_directory = {literal(str(target.parent))}")
        ours = _show_table(con, table)
        for number, key in enumerate(features):
            path, view = own_features.file(key), f"v{number}"
            if key in ours:
                raise LabelingError(f"The table has a column “{key}” already: rename {path.name}.")
            try:
                found[key] = _found(con, path, view, own_features.version(key))
            except duckdb.Error as error:
                raise LabelingError(f"{path.name} cannot be read as vectors of rows.") from error
            selected += f", {view}.__vector AS {quote(key)}"
            joins += f" LEFT JOIN {view} ON {_matched(con, view, found[key].keys)}"
        kept = ", ".join(f"s.{quote(each)}" for each in ours)
        con.execute(
            f"COPY (SELECT {kept}{selected} FROM samples s{joins} ORDER BY s.__at) "
            f"TO {literal(str(target))} (FORMAT parquet)"
        )
    return found


def completed(table: Path, joined: Mapping[str, Mapping[str, Any]], target: Path) -> Path:
    """Another ``table`` with the vectors that a model has learned from, which were ``joined`` to
    its own table (see Joined): itself where it has them as columns, else ``target``, in which
    those that it lacks come from the same place.

    Raises LabelingError as :func:`join`, and for rows that have numbers only: the numbers of
    another table are of other rows.
    """
    import pyarrow.parquet as pq

    there = pq.read_schema(table).names
    lacking = [each for each in joined if each not in there]
    for each in lacking:
        if NUMBER in joined[each]["keys"] and NUMBER not in there:
            raise LabelingError(
                f"The table lacks the column “{each}”: the vectors in {joined[each]['file']} were "
                "joined by sample_id, the number of a row, and so are of no other table."
            )
    if not lacking:
        return table
    join(table, lacking, target)
    return target


def _show_table(con: duckdb.DuckDBPyConnection, table: Path) -> list[str]:
    """Make the view ``samples`` of a table, with the place of each row and, unless it has a column
    of that name, sample_id; return its own columns."""
    con.execute(f"CREATE VIEW given AS FROM read_parquet({literal(str(table))})")
    there = _types(con, "given")
    number = f"{ROW_ID} AS {NUMBER}" if ROW_ID in there else f"(__at + 1)::VARCHAR AS {NUMBER}"
    con.execute(
        f"CREATE VIEW samples AS SELECT *{'' if NUMBER in there else f', {number}'} FROM "
        "(SELECT *, row_number() OVER () - 1 AS __at FROM given)"
    )
    return [each for each in there if each != ROW_ID]


def _found(con: duckdb.DuckDBPyConnection, path: Path, view: str, version: str) -> Joined:
    """Make the ``view`` of the vectors in ``path``, and count what fits."""
    if path.suffix == ".npz":
        con.register(f"{view}_file", _arrays(path))
    else:
        con.execute(f"CREATE VIEW {view}_file AS FROM read_parquet({literal(str(path))})")
    types, known = _types(con, f"{view}_file"), _types(con, "samples")
    listed = [each for each, kind in types.items() if _LISTS.fullmatch(kind)]
    keys = [each for each in types if each not in listed and not _INDEX.fullmatch(each)]
    if len(listed) != 1 or not keys or any(each not in known for each in keys):
        ours = ", ".join(each for each in known if each not in ("__at", ROW_ID))
        raise LabelingError(
            f"{path.name} should have one column of lists of numbers, and beside it only columns "
            f"of the table that tell which row a vector is of, or sample_id; it has "
            f"{', '.join(types)}; of the table there are {ours}."
        )
    quoted, kind = [*map(quote, keys)], types[listed[0]].partition("[")[0]
    con.execute(
        f"CREATE VIEW {view} AS SELECT {', '.join(quoted)}, {quote(listed[0])}::{kind}[] AS "
        f"__vector FROM {view}_file WHERE {' AND '.join(f'{each} IS NOT NULL' for each in quoted)}"
    )
    row = con.execute(
        f"SELECT count(*), min(key) FROM (SELECT {_such(view, keys)} AS key FROM {view} "
        "GROUP BY ALL HAVING count(*) > 1)"
    ).fetchone()
    if row and row[0]:
        twice = "a key" if row[0] == 1 else f"{row[0]:,} keys"
        raise LabelingError(
            f"{path.name} has more than one vector for {twice}, such as {row[1]}: leave one for "
            "each."
        )
    return _counted(con, path.name, view, keys, version)


def _counted(
    con: duckdb.DuckDBPyConnection, file: str, view: str, keys: list[str], version: str
) -> Joined:
    """How many rows of ``samples`` have a vector of ``view``. Raises LabelingError for none."""
    matched, such = _matched(con, view, keys), _such("s", keys)
    ((width, vectors, first),) = con.execute(
        f"SELECT mode(len(__vector)), count(*), min({_such(view, keys)}) FROM {view}"
    ).fetchall()
    lacking, other = "__vector IS NULL", f"len(__vector) <> {width or 0}"
    ((rows, without, some, others, other_such),) = con.execute(
        f"SELECT count(*), count(*) FILTER ({lacking}), min({such}) FILTER ({lacking}), "
        f"count(*) FILTER ({other}), min({such}) FILTER ({other}) "
        f"FROM samples s LEFT JOIN {view} ON {matched}"
    ).fetchall()
    if rows == without + others:
        raise LabelingError(
            f"{file} has a vector of none of the {rows:,} rows: it has {vectors:,}, such as "
            f"{first}, and the table {some}."
        )
    ((unused,),) = con.execute(
        f"SELECT count(*) FROM {view} ANTI JOIN samples s ON {matched}"
    ).fetchall()
    found = rows, without, some or "", others, other_such or "", unused
    return Joined(file, version, keys, width, *found)


def _matched(con: duckdb.DuckDBPyConnection, view: str, keys: Sequence[str]) -> str:
    """SQL for a vector being of a row: numbers go by their value, all else by how it is written."""
    theirs, ours = _types(con, view), _types(con, "samples")
    found = []
    for each in keys:
        numbers = _NUMERIC.fullmatch(theirs[each]) and _NUMERIC.fullmatch(ours[each])
        text = "" if numbers else "::VARCHAR"
        found.append(f"s.{quote(each)}{text} = {view}.{quote(each)}{text}")
    return " AND ".join(found)


def _such(view: str, keys: Sequence[str]) -> str:
    """SQL for the keys of a row in words."""
    texts = (f"{literal(each)} || ' “' || {view}.{quote(each)}::VARCHAR || '”'" for each in keys)
    return f"concat_ws(', ', {', '.join(texts)})"


def _types(con: duckdb.DuckDBPyConnection, view: str) -> dict[str, str]:
    return {row[0]: row[1] for row in con.execute(f"DESCRIBE {view}").fetchall()}


def _arrays(path: Path) -> pa.Table:
    """The arrays of an npz file as columns. Raises LabelingError for what is none."""
    import numpy as np
    import pyarrow as pa

    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise LabelingError(f"{path.name} cannot be read as plain arrays: {error}.") from error
    columns: dict[str, pa.Array] = {}
    for name, each in found.items():
        if each.ndim == 2 and each.size and each.dtype.kind in "fiu":
            flat = pa.array(np.ascontiguousarray(each).ravel())
            columns[name] = pa.FixedSizeListArray.from_arrays(flat, each.shape[1])
        elif each.ndim == 1 and each.dtype.kind in "Ufiu":
            columns[name] = pa.array(each)
    if len(columns) < len(found) or len({len(each) for each in columns.values()}) != 1:
        shapes = ", ".join(f"{name} {list(each.shape)}" for name, each in found.items())
        raise LabelingError(
            f"{path.name} should hold one array of numbers [rows, width], and keys [rows] under "
            f"the names of their columns; it holds {shapes or 'none'}."
        )
    return pa.table(columns)
