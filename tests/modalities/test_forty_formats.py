"""A folder as people have them: forty formats, and what is neither picture nor sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  so that Pillow can write it
import pytest
from broken_media import coded, photo, recorded, tone, write_all

from labeling_core.modalities import images, sounds
from labeling_core.sources.left_out import groups, look_through

# Endings of files that Pillow writes → its name of the format, where the ending does not say.
PICTURES = {
    **dict.fromkeys((".png", ".apng", ".jpg", ".jpeg", ".jpe", ".mpo", ".gif", ".webp", ".bmp",
                     ".dib", ".tif", ".tiff", ".avif", ".jp2", ".j2k", ".ppm", ".pgm", ".pnm",
                     ".tga", ".ico", ".icns", ".pcx", ".dds", ".qoi", ".sgi"), ""),
    ".jfif": "JPEG", ".heic": "HEIF", ".heif": "HEIF", ".jxl": "JXL",
}  # fmt: skip
WRITTEN = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3", ".aiff": "AIFF",
           ".au": "AU", ".caf": "CAF", ".w64": "W64", ".voc": "VOC"}  # fmt: skip
CODED = {
    ".m4a": ("mp4", "aac", 44_100), ".aac": ("adts", "aac", 48_000),
    ".opus": ("opus", "libopus", 48_000), ".wma": ("asf", "wmav2", 44_100),
    ".amr": ("amr", "libopencore_amrnb", 8_000), ".mka": ("matroska", "libopus", 48_000),
    ".wv": ("wv", "wavpack", 22_050), ".tta": ("tta", "tta", 16_000),
    ".ac3": ("ac3", "ac3", 48_000), ".mp2": ("mp2", "mp2", 48_000),
}  # fmt: skip
NEITHER = {
    "notes.txt": b"x", "table.csv": b"a,b\n", "film.mp4": b"x", "report.pdf": b"%PDF",
    "a.svg": b"<svg/>", "more.zip": b"PK", "raw.cr2": b"II*\0", "Thumbs.db": b"x",
    ".hidden.png": b"x", "no_ending": b"x", "model.xyz": b"x", "list.m3u": b"x",
    "deep/inside.docx": b"PK",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of each kind; the content of the last group does not matter."""
    pillow_heif.register_heif_opener()
    root = write_all(Path(tmp_path_factory.mktemp("forty")), NEITHER)
    for suffix, kind in PICTURES.items():
        photo(256, 256).save(root / f"picture{suffix}", **({"format": kind} if kind else {}))
    for suffix, kind in WRITTEN.items():
        (root / f"sound{suffix}").write_bytes(recorded(tone(1), 16_000, kind))
    for suffix, (container, codec, rate) in CODED.items():
        content = coded(tone(1, rate), rate, container, codec)
        (root / f"sound{suffix}").write_bytes(content)
    return root


def test_what_is_left_out_is_what_is_neither_picture_nor_sound(folder: Path) -> None:
    pictures = {f"picture{suffix}" for suffix in PICTURES}
    recordings = {f"sound{suffix}" for suffix in (*WRITTEN, *CODED)}
    assert len(pictures) + len(recordings) >= 40
    of_images = look_through(folder, images.SUFFIXES)
    of_sounds = look_through(folder, sounds.SUFFIXES)
    assert set(of_images.files) == pictures and set(of_sounds.files) == recordings
    assert {each.name for each in of_images.refusals} == recordings | set(NEITHER)
    assert {each.name for each in of_sounds.refusals} == pictures | set(NEITHER)
    for name in recordings:
        told = next(each.reason for each in of_images.refusals if each.name == name)
        assert told.endswith("make a project of sounds for it.")
    found = groups(of_images.refusals)
    assert sum(each.files for each in found) == len(recordings) + len(NEITHER)


def test_each_of_the_pictures_and_sounds_is_read(folder: Path) -> None:
    for name in look_through(folder, images.SUFFIXES).files:
        small = images.decoded(folder / name).resize((64, 64))  # one format has larger ones only
        difference = np.asarray(small, int) - np.asarray(photo(256, 256).resize((64, 64)), int)
        assert np.abs(difference).mean() < 12, name
    for name in look_through(folder, sounds.SUFFIXES).files:
        with sounds.opened(folder / name) as sound:
            sounds.require_complete(sound, folder / name)
            heard = sounds.mono(sound, 10 * sound.samplerate)
            assert len(heard) / sound.samplerate == pytest.approx(1, abs=0.15)
