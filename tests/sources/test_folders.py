from __future__ import annotations

import os
from pathlib import Path

import pytest
from broken_media import MARKUP, encoded, photo, write_all

from labeling_core.errors import LabelingError
from labeling_core.sources.folders import (
    DATA,
    allowed_roots,
    chosen_folder,
    file_facts,
    list_files,
    require_media,
    resolve_file,
    resolve_folder,
    source_folder,
)

PNG = {".png"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An allowed root with a folder ``pictures``; beside it ``secret``, which is outside."""
    image = encoded(photo(), "PNG")
    write_all(tmp_path / "root" / "pictures", {"b.png": image, "a/c.PNG": image, "note.txt": b"x"})
    write_all(tmp_path / "secret", {"s.png": image})
    return tmp_path / "root"


def test_the_allowed_roots_are_the_data_folder_and_those_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = os.pathsep.join([str(tmp_path / "x"), "", str(tmp_path / "y"), str(tmp_path / "x")])
    monkeypatch.setenv("LABELING_DATA_ROOTS", named)
    assert allowed_roots() == [DATA, tmp_path / "x", tmp_path / "y"]
    monkeypatch.delenv("LABELING_DATA_ROOTS")
    assert allowed_roots() == [DATA]


def test_a_folder_is_found_by_its_absolute_and_by_its_relative_path(root: Path) -> None:
    for text in ("pictures", f" {root / 'pictures'} ", "pictures/a/", "."):
        assert resolve_folder(text, [root.parent / "nowhere", root]).is_dir()


@pytest.mark.parametrize(
    "text",
    ["", "  ", "..", "pictures/../../secret", "pictures\\..\\..\\secret", "/etc", "/", "a\0b"],
)
def test_a_folder_outside_of_the_roots_is_refused_with_a_sentence(root: Path, text: str) -> None:
    with pytest.raises(LabelingError, match=r"folder.*\.$|folder.*: ") as error:
        resolve_folder(text, [root])
    assert error.value.field == "folder"


def test_a_folder_reached_by_a_link_that_leads_out_is_refused(root: Path) -> None:
    (root / "way_out").symlink_to(root.parent / "secret")
    (root / "loop").symlink_to(root / "loop")
    (root / "way_round").symlink_to(root / "pictures")
    for text in ("way_out", str(root / "way_out"), "loop"):
        with pytest.raises(LabelingError):
            resolve_folder(text, [root])
    assert resolve_folder("way_round", [root]) == root / "pictures"


def test_a_sibling_whose_name_begins_like_the_root_is_outside(root: Path) -> None:
    (root.parent / "root_of_others").mkdir()
    with pytest.raises(LabelingError, match="outside"):
        resolve_folder(str(root.parent / "root_of_others"), [root])


def test_what_is_no_folder_is_refused(root: Path) -> None:
    for text in ("missing", "pictures/b.png", "x" * 5000):
        with pytest.raises(LabelingError):
            resolve_folder(text, [root])


def test_whoever_may_choose_a_folder_is_told_which_may_be_read_and_how_to_add_one(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELING_DATA_ROOTS", str(root))
    home = root.parent
    assert chosen_folder("pictures", home) == root / "pictures"
    for name in ("secret", "not there"):  # whether it exists is not told
        with pytest.raises(LabelingError) as error:
            chosen_folder(str(home / name), home)
        assert f"may be read ({DATA}, {root}): move it below" in str(error.value)
        assert str(error.value).endswith(f"LABELING_DATA_ROOTS={root}{os.pathsep}{home}")
        assert error.value.field == "folder"
    with pytest.raises(LabelingError, match=r"LABELING_DATA_ROOTS=.*/nowhere$"):
        chosen_folder("/nowhere", home)  # and not the whole disk
    with pytest.raises(LabelingError, match="There is no folder 'pictuers'"):
        chosen_folder("pictuers", home)


def test_whoever_looks_at_samples_is_not_told_which_folders_may_be_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELING_DATA_ROOTS", str(root))
    with pytest.raises(LabelingError) as error:
        source_folder("/etc", root.parent)
    assert str(root) not in str(error.value)


def test_files_are_listed_sorted_with_sub_folders_and_without_hidden_ones(root: Path) -> None:
    write_all(root / "pictures", {".hidden.png": b"x", ".cache/z.png": b"x"})
    assert list_files(root / "pictures", PNG) == (["a/c.PNG", "b.png"], [])


def test_links_that_lead_out_are_skipped_and_reported(root: Path) -> None:
    pictures = root / "pictures"
    (pictures / "out.png").symlink_to(root.parent / "secret" / "s.png")
    (pictures / "nowhere.png").symlink_to(root / "missing.png")
    (pictures / "inside.png").symlink_to(pictures / "b.png")
    (pictures / "folder").symlink_to(root.parent / "secret")
    (pictures / "again").symlink_to(pictures)
    listing = list_files(pictures, PNG)
    assert listing.files == ["a/c.PNG", "b.png", "inside.png"]
    reasons = {refusal.name: refusal.reason for refusal in listing.refusals}
    assert set(reasons) == {"out.png", "nowhere.png", "folder", "again"}
    assert "out of the folder" in reasons["out.png"] and "out of the folder" in reasons["folder"]


def test_pipes_are_not_listed_and_names_that_are_not_utf8_are_reported(root: Path) -> None:
    os.mkfifo(root / "pictures" / "pipe.png")
    (root / "pictures" / os.fsdecode(b"bad\xff.png")).write_bytes(b"x")
    listing = list_files(root / "pictures", PNG)
    assert listing.files == ["a/c.PNG", "b.png"]
    assert [refusal.reason for refusal in listing.refusals] == [
        "The name is not UTF-8: rename the file."
    ]


def test_a_sample_of_the_folder_is_resolved(root: Path) -> None:
    assert resolve_file(root / "pictures", "a/c.PNG") == root / "pictures" / "a" / "c.PNG"


@pytest.mark.parametrize(
    "relative", ["../../secret/s.png", "/etc/passwd", "a/../../x", "out.png", "b\0.png", "a", "no"]
)
def test_a_sample_outside_of_the_folder_is_refused(root: Path, relative: str) -> None:
    (root / "pictures" / "out.png").symlink_to(root.parent / "secret" / "s.png")
    with pytest.raises(LabelingError):
        resolve_file(root / "pictures", relative)


@pytest.mark.parametrize("kind", sorted(MARKUP))
def test_markup_under_the_name_of_media_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"\xef\xbb\xbf" + MARKUP[kind])
    with pytest.raises(LabelingError, match="not an image"):
        require_media(path, "an image")


def test_the_facts_of_a_file_are_its_name_size_and_date(root: Path) -> None:
    path = root / "pictures" / "note.txt"
    os.utime(path, (0, 0))
    expected = {"name": "note.txt", "size": 1, "date": "1970-01-01T00:00:00+00:00"}
    assert file_facts(path) == expected
