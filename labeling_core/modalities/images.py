"""Images: read one for display, tell its facts, turn it into numbers (Pillow and NumPy only).

Whatever a file claims to be, only its decoded pixels ever leave this module.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from labeling_core.errors import LabelingError
from labeling_core.modalities import levels, picture_formats
from labeling_core.modalities.renditions import remembered, rendition_place
from labeling_core.modalities.sample_view import Shown, Viewer, shown_facts
from labeling_core.sources.folders import file_facts, require_media
from labeling_core.sources.pinned import pinned

SUFFIXES = picture_formats.SUFFIXES
# Neither black nor white drawings vanish on it.
GROUND = (128, 128, 128)
FEATURES_VERSION = 1
SHOWN_SIZE = (1920, 1080)  # pixels that a browser gets at most
PIXELATED = 64  # images up to this side are drawings of single pixels

_SIDE = 64
_THUMBNAIL = 16
# The first columns of features() are raw pixels: the matrix stage sends them through PCA.
PIXEL_COLUMNS = 3 * _THUMBNAIL**2


def facts(path: Path) -> dict[str, Any]:
    """Name, size (bytes), date (ISO 8601, UTC), width and height (pixels, upright), format,
    how many ``pages`` there are (only the first is ever shown), and of more than 8 bits a channel
    what ``values`` they are, in words.

    Reads only the header. Raises LabelingError for what is no image.
    """
    with _opened(path) as image:
        # Where a PNG has no such entry in its head, Pillow would decode all of it to look further.
        known = image.format != "PNG" or "exif" in image.info
        turned = known and image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        width, height = reversed(image.size) if turned else image.size
        found = {"width": width, "height": height, "format": image.format or ""}
        pages, values = picture_formats.pages(image), levels.in_words(image)
        return file_facts(path) | found | {"pages": pages, "values": values}


def view(sample: Shown, viewer: Viewer) -> dict[str, Any]:
    """The view of an image: ``width`` and ``height`` (pixels) are those of what ``url`` gives;
    of more than 8 bits a channel ``levels`` has what its ``values`` are called, and their ``url``.
    """
    with pinned(viewer.file(sample.sample_id)) as path:
        found = facts(path)
    width, height = int(found["width"]), int(found["height"])
    share = min(1.0, SHOWN_SIZE[0] / width, SHOWN_SIZE[1] / height)
    seen = {
        "url": viewer.link("image", sample.sample_id),
        "width": max(1, round(width * share)),
        "height": max(1, round(height * share)),
        "pixelated": max(width, height) <= PIXELATED,
        "facts": [*shown_facts(sample, found), ["pixels", f"{width}×{height}"], *_further(found)],
    }
    if found["values"]:
        seen["levels"] = {
            "values": found["values"],
            "url": viewer.link("values", sample.sample_id),
        }
    return seen


def _further(found: dict[str, Any]) -> list[list[str]]:
    """What only some pictures have: several pages, more than 8 bits a channel."""
    facts = []
    if found["pages"] != 1:
        most = picture_formats.MOST_PAGES
        many = f"more than {most}" if found["pages"] > most else f"{found['pages']}"
        count = many if found["format"] == "TIFF" else "several"
        facts.append(["pages", f"{count}, of which the first is shown and learned from"])
    if found["values"]:
        facts.append(["values", f"{found['values']}; Levels says which are black and white"])
    return facts


def shown(cache: Path, path: Path) -> tuple[Path, str]:
    """The file that a browser gets of an image, kept in ``cache``, and its media type."""
    place = rendition_place(cache, path, "image")
    content = remembered(place, lambda: rendition(path, *SHOWN_SIZE)[0])
    return place, "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"


def rendition(path: Path, max_width: int, max_height: int) -> tuple[bytes, str]:
    """The image for a browser, at most ``max_width`` × ``max_height`` pixels, and its media type.

    Never upscaled. PNG (exact) where it has few pixels or few colours, as drawings, icons and
    screenshots do; JPEG otherwise. A colour profile is kept, all other metadata (places, names)
    is not. Raises LabelingError.
    """
    image = decoded(path, (max_width, max_height))
    profile = image.info.get("icc_profile")
    image.info.clear()  # Pillow would carry comments over
    image.thumbnail((max_width, max_height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    content = BytesIO()
    if image.width * image.height <= 256 * 256 or image.getcolors(256):
        image.save(content, "PNG", icc_profile=profile)
        return content.getvalue(), "image/png"
    image.save(content, "JPEG", quality=88, icc_profile=profile)
    return content.getvalue(), "image/jpeg"


def decoded(path: Path, enough: tuple[int, int] | None = None) -> Image.Image:
    """The first frame as upright 8-bit RGB, transparency on a neutral ground.

    ``enough`` (width, height) lets JPEG decode at the smallest fraction of its size (1/2, 1/4,
    1/8) that still fills it. Raises LabelingError for whatever cannot be decoded to the end.
    """
    with _opened(path) as image:
        if enough is not None:
            # Before it is turned upright, either side may be the width.
            share = min(1.0, max(enough) / max(image.size))
            image.draft("RGB", (int(image.width * share), int(image.height * share)))
        deep = levels.raw_mode(image)
        whole = _loaded(image, path)
        if deep and levels.hold_few_bits(whole):
            with _opened(path) as again:
                whole = levels.with_lower_bytes(whole, again)
        return _on_ground(ImageOps.exif_transpose(levels.eight_bit(whole)))


def values(path: Path) -> levels.Values:
    """What a picture of more than 8 bits a channel holds. Raises LabelingError for what cannot be
    decoded, and for all others."""
    with _opened(path) as image:
        colours = levels.raw_mode(image)
        whole = _loaded(image, path)
        if colours:
            with _opened(path) as again:
                return levels.of_colours(whole, again)
        if levels.is_deep(whole):
            return levels.of_greys(whole)
    raise LabelingError(f"{path.name} has no more than 8 bits a channel: it is shown as it is.")


def content(path: Path) -> bytes:
    """A digest of all pixels as they are learned from; of greys of more than 8 bits, of all their
    values. Raises LabelingError for what cannot be decoded."""
    with _opened(path) as image:
        if levels.is_deep(image):
            values = np.asarray(_loaded(image, path), dtype=np.float64)
            return blake2b(values.tobytes() + repr(values.shape).encode()).digest()
    seen = decoded(path)
    return blake2b(seen.tobytes() + repr(seen.size).encode()).digest()


def _loaded(image: Image.Image, path: Path) -> Image.Image:
    """The image, decoded to its end."""
    try:
        image.load()
    except OSError as error:
        mendable = image.format in ("JPEG", "MPO") and "truncated" in str(error)
        if mendable and (whole := picture_formats.without_end_mark(path)) is not None:
            return whole
        raise
    return image


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image, not yet decoded; whatever goes wrong inside becomes one sentence."""
    require_media(path, "an image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with picture_formats.opened(path) as image:
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise LabelingError(f"{path.name} has more than {most:.0f} million pixels.") from error
    except Image.UnidentifiedImageError as error:
        known = picture_formats.KNOWN
        raise LabelingError(f"{path.name} is damaged or no image ({known}).") from error
    except LabelingError:
        raise
    except Exception as error:
        # Decoders fail in every way there is: struct, zlib, Syntax, Overflow, Memory errors.
        early = "truncated" in str(error) or isinstance(error, EOFError)
        what = "ends early: the rest of it is missing" if early else "is damaged"
        raise LabelingError(f"{path.name} {what}.") from error


def _on_ground(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        rgb = image.convert("RGB")
        if image.mode not in ("RGB", "P"):
            rgb.info.pop("icc_profile", None)  # it speaks of greys or inks
        return rgb
    layer = image.convert("RGBA")
    ground = Image.new("RGBA", layer.size, (*GROUND, 255))
    return Image.alpha_composite(ground, layer).convert("RGB")


def features(path: Path) -> np.ndarray:
    """Classical descriptors of one image, float32, all within 0..1: a 16 × 16 RGB thumbnail,
    oriented gradients of 8 × 8 cells (after Dalal and Triggs, 2005), and colour histograms.

    Raises LabelingError for what cannot be decoded.
    """
    image = decoded(path, (2 * _SIDE, 2 * _SIDE))
    small = _resized(image, _SIDE)
    thumbnail = _resized(image, _THUMBNAIL) / 255
    grey = small @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    blocks = [thumbnail.ravel(), _gradients(grey), _colours(small)]
    return np.concatenate(blocks).astype(np.float32)


def _resized(image: Image.Image, side: int) -> np.ndarray:
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC), dtype=np.float32)


