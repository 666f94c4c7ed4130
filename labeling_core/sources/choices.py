"""What a person may choose about how a table is read, and what was found out about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from labeling_core.errors import LabelingError


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How a file is to be read; what is None is found out.

    ``header``: whether the first line holds the names. ``skip``: lines left out at the top.
    ``comment``: what lines that are left out begin with; empty for none. ``quote`` and
    ``escape``: one character each; an empty ``quote`` for none. ``errors``: "replace" reads
    broken bytes as U+FFFD, "strict" refuses them. ``missing``: column → the cells that are
    missing values in it, instead of those that are found. ``types``: column → "text" to keep it
    as it is written. ``part``: one of containers.parts, where the file holds several tables.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    header: bool | None = None
    skip: int | None = None
    comment: str | None = None
    quote: str | None = None
    escape: str | None = None
    errors: str | None = None
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    part: str = ""

    @property
    def by_name(self) -> dict[str, Any]:
        """Field → value of the choices alone, also of what was read by them."""
        return {each.name: getattr(self, each.name) for each in fields(Choices)}


@dataclass(frozen=True)
class ColumnFound:
    """What was found in one column; ``type`` is DuckDB's, as it will be stored.

    ``missing`` are the markers read as missing, in ``missing_cells`` cells. ``examples`` are up
    to three different first values as they are written. ``note`` says in one sentence what was
    converted or guessed; it is empty if nothing was.
    """

    name: str
    type: str
    missing: tuple[str, ...]
    missing_cells: int
    examples: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Preview(Choices):
    """What an uploaded file holds and how it was, or is to be, read.

    The fields that it shares with :class:`Choices` say how the file was read and may be replaced
    before :func:`importing.load`; they are None where the format has no such thing. ``columns``
    are (name, DuckDB type), ``found`` says more about each, ``rows`` are the first ones.
    """

    name: str
    format: str  # "csv" (TSV too), "parquet" or "json"
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    row_count: int
    notes: tuple[str, ...]
    found: tuple[ColumnFound, ...] = ()

    @property
    def choices(self) -> Choices:
        """The choices that read the file as it was read."""
        return Choices(**self.by_name)


def check(choices: Choices) -> None:
    """Raise LabelingError for a choice that no file can honour."""

    def require(holds: bool, field: str, sentence: str) -> None:
        if not holds:
            raise LabelingError(sentence, field)

    mark, escape, cut = choices.quote, choices.escape, choices.delimiter
    require(
        cut is None or (len(cut) == 1 and cut not in '"\r\n' and cut != mark), "delimiter",
        f"The delimiter “{cut}” is not one character.",
    )  # fmt: skip
    require(
        choices.decimal in (None, ".", ","), "decimal",
        f"The decimal mark “{choices.decimal}” is no point or comma.",
    )  # fmt: skip
    require(len(mark or "") < 2, "quote", f"The quotation mark “{mark}” is not one character.")
    require(
        escape in (None, "", "\\", mark or '"'), "escape",
        f"“{escape}” cannot stand for a quotation mark: choose \\ or the mark itself.",
    )  # fmt: skip
    require(
        (choices.skip or 0) >= 0, "skip",
        f"{choices.skip} lines cannot be left out: choose 0 or more.",
    )  # fmt: skip
    require(
        choices.errors in (None, "strict", "replace"), "errors",
        f"“{choices.errors}” is no way to read broken bytes: choose strict or replace.",
    )  # fmt: skip
