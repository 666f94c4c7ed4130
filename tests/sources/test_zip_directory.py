"""Archives of very many entries are refused before an object is made of each."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hostile_files import crowded_zip

from labeling_core.errors import LabelingError
from labeling_core.sources import zip_directory
from labeling_core.sources.archives import DEFAULT_LIMITS, store_upload, unpack
from labeling_core.sources.json_entries import read_entries
from labeling_core.sources.signatures import kind_of


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the standard library is given to open."""
    found: list[object] = []
    original = zipfile.ZipFile.__init__

    def noted(self: zipfile.ZipFile, file: object, *rest: object, **more: object) -> None:
        found.append(file)
        original(self, file, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(zipfile.ZipFile, "__init__", noted)
    return found


CROWDS = {
    "a million": lambda: crowded_zip(10**6),
    "that say they are three": lambda: crowded_zip(300_000, told=3),
    "in the form for large files": lambda: crowded_zip(300_000, wide=True),
    "with a comment behind": lambda: crowded_zip(300_000)[:-2] + b"\4\0more",
}


@pytest.mark.parametrize("crowd", CROWDS)
def test_an_archive_of_too_many_entries_is_refused_unopened(
    opened: list[object], tmp_path: Path, crowd: str
) -> None:
    path, content = tmp_path / "a.zip", CROWDS[crowd]()
    path.write_bytes(content)
    with pytest.raises(LabelingError, match="more than 100,000 files"):
        unpack(BytesIO(content), tmp_path / "to", {".png"}, DEFAULT_LIMITS)
    refusals = store_upload([("a.zip", BytesIO(content))], tmp_path / "to", {".png"})
    assert [each.name for each in refusals] == ["a.zip"]
    with pytest.raises(LabelingError, match="holds more than 200,000 files; unpack it yourself"):
        kind_of(path, "a.zip")
    with pytest.raises(LabelingError, match="holds more than 200,000 files: export fewer"):
        read_entries(path, "a.zip", [])
    assert opened == []


@pytest.mark.parametrize("wide", [False, True])
def test_entries_are_counted_exactly(wide: bool) -> None:
    content = BytesIO(crowded_zip(1_000, wide=wide))
    assert len(zipfile.ZipFile(content).infolist()) == 1_000
    assert not zip_directory.has_more_than(content, 1_000)
    assert zip_directory.has_more_than(content, 999)


def test_a_real_archive_with_a_comment_and_something_before_it_is_counted() -> None:
    content = BytesIO()
    content.write(b"#!/bin/sh\n")
    with zipfile.ZipFile(content, "a") as archive:
        for number in range(20):
            archive.writestr(f"folder/{number}.png", bytes(number), zipfile.ZIP_DEFLATED)
        archive.comment = b"a comment"
    assert [zip_directory.has_more_than(content, most) for most in (19, 20)] == [True, False]


@pytest.mark.parametrize("content", [b"", b"PK\5\6", b"no archive" * 5_000, b"PK\1\2" * 50_000])
def test_what_is_no_archive_has_no_entries(content: bytes) -> None:
    assert not zip_directory.has_more_than(BytesIO(content), 0)