def _gradients(grey: np.ndarray, cell: int = 8, bins: int = 9) -> np.ndarray:
    """Histograms of unsigned gradient directions in cells of ``cell`` pixels, weighted by
    strength, each cell normalised with its neighbours. Length (side / cell)² · bins."""
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    turn = (np.arctan2(down, right) / np.pi % 1.0) * bins
    lower, share = np.floor(turn).astype(int), turn - np.floor(turn)
    across = grey.shape[0] // cell
    places = np.arange(grey.shape[0]) // cell
    cells = places[:, None] * across + places[None, :]
    counts = np.zeros(across * across * bins)
    for direction, weight in ((lower, 1 - share), (lower + 1, share)):
        index = cells * bins + direction % bins
        counts += np.bincount(index.ravel(), (strength * weight).ravel(), counts.size)
    grid = counts.reshape(across, across, bins)
    return (grid / (_neighbourhood(grid) + 1.0)).ravel()


def _neighbourhood(grid: np.ndarray) -> np.ndarray:
    """The norm of each cell's histogram together with those of its eight neighbours."""
    energy = np.pad((grid**2).sum(axis=2), 1)
    rows = energy[:-2] + energy[1:-1] + energy[2:]
    return np.sqrt(rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:])[..., None]


def _colours(rgb: np.ndarray) -> np.ndarray:
    """A joint histogram of 4 × 4 × 4 colours and one of 16 levels a channel; each, rooted."""
    levels: Any = np.minimum(rgb.reshape(-1, 3), 255).astype(int)
    joint = np.bincount((levels // 64) @ np.array([16, 4, 1]), minlength=64)
    single = [np.bincount(levels[:, channel] // 16, minlength=16) for channel in range(3)]
    return np.sqrt(np.concatenate([joint, *single]) / len(levels))
