"""What every kind of sample needs to be shown: where its files are, and their facts in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from labeling_core.sources.windows import Span


class Shown(Protocol):
    """A sample: its id, and its fields as (column, type, value)."""

    @property
    def sample_id(self) -> str: ...

    @property
    def fields(self) -> Sequence[tuple[str, str, object]]: ...


class Viewer(Protocol):
    """Who looks at samples: where their files are, and the addresses of what is sent apart."""

    @property
    def context(self) -> float:
        """The seconds of a recording that are shown on either side of a window."""

    def file(self, sample_id: str) -> Path:
        """The file of a sample; LabelingError when it is gone."""

    def link(self, kind: str, sample_id: str, span: Span | None = None) -> str:
        """The address of one of its renditions, or of that of a part of its file."""

    def text(self, sample_id: str, column: str) -> str:
        """The address of the whole text of a cell."""


def shown_facts(sample: Shown, facts: Mapping[str, Any]) -> list[list[str]]:
    """Name, size, date and format of a sample's file, as [what, text]."""
    size, unit = facts["size"], "bytes"
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    date = str(facts["date"]).replace("T", " ").removesuffix("+00:00") + " UTC"
    return [
        ["name", sample.sample_id],
        ["size", f"{size:.3g} {unit}"],
        ["date", date],
        ["format", str(facts["format"])],
    ]
