from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401
import pytest
from broken_media import broken_images, encoded, photo, refusal, write_all
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities import images, picture_formats

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


@pytest.mark.parametrize(
    "name",
    ["x.avif", "x.heic", "x.jxl", "x.jp2", "x.ppm", "x.tga", "x.ico", "x.pcx", "x.dds", "x.qoi",
     "x.sgi", "x.mpo", "x.jfif"],
)  # fmt: skip
def test_further_formats_look_like_the_same_picture_as_a_png(tmp_path: Path, name: str) -> None:
    pillow_heif.register_heif_opener()
    picture = photo(256, 256)
    kinds = {".jfif": "JPEG", ".heic": "HEIF", ".jxl": "JXL"}
    suffix = Path(name).suffix
    picture.save(tmp_path / name, **({"format": kinds[suffix]} if suffix in kinds else {}))
    known = written(tmp_path, picture, "same.png")
    facts = images.facts(tmp_path / name)
    assert (facts["width"], facts["height"], facts["pages"]) == (256, 256, 1)
    difference = np.asarray(shown(tmp_path / name), int) - np.asarray(shown(known), int)
    assert np.abs(difference).mean() < 4
    mine, other = images.features(tmp_path / name), images.features(known)
    assert np.abs(mine - other).mean() < 0.02


@pytest.mark.parametrize("kind", ["HEIF", "JXL", "AVIF"])
def test_cut_pictures_of_further_formats_are_refused(tmp_path: Path, kind: str) -> None:
    pillow_heif.register_heif_opener()
    content = encoded(photo(256, 256), kind)
    path = tmp_path / "x.bin"
    path.write_bytes(content[: len(content) // 2])
    assert str(refusal(images.decoded, path)).startswith("x.bin ")


def test_without_its_plugin_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pillow_heif.register_heif_opener()
    monkeypatch.setattr(picture_formats, "_loaded", lambda plugin: False)
    for kind, package in (("HEIF", "pillow-heif"), ("JXL", "pillow-jxl-plugin")):
        path = tmp_path / "x.png"
        path.write_bytes(encoded(photo(), kind))
        assert str(refusal(images.decoded, path)).endswith(f": pip install {package}")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_end_mark_is_whole_and_a_cut_one_is_not(
    tmp_path: Path, progressive: bool
) -> None:
    content = encoded(photo(400, 300), "JPEG", quality=90, progressive=progressive)
    (tmp_path / "whole.jpg").write_bytes(content)
    for lost in (1, 2):
        (tmp_path / "x.jpg").write_bytes(content[:-lost])
        assert images.decoded(tmp_path / "x.jpg") == images.decoded(tmp_path / "whole.jpg")
        assert images.features(tmp_path / "x.jpg").size
    for lost in (30, len(content) // 3):
        (tmp_path / "x.jpg").write_bytes(content[:-lost])
        assert "ends early" in str(refusal(images.decoded, tmp_path / "x.jpg"))


def test_what_stands_behind_the_end_of_a_picture_does_not_matter(tmp_path: Path) -> None:
    for format in FORMATS:
        (tmp_path / "x").write_bytes(encoded(photo(), format) + b"anything" * 20)
        assert refusal(images.decoded, tmp_path / "x") is None


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


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_greys_of_few_bits_in_sixteen_are_stretched(tmp_path: Path, name: str, bits: int) -> None:
    ramp = np.linspace(0, 2**bits - 1, 64 * 64).reshape(64, 64).astype(np.uint16)
    path = written(tmp_path, Image.fromarray(ramp), name)
    reference = np.rint(ramp * (255 / (2**bits - 1))).astype(np.uint8)
    assert np.array_equal(np.asarray(shown(path))[..., 0], reference)
    known = written(tmp_path, Image.fromarray(reference), "known.png")
    assert np.array_equal(images.features(path), images.features(known))


def test_floats_are_stretched_by_their_finite_values(tmp_path: Path) -> None:
    ramp = np.linspace(-3, 5, 64 * 64).reshape(64, 64).astype(np.float32)
    holed = ramp.copy()
    holed[0, :3] = np.inf, -np.inf, np.nan
    path = written(tmp_path, Image.fromarray(holed), "x.tif")
    reference = np.rint((ramp + 3) * (255 / 8)).astype(np.uint8)
    reference[0, :3] = 255, 0, 0
    seen = np.asarray(shown(path))[..., 0].astype(int)
    assert np.abs(seen - reference).max() <= 1
    known = written(tmp_path, Image.fromarray(reference), "known.png")
    assert np.abs(images.features(path) - images.features(known)).mean() < 0.002
    nothing = written(tmp_path, Image.fromarray(np.full((4, 4), np.nan, np.float32)), "n.tif")
    assert shown(nothing).getpixel((0, 0)) == (0, 0, 0)


def test_a_file_of_several_pages_says_so(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (5, 5), colour) for colour in ("red", "blue", "green")]
    more = {"save_all": True, "append_images": pages[1:]}
    counts = {"x.tif": 3, "x.gif": 2, "x.webp": 2, "x.png": 2}
    for name, count in counts.items():
        assert images.facts(written(tmp_path, pages[0], name, **more))["pages"] == count
    viewer = SimpleNamespace(file=lambda name: tmp_path / name, link=lambda *_: "")
    told = images.view(SimpleNamespace(sample_id="x.tif", fields=[]), viewer)["facts"]
    assert ["pages", "3, of which the first is shown and learned from"] in told


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
