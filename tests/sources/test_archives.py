from __future__ import annotations

import stat
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest
from broken_media import encoded, photo
from faults import full_disk

from labeling_core.errors import LabelingError
from labeling_core.sources import archives
from labeling_core.sources.archives import DEFAULT_LIMITS, Limits, sanitised, store_upload
from labeling_core.sources.folders import Refusal

PNG = {".png", ".bmp"}
IMAGE = encoded(photo(), "PNG")


def unpack(
    archive: Path | BinaryIO, target: Path, suffixes: set[str], limits: Limits = DEFAULT_LIMITS
) -> list[Refusal]:
    """What is not taken of an archive."""
    return archives.unpack(archive, target, suffixes, limits)[0]


def zipped(entries: dict[str, bytes], **options: int) -> BytesIO:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return BytesIO(content.getvalue())


def stored(folder: Path) -> list[str]:
    """All that lies below ``folder``, hidden and temporary files included."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_the_good_files_of_a_zip_are_unpacked_with_their_folders(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped({"x.png": IMAGE, "sub/y.PNG": IMAGE}).getvalue())
    assert unpack(archive, tmp_path / "to", PNG) == []
    assert stored(tmp_path / "to") == ["sub/y.PNG", "x.png"]
    assert (tmp_path / "to" / "x.png").read_bytes() == IMAGE


ATTACKS = [
    "/abs.png",
    "../up.png",
    "a/../../up.png",
    "..\\up.png",
    "C:\\x.png",
    "C:x.png",
    "\\x.png",
]


@pytest.mark.parametrize("name", ATTACKS)
def test_paths_that_lead_out_of_the_target_are_refused(tmp_path: Path, name: str) -> None:
    refusals = unpack(zipped({name: IMAGE, "good.png": IMAGE}), tmp_path / "to", PNG)
    assert len(refusals) == 1 and refusals[0].reason.endswith(".")
    assert stored(tmp_path) == ["to/good.png"]


def test_symbolic_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo("link.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    assert "symbolic link" in unpack(content, tmp_path / "to", PNG)[0].reason
    assert stored(tmp_path) == []


def test_a_link_that_lies_in_the_target_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "to" / "sub").symlink_to(tmp_path / "outside")
    assert "leads out" in unpack(zipped({"sub/x.png": IMAGE}), tmp_path / "to", PNG)[0].reason
    assert stored(tmp_path / "outside") == []


def test_a_bomb_by_ratio_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    bomb = zipped({"a.bmp": bytes(20 * 2**20)})
    with pytest.raises(LabelingError, match="times its own size") as error:
        unpack(bomb, tmp_path / "to", PNG)
    assert error.value.field == "upload" and stored(tmp_path) == []


def test_an_entry_that_is_a_bomb_is_refused_and_the_others_are_not(tmp_path: Path) -> None:
    noise = encoded(photo(700, 700), "BMP") + IMAGE * 400
    archive = zipped({"bomb.bmp": bytes(20 * 2**20), "good.bmp": noise, "more.png": IMAGE * 100})
    refusals = unpack(archive, tmp_path / "to", PNG)
    assert [refusal.name for refusal in refusals] == ["bomb.bmp"]
    assert stored(tmp_path / "to") == ["good.bmp", "more.png"]


def test_a_blank_image_is_no_bomb(tmp_path: Path) -> None:
    assert unpack(zipped({"blank.bmp": bytes(2**20)}), tmp_path, PNG) == []


def test_total_size_size_of_a_file_and_number_of_files_are_bounded(tmp_path: Path) -> None:
    entries = {f"{number}.png": IMAGE for number in range(5)}
    for limits in (Limits(total_bytes=3 * len(IMAGE)), Limits(files=4)):
        with pytest.raises(LabelingError, match="more than"):
            unpack(zipped(entries), tmp_path / "to", PNG, limits)
    refusals = unpack(zipped(entries), tmp_path / "to", PNG, Limits(file_bytes=10))
    assert len(refusals) == 5 and stored(tmp_path) == []


def test_an_archive_that_lies_about_its_sizes_writes_no_more_than_it_declares(
    tmp_path: Path,
) -> None:
    honest = zipped({"a.bmp": bytes(3 * 2**20)}).getvalue()
    size = struct.pack("<I", 3 * 2**20)
    lying = honest.replace(size, struct.pack("<I", 1000))
    refusals = unpack(BytesIO(lying), tmp_path / "to", PNG)
    assert [refusal.reason for refusal in refusals] == ["The entry is damaged."]
    assert stored(tmp_path) == []


def test_nested_archives_and_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    inner = zipped({"x.png": IMAGE}).getvalue()
    entries = {"a.zip": inner, "b.tar.gz": b"x", "c.exe": b"MZ", "d": b"x"}
    reasons = [refusal.reason for refusal in unpack(zipped(entries), tmp_path, PNG)]
    assert ["unpack it first" in reason for reason in reasons] == [True, True, False, False]
    assert stored(tmp_path) == []


def test_encrypted_and_damaged_entries_are_refused_and_the_others_are_not(tmp_path: Path) -> None:
    content = bytearray(zipped({"bad.png": IMAGE, "good.png": IMAGE}).getvalue())
    content[60] ^= 0xFF
    assert [r.name for r in unpack(BytesIO(content), tmp_path / "a", PNG)] == ["bad.png"]
    assert stored(tmp_path / "a") == ["good.png"]
    content = bytearray(zipped({"locked.png": IMAGE}).getvalue())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in unpack(BytesIO(content), tmp_path / "b", PNG)[0].reason


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_entry_of_any_compression_is_refused_and_the_others_are_not(
    tmp_path: Path, method: int
) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("bad.png", IMAGE)
        archive.writestr("good.png", IMAGE)
    content = bytearray(packed.getvalue())
    content[60:100] = bytes(each ^ 0x5A for each in content[60:100])
    refusals = unpack(BytesIO(content), tmp_path, PNG)
    assert refusals == [("bad.png", "The entry is damaged.")]
    assert stored(tmp_path) == ["good.png"]


def test_an_entry_that_is_said_to_lie_before_the_archive_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.png": IMAGE}).getvalue())
    content[content.rindex(b"PK\x05\x06") + 16] += 1  # where the table of contents begins
    (tmp_path / "a.zip").write_bytes(content)
    for archive in (BytesIO(content), tmp_path / "a.zip"):
        assert unpack(archive, tmp_path / "to", PNG) == [("a.png", "The entry is damaged.")]


def test_a_full_disk_is_no_damage_of_the_archive(tmp_path: Path) -> None:
    archive = zipped({"a.png": IMAGE})
    (tmp_path / "empty").touch()
    with full_disk(len(IMAGE) // 2, tmp_path / "empty"), pytest.raises(OSError, match="too large"):
        unpack(archive, tmp_path / "to", PNG)


@pytest.mark.parametrize("content", [b"", b"no zip at all", zipped({"a.png": IMAGE}).read()[:-30]])
def test_what_is_no_zip_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(LabelingError, match="damaged or not a zip"):
        unpack(BytesIO(content), tmp_path, PNG)


def test_hidden_files_and_those_of_the_mac_are_passed_over_and_named(tmp_path: Path) -> None:
    entries = {"__MACOSX/._a.png": b"x", ".DS_Store": b"x", ".git/a.png": b"x", "a.png": IMAGE}
    told = {each.name: each.reason for each in unpack(zipped(entries), tmp_path, PNG)}
    assert set(told) == {"__MACOSX/._a.png", ".DS_Store", ".git/a.png"}
    assert told[".git/a.png"].startswith("Hidden file")
    assert told[".DS_Store"] == told["__MACOSX/._a.png"] != told[".git/a.png"]
    assert stored(tmp_path) == ["a.png"]


def test_nothing_is_ever_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    refusals = unpack(zipped({"a.png": IMAGE, "b:.png": IMAGE, "b?.png": IMAGE}), tmp_path, PNG)
    assert [refusal.name for refusal in refusals] == ["a.png", "b_.png"]
    assert (tmp_path / "a.png").read_bytes() == b"mine"


def test_names_are_sanitised() -> None:
    assert sanitised("a\\b/./c.png") == "a/b/c.png"
    assert sanitised('x\x00<img>"\u202e.png') == "x__img___.png"
    assert sanitised("folder. /pic.png ") == "folder/pic.png"
    assert sanitised("e\u0301.png") == "\u00e9.png"
    long = sanitised("x" * 300 + ".png")
    assert len(long.encode()) <= 200 and long.endswith(".png")
    assert len(sanitised("\u732b" * 150 + ".png").encode()) <= 200
    for name in ("", "/", "...", "a/../b", "/a", "a" * 99 + ("/" + "b" * 99) * 20):
        with pytest.raises(LabelingError):
            sanitised(name)


def test_an_upload_of_files_and_zips_is_stored_and_refusals_are_told(tmp_path: Path) -> None:
    uploads = [
        ("one.png", BytesIO(IMAGE)),
        ("../evil.png", BytesIO(IMAGE)),
        ("many.zip", zipped({"two.png": IMAGE})),
        ("broken.ZIP", BytesIO(b"no")),
        ("page.html", BytesIO(b"<html>")),
    ]
    refusals = store_upload(uploads, tmp_path / "to", PNG)
    assert [refusal.name for refusal in refusals] == ["../evil.png", "broken.ZIP", "page.html"]
    assert stored(tmp_path) == ["to/one.png", "to/two.png"]


def test_an_upload_of_many_files_is_bounded_in_all(tmp_path: Path) -> None:
    uploads = [(f"{number}.png", BytesIO(IMAGE)) for number in range(4)]
    limits = Limits(total_bytes=2 * len(IMAGE))
    assert len(store_upload(uploads, tmp_path, PNG, limits)) == 2
    assert stored(tmp_path) == ["0.png", "1.png"]


def test_the_archives_of_one_upload_are_bounded_together(tmp_path: Path) -> None:
    uploads = [(f"{n}.zip", zipped({f"{n}.png": IMAGE})) for n in range(3)]
    refusals = store_upload(uploads, tmp_path, PNG, Limits(total_bytes=2 * len(IMAGE)))
    assert [refusal.name for refusal in refusals] == ["2.zip"]


def test_a_file_with_the_name_of_a_folder_is_refused(tmp_path: Path) -> None:
    archive = zipped({"a.png": IMAGE, "a.png/b.png": IMAGE, "c.png": IMAGE})
    assert [refusal.name for refusal in unpack(archive, tmp_path, PNG)] == ["a.png/b.png"]
    assert stored(tmp_path) == ["a.png", "c.png"]
