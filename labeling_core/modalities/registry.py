"""The kinds of samples there are, one record each: all that differs from one to another.

Whoever adds a kind writes its module and its record here, its labeling page, and the deck's view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.modalities import (
    image_embedding,
    images,
    own_features,
    picture_values,
    sound_pictures,
    sounds,
    table_view,
)
from labeling_core.modalities.sample_view import Shown, Viewer
from labeling_core.settings import Settings
from labeling_core.sources import parquet_folders
from labeling_core.sources.sample_sources import FolderSource, SampleSource, TableSource

Rendition = Callable[..., tuple[Path, str]]
TOGETHER = "+"  # between the names, or keys, of several features
_MODULES = "labeling_core.modalities."


class Extra(NamedTuple):
    """What must be installed beside the program, by ``command``; ``name`` is what it is called."""

    name: str
    command: str
    installed: Callable[[], bool]


class Features(NamedTuple):
    """One way to turn samples into numbers.

    ``key`` names it in jobs, folders and model cards. ``module`` has ``features(path)``, of one
    file (or ``features(path, span)``, where it may be cut); empty where the table is taken as a
    whole. ``title`` and ``cost`` are for those who choose it; so is ``together``: what was measured
    of these beside the usual ones.
    """

    key: str
    module: str = ""
    title: str = ""
    cost: str = ""
    together: str = ""
    extra: Extra | None = None


@dataclass(frozen=True)
class Modality:
    """A kind of sample. ``name`` is how settings have it, and what its samples are called.

    ``view`` says what the deck's view ``deck_view`` shows of a sample; ``renditions`` are what
    browsers may ask for of its file: kind → function of a cache and the file (and a Span of it,
    where its source may be cut) that gives what is sent, and its media type. ``features`` has the
    name of the setting as key; the first is the usual one; ``older`` are those of models that were
    downloaded before.
    ``content`` gives a digest of all that is decoded of a file (or of a span of it).
    ``reads_files`` says whether each file has to be read before anything can be learned, which
    may take hours, and may set files aside; ``test_tables`` whether accuracy can be measured on
    a labeled table.
    """

    name: str
    icon: str
    source: SampleSource
    view: Callable[[Shown, Viewer], dict[str, Any]]
    deck_view: str
    features: Mapping[str, Features]
    renditions: Mapping[str, Rendition] = field(default_factory=dict)
    older: tuple[Features, ...] = ()
    content: Callable[..., bytes] = lambda _: b""
    reads_files: bool = False
    test_tables: bool = False

    @property
    def page(self) -> str:
        """The page on which its samples are labeled."""
        return f"label_{self.name}"

    @property
    def every(self) -> tuple[Features, ...]:
        """All ways there are or were, of models that are in use."""
        return (*self.features.values(), *self.older)

    @property
    def usual(self) -> Features:
        """The features of those who choose none."""
        return next(iter(self.features.values()))


_EMBEDDING = Extra(
    "embedding", image_embedding.INSTALL_COMMAND, lambda: image_embedding.embedding_available()
)
_KINDS = (
    Modality(
        "tabular",
        icon="table_rows",
        source=TableSource(),
        view=table_view.view,
        deck_view="record",
        features={"classical": Features("tabular", title="The table’s columns")},
        test_tables=True,
    ),
    Modality(
        "images",
        icon="image",
        source=FolderSource("images", images.SUFFIXES),
        view=images.view,
        deck_view="image",
        features={
            "classical": Features(
                "images", _MODULES + "images", "Colours, edges, thumbnail", "in no time"
            ),
            "embedding": Features(
                "images_embedding",
                _MODULES + "image_embedding",
                "Pretrained embedding",
                "knows far more of photographs; takes about four times as long to compute, once",
                "on four labeled folders both together needed 38, 42, 87 and 175 labels for what "
                "the first alone reached with 200",
                _EMBEDDING,
            ),
        },
        renditions={"image": images.shown, "values": picture_values.shown},
        content=images.content,
        reads_files=True,
    ),
    Modality(
        "sounds",
        icon="graphic_eq",
        source=FolderSource("sounds", sounds.SUFFIXES, sounds.length),
        view=sound_pictures.view,
        deck_view="sound",
        features={
            "classical": Features("sounds_band", _MODULES + "sound_band", "Timbre and loudness")
        },
        older=(Features("sounds", _MODULES + "sounds"),),
        content=sounds.content,
        renditions={
            "picture": sound_pictures.shown,
            "picture_linear": sound_pictures.shown_linear,
            "audio": sounds.heard,
            "slow": sounds.slowed,
        },
        reads_files=True,
    ),
)

MODALITIES = {each.name: each for each in _KINDS}
# Of those whose samples are files: which files are taken.
SUFFIXES = {each.name: each.source.suffixes for each in _KINDS if each.source.suffixes}
RENDITIONS = {kind: make for each in _KINDS for kind, make in each.renditions.items()}
# What can be computed of a single file: key of the features → the module that does.
FEATURES = {one.key: one.module for each in _KINDS for one in each.every if one.module}


def modality_of(settings: Settings) -> Modality:
    """The kind of a project's samples."""
    return MODALITIES[settings.modality]


