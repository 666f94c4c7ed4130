"""Files of every schema that there was, killed while they are brought up to date.

``tests/data/older_schemas.zip`` holds a small project in a file of each, made by the program of its
time: ``schema_1`` is version 0.1.0, the others are of between it and 0.2.0 (schema 8).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from labeling_core.store.backups import list_backups
from labeling_core.store.migrations import MIGRATIONS

ROOT = Path(__file__).resolve().parents[2]
MADE = ROOT / "tests" / "data" / "older_schemas.zip"
# Where the program that upgrades ends itself; anywhere else it is killed from outside.
MOMENTS = ("copying", "copied", "last step", "committed")
# Opens the file. With a moment it ends there, without a word; else it labels, as a browser does
# that has had no answer before: what it sends first is stored already.
UPGRADE = """
import os, signal, sys
from pathlib import Path
from annotating import Annotator
from labeling_core.store import backups, database, migrations
from labeling_core.workspace import Workspace

path, moment = Path(sys.argv[1]), sys.argv[2]

def ends(module, name, before):
    original = getattr(module, name)
    def killed(*given, **named):
        if not before:
            original(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(module, name, killed)

if moment == "copying":
    ends(backups, "_checkpoint", before=True)
elif moment == "copied":
    ends(backups, "before_upgrade", before=False)
    import labeling_core.workspace
    labeling_core.workspace.before_upgrade = backups.before_upgrade
elif moment == "last step":
    take = migrations._take
    def taken(connection, path, name, step):
        take(connection, path, name, step)
        if name.startswith(str(len(migrations.MIGRATIONS))):
            os.kill(os.getpid(), signal.SIGKILL)
    migrations._take = taken
elif moment == "committed":
    ends(database, "migrate", before=False)
print("opening", flush=True)
space = Workspace(path)
print("open", flush=True)
if moment == "label":
    ana = Annotator(space, space.project("wine"))
    ana.client, ana.seq = "browser-of-ana", LAST - 1
    again = ana.decision(REPEATED, "label", category="red", comment="ünïcode")
    first = ana.take(1)[0]
    ana.send([again, ana.decision(first, "label", category="white")])
    ana.send([ana.decision(ana.take(1)[0], "skip")])
space.close()
"""


class Upgrades(NamedTuple):
    """What became of the decisions of a schema's files."""

    schema: int
    times: int
    decisions: int
    lost: int
    doubled: int
    left: int  # how many of the files were still of the old schema after the kill

    def __str__(self) -> str:
        return (
            f"schema {self.schema:7} {self.times:3} times, {self.decisions:6,} decisions each, "
            f"{self.lost} lost, {self.doubled} doubled ({self.left} were of the old schema still)"
        )


def schemas(folder: Path) -> dict[int, Path]:
    """The files by their schema, unpacked."""
    zipfile.ZipFile(MADE).extractall(folder)
    return {int(each.stem.partition("_")[2]): each for each in sorted(folder.glob("*.duckdb"))}


def told(path: Path) -> tuple[int, list[tuple], list[tuple]]:
    """Schema, decisions and events of a file and its log, as a copy of both has them."""
    copy = path.parent / "looked"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for each in path.parent.glob(f"{path.name}*"):
        if each.is_file():
            shutil.copy(each, copy)
    with duckdb.connect(str(copy / path.name)) as connection:
        version = connection.execute("SELECT count(*) FROM labeling.migrations").fetchall()[0][0]
        events = connection.execute("SELECT client, seq, sample_id FROM labeling.events "
                                    "WHERE seq IS NOT NULL").fetchall()  # fmt: skip
        rows = connection.execute(
            "SELECT sample_id, m.label_id, status, m.label, l.label, annotator, comment "
            "FROM wine_metadata AS m LEFT JOIN wine_labels AS l USING (label_id)"
        ).fetchall()
    return version, sorted(rows, key=repr), sorted(events)


def start(path: Path, moment: str = "", **values: Any) -> subprocess.Popen[str]:
    code = UPGRADE
    for name, value in values.items():
        code = code.replace(name, repr(value))
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path), moment],
        env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8",
    )  # fmt: skip


def opened(process: subprocess.Popen[str]) -> float:
    """Wait until it opens the file; the moment."""
    assert process.stdout and process.stderr
    if process.stdout.readline() != "opening\n":
        raise RuntimeError(process.stderr.read())
    return time.monotonic()


def upgrade_killed(
    original: Path, folder: Path, moment: str, seconds: float
) -> tuple[int, int, bool]:
    """Kill an upgrade of a copy, then upgrade and label: (lost, doubled, of the old schema)."""
    path = folder / "old.duckdb"
    shutil.copy(original, path)
    before = told(path)
    process = start(path, moment)
    opened(process)
    if not moment:
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL or not moment, moment
    after = told(path)
    assert after[0] in (before[0], len(MIGRATIONS)), "neither the one schema nor the other"
    found = [differences(before[each], after[each]) for each in (1, 2)]
    last = max(seq for client, seq, _ in before[2] if client == "browser-of-ana")
    repeated = next(
        sample for client, seq, sample in before[2] if (client, seq) == ("browser-of-ana", last)
    )
    process = start(path, "label", LAST=last, REPEATED=repeated)
    said, wrong = process.communicate(timeout=120)
    assert process.returncode == 0, said + wrong
    finished = told(path)
    assert finished[0] == len(MIGRATIONS)
    found += [differences(before[each], finished[each], more=2) for each in (1, 2)]
    kept = [told_of_backup(each.path, folder) for each in list_backups(path)]
    assert before in kept, "no backup has what there was"
    return sum(e[0] for e in found), sum(e[1] for e in found), after[0] == before[0]


def told_of_backup(path: Path, folder: Path) -> tuple[int, list[tuple], list[tuple]]:
    place = folder / "backup"
    place.mkdir(exist_ok=True)
    return told(Path(shutil.copy(path, place / "backup.duckdb")))


def differences(before: list[tuple], after: list[tuple], more: int = 0) -> tuple[int, int]:
    """How many are gone, and how many there are beyond those and ``more``."""
    gone = [each for each in before if each not in after]
    return len(gone), abs(len(after) - len(before) + len(gone) - more)


def upgrades(folder: Path, times: int, seed: int = 0) -> list[Upgrades]:
    """Each schema so often: at each of MOMENTS, and at any other."""
    chance, results = random.Random(seed), []
    (folder / "made").mkdir()
    for schema, original in schemas(folder / "made").items():
        trial = folder / f"{schema}-whole"
        trial.mkdir()
        process = start(Path(shutil.copy(original, trial / "old.duckdb")))
        begun = opened(process)
        process.communicate(timeout=120)
        whole, found = time.monotonic() - begun, []
        for number in range(times):
            moment = MOMENTS[number] if number < min(len(MOMENTS), times // 2 + 1) else ""
            place = folder / f"{schema}-{number}"
            place.mkdir()
            found.append(upgrade_killed(original, place, moment, chance.uniform(0, whole)))
        lost, doubled, left = (sum(each) for each in zip(*found, strict=True))
        results.append(Upgrades(schema, times, len(told(original)[1]), lost, doubled, left))
    return results
