"""Whatever is wrong with a file, its readers say so in one sentence and not in the server's log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  so that Pillow can write it
import pytest
from broken_media import broken_images, broken_sounds, coded, encoded, photo, tone, write_all

from labeling_core.errors import LabelingError
from labeling_core.modalities import images, sounds
from labeling_core.modalities.registry import MODALITIES
from labeling_core.sources.windows import Span

PICTURES: dict[str, dict[str, Any]] = {
    ".heic": {"format": "HEIF"}, ".avif": {"format": "AVIF"}, ".jxl": {"format": "JXL"},
    ".jp2": {"format": "JPEG2000"}, ".webp": {"format": "WEBP"}, ".jpg": {"format": "JPEG"},
    ".tif": {"format": "TIFF", "compression": "jpeg"},
    ".tiff": {"format": "TIFF", "compression": "tiff_lzw"},
}  # fmt: skip
CODED = {
    ".m4a": ("mp4", "aac", 44_100), ".opus": ("opus", "libopus", 48_000),
    ".wma": ("asf", "wmav2", 44_100), ".amr": ("amr", "libopencore_amrnb", 8_000),
    ".mka": ("matroska", "libopus", 48_000), ".wv": ("wv", "wavpack", 22_050),
    ".tta": ("tta", "tta", 16_000), ".mp2": ("mp2", "mp2", 48_000),
    ".mp3": ("mp3", "libmp3lame", 44_100), ".flac": ("flac", "flac", 44_100),
}  # fmt: skip


def flipped(content: bytes) -> bytes:
    """The same with some bits of its later part turned round."""
    found = np.frombuffer(content, np.uint8).copy()
    draw = np.random.default_rng(0)
    found[draw.integers(len(found) // 4, len(found), max(20, len(found) // 200))] ^= 0xFF
    return found.tobytes()


def damaged(whole: dict[str, bytes]) -> dict[str, bytes]:
    """Each file cut, and with flipped bits."""
    cut = {f"cut_short{suffix}": each[: len(each) * 2 // 3] for suffix, each in whole.items()}
    return cut | {f"flipped_bits{suffix}": flipped(each) for suffix, each in whole.items()}


def folder_of(modality: str, folder: Path) -> Path:
    pillow_heif.register_heif_opener()
    if modality == "images":
        whole = {suffix: encoded(photo(256, 256), **how) for suffix, how in PICTURES.items()}
        return write_all(folder, broken_images() | damaged(whole))
    heard = {
        suffix: coded(tone(2, rate), rate, container, codec)
        for suffix, (container, codec, rate) in CODED.items()
    }
    return write_all(folder, broken_sounds() | damaged(heard))


@pytest.mark.parametrize(("modality", "reader"), [("images", images), ("sounds", sounds)])
def test_no_reader_writes_into_the_log_or_fails_without_a_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], modality: str, reader: Any
) -> None:
    kind, folder = MODALITIES[modality], folder_of(modality, tmp_path / "files")
    makers = list(kind.renditions.values())
    refused = 0
    capfd.readouterr()
    for name in sorted(os.listdir(folder)):
        spans: list[list[Span]] = [[], [Span(0.2, 0.7)]] if modality == "sounds" else [[]]
        calls = [(make, [tmp_path / "cache", folder / name, *span]) for make in makers
                 for span in spans]  # fmt: skip
        calls += [(kind.content, [folder / name, *span]) for span in spans]
        for make, arguments in [(reader.facts, [folder / name]), *calls]:
            try:
                make(*arguments)
            except LabelingError as error:
                refused += str(error).startswith(name)
        written = capfd.readouterr()
        assert (written.out, written.err) == ("", ""), name
    assert refused > 30
