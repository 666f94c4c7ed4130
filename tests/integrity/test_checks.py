"""Damages made on purpose: each is found, said in a sentence, and mended where nothing is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from annotating import LOCAL, SETTINGS, Annotator, make_source
from broken_media import wave, write_all
from kept_worker import keep_workers
from picture_project import SETTINGS as PICTURES
from picture_project import good, read
from running import run_session

from labeling_core.__main__ import main
from labeling_core.errors import LabelingError
from labeling_core.integrity import checks
from labeling_core.integrity.logs import bytes_cut
from labeling_core.modalities.renditions import remembered, rendition_place
from labeling_core.projects.lifecycle import create_project
from labeling_core.store import backups, put_back
from labeling_core.store.database import Database
from labeling_core.store.file_state import log_of
from labeling_core.workspace import Workspace

KEPT = ("wine_labels", "wine_metadata", "wine_queries", "wine", "labeling.sessions")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, workers: None) -> Iterator[Path]:
    """A folder with a database that somebody has worked with: decisions, a session, pictures,
    windows of a recording."""
    folder = tmp_path_factory.mktemp("sound")
    pictures = folder / "uploads" / "pics"
    pictures.mkdir(parents=True)
    for name, content in good(6).items():
        (pictures / name).write_bytes(content)
    space = Workspace(folder / "test.duckdb")
    keep_workers(space)
    make_source(space.database)
    wine = create_project(space.database, replace(SETTINGS, every=1_000))
    ana = Annotator(space, wine)
    ana.label_truly(24)
    skipped, taken_back = ana.take(2)
    ana.send([ana.decision(skipped, "skip"), ana.decision(taken_back, "label", category="red")])
    ana.send([ana.decision(taken_back, "undo")])
    assert run_session(space, wine).state == "idle"
    read(space, create_project(space.database, replace(PICTURES, source="uploads/pics")))
    cache = space.database.files("pictures", "renditions")
    remembered(rendition_place(cache, pictures / "good_0.png", "picture"), lambda: b"drawn")
    write_all(folder / "uploads" / "night", {"owl.wav": wave(3)})
    named = {f"{each}_table": f"night_{each}" for each in ("labels", "metadata", "queries")}
    windows = replace(PICTURES, title="Night", modality="sounds", source="uploads/night",
                      window_seconds=1.0, **named)  # fmt: skip
    create_project(space.database, windows)
    space.backups.make(LOCAL)
    space.close()
    yield folder


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    """A copy of that database, to be damaged."""
    shutil.copytree(sound, tmp_path / "copy")
    return tmp_path / "copy" / "test.duckdb"


def sql(*statements: str) -> Callable[[Path], None]:
    """A damage by SQL, with no program beside."""

    def damage(path: Path) -> None:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{path}' AS file; USE file")
            for each in statements:
                connection.execute(each)

    return damage


def files(path: Path, pattern: str) -> Path:
    (found,) = Path(f"{path}.files").glob(pattern)
    return found


def remove_features(path: Path) -> None:
    files(path, "wine/features_*/features.npy").unlink()


def cut_ledger(path: Path) -> None:
    vectors = files(path, "pictures/extracted/*/vectors.f32")
    vectors.write_bytes(vectors.read_bytes()[:-5])


def empty_rendition(path: Path) -> None:
    files(path, "pictures/renditions/*/*").write_bytes(b"")


def leave_job(path: Path) -> None:
    job = Path(f"{path}.files", "wine", "session", "task.npz")
    job.parent.mkdir()
    job.write_bytes(b"half")


def leave_simulation(path: Path) -> None:
    Path(f"{path}.files", "simulations", "20260101_000000_abcdef", "data").mkdir(parents=True)


def leave_project(path: Path) -> None:
    shutil.copytree(Path(f"{path}.files", "pictures"), Path(f"{path}.files", "gone"))


def leave_folder(path: Path) -> None:
    thesis = Path(f"{path}.files", "mine", "thesis.txt")
    thesis.parent.mkdir()
    thesis.write_text("words", "utf-8")


def cut_backup(path: Path) -> None:
    backup = files(path, "backups/*.duckdb")
    backup.write_bytes(backup.read_bytes()[:5_000])


class Damage(NamedTuple):
    """``made`` on a file; the check that finds it, what its sentence says, and whether it mends."""

    made: Callable[[Path], None]
    check: str
    said: str
    mends: bool = True


DAMAGES = {
    "a label without metadata": Damage(
        sql("DELETE FROM wine_metadata WHERE label_id = 3"),
        "labels without metadata", "1 labels have no row of metadata (label_id 3).",
    ),
    "a label that nobody gave": Damage(
        sql("INSERT INTO wine_labels SELECT * REPLACE (777 AS label_id) FROM wine_labels LIMIT 1"),
        "labels that nobody gave", "and no event tells of them (label_id 777).", False,
    ),
    "metadata without label": Damage(
        sql("DELETE FROM wine_labels WHERE label_id IN (4, 5)"),
        "metadata without label", "2 decisions of the metadata are not as the labels table has "
        "them (label_id 4, 5).",
    ),
    "another label than in the metadata": Damage(
        sql("UPDATE wine_labels SET label = 'rose' WHERE label_id = 6"),
        "metadata without label", "(label_id 6).",
    ),
    "no labels table": Damage(
        sql("DROP TABLE wine_labels"), "labels table", "The project lacks wine_labels.",
    ),
    "no metadata table": Damage(
        sql("DROP TABLE wine_metadata"), "tables of projects", "lacks wine_metadata.", False,
    ),
    "a decision on an unknown sample": Damage(
        sql("INSERT INTO wine_metadata SELECT * REPLACE (888 AS label_id, 'x' AS sample_id, "
            "'SKIPPED' AS status) FROM wine_metadata LIMIT 1"),
        "decisions on unknown samples", "1 samples that the project does not have (sample_id x).",
        False,
    ),
    "a decision twice": Damage(
        sql("INSERT INTO wine_metadata FROM wine_metadata WHERE label_id = 7"),
        "decisions twice", "1 samples have a decision twice", False,
    ),
    "another number of samples": Damage(
        sql("UPDATE labeling.projects SET samples = 3 WHERE project_id = 'wine'"),
        "number of samples", "The project has 200 samples",
    ),
    "queries of an unknown and of a decided sample": Damage(
        sql("INSERT INTO labeling_pool.scores_wine VALUES (99999, 0.5, 'red', 1, 999)",
            "INSERT INTO labeling_pool.scores_wine SELECT __place, 0.5, 'red', 1, 998 FROM "
            "labeling_pool.samples_wine WHERE __sample_id IN "
            "(SELECT sample_id FROM wine_metadata) LIMIT 1"),
        "queries of the pool", "2 queries are of samples",
    ),
    "no queries view": Damage(
        sql("DROP VIEW wine_queries"), "queries table", "The project lacks wine_queries.",
    ),
    "a reservation of a gone project": Damage(
        sql("INSERT INTO labeling.reservations SELECT * REPLACE ('gone' AS project_id) "
            "FROM (SELECT 'x' AS project_id, 1 AS place, '1' AS sample_id, 'ana' AS annotator, "
            "'c' AS client, 'query' AS origin, 0 AS session_id, now() AS until)"),
        "rows of no project", "projects that are gone: 1 rows of labeling.reservations.",
    ),
    "a reservation of an unknown sample": Damage(
        sql("INSERT INTO labeling.reservations VALUES "
            "('wine', 12345, 'no', 'ana', 'c', 'query', 0, now())"),
        "reservations", "1 reservations are of samples that the project does not have",
    ),
    "a session without record": Damage(
        sql("DELETE FROM labeling.sessions WHERE project_id = 'wine'"),
        "sessions without record", "1 sessions are named in the tables and have no row "
        "(session_id 1).",
    ),
    "a session that never ended": Damage(
        sql("INSERT INTO labeling.sessions (project_id, session_id, state, started) "
            "VALUES ('wine', 2, 'RUNNING', now())"),
        "interrupted sessions", "1 sessions are marked as running",
    ),
    "a table of no project": Damage(
        sql("CREATE TABLE labeling_pool.scores_gone (place INTEGER)"),
        "tables of no project", "nothing uses: scores_gone.",
    ),
    "a missing feature file": Damage(
        remove_features, "feature files", "The feature matrix wine/features_",
    ),
    "numbers of files cut": Damage(
        cut_ledger, "numbers of files", "lack in pictures/extracted/",
    ),
    "a rendition without a byte": Damage(
        empty_rendition, "renditions", "1 pictures or sounds made for browsers are not whole",
    ),
    "a stale job": Damage(leave_job, "stale jobs", "wine/session was left by work"),
    "a stale simulation": Damage(
        leave_simulation, "stale simulations", "simulations/20260101_000000_abcdef was left",
    ),
    "files of no project": Damage(leave_project, "files of no project", "gone: gone."),
    "somebody else's folder": Damage(leave_folder, "other folders", "mine beside", False),
    "a lost picture": Damage(
        lambda path: (path.parent / "uploads/pics/good_1.png").unlink(),
        "sources", "1 sources or files of samples are gone: good_1.png.", False,
    ),
    "a lost recording": Damage(
        lambda path: (path.parent / "uploads/night/owl.wav").unlink(),
        "sources", "3 sources or files of samples are gone: owl.wav#", False,
    ),
    "a lost source": Damage(
        lambda path: shutil.rmtree(path.parent / "uploads/pics"),
        "sources", "are gone: uploads/pics.", False,
    ),
    "an upload of no project": Damage(
        lambda path: (path.parent / "uploads" / "free").mkdir(),
        "uploads of no project", "No project uses uploads/free.", False,
    ),
    "a backup that is cut": Damage(cut_backup, "backups", "1 backups cannot be put back", False),
}  # fmt: skip


def stored(path: Path) -> dict[str, list[Any]]:
    """What the tables hold: of metadata without how a decision came about."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{path}' AS file (READ_ONLY); USE file")
        less = {
            "wine_metadata": "EXCLUDE (seconds, origin)",
            "labeling.sessions": "(project_id, session_id, state, classifier, strategy, labels, "
            "evaluation, evaluated, correct)",
        }
        found = {}
        for each in KEPT:
            listed = less.get(each, "")
            columns = f"* {listed}" if not listed.startswith("(") else listed[1:-1]
            found[each] = sorted(
                connection.execute(f"SELECT {columns} FROM {each}").fetchall(), key=str
            )
        return found


