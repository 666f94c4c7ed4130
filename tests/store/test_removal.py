"""What is in use is removed later, and replaced when it is free; all as Windows has it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import windows_mode
from test_layers import modules

from labeling_core.errors import LabelingError
from labeling_core.store.removal import LEFT_OVER, is_left_over, remove, replace, sweep


@pytest.fixture(autouse=True)
def windows() -> Iterator[None]:
    """As on Windows, whether or not all tests run so."""
    with windows_mode.windows():
        yield


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another process has the file open."""
    program = "import sys; file = open(sys.argv[1], 'rb'); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as other:  # type: ignore[call-overload]
        other.stdout.readline()
        yield
        other.stdin.close()


def test_a_folder_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "f" / "deep").mkdir(parents=True)
    (tmp_path / "f" / "deep" / "x").write_bytes(b"x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_bytes(b"y")
    (tmp_path / "f" / "link").symlink_to(tmp_path / "elsewhere")
    assert remove(tmp_path / "f")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["elsewhere"]
    assert (tmp_path / "elsewhere" / "kept").exists()


def test_nothing_to_remove_is_no_fault(tmp_path: Path) -> None:
    assert remove(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_what_another_process_reads_is_removed_when_it_is_done(tmp_path: Path) -> None:
    folder = tmp_path / "features"
    folder.mkdir()
    for name in ("features.json", "features.npy", "scaling.npz"):
        (folder / name).write_bytes(b"x")
    with held(folder / "features.json"):
        assert not remove(folder)
        assert [each.name for each in folder.iterdir()] == ["features.json"]
        assert is_left_over(folder / "features.json", folder)
        sweep(tmp_path)
        assert (folder / "features.json").exists()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_mapped_file_is_in_use(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.zeros(3))
    mapped = np.load(tmp_path / "m.npy", mmap_mode="r")
    assert not remove(tmp_path / "m.npy")
    del mapped
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_later_file_of_the_name_stays(tmp_path: Path) -> None:
    path = tmp_path / "f" / "x"
    path.parent.mkdir()
    path.write_bytes(b"old")
    with held(path):
        assert not remove(path.parent)
    (tmp_path / "new").write_bytes(b"newer")
    replace(tmp_path / "new", path)
    assert not is_left_over(path, path.parent)
    sweep(tmp_path)
    assert path.read_bytes() == b"newer"
    assert not (tmp_path / LEFT_OVER).exists()


def test_a_file_marked_as_read_only_goes_too(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "x").chmod(0o444)
    assert remove(tmp_path / "x")


def test_what_is_left_over_below_is_swept_as_deep_as_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    with held(path):
        assert not remove(path)
    sweep(tmp_path, deep=1)
    assert path.exists()
    sweep(tmp_path, deep=2)
    assert not path.exists()


def test_a_replacement_waits_for_the_reader(tmp_path: Path) -> None:
    target, part = tmp_path / "x", tmp_path / "x.part"
    target.write_bytes(b"old")
    part.write_bytes(b"new")
    reader = target.open("rb")
    timer = threading.Timer(0.3, reader.close)
    timer.start()
    replace(part, target, patience=60)
    timer.join()
    assert target.read_bytes() == b"new" and not part.exists()


def test_a_replacement_that_cannot_be_says_so(tmp_path: Path) -> None:
    target, part = tmp_path / "x", tmp_path / "x.part"
    target.write_bytes(b"old")
    part.write_bytes(b"new")
    with target.open("rb"), pytest.raises(LabelingError, match="another program has x open"):
        replace(part, target, patience=0.1)
    assert target.read_bytes() == b"old" and part.read_bytes() == b"new"


@pytest.mark.parametrize(
    "path", [each for each in modules().values() if each.name != "removal.py"], ids=str
)
def test_nothing_is_removed_or_replaced_in_another_way(path: Path) -> None:
    found = [
        f"{path.name}:{node.lineno} {node.func.attr}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        # Of a text, a moment, a counter: with two arguments, or named ones.
        if (node.func.attr in ("replace", "rename") and len(node.args) == 1 and not node.keywords)
        or node.func.attr in ("rmtree", "unlink", "rmdir", "removedirs")
        or ast.unparse(node.func) in ("os.remove", "os.replace", "os.rename", "shutil.move")
    ]
    assert found == []


def test_the_mode_itself_is_like_windows(tmp_path: Path) -> None:
    (tmp_path / "A.txt").write_text("a", "utf-8")
    assert (tmp_path / "a.TXT").exists() and (tmp_path / "a.TXT").read_text("utf-8") == "a"
    (tmp_path / "a.txt").write_text("b", "utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["A.txt"]
    for name in ("nul", "con.png", "a:b", "x.", "x "):
        with pytest.raises(OSError):
            (tmp_path / name).write_bytes(b"")
        with pytest.raises(OSError):
            (tmp_path / name).mkdir()
    with (tmp_path / "A.txt").open("rb"):
        with pytest.raises(PermissionError):
            os.unlink(tmp_path / "A.txt")
        with pytest.raises(PermissionError):
            tmp_path.rename(tmp_path.with_name("other"))
    (tmp_path / "b").write_bytes(b"")
    with pytest.raises(FileExistsError):
        (tmp_path / "b").rename(tmp_path / "A.txt")
