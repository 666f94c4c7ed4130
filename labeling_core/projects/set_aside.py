"""Samples that cannot be used, each with its reason: files that nobody can read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

import duckdb


def count(cursor: duckdb.DuckDBPyConnection, project_id: str) -> int:
    """How many samples are set aside."""
    row = cursor.execute(
        "SELECT count(*) FROM labeling.broken WHERE project_id = ?", [project_id]
    ).fetchone()
    return int(row[0]) if row else 0


def listed(cursor: duckdb.DuckDBPyConnection, project_id: str) -> list[tuple[str, str]]:
    """``(sample_id, reason)`` of what was set aside, in the order of their names."""
    return cursor.execute(
        "SELECT sample_id, reason FROM labeling.broken WHERE project_id = ? ORDER BY ALL",
        [project_id],
    ).fetchall()


def forget(cursor: duckdb.DuckDBPyConnection, project_id: str) -> None:
    """Give all of them another chance: what they are is found out anew by the next reading."""
    cursor.execute("DELETE FROM labeling.broken WHERE project_id = ?", [project_id])


def store(cursor: duckdb.DuckDBPyConnection, project_id: str, reasons: dict[str, str]) -> None:
    """Let ``reasons`` (sample_id → sentence) be what is set aside now."""
    forget(cursor, project_id)
    cursor.execute(
        "INSERT INTO labeling.broken SELECT ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
        [project_id, list(reasons), list(reasons.values())],
    )


# A part of a reason → what would help. The first that fits counts.
_HELP = (
    ("pip install ", "Run {0} where the program runs, then try again."),
    ("ends early", "Copy or download it again: a part is missing."),
    ("is empty", "Copy or download it again: nothing is in it."),
    ("cannot be opened", "Let the program read it (rights, disk), then try again."),
    ("no longer in the folder", "Put it back, then try again."),
    ("leads out of the folder", "Put the file itself in the place of the link."),
    ("million pixels", "Save it smaller, or cut it into parts."),
    ("SVG drawing", "Export it as PNG."),
    ("web page", "Download the file that the page shows."),
    ("no numbers", "Look at it in the program that wrote it: it holds NaN or infinity."),
    ("more than 300 seconds", "Cut it into parts, or try again when the machine has less to do."),
    ("crashed its reader", "Save it anew with another program; it may be meant to do harm."),
    ("holds no sound", "Nothing to do, unless it should hold one."),
)
_ANY_HELP = "Open it in another program and save it anew; if that cannot read it, it is lost."


class Kind(NamedTuple):
    """Samples set aside for one ``reason`` (a sentence without their names), and what would
    ``help``."""

    reason: str
    help: str
    sample_ids: list[str]


def kinds(found: Iterable[tuple[str, str]]) -> list[Kind]:
    """What :func:`listed` gives by reason, the most frequent first."""
    by_reason: dict[str, list[str]] = {}
    for sample_id, reason in found:
        by_reason.setdefault(without_name(sample_id, reason), []).append(sample_id)
    by_number = sorted(by_reason.items(), key=lambda each: (-len(each[1]), each[0]))
    return [Kind(reason, helping(reason), names) for reason, names in by_number]


def without_name(sample_id: str, reason: str) -> str:
    """A reason where the sample's name stands already."""
    text = reason.removeprefix(f"{PurePosixPath(sample_id).name} ").replace(f" {sample_id!r}", "")
    return text[:1].upper() + text[1:]


def helping(reason: str) -> str:
    """What a person can do about a reason, in one sentence."""
    command = reason.partition(": pip install ")[2]
    fitting = (text for part, text in _HELP if part.lower() in reason.lower())
    return next(fitting, _ANY_HELP).format(f"`pip install {command}`")
