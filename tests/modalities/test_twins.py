from __future__ import annotations

from pathlib import Path

import numpy as np
from broken_media import encoded, photo, recorded, tone, write_all

from labeling_core.modalities.extraction import extract, ledger_folder
from labeling_core.modalities.twins import BYTES, NUMBERS, Twin, find, keep, kept


def twins(root: Path, kind: str, files: list[str]) -> list[Twin]:
    out = root.parent / "out"
    extract(files, root, out, kind)
    return find(files, root, ledger_folder(out, kind))


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
        Twin("c.bmp", "a.png", NUMBERS),
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
        Twin("b.flac", "a.wav", NUMBERS),
        Twin("d.wav", "a.wav", BYTES),
    ]
