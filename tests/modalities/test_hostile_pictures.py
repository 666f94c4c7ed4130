"""Small files that ask for much are read at the cost of any other picture, or refused."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from broken_media import refusal
from hostile_files import PICTURES, tiff
from PIL import TiffImagePlugin

from labeling_core.modalities import images, picture_formats

pytestmark = pytest.mark.posix
ROOM = 600 * 2**20  # bytes; the largest picture that is decoded takes 268 MB
REFUSED = {"huge.png": "million pixels", "wide.png": "million pixels", "lies.tif": "",
           "strips.tif": "", "screen.gif": "million pixels"}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_a_hostile_picture_is_refused_or_read_in_little_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PICTURES[name]())
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, before[1]))
    try:
        told = refusal(images.features, path) or ""
        shown = refusal(lambda each: images.rendition(each, 100, 100), path) or ""
        refusal(images.facts, path)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert bool(told) == bool(shown) == (name in REFUSED), told
    assert REFUSED.get(name, "") in told


def test_of_very_many_pages_only_the_first_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    original = TiffImagePlugin.TiffImageFile._seek

    def noted(self: TiffImagePlugin.TiffImageFile, frame: int) -> None:
        seen.append(frame)
        original(self, frame)

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "_seek", noted)
    path = tmp_path / "pages.tif"
    path.write_bytes(tiff(20_000))
    assert images.facts(path)["pages"] == picture_formats.MOST_PAGES + 1
    assert len(seen) <= picture_formats.MOST_PAGES + 5
    assert images._further(images.facts(path))[0][1].startswith("more than 100, of which")
    path.write_bytes(tiff(7))
    assert images.facts(path)["pages"] == 7
