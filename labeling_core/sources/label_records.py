"""Labels that a file brings, whatever tool it is from: one record for each annotation."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

SKIPPED = "SKIPPED"  # the status of a decision without a label, as the metadata table has it


class Imported(NamedTuple):
    """One annotation of one sample.

    ``line`` is where it stands in its file, from 1 (of a JSON array: the entry). ``fields`` are
    the texts that tell the sample: its own columns, its path, its id. ``label`` is None for a
    sample that was passed over (``skipped``); ``annotator`` is empty where the file names nobody,
    ``moment`` (UTC) and ``comment`` are None where it says nothing.
    """

    line: int
    fields: Mapping[str, str]
    label: str | None
    annotator: str = ""
    moment: datetime | None = None
    comment: str | None = None

    @property
    def skipped(self) -> bool:
        """Whether somebody passed the sample over."""
        return self.label is None


class Unreadable(NamedTuple):
    """What is not taken of a file: where, and the sentence that says why."""

    line: int
    reason: str


@dataclass
class LabelFile:
    """What was read of a file: its ``format`` (a key of foreign_labels.FORMATS), its annotations,
    what could not be taken, and what else is to be said about the reading.

    ``unlabeled`` are samples that the file has no annotation of: rows of a new project.
    """

    format: str
    records: list[Imported] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unlabeled: list[Mapping[str, str]] = field(default_factory=list)

    def refuse(self, line: int, reason: str) -> None:
        """Say that something is not taken."""
        self.unreadable.append(Unreadable(line, reason))

    def add(
        self,
        line: int,
        fields: Mapping[str, str],
        labels: Sequence[str],
        annotator: Any = "",
        moment: Any = None,
        comment: Any = None,
    ) -> None:
        """Take one annotation with exactly one label. One without is passed over in ``refuse``,
        as is one with several: which of them is meant is not for the program to choose."""
        names = list(dict.fromkeys(each.strip() for each in labels if each.strip()))
        if len(names) > 1:
            shown = ", ".join(f"“{each[:40]}”" for each in names[:5])
            self.refuse(line, f"{len(names)} labels on one sample ({shown}): only one is possible.")
        elif not names:
            self.refuse(line, "The annotation holds no label.")
        else:
            self._keep(line, fields, names[0], annotator, moment, comment)

    def skip(
        self,
        line: int,
        fields: Mapping[str, str],
        annotator: Any = "",
        moment: Any = None,
        comment: Any = None,
    ) -> None:
        """Take a decision to give no label."""
        self._keep(line, fields, None, annotator, moment, comment)

    def _keep(
        self,
        line: int,
        fields: Mapping[str, str],
        label: str | None,
        annotator: Any,
        moment: Any,
        comment: Any,
    ) -> None:
        who, said = as_text(annotator).strip(), as_text(comment).strip() or None
        try:
            when = as_moment(moment)
        except ValueError:
            shown = as_text(moment)[:40]
            self.refuse(line, f"The time “{shown}” cannot be read: write it as 2026-01-31 12:00.")
            return
        self.records.append(Imported(line, fields, label, who[:200], when, said))


def as_text(value: Any) -> str:
    """A value of JSON as people would write it; nothing for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_fields(values: Mapping[str, Any]) -> dict[str, str]:
    """The plain values among those of a JSON object, as texts."""
    return {
        str(key): as_text(value)
        for key, value in values.items()
        if value is not None and not isinstance(value, (dict, list))
    }


def as_moment(value: Any) -> datetime | None:
    """A moment in UTC from ISO 8601 or seconds (milliseconds, microseconds) since the epoch; one
    without a zone is UTC. None for nothing.

    Raises ValueError for what is no moment.
    """
    text = as_text(value).strip()
    if not text:
        return None
    if re.fullmatch(r"\d{9,17}(\.\d+)?", text):
        number = float(text)
        while number > 1e11:  # seconds until the year 5138
            number /= 1000
        return datetime.fromtimestamp(number, UTC)
    text = re.sub(r"\s*(UTC|GMT|Z)$", "+00:00", text)
    text = re.sub(r"([+-]\d\d)$", r"\1:00", text) if "T" in text or " " in text else text
    found = datetime.fromisoformat(text)
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def write_samples(file: LabelFile, path: Path) -> int:
    """Write the samples that the annotations are of, and those without one, as a CSV with a row
    each: the source of a new project, into which the labels are brought. How many there are."""
    known = [each.fields for each in file.records] + list(file.unlabeled)
    rows = list({tuple(sorted(each.items())): each for each in known}.values())
    heads = list(dict.fromkeys(name for each in rows for name in each))
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, heads)
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)
