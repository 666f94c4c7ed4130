"""A database that is open elsewhere: one sentence says by whom, and blames nobody else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labeling_core.errors import LabelingError
from labeling_core.store import holder
from labeling_core.store.database import Database
from labeling_core.store.file_names import files_of
from labeling_core.workspace import Workspace

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from labeling_core.store import holder
from labeling_core.workspace import Workspace
if len(sys.argv) > 2:
    holder.socket.gethostname = lambda: sys.argv[2]
    holder._place = lambda: "another machine"
workspace = Workspace(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
workspace.close()
"""
# A host name and numbers of processes of its own, as on another machine that shares the folder.
UNSHARED = ["unshare", "--uts", "--pid", "--fork", "--mount-proc", "sh", "-c",
            'hostname elsewhere; exec "$@"', "sh"]  # fmt: skip


def may_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARED, "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def held(path: Path, command: list[str], *more: str) -> Iterator[subprocess.Popen[str]]:
    """Another process has the database open."""
    process = subprocess.Popen(
        [*command, sys.executable, "-c", HOLD, str(path), *more], cwd=ROOT, encoding="utf-8",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "open\n"
    yield process
    process.communicate()


def refusal(path: Path) -> str:
    with pytest.raises(LabelingError, match="is open in another process") as told:
        Database(path)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_process_of_this_machine_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with held(path, []) as process:
        assert f"another process (process {process.pid}): close" in refusal(path)
    Database(path).close()
    assert not (files_of(path) / "holder").exists()


@pytest.mark.posix
def test_from_another_machine_the_one_that_has_it_is_named_by_its_host(tmp_path: Path) -> None:
    """Where nobody may have other names for a process, one says that it is of another machine."""
    path = tmp_path / "a.duckdb"
    if may_unshare():
        ask = (
            "import sys; from pathlib import Path\n"
            "from labeling_core.store.database import Database\n"
            "Database(Path(sys.argv[1]))"
        )
        with held(path, []) as process:
            done = subprocess.run(
                [*UNSHARED, sys.executable, "-c", ask, str(path)], cwd=ROOT,
                capture_output=True, encoding="utf-8", check=False,
            )  # fmt: skip
            told, number = done.stderr.splitlines()[-1], process.pid
            host = holder.socket.gethostname()
    else:
        with held(path, [], "elsewhere") as process:
            record = files_of(path) / "holder"
            known = json.loads(record.read_text("utf-8"))
            assert known[1] == process.pid
            told, number = holder.told(path, "lock is held in PID 0"), process.pid
            host = "elsewhere"
    assert f" (process {number} on {host}, since 20" in told


@pytest.mark.posix
def test_a_number_that_is_somebody_elses_here_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with held(path, [], "nas-2") as process:
        text = f"Conflicting lock is held in /usr/bin/sleep (PID {os.getpid()}) by user root"
        assert f"(process {process.pid} on nas-2, since " in holder.told(path, text)
        (files_of(path) / "holder").unlink()
        assert "on another machine" in holder.told(path, text)
        assert holder.told(path, f"(PID {process.pid})") == f" (process {process.pid})"


@pytest.mark.parametrize("text", ["", "[", "[1, 2]", '["a", "b", "c", "d"]', "{}"])
def test_a_record_that_is_none_says_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.duckdb"
    Workspace(path).close()
    (files_of(path) / "holder").write_text(text, "utf-8")
    assert holder.told(path, "The process cannot access the file") == ""
    Workspace(path).close()


def test_a_host_is_told_in_letters_only(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    Workspace(path).close()
    record = json.dumps(["[x](http://evil) \n", 7, "there", "2026-01-02 03:04"])
    (files_of(path) / "holder").write_text(record, "utf-8")
    told = holder.told(path, "being used by another process")
    assert told == " (process 7 on xhttpevil, since 2026-01-02 03:04 UTC)"
