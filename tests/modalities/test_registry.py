"""One record a kind of sample: whatever differs is read from it, and hardly a place names one."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from annotating import SETTINGS

from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import (
    FEATURES,
    MODALITIES,
    RENDITIONS,
    SUFFIXES,
    Modality,
    features_of,
    modality_of,
    modality_with,
    module_of,
    require_installed,
)
from labeling_core.settings import Settings

ROOT = Path(__file__).parents[2]
WORD = re.compile(r"(?<![a-z])(tabular|images?|sounds?)(?![a-z])", re.IGNORECASE)
# The classes of sources, and what they were told apart by: asking for one is naming the kind.
TELLING = {"is_media", "TableSource", "FolderSource"}
# Where these classes are made.
OWN = {"labeling_core/sources/sample_sources.py", "labeling_core/sources/parquet_folders.py"}


def names(tree: ast.AST) -> Iterator[str]:
    """Every name in the code: of variables, attributes, arguments, functions and imports; and the
    texts that are names or keys, which sentences and docstrings are not."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if not re.search(r"\s", text):
                yield text
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield from name.split(".")
                yield other or ""
            case ast.ImportFrom(module=str(name)):
                yield from name.split(".")


def namings(text: str) -> list[str]:
    """The names in ``text`` that name a modality."""
    return [each for each in names(ast.parse(text)) if WORD.search(each) or each in TELLING]


def outside() -> Iterator[tuple[str, str]]:
    """Every module of the program but those of the modalities, with its text."""
    for path in [ROOT / "app.py", *ROOT.glob("labeling_core/**/*.py"), *ROOT.glob("pages/**/*.py")]:
        name = path.relative_to(ROOT).as_posix()
        if path.parent.name != "modalities" and name not in OWN:
            yield name, path.read_text("utf-8")


def test_at_most_six_places_name_a_modality() -> None:
    found = Counter({path: len(namings(text)) for path, text in outside()})
    assert +found == {
        "labeling_core/settings.py": 3,  # the usual modality, what a setting was called before
        "labeling_core/projects/sample_projects.py": 2,  # one place: it makes one of each
        "labeling_core/labeling/label_matching.py": 1,  # what other tools call a file
        "pages/label_images.py": 1,
        "pages/label_sounds.py": 1,
        "pages/label_tabular.py": 1,
    }


@pytest.mark.parametrize(
    "line",
    [
        'if modality == "tabular": pass',
        "if settings.is_media: pass",
        "if isinstance(source, FolderSource): pass",
        "from labeling_core.modalities import images",
        "from labeling_core.modalities.tabular import fit_features",
        'title = f"label_{images}"',
        "def sound(sample): pass",
        "Settings(images_folder=1)",
    ],
)
def test_a_place_that_names_one_is_found(line: str) -> None:
    assert namings(line)


def test_sentences_name_none() -> None:
    assert not namings('"""Images and sounds."""\nhelp = "Folder of images or sounds"')


@pytest.mark.parametrize("kind", MODALITIES.values(), ids=list(MODALITIES))
def test_a_record_is_whole(kind: Modality) -> None:
    assert MODALITIES[kind.name] is kind
    assert (ROOT / "pages" / f"{kind.page}.py").exists()
    deck = (ROOT / "pages" / "deck" / f"view_{kind.deck_view}.js").read_text("utf-8")
    assert re.search(rf"\b{kind.deck_view}\b", deck)
    assert kind.reads_files == all(each.module for each in kind.features.values())
    assert kind.reads_files == bool(kind.source.suffixes) == (kind.source.thing == "folder")
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in kind.source.suffixes)
    if kind.reads_files:
        assert Settings().features == next(iter(kind.features))
        assert all(each.title for each in kind.features.values())
    else:
        assert len(kind.features) == 1


def test_what_is_known_by_name_is_known_once() -> None:
    keys = [each.key for kind in MODALITIES.values() for each in kind.every]
    assert len(keys) == len(set(keys))
    assert len(RENDITIONS) == sum(len(kind.renditions) for kind in MODALITIES.values())
    for one in SUFFIXES.values():
        assert sum(bool(one & other) for other in SUFFIXES.values()) == 1
    assert Settings().modality in MODALITIES


@pytest.mark.parametrize("key", FEATURES)
def test_features_of_files_have_a_module_and_a_modality(key: str) -> None:
    module = module_of(key)
    assert callable(module.features)
    assert isinstance(module.FEATURES_VERSION, int) and isinstance(module.PIXEL_COLUMNS, int)
    assert key in [each.key for each in modality_with(key).every]


def test_features_that_are_unknown_are_one_sentence() -> None:
    with pytest.raises(LabelingError, match="not one of images, images_embedding, sounds"):
        module_of("smells")


@pytest.mark.parametrize(
    ("modality", "chosen", "key"),
    [
        ("tabular", "classical", "tabular"),
        ("tabular", "embedding", "tabular"),
        ("images", "classical", "images"),
        ("images", "embedding", "images_embedding"),
        ("images", "magic", "images"),
        ("images", "embedding+classical", "images+images_embedding"),
        ("images", "own_b+vectors_c+own_b+classical+own_a", "images+own_a+own_b+vectors_c"),
        ("sounds", "embedding", "sounds_band"),
        ("sounds", "own_a", "own_a"),
    ],
)
def test_chosen_features_have_one_key_in_any_order(modality: str, chosen: str, key: str) -> None:
    settings = replace(SETTINGS, modality=modality, features=chosen)
    assert features_of(settings) == key
    assert modality_of(settings).name == modality


def test_features_whose_extra_is_gone_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = "labeling_core.modalities.image_embedding.embedding_available"
    monkeypatch.setattr(gone, lambda: False)
    with pytest.raises(LabelingError, match="embedding is not installed any more: run pip install"):
        require_installed("images_embedding")
    require_installed("images")
    require_installed("of another program")
