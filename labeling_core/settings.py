"""The settings of a project: one record, and what it says of categories and keys."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from labeling_core.errors import LabelingError

# What a category may get when its own letters are taken; space, / and ? are the deck's.
KEYS = "abcdefghijklmnopqrstuvwxyz0123456789,.;:!'\"#$%&()*+-=<>@[]^_{|}~"
# Okabe and Ito's palette (black left out), then Tol's muted one: for colour-blind eyes as well.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F",
    "#332288", "#882255", "#44AA99", "#999933", "#DDCC77", "#117733", "#AA4499",
)  # fmt: skip


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


@dataclass(frozen=True)
class Settings:
    """Everything a person chooses about a project.

    ``queries_table`` empty means labeling without active learning; ``test_table`` empty
    means that accuracy is measured on probes (``probe_share`` of the samples shown, 0..0.5)
    or, with a share of 0, by cross-validation. ``every`` is the number of labels after
    which a session runs. ``modality`` is one of registry.MODALITIES; what ``source`` names (a
    table, or a folder: see folders.source_folder) and which ``image_features`` there are stands
    in its record.
    ``overlap_share`` (0..1) of the samples go to ``overlap_people`` people each, and
    ``final_label`` (see overlap.FINAL_LABELS) says which of their decisions holds.
    ``newer`` is what a newer version of the program has stored beside these: kept as it is.
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
    classifier: str = "logistic_regression"
    strategy: str = "auto"
    every: int = 20
    probe_share: float = 0.1
    test_table: str = ""
    image_features: str = "classical"
    seed: int = 0
    overlap_share: float = 0.0
    overlap_people: int = 2
    final_label: str = "majority"
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
        read = _from_stored(cls, values, "settings")
        listed = read.get("categories", [])
        read["categories"] = tuple(
            Category(**_from_stored(Category, each, f"categories[{number}]"))
            for number, each in enumerate(listed)
        )
        return cls(**read)

    def to_json(self) -> str:
        """The record as a JSON object."""
        categories = [_to_stored(each) for each in self.categories]
        return json.dumps(_to_stored(self) | {"categories": categories}, ensure_ascii=False)

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
}


def _from_stored(record: type[Settings | Category], values: Any, where: str) -> dict[str, Any]:
    """The arguments of ``record`` from a JSON object; keys that it does not know are ``newer``."""
    if not isinstance(values, dict):
        raise _wrong_value(where, values, "an object")
    kinds = {each.name: str(each.type) for each in fields(record) if each.name != "newer"}
    if record is Category and "name" not in values:
        raise _wrong_value(f"{where}.name", None, "a text")
    for key in kinds.keys() & values.keys():
        is_right, kind = _STORED[kinds[key]]
        if not is_right(values[key]):
            raise _wrong_value(key if record is Settings else f"{where}.{key}", values[key], kind)
    known = {key: value for key, value in values.items() if key in kinds}
    return known | {"newer": {key: values[key] for key in values.keys() - kinds.keys()}}


def _wrong_value(key: str, value: Any, kind: str) -> LabelingError:
    text = json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    return LabelingError(
        f"A project in this database has “{key}”: {shown} in its settings, where {kind} belongs; "
        "use the version of the program that wrote it."
    )


def _to_stored(record: Settings | Category) -> dict[str, Any]:
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

    ``samples`` is the size of the shuffled sample table, ``probe_limit`` how many of its
    first places are kept for probes, ``source_version`` counts the changes of the source,
    ``renames`` how often categories were renamed or merged.
    """

    project_id: str
    settings: Settings
    samples: int
    probe_limit: int
    source_fingerprint: str
    source_version: int
    renames: int = 0

    @property
    def tables(self) -> Tables:
        """See Settings.tables."""
        return self.settings.tables


def read_categories(rows: Sequence[Mapping[str, Any]]) -> tuple[Category, ...]:
    """Categories from the rows of an editor: order, name, description, colour, key.

    Rows without an order come last, in their own sequence; cells may be missing (None or NaN).
    """

    def text(value: Any) -> str:
        return value.strip() if isinstance(value, str) else ""

    def place(row: Mapping[str, Any]) -> float:
        try:
            order = float(row["order"])
        except (TypeError, ValueError):
            return math.inf
        return math.inf if math.isnan(order) else order

    return tuple(
        Category(text(row["name"]), text(row["description"]), text(row["colour"]), text(row["key"]))
        for row in sorted(rows, key=place)
    )


def assign_keys(categories: Sequence[Category]) -> tuple[Category, ...]:
    """Give every category a key and a colour that it lacks.

    A key set by hand stays. Otherwise it is the first letter of the name where free, then
    the name's next free letter or digit, then any free one. Retired ones need none; they come
    last, and of them those that nothing learns of. A colour is that of its place in the palette,
    or where another category has it the first free one.
    """
    categories = sorted(categories, key=lambda each: (each.retired, not each.learned))
    taken = {each.key.lower() for each in categories if each.key}
    used = {each.color.lower() for each in categories if each.color}
    done = []
    for number, each in enumerate(categories):
        key = each.key.lower()
        if not key and not each.retired:
            wanted = [c for c in each.name.lower() if c.isalnum() and len(c) == 1] + list(KEYS)
            key = next((c for c in wanted if c not in taken), "")
            taken.add(key)
        usual = COLOURS[number % len(COLOURS)]
        free = (color for color in (usual, *COLOURS) if color.lower() not in used)
        color = each.color or next(free, usual)
        used.add(color.lower())
        done.append(replace(each, name=each.name.strip(), key=key, color=color))
    return tuple(done)


def quote(identifier: str) -> str:
    """Return ``identifier`` as a quoted SQL identifier, whatever characters it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def slug(title: str) -> str:
    """A name for ids and tables made of a title: lower case, no spaces."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40] or "project"


def default_tables(title: str) -> dict[str, str]:
    """What the output tables of a new project are called unless somebody says otherwise."""
    return {f"{kind}_table": f"{slug(title)}_{kind}" for kind in ("labels", "metadata", "queries")}


def output_tables(settings: Settings) -> list[str]:
    """The tables that belong to a project: labels, metadata and, if any, queries."""
    names = (settings.labels_table, settings.metadata_table, settings.queries_table)
    return [name for name in names if name]
