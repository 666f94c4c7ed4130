from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deep_media import png16
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities import images, picture_values


def sent(path: Path, size: tuple[int, int] = (1920, 1080)) -> tuple[dict[str, Any], np.ndarray]:
    """The head of what a browser gets, and its planes [planes, height, width]."""
    head, _, rest = zlib.decompress(picture_values.packed(images.values(path), *size)).partition(
        b"\n"
    )
    known = json.loads(head)
    return known, np.frombuffer(rest, np.uint8).reshape(-1, known["height"], known["width"])


def values(head: dict[str, Any], planes: np.ndarray) -> np.ndarray:
    """As a browser reads them: [height, width, channels] in the file's own numbers."""
    codes = planes[: 2 * head["channels"]].astype(float)
    return np.moveaxis(head["low"] + head["step"] * (256 * codes[::2] + codes[1::2]), 0, 2)


def test_whole_numbers_arrive_exactly(tmp_path: Path) -> None:
    made = np.random.default_rng(0).integers(0, 65536, (30, 40)).astype(np.uint16)
    for name, each, low in (("u.tif", made, 0), ("i.tif", made.astype(np.int32) - 70_000, -70_000)):
        Image.fromarray(each).save(tmp_path / name)
        head, planes = sent(tmp_path / name)
        assert np.array_equal(values(head, planes)[..., 0], each) and not head["alpha"]
        assert (head["low"], head["high"]) == (each.min(), each.max()) and head["low"] >= low


def test_floats_arrive_to_one_part_in_65535_and_infinity_as_their_ends(tmp_path: Path) -> None:
    made = np.random.default_rng(0).normal(0, 1e-3, (30, 40)).astype(np.float32)
    made[0, :3] = np.inf, -np.inf, np.nan
    Image.fromarray(made).save(tmp_path / "x.tif")
    head, planes = sent(tmp_path / "x.tif")
    low, high = np.nanmin(made[1:]), np.nanmax(made[1:])
    assert (head["low"], head["high"]) == pytest.approx((low, high))
    wanted = np.nan_to_num(made, nan=low, posinf=high, neginf=low)
    assert np.abs(values(head, planes)[..., 0] - wanted).max() <= (high - low) / 65535


def test_colours_and_alpha_arrive_as_they_are(tmp_path: Path) -> None:
    made = np.random.default_rng(0).integers(0, 65536, (20, 30, 4)).astype(np.uint16)
    made[0, 0, 3], made[0, 1, 3] = 0, 65535
    (tmp_path / "x.png").write_bytes(png16(made))
    head, planes = sent(tmp_path / "x.png")
    assert np.array_equal(values(head, planes), made[..., :3]) and head["alpha"]
    assert planes[-1, 0, :2].tolist() == [0, 255] and len(planes) == 7
    (tmp_path / "x.png").write_bytes(png16(made[..., :3]))
    assert np.array_equal(values(*sent(tmp_path / "x.png")), made[..., :3])


def test_what_arrives_is_as_large_as_the_picture_that_was_drawn(tmp_path: Path) -> None:
    made = np.random.default_rng(0).integers(0, 4096, (300, 801)).astype(np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(made).save(tmp_path / "x.tif", exif=exif)
    head, planes = sent(tmp_path / "x.tif", (200, 100))
    drawn, _ = images.rendition(tmp_path / "x.tif", 200, 100)
    (tmp_path / "drawn").write_bytes(drawn)
    with Image.open(tmp_path / "drawn") as image:
        assert (head["width"], head["height"]) == image.size and max(image.size) <= 200
        seen = np.asarray(image, int)
    level = np.clip(values(head, planes)[..., 0] * (255 / 4095), 0, 255)
    assert np.abs(level - (seen[..., 0] if seen.ndim == 3 else seen)).max() <= 2


def test_a_picture_of_8_bits_has_none(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "x.png")
    assert images.facts(tmp_path / "x.png")["values"] == ""
    with pytest.raises(LabelingError, match="has no more than 8 bits a channel"):
        images.values(tmp_path / "x.png")


def test_what_was_made_is_kept(tmp_path: Path) -> None:
    Image.fromarray(np.arange(16, dtype=np.uint16).reshape(4, 4)).save(tmp_path / "x.tif")
    place, kind = picture_values.shown(tmp_path / "cache", tmp_path / "x.tif")
    before = place.stat().st_mtime_ns
    again, _ = picture_values.shown(tmp_path / "cache", tmp_path / "x.tif")
    assert kind == "application/octet-stream" and again == place
    assert again.stat().st_mtime_ns == before
