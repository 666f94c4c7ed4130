from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from broken_media import encoded, photo, write_all

from labeling_core.modalities.registry import SUFFIXES
from labeling_core.sources.archives import store_upload
from labeling_core.sources.folders import Refusal
from labeling_core.sources.left_out import groups, look_through, reason

IMAGE = encoded(photo(), "PNG")
OTHERS = {
    "song.mp3": "Sound recording (.mp3): make a project of sounds",
    "clip.MOV": "Video (.mov): export pictures",
    "sub/raw.NEF": "Raw photograph (.nef): export it as TIFF",
    "plan.svg": "Drawing (.svg): export it as PNG",
    "scan.pdf": "Document (.pdf): export its pictures",
    "more.tar.gz": "Archive (.gz): unpack it",
    "slice.dcm": "Scientific picture (.dcm): convert it to TIFF",
    "notes.txt": "Text or table (.txt): nothing to do",
    "x.abc": "File of a kind that is not known (.abc)",
    "README": "File without an ending",
    "Thumbs.db": "File that a system keeps",
    "sub/.DS_Store": "File that a system keeps",
    "._a.png": "File that a system keeps",
    "__MACOSX/sub/._a.png": "File that a system keeps",
    ".hidden.png": "Hidden file",
    ".git/objects/a.png": "Hidden file",
}


def test_a_folder_and_a_zip_name_the_same_files_for_the_same_reasons(tmp_path: Path) -> None:
    contents = {"a.png": IMAGE, "sub/b.png": IMAGE} | dict.fromkeys(OTHERS, b"x")
    folder = write_all(tmp_path / "folder", contents)
    listing = look_through(folder, SUFFIXES["images"])
    assert listing.files == ["a.png", "sub/b.png"]
    assert {each.name for each in listing.refusals} == set(OTHERS)
    for name, why in listing.refusals:
        assert why.startswith(OTHERS[name]) and why.endswith(".")
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    refused = store_upload([("x.zip", packed)], tmp_path / "to", SUFFIXES["images"])
    assert sorted(refused) == listing.refusals


def test_files_are_counted_by_their_reasons_the_most_frequent_first() -> None:
    refusals = [Refusal(name, reason(name)) for name in ("b.txt", "a.mov", "c.txt", "d.csv")]
    counted = [(each.files, each.example) for each in groups(refusals)]
    assert counted[0] == (2, "b.txt") and sorted(counted[1:]) == [(1, "a.mov"), (1, "d.csv")]
    assert groups([]) == []


def test_every_kind_of_sample_is_known_to_the_other_kinds_of_project() -> None:
    for modality, kind in (("images", "Picture"), ("sounds", "Sound recording")):
        for suffix in SUFFIXES[modality]:
            assert reason(f"x{suffix}").startswith(f"{kind} ({suffix})")


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_links_keep_their_own_reason_and_are_named_once(tmp_path: Path) -> None:
    folder = write_all(tmp_path / "folder", {"a.png": IMAGE})
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    assert look_through(folder, SUFFIXES["images"]).refusals == [
        Refusal("gone.png", "The link leads nowhere.")
    ]