def source_of(settings: Settings) -> SampleSource:
    """Where a project's samples come from."""
    source = modality_of(settings).source
    if source.thing == "table":
        return table_named(settings.source, settings.left_in_files or ())
    if not settings.window_seconds:
        return source
    return source.cut(settings.window_seconds, settings.window_overlap)


def table_named(source: str, left: Sequence[str] = ()) -> TableSource:
    """A table of the database, or Parquet files without the columns ``left``."""
    is_files = parquet_folders.is_pattern(source)
    return parquet_folders.ParquetFolder(left) if is_files else TableSource()


def features_of(settings: Settings) -> str:
    """The key of what a project's samples are turned into; of several features, their keys with
    “+” between them, ours first."""
    kind = modality_of(settings)
    chosen = settings.features.split(TOGETHER)
    ours = [one.key for name, one in kind.features.items() if name in chosen]
    own = sorted({each for each in chosen if own_features.is_own(each)})
    return TOGETHER.join([*ours, *own]) or kind.usual.key


def offered(kind: Modality) -> dict[str, Features]:
    """What may be chosen for files of a kind, by the name in settings: ours, and what people have
    brought along."""
    brought = (each for each in own_features.found().usable if each.modality in ("", kind.name))
    return dict(kind.features) | {each.key: Features(each.key, "", each.title) for each in brought}


def missing_for_now(chosen: str, listed: Mapping[str, Features]) -> list[str]:
    """The names in ``chosen`` (see Settings.features) of what people had brought along, and is not
    among what is on offer any more: a project that learns from it goes on."""
    own = (each for each in chosen.split(TOGETHER) if own_features.is_own(each))
    return [each for each in own if each not in listed]


def mistakes_in_features(kind: Modality, chosen: str) -> Iterator[str]:
    """What is wrong with ``chosen`` (see Settings.features), in sentences."""
    listed = offered(kind)
    if not chosen:
        yield "Choose what the model sees."
    for each in chosen.split(TOGETHER) if chosen else []:
        extra = listed[each].extra if each in listed else None
        if each not in listed:
            yield f"“{each}” are no features on offer."
        elif extra and not extra.installed():
            yield f"The {extra.name} is not installed: run `{extra.command}`."
        elif own_features.is_own(each):
            try:
                own_features.require(each)
            except LabelingError as error:
                yield str(error)


def parts(features: str) -> list[str]:
    """The keys of all features that a key of :func:`features_of` stands for."""
    return features.split(TOGETHER)


def modality_with(features: str, name: str = "") -> Modality:
    """The kind of sample with this ``name``; where none is said, the one that has a key of FEATURES
    among its features."""
    key = parts(features)[0]
    for each in _KINDS:
        if name == each.name or (not name and key in [one.key for one in each.every]):
            return each
    raise LabelingError(f"The features {features!r} are of no kind of sample.", "features")


def module_of(features: str) -> ModuleType:
    """The module that a key of FEATURES stands for. Raises LabelingError (field ``features``)."""
    if features not in FEATURES:
        known = ", ".join(FEATURES)
        raise LabelingError(f"The features {features!r} are not one of {known}.", "features")
    return import_module(FEATURES[features])


def pixels_of(features: str) -> int:
    """How many of the first columns of all these features are raw pixels."""
    first = parts(features)[0]
    return module_of(first).PIXEL_COLUMNS if first in FEATURES else 0


def words_of(features: str) -> str:
    """What computes a single key's features, for whoever will use them elsewhere."""
    if own_features.is_own(features):
        return own_features.words_of(features)
    return f"{FEATURES[features]}.features(path)"


def version_of(features: str) -> int | str | None:
    """What differs where one of the features would; None where some are not there any more."""
    own = own_features.is_own
    found = [
        own_features.version(each) if own(each) else module_of(each).FEATURES_VERSION
        for each in parts(features)
    ]
    if "" in found:
        return None
    return found[0] if len(found) == 1 else TOGETHER.join(map(str, found))


def fits(features: str, version: int | str) -> bool:
    """Whether a model that learned from ``features`` of that ``version`` can be given those that
    are computed today; of vectors only their number counts, which is seen once they are read."""
    today, learned = (str(each).split(TOGETHER) for each in (version_of(features), version))
    found = zip(parts(features), today, learned, strict=False)
    return all(key.startswith(own_features.VECTORS) or new == old for key, new, old in found)


def require_installed(features: str) -> None:
    """Raise LabelingError when what the ``features`` (a key) need is not installed any more."""
    for key in parts(features):
        if own_features.is_own(key):
            own_features.require(key)
        for one in (one for each in _KINDS for one in each.features.values() if one.key == key):
            if one.extra and not one.extra.installed():
                raise LabelingError(
                    f"The {one.extra.name} is not installed any more: run {one.extra.command}."
                )
