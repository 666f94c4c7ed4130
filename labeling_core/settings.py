"""The settings of a project: one record, and what it says of categories and keys."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from labeling_core.errors import LabelingError


@dataclass(frozen=True)
class Category:
    """One label on offer: its name, what it means, its colour (#rrggbb) and its key.

    A ``retired`` one is offered no longer; its labels stay, and train unless not ``learned``.
    ``newer`` as in Settings.
    """

    name: str
    description: str = ""
    color: str = ""
    key: str = ""
    retired: bool = False
    learned: bool = True
    newer: Mapping[str, Any] = field(default_factory=dict, hash=False)


# How a column of a table may be used, and what that is called. The last four are of labels that
# exist already; they are neither shown nor learned from.
USES = {
    "both": "shown and learned from",
    "shown": "shown only",
    "learned": "learned from only",
    "neither": "neither",
    "labels": "holds labels",
    "annotator": "who labeled",
    "time": "when it was labeled",
    "comment": "remark on the label",
}
LABEL_USES = ("labels", "annotator", "time", "comment")
COLUMN_KINDS = ("", "number", "date", "category", "text", "sentence")  # see sentence_embedding.py


@dataclass(frozen=True)
class Column:
    """How the column ``name`` of a table is used (one of USES).

    ``kind`` is what the model takes it for (one of COLUMN_KINDS); empty as found. ``missing`` are
    the texts that stand for no value; None as found.
    """

    name: str
    use: str = "both"
    kind: str = ""
    missing: tuple[str, ...] | None = None
    newer: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def shown(self) -> bool:
        """Whether people see it when they decide."""
        return self.use in ("both", "shown")

    @property
    def learned(self) -> bool:
        """Whether the model may learn from it."""
        return self.use in ("both", "learned")


@dataclass(frozen=True)
class Settings:
    """Everything a person chooses about a project.

    ``queries_table`` empty means labeling without active learning; ``test_table`` empty means that
    the model is measured on probes (``probe_share`` of the samples shown, 0..0.5) or, with a share
    of 0, by cross-validation; by which ``measure`` is one of measures.MEASURES. ``every`` is the
    number of labels after which a session runs by itself, if ``automatic``: which is looked at
    every ``check_seconds`` at most (0: with every label), and it starts ``grace_seconds`` later, on
    all labels there are by then. ``modality`` is one of registry.MODALITIES; what ``source`` names
    (a table, or a folder: see folders.source_folder), and which ``features`` of files there are
    (“+” between several), stands in its record. Samples of ``overlap_share`` (0..1) go to
    ``overlap_people`` people each; ``final_label`` (see overlap.FINAL_LABELS) says which decision
    holds. ``columns`` say how those of a table are used, in the order in which they are shown;
    others come after them, as found. ``main_column`` is shown large, the others beside.
    ``window_seconds`` above 0 cuts recordings into windows, the samples then, beginning
    ``window_overlap`` seconds before the one before ends, with ``window_context`` seconds on either
    side. Columns ``left_in_files`` are not read; ``newer`` is what a newer program has stored.
    """

    title: str = ""
    modality: str = "tabular"
    source: str = ""
    categories: tuple[Category, ...] = ()
    labels_table: str = ""
    metadata_table: str = ""
    queries_table: str = ""
    label_column: str = "label"
    label_id_column: str = "label_id"
    classifier: str = "auto"
    measure: str = "accuracy"
    strategy: str = "auto"
    every: int = 20
    probe_share: float = 0.1
    test_table: str = ""
    features: str = "classical"
    seed: int = 0
    overlap_share: float = 0.0
    overlap_people: int = 2
    final_label: str = "majority"
    columns: tuple[Column, ...] = ()
    main_column: str = ""
    automatic: bool = True
    check_seconds: int = 0
    grace_seconds: int = 0
    window_seconds: float = 0.0
    window_overlap: float = 0.0
    window_context: float = 1.0
    left_in_files: tuple[str, ...] | None = None
    newer: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read what :meth:`to_json` wrote, also that of an older or a newer program.

        Raises LabelingError for a value of the wrong type.
        """
        try:
            values = json.loads(text)
        except ValueError:
            values = text
        if isinstance(values, dict) and "image_features" in values:  # as it was called before 0.3.0
            values = {"features": values.pop("image_features")} | values
        read = _from_stored(cls, values, "settings")
        chosen = read.get("classifier", cls.classifier)
        read["classifier"] = OLDER_CLASSIFIERS.get(chosen, chosen)
        for key, record in _RECORDS.items():
            read[key] = tuple(
                record(**_from_stored(record, each, f"{key}[{number}]"))
                for number, each in enumerate(read.get(key, []))
            )
        return cls(**read)

    def to_json(self) -> str:
        """The record as a JSON object."""
        listed = {key: [_to_stored(each) for each in getattr(self, key)] for key in _RECORDS}
        return json.dumps(_to_stored(self) | listed, ensure_ascii=False)

    def column(self, name: str) -> Column:
        """How the source's column of this name is used."""
        return next((each for each in self.columns if each.name == name), Column(name))

    def column_used_as(self, use: str) -> str:
        """The name of the column with this use (one of USES); empty if there is none."""
        return next((each.name for each in self.columns if each.use == use), "")

    @property
    def names(self) -> tuple[str, ...]:
        """The categories' names, retired ones included."""
        return tuple(each.name for each in self.categories)

    @property
    def offered(self) -> tuple[Category, ...]:
        """The categories that a sample can be given."""
        return tuple(each for each in self.categories if not each.retired)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names that a model learns; a class code is an index into it, and into ``names``."""
        return tuple(each.name for each in self.categories if not each.retired or each.learned)

    @property
    def tables(self) -> Tables:
        """The output tables and their columns, ready to be put into SQL."""
        return Tables(
            labels=f"main.{quote(self.labels_table)}",
            metadata=f"main.{quote(self.metadata_table)}",
            queries=f"main.{quote(self.queries_table)}",
            label=quote(self.label_column),
            label_id=quote(self.label_id_column),
        )


# The type of a field, as it is written above → whether a value is of it, and its name in words.
_STORED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "str": (lambda value: isinstance(value, str), "a text"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "int": (lambda value: type(value) is int, "a whole number"),
    "float": (lambda value: type(value) in (int, float) and math.isfinite(value), "a number"),
    "tuple[Category, ...]": (lambda value: isinstance(value, list), "a list"),
    "tuple[Column, ...]": (lambda value: isinstance(value, list), "a list"),
    "tuple[str, ...] | None": (
        lambda value: (
            value is None
            or (isinstance(value, list) and all(isinstance(each, str) for each in value))
        ),
        "a list of texts",
    ),
}
OLDER_CLASSIFIERS = {"mean": "auto"}  # what older versions offered under a name of its own
# Setting → the records that it is a list of.
_RECORDS: dict[str, type[Category | Column]] = {"categories": Category, "columns": Column}


def _from_stored(
    record: type[Settings | Category | Column], values: Any, where: str
) -> dict[str, Any]:
    """The arguments of ``record`` from a JSON object; keys that it does not know are ``newer``."""
    if not isinstance(values, dict):
        raise _wrong_value(where, values, "an object")
    kinds = {each.name: str(each.type) for each in fields(record) if each.name != "newer"}
    if record is not Settings and "name" not in values:
        raise _wrong_value(f"{where}.name", None, "a text")
    for key in kinds.keys() & values.keys():
        is_right, kind = _STORED[kinds[key]]
        if not is_right(values[key]):
            raise _wrong_value(key if record is Settings else f"{where}.{key}", values[key], kind)
    chosen = [(key, values[key]) for key in values if key in kinds]
    known = {key: tuple(value) if isinstance(value, list) else value for key, value in chosen}
    return known | {"newer": {key: values[key] for key in values.keys() - kinds.keys()}}


def _wrong_value(key: str, value: Any, kind: str) -> LabelingError:
    text = json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    return LabelingError(
        f"A project in this database has “{key}”: {shown} in its settings, where {kind} belongs; "
        "use the version of the program that wrote it."
    )


def _to_stored(record: Settings | Category | Column) -> dict[str, Any]:
    values = {each.name: getattr(record, each.name) for each in fields(record)}
    return values | values.pop("newer")


class Tables(NamedTuple):
    """How SQL names a project's own tables, and the two columns whose names were chosen."""

    labels: str
    metadata: str
    queries: str
    label: str
    label_id: str


class Project(NamedTuple):
    """A project as stored.

    ``samples`` is the size of the shuffled sample table, ``probe_limit`` how many of its first
    places are kept for probes, ``source_version`` counts the changes of the source, ``renames``
    those of categories' names. ``probe_block``: seconds of the blocks of time by which probes of
    windows were drawn (0: whole recordings).
    """

    project_id: str
    settings: Settings
    samples: int
    probe_limit: int
    source_fingerprint: str
    source_version: int
    probe_block: float = 0.0
    renames: int = 0

    @property
    def tables(self) -> Tables:
        """See Settings.tables."""
        return self.settings.tables


def quote(identifier: str) -> str:
    """Return ``identifier`` as a quoted SQL identifier, whatever characters it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def slug(title: str) -> str:
    """A name for ids, files and folders made of a title: Latin letters in lower case, digits."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40] or "project"


def named_after(title: str) -> str:
    """A name for a table or a folder made of a title: its letters and digits, of any script."""
    letters = unicodedata.normalize("NFC", title.lower())
    kept = (each if unicodedata.category(each)[0] in "LMN" else " " for each in letters)
    return "_".join("".join(kept).split())[:40] or "project"


def default_tables(title: str) -> dict[str, str]:
    """What the output tables of a new project are called unless somebody says otherwise."""
    name = named_after(title)
    return {f"{kind}_table": f"{name}_{kind}" for kind in ("labels", "metadata", "queries")}


def output_tables(settings: Settings) -> list[str]:
    """The tables that belong to a project: labels, metadata and, if any, queries."""
    names = (settings.labels_table, settings.metadata_table, settings.queries_table)
    return [name for name in names if name]