def test_a_sound_database_is_told_to_be(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = stored(path)
    assert main(["check", "--database", str(path)]) == 0
    told = capsys.readouterr().out
    assert told == f"test.duckdb is sound: {checks.NUMBER} checks found nothing.\n"
    assert main(["check", "--mend", "--json", "--database", str(path)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["findings"], answer["copies"]) == ([], [])
    assert answer["asked"]["backups"] == "Can every backup be put back?"
    assert stored(path) == before


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_is_found_and_mended_where_that_loses_nothing(name: str, path: Path) -> None:
    damage, before = DAMAGES[name], stored(path)
    damage.made(path)
    (found,) = checks.look(path, LOCAL).findings
    assert (found.check, found.state) == (damage.check, "mendable" if damage.mends else "broken")
    assert damage.said in found.sentence and found.to_do
    report = checks.mend(path, LOCAL)
    states = [each.state for each in report.findings]
    if not damage.mends:
        assert states == ["broken"]
        assert checks.look(path, LOCAL).findings == [found._replace(state="broken")]
        return
    assert report.copies[0].endswith(".duckdb") and not report.open and set(states) == {"mended"}
    put_back.require_backup(Path(report.copies[0]))
    assert checks.look(path, LOCAL) == ([], [])
    after = stored(path)
    if name == "a session that never ended":  # it is a failed one
        after["labeling.sessions"] = [e for e in after["labeling.sessions"] if e[2] == "DONE"]
    assert after == before
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{path}' AS file (READ_ONLY)")
        noted = connection.execute(
            "SELECT count(*) FROM file.labeling.events WHERE kind = 'mended'"
        ).fetchone()
    assert noted == (len(states),)


def test_every_check_has_a_damage() -> None:
    """But for that whose damage is one of the file itself, which is below."""
    alone = {each.name for each in checks.CHECKS} - {each.check for each in DAMAGES.values()}
    assert alone == {"readable"}
    assert len({each.name for each in checks.CHECKS}) == len(checks.CHECKS)
    assert all(each.question.endswith("?") for each in checks.CHECKS)


def test_what_cannot_be_mended_needs_no_backup_and_ends_with_a_sentence(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = backups.list_backups(path)
    leave_folder(path)
    assert main(["check", "--mend", "--database", str(path)]) == 2
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "[broken] mine beside the database is not the program's.",
        "    Move it away, if you know what it is.",
    ]
    assert told.err == "test.duckdb is not sound: 1 findings.\n"
    assert backups.list_backups(path) == before
    leave_job(path)
    assert main(["check", "--database", str(path)]) == 2
    assert "2 findings. `--mend` mends those marked so" in capsys.readouterr().err


def unclosed(path: Path) -> list[int]:
    """Leave three commits in the log as a kill does; its length after each."""
    lengths = []
    open_copy = Database(path)
    for number in range(3):
        with open_copy.transaction() as cursor:
            cursor.execute("INSERT INTO labeling.people VALUES (?, '', 'viewer', '', now())",
                           [f"p{number}"])  # fmt: skip
        lengths.append(log_of(path).stat().st_size)
    kept = [(each, each.read_bytes()) for each in (path, log_of(path))]
    open_copy.close()
    for each, content in kept:
        each.write_bytes(content)
    return lengths


def test_a_log_that_is_cut_is_kept_and_what_is_whole_of_it_taken_over(path: Path) -> None:
    _, second, third = unclosed(path)
    assert bytes_cut(path) == 0
    whole = log_of(path).read_bytes()
    for length, lost in ((third - 1, third - 1 - second), (second + 3, 3)):
        log_of(path).write_bytes(whole[:length])
        assert bytes_cut(path) == lost
    content = path.read_bytes()
    (found,) = checks.look(path, LOCAL).findings
    assert (found.check, found.state) == ("log", "mendable")
    assert "3 bytes of it cannot be read" in found.sentence
    assert path.read_bytes() == content and log_of(path).stat().st_size == second + 3
    report = checks.mend(path, LOCAL)
    assert [each.state for each in report.findings] == ["mended"]
    assert Path(report.copies[0]).read_bytes() == whole[: second + 3]
    assert checks.look(path, LOCAL).findings == []
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{path}' AS file (READ_ONLY)")
        people = connection.execute("SELECT who FROM file.labeling.people").fetchall()
    assert people == [("p0",), ("p1",)]


def test_a_log_that_is_whole_and_a_log_without_a_transaction_are_no_damage(path: Path) -> None:
    first, *_ = unclosed(path)
    whole = log_of(path).read_bytes()
    assert checks.look(path, LOCAL).findings == [] and not log_of(path).exists()
    unclosed(path)
    log_of(path).write_bytes(whole[:20])  # within its header
    assert bytes_cut(path) == 20
    assert first < len(whole)


def test_a_table_that_cannot_be_read_to_its_end_is_told(path: Path) -> None:
    sql("CREATE TABLE big AS SELECT hash(i) AS h FROM range(300000) t(i)", "CHECKPOINT")(path)
    content = bytearray(path.read_bytes())
    middle = len(content) - (len(content) // 4)
    content[middle : middle + 64] = b"\x00" * 64
    path.write_bytes(content)
    found = checks.look(path, LOCAL).findings
    assert [(each.check, each.sentence) for each in found] == [
        ("readable", "1 tables cannot be read to their end: main.big.")
    ]
    assert found[0].to_do.startswith("Bring back a backup")


def test_a_file_that_cannot_be_opened_is_one_sentence(path: Path) -> None:
    with pytest.raises(LabelingError, match="There is no database"):
        checks.look(path.with_name("none.duckdb"), LOCAL)
    holding = Database(path)
    for way in (checks.look, checks.mend):
        with pytest.raises(LabelingError, match="open in another process"):
            way(path, LOCAL)
    holding.close()
    path.write_bytes(b"x" * 10_000)
    with pytest.raises(LabelingError, match="is damaged"):
        checks.look(path, LOCAL)
