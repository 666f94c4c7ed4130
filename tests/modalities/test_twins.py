from __future__ import annotations

from pathlib import Path

import numpy as np
from broken_media import encoded, photo, recorded, tone, write_all
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities.extraction import extract, ledger_folder
from labeling_core.modalities.registry import modality_with
from labeling_core.modalities.twins import BYTES, CONTENT, Twin, find, keep, kept


def twins(root: Path, kind: str, files: list[str]) -> list[Twin]:
    out = root.parent / "out"
    extract(files, root, out, kind)
    return find(files, root, ledger_folder(out, kind), modality_with(kind).content)


def test_copies_and_the_same_picture_in_another_format_are_found(tmp_path: Path) -> None:
    one, other = photo(seed=1), photo(seed=2)
    root = write_all(tmp_path / "media", {
        "a.png": encoded(one, "PNG"), "b/a.png": encoded(one, "PNG"),
        "c.bmp": encoded(one, "BMP"), "d.png": encoded(other, "PNG"),
        "e.bmp": encoded(one, "BMP"), "broken.png": b"no", "broken_too.png": b"no",
    })  # fmt: skip
    files = ["a.png", "b/a.png", "c.bmp", "d.png", "e.bmp", "broken.png", "broken_too.png"]
    found = twins(root, "images", files)
    assert found == [
        Twin("b/a.png", "a.png", BYTES),
        Twin("c.bmp", "a.png", CONTENT),
        Twin("e.bmp", "c.bmp", BYTES),
    ]
    keep(tmp_path, found)
    assert kept(tmp_path) == found and kept(tmp_path / "out") == []


def test_the_same_sound_in_another_format_is_found(tmp_path: Path) -> None:
    signal = np.rint(20_000 * tone(0.5)).astype(np.int16)
    root = write_all(tmp_path / "media", {
        "a.wav": recorded(signal, 16_000, "WAV"), "b.flac": recorded(signal, 16_000, "FLAC"),
        "c.wav": recorded(signal[:-9], 16_000, "WAV"), "d.wav": recorded(signal, 16_000, "WAV"),
    })  # fmt: skip
    files = ["a.wav", "b.flac", "c.wav", "d.wav"]
    assert twins(root, "sounds_band", files) == [
        Twin("b.flac", "a.wav", CONTENT),
        Twin("d.wav", "a.wav", BYTES),
    ]


def test_what_only_looks_the_same_to_the_model_is_no_twin(tmp_path: Path) -> None:
    deep = np.zeros((64, 64), np.uint16)
    deep[8, 8] = 65535
    root = write_all(tmp_path / "media", {
        "a.png": encoded(Image.new("RGB", (300, 300), "olive"), "PNG"),
        "b.png": encoded(Image.new("RGB", (400, 400), "olive"), "PNG"),
        "c.png": encoded(Image.fromarray(deep), "PNG"),
        "d.png": encoded(Image.fromarray(np.minimum(deep, 65500)), "PNG"),
    })  # fmt: skip
    assert twins(root, "images", ["a.png", "b.png", "c.png", "d.png"]) == []


def test_windows_are_compared_by_what_is_heard_in_them(tmp_path: Path) -> None:
    loud = np.rint(9_000 * tone(1.0)).astype(np.int16)
    quiet = np.zeros_like(loud)
    root = write_all(tmp_path / "media", {
        "a.wav": recorded(np.concatenate([loud, quiet, loud]), 16_000, "WAV"),
        "b.wav": recorded(np.concatenate([loud, quiet, loud]), 16_000, "WAV"),
        "c.flac": recorded(np.concatenate([loud, loud]), 16_000, "FLAC"),
    })  # fmt: skip
    files = ["a.wav#0-1", "a.wav#1-2", "a.wav#2-3", "b.wav#0-1", "c.flac#0-1", "c.flac#1-2"]
    found = twins(root, "sounds_band", files)
    assert found[0].path == "a.wav#2-3"
    assert {each.path for each in found} == set(files) - {"a.wav#0-1", "a.wav#1-2"}
    assert Twin("b.wav#0-1", "a.wav#0-1", BYTES) in found


def test_a_file_that_went_away_meanwhile_is_the_same_as_no_other(tmp_path: Path) -> None:
    root = write_all(tmp_path / "media", {f"{n}.png": encoded(photo(), "PNG") for n in range(3)})
    extract(["0.png", "1.png", "2.png"], root, tmp_path / "out", "images")

    def content(path: Path) -> bytes:
        raise LabelingError(path.name)

    ledger = ledger_folder(tmp_path / "out", "images")
    assert find(["0.png", "1.png", "2.png"], root, ledger, content) == []
