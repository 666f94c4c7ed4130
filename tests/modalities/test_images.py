from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from broken_media import broken_images, encoded, photo, refusal, write_all
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities import images

FORMATS = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "GIF": ".gif",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "TIFF": ".tif",
}


def written(folder: Path, image: Image.Image, name: str = "x.png", **options: object) -> Path:
    path = folder / name
    image.save(path, **options)
    return path


def shown(path: Path, width: int = 1920, height: int = 1080) -> Image.Image:
    content, media_type = images.rendition(path, width, height)
    image = Image.open(BytesIO(content))
    assert media_type == f"image/{(image.format or '').lower()}" and image.mode == "RGB"
    return image


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_every_format_has_facts_a_rendition_and_features(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"picture{FORMATS[format]}"
    path.write_bytes(encoded(photo(300, 280), format))
    os.utime(path, (0, 0))
    facts = images.facts(path)
    assert (facts["width"], facts["height"], facts["format"]) == (300, 280, format)
    assert facts["name"] == path.name and facts["size"] == path.stat().st_size
    assert str(facts["date"]).startswith("1970-01-01T00:00:00")
    assert refusal(images.decoded, path) is None
    assert shown(path).size == (300, 280) and shown(path, 150, 500).size == (150, 140)
    assert images.features(path).dtype == np.float32


BROKEN = broken_images()


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_every_kind_of_broken_image_is_told_in_one_sentence(tmp_path: Path, name: str) -> None:
    write_all(tmp_path, {name: BROKEN[name]})
    sentence = refusal(images.decoded, tmp_path / name)
    assert sentence and sentence.startswith(name) and sentence.endswith(".")
    for use in (images.features, lambda path: images.rendition(path, 100, 100)):
        with pytest.raises(LabelingError, match=r"\.$"):
            use(tmp_path / name)


def test_the_sentences_tell_the_kinds_of_damage_apart(tmp_path: Path) -> None:
    write_all(tmp_path, BROKEN)
    expected = {
        "empty.png": "is empty",
        "svg.png": "SVG",
        "html.jpg": "web page",
        "cut.jpg": "ends early",
        "cut.png": "ends early",
        "bomb.png": "million pixels",
        "text.jpg": "no image",
    }
    for name, part in expected.items():
        assert part in str(refusal(images.decoded, tmp_path / name))
    assert "cannot be opened" in str(refusal(images.decoded, tmp_path / "missing.png"))


def test_an_image_between_once_and_twice_the_limit_is_refused_too(tmp_path: Path) -> None:
    from broken_media import png_of_size

    (tmp_path / "big.png").write_bytes(png_of_size(10_000, 10_000))
    assert "more than 89 million pixels" in str(refusal(images.decoded, tmp_path / "big.png"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp"])
def test_the_exif_orientation_is_honoured(tmp_path: Path, name: str, orientation: int) -> None:
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the inverse turns, as Pillow numbers them
    upright = photo(640, 480)
    stored = upright.transpose(Image.Transpose(turns[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = written(tmp_path, stored, name, exif=exif, quality=95)
    facts = images.facts(path)
    assert (facts["width"], facts["height"]) == (640, 480)
    result = shown(path, 320, 320)
    assert result.size == (320, 240) and not result.getexif()
    difference = np.asarray(result, int) - np.asarray(upright.resize((320, 240)), int)
    assert np.abs(difference).mean() < 4


def test_transparency_lies_on_a_neutral_ground(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    grey = Image.new("LA", (4, 4), (0, 0))
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    paths = [
        written(tmp_path, clear, "rgba.png"),
        written(tmp_path, grey, "la.png"),
        written(tmp_path, palette, "p.gif", transparency=0),
        written(tmp_path, palette, "p.png", transparency=b"\x00\xff"),
        written(tmp_path, Image.new("RGB", (4, 4), (9, 9, 9)), "t.png", transparency=(9, 9, 9)),
    ]
    for path in paths:
        assert shown(path).getpixel((1, 1)) == images.GROUND


def test_half_transparent_pixels_are_mixed_with_the_ground(tmp_path: Path) -> None:
    path = written(tmp_path, Image.new("RGBA", (4, 4), (255, 255, 255, 128)))
    assert shown(path).getpixel((0, 0)) == (192, 192, 192)


def test_palette_images_keep_their_colours(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 200, 30, 250, 5, 60])
    image.putpixel((1, 0), 1)
    for name in ("p.png", "p.gif", "p.bmp"):
        result = shown(written(tmp_path, image, name))
        assert [result.getpixel((x, 0)) for x in (0, 1)] == [(10, 200, 30), (250, 5, 60)]


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_sixteen_bit_greys_keep_their_levels(tmp_path: Path, name: str) -> None:
    levels = np.array([[0, 1000, 32768, 65535]], dtype=np.uint16)
    result = shown(written(tmp_path, Image.fromarray(levels), name))
    assert [result.getpixel((x, 0)) for x in range(4)] == [(v, v, v) for v in (0, 4, 128, 255)]


def test_wider_greys_are_spread_over_the_range_they_use(tmp_path: Path) -> None:
    for values in (np.array([[-1.5, 0.0, 1.5]], np.float32), np.array([[-9, 0, 9]], np.int32)):
        result = shown(written(tmp_path, Image.fromarray(values), "x.tif"))
        assert [result.getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]


def test_of_an_animation_the_first_frame_is_shown(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (5, 5), colour) for colour in ("red", "blue")]
    for name in ("x.gif", "x.webp"):
        path = written(tmp_path, frames[0], name, save_all=True, append_images=frames[1:])
        red, _, blue = shown(path).getpixel((2, 2))
        assert red > 200 > blue


def test_other_colour_spaces_become_rgb(tmp_path: Path) -> None:
    for mode in ("CMYK", "L"):
        path = written(tmp_path, photo(500, 400).convert(mode), f"{mode}.jpg", quality=95)
        assert shown(path).size == (500, 400)


def test_few_pixels_are_never_upscaled_and_stay_exact(tmp_path: Path) -> None:
    tiny = photo(8, 8)
    result = shown(written(tmp_path, tiny))
    assert result.format == "PNG" and result.size == (8, 8)
    assert np.array_equal(np.asarray(result), np.asarray(tiny))


def test_large_photographs_become_jpeg_and_large_drawings_png(tmp_path: Path) -> None:
    drawing = Image.new("RGB", (900, 700), "white")
    drawing.paste((200, 0, 0), (100, 100, 300, 300))
    assert shown(written(tmp_path, drawing)).format == "PNG"
    assert shown(written(tmp_path, photo(900, 700))).format == "JPEG"
    assert images.rendition(tmp_path / "x.png", 5, 1)[1] == "image/png"


def test_a_rendition_tells_nothing_of_where_a_photograph_was_taken(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "the secret place"
    path = written(tmp_path, photo(900, 700), "x.jpg", exif=exif, comment=b"the secret place")
    assert b"secret" in path.read_bytes()
    assert b"secret" not in images.rendition(path, 1920, 1080)[0]


def test_features_are_finite_within_bounds_and_the_same_every_time(tmp_path: Path) -> None:
    pictures = [photo(), Image.new("L", (1, 1)), Image.new("RGB", (1, 700), "white"), photo(8, 8)]
    for image in pictures:
        path = written(tmp_path, image)
        vector = images.features(path)
        assert vector.shape == images.features(path).shape == (768 + 576 + 112,)
        assert np.isfinite(vector).all() and vector.min() >= -0.2 and vector.max() <= 1.2
        assert np.array_equal(vector, images.features(path))


def test_gradients_tell_stripes_by_their_direction(tmp_path: Path) -> None:
    stripes = np.tile(np.repeat([0, 255], 8), (64, 4)).astype(np.uint8)
    parts = slice(images.PIXEL_COLUMNS, images.PIXEL_COLUMNS + 576)
    upright = images.features(written(tmp_path, Image.fromarray(stripes)))[parts].reshape(-1, 9)
    lying = images.features(written(tmp_path, Image.fromarray(stripes.T)))[parts].reshape(-1, 9)
    assert upright.sum(axis=0).argmax() == 0 and lying.sum(axis=0).argmax() in (4, 5)
