"""Names that every system takes, and keeps apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from labeling_core.errors import LabelingError
from labeling_core.store import file_names
from labeling_core.store.file_names import Names, is_device, require_short, sanitised


@pytest.mark.parametrize(
    "name",
    ["con", "CON", "Nul.txt", "aux.tar.gz", "com1", "LPT9.png", "COM¹", "con .png", "CONIN$"],
)
def test_devices_of_windows_are_known_whatever_their_suffix(name: str) -> None:
    assert is_device(name)


@pytest.mark.parametrize("name", ["console", "com", "com10", "my con", "nulls.png", "", "con_2"])
def test_names_like_those_of_devices_are_names(name: str) -> None:
    assert not is_device(name)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("CON.png", "_CON.png"),
        ("aux/x.png", "_aux/x.png"),
        ("cats:dogs.png", "cats_dogs.png"),
        ("why?.png", "why_.png"),
        ("a. /b .png", "a/b .png"),
        ("x.png.", "x.png"),
        ("x.png  ", "x.png"),
        ("u\u0308.png", "ü.png"),
        ("plain/name.png", "plain/name.png"),
    ],
)
def test_what_a_system_refuses_is_changed(name: str, safe: str) -> None:
    assert sanitised(name) == safe


def test_a_name_that_is_too_long_keeps_its_suffix() -> None:
    made = sanitised("ü" * 300 + ".png")
    assert made.endswith("ü.png") and len(made.encode()) <= 200


def test_a_drive_at_the_beginning_is_refused_and_named() -> None:
    with pytest.raises(LabelingError, match=r"“a:” at its beginning names a drive"):
        sanitised("a:b.png")


def test_names_that_differ_in_case_only_are_kept_apart() -> None:
    names = Names(["a/X.png", "a/x_2.png"])
    assert names.free("A/x.PNG") == "a/x_3.PNG"
    assert names.free("a/y.png") == "a/y.png"
    with pytest.raises(LabelingError, match="there already"):
        names.free("a/X.png")
    assert names.free("b/X.png") == "b/X.png"


def test_a_path_that_no_program_opens_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_names, "LONGEST_PATH", 259)
    folder = Path("/" + "d" * 150)
    require_short(folder, "x" * 60)
    with pytest.raises(LabelingError, match="longer than the 260 characters"):
        require_short(folder, "x" * 70)
