from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from deep_media import png16, tiff16
from PIL import Image

from labeling_core.modalities import images

WRITERS = {
    "x.png": png16,
    "little.tif": tiff16,
    "big.tif": lambda values: tiff16(values, ">"),
    "deflated.tif": lambda values: tiff16(values, deflated=True),
    "big_deflated.tif": lambda values: tiff16(values, ">", deflated=True),
}


def colours(bits: int, channels: int = 3) -> np.ndarray:
    """64 × 64 pixels that use all values of so many bits; an alpha channel is opaque."""
    rows, columns = np.mgrid[:64, :64]
    ramps = [rows * 64 + columns, columns * 64 + rows, 4095 - rows * 64 - columns]
    values = np.stack(ramps[: 1 if channels == 2 else 3], axis=2) * (2**bits - 1) // 4095
    alpha = np.full((64, 64, 1), 65535) if channels % 2 == 0 else np.zeros((64, 64, 0), int)
    return np.concatenate([values, alpha], axis=2).astype(np.uint16)


def seen(path: Path) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(images.rendition(path, 1920, 1080)[0])))


def same_features(path: Path, reference: np.ndarray) -> bool:
    known = path.with_name("known.png")
    Image.fromarray(reference).save(known)
    return np.array_equal(images.features(path), images.features(known))


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("name", sorted(WRITERS))
def test_colours_of_few_bits_in_sixteen_are_stretched(tmp_path: Path, name: str, bits: int) -> None:
    values = colours(bits)
    path = tmp_path / name
    path.write_bytes(WRITERS[name](values))
    reference = np.rint(values * (255 / (2**bits - 1))).astype(np.uint8)
    assert np.array_equal(seen(path), reference) and same_features(path, reference)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_colours_that_use_all_sixteen_bits_keep_their_levels(tmp_path: Path, name: str) -> None:
    values = colours(16)
    (tmp_path / name).write_bytes(WRITERS[name](values))
    assert np.array_equal(seen(tmp_path / name), (values >> 8).astype(np.uint8))


@pytest.mark.parametrize("alpha", [4095, 65535])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_of_sixteen_bits_is_opaque_at_its_greatest_value(
    tmp_path: Path, channels: int, alpha: int
) -> None:
    values = colours(12, channels)
    values[..., -1] = alpha
    values[0, 0, -1] = 0
    path = tmp_path / "x.png"
    path.write_bytes(png16(values))
    reference = np.rint(values[..., :-1] * (255 / 4095)).astype(np.uint8)
    reference = np.broadcast_to(reference, (64, 64, 3)).copy()
    reference[0, 0] = images.GROUND
    assert np.array_equal(seen(path), reference) and same_features(path, reference)


def test_alpha_of_a_tiff_is_read_too(tmp_path: Path) -> None:
    values = colours(12, 4)
    for order in "<>":
        (tmp_path / "x.tif").write_bytes(tiff16(values, order))
        reference = np.rint(values[..., :3] * (255 / 4095)).astype(np.uint8)
        assert np.array_equal(seen(tmp_path / "x.tif"), reference)


def test_dark_colours_are_stretched_alike_and_one_colour_stays_as_it_is(tmp_path: Path) -> None:
    values = np.full((4, 4, 3), 100, np.uint16)
    values[0, 0] = 100, 300, 1100
    path = tmp_path / "x.png"
    path.write_bytes(png16(values))
    assert seen(path)[0, 0].tolist() == [0, 51, 255]
    path.write_bytes(png16(np.full((4, 4, 3), 100, np.uint16)))
    assert not seen(path).any()


def test_a_picture_that_lies_on_its_side_is_turned(tmp_path: Path) -> None:
    values = colours(12)
    plain = tmp_path / "plain.tif"
    plain.write_bytes(tiff16(values))
    exif = Image.Exif()
    exif[0x0112] = 6
    content = png16(values)
    block = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    extra = len(block[4:]).to_bytes(4, "big") + block + zlib.crc32(block).to_bytes(4, "big")
    (tmp_path / "turned.png").write_bytes(content[:33] + extra + content[33:])
    assert np.array_equal(seen(tmp_path / "turned.png"), np.rot90(seen(plain), -1))
