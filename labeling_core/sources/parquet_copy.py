"""What DuckDB can select, written to a Parquet file without loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from labeling_core.settings import quote
from labeling_core.sources.import_sql import distinct_names
from labeling_core.store.database import literal
from labeling_core.store.removal import replace

OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_WIDE = ("HUGEINT", "UHUGEINT")  # what a sum of whole numbers is; Parquet would round it
_AS_TEXT = ("INTERVAL", "UNION", "BIGNUM", "VARINT", "VARIANT", "GEOMETRY")


def write_parquet(con: duckdb.DuckDBPyConnection, select: str, target: Path) -> tuple[str, ...]:
    """Write the rows of ``select`` to ``target``; a note for each column that became text.

    Raises duckdb.Error for what DuckDB has against it.
    """
    described = [(row[0], row[1]) for row in con.execute(f"DESCRIBE {select}").fetchall()]
    names, notes = distinct_names([name for name, _ in described])
    columns = [(name, kind) for name, (_, kind) in zip(names, described, strict=True)]
    chosen = []
    for number, (name, kind) in enumerate(columns):
        if kind.startswith(_AS_TEXT):
            notes.append(f"The column “{name}” of the type {kind[:40]} was taken as text.")
        text = kind in _WIDE or kind.startswith(_AS_TEXT)
        chosen.append(f"c{number}{'::VARCHAR' if text else ''} AS {quote(name)}")
    numbered = ", ".join(f"c{number}" for number in range(len(columns)))
    source = f"SELECT {', '.join(chosen)} FROM ({select}) AS __given({numbered})"
    con.execute(f"COPY ({source}) TO {literal(str(target))} (FORMAT parquet)")
    wide = [name for name, kind in columns if kind in _WIDE]
    if wide:
        notes += _narrow(target, wide)
    return tuple(notes)


def _narrow(target: Path, wide: Sequence[str]) -> list[str]:
    """Make numbers again of the texts in the columns ``wide``, where BIGINT holds them all."""
    tests = {name: f"{quote(name)} IS NULL OR TRY_CAST({quote(name)} AS BIGINT) IS NOT NULL"
             for name in wide}  # fmt: skip
    fits = _holding(target, tests)
    _recast(target, {name: "BIGINT" for name in fits})
    return [
        f"The column “{name}” holds numbers of more than 18 digits: it was taken as text."
        for name in wide
        if name not in fits
    ]


def with_dates(target: Path, texts: Sequence[str]) -> Path:
    """The Parquet file with dates or moments in those columns ``texts`` that hold nothing else,
    each written so that it comes back the same."""
    for kind in ("DATE", "TIMESTAMP"):
        tests = {
            name: f"{quote(name)} IS NULL OR "
            f"TRY_CAST({quote(name)} AS {kind})::VARCHAR = replace({quote(name)}, 'T', ' ')"
            for name in texts
        }
        found = _holding(target, tests)
        _recast(target, {name: kind for name in found})
        texts = [name for name in texts if name not in found]
    return target


def _holding(target: Path, tests: dict[str, str]) -> list[str]:
    """The columns with a value for which the test holds in every row."""
    if not tests:
        return []
    sql = ", ".join(
        f"coalesce(bool_and(coalesce({test}, false)), false) AND count({quote(name)}) > 0"
        for name, test in tests.items()
    )
    with duckdb.connect(config=OFFLINE) as con:
        row = con.execute(f"SELECT {sql} FROM read_parquet({literal(str(target))})").fetchone()
    return [name for name, holds in zip(tests, row or (), strict=True) if holds]


def _recast(target: Path, kinds: dict[str, str]) -> None:
    """Write the file anew, with other types of some columns."""
    if not kinds:
        return
    casts = ", ".join(f"{quote(name)}::{kind} AS {quote(name)}" for name, kind in kinds.items())
    new = target.with_name(f"{target.name}-typed")
    with duckdb.connect(config=OFFLINE) as con:
        con.execute(
            f"COPY (SELECT * REPLACE ({casts}) FROM read_parquet({literal(str(target))})) "
            f"TO {literal(str(new))} (FORMAT parquet)"
        )
    replace(new, target)
