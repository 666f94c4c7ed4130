"""Labels that exist are brought into a running project, and taken back again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from annotating import LOCAL, Adjudicator, Annotator, rows
from running import check_memory, wait

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.labeling import label_import
from labeling_core.labeling.label_import import How, TakenBack
from labeling_core.labeling.label_plan import Plan
from labeling_core.people import EVERYWHERE, ForbiddenError, Person
from labeling_core.projects.labels import measuring_end, read_labels, split
from labeling_core.settings import Project
from labeling_core.sources.label_records import Imported, LabelFile
from labeling_core.store import eventlog
from labeling_core.store.event_sentences import sentence
from labeling_core.workspace import Workspace

Make = Callable[..., Project]
People = Callable[..., Annotator]
WHEN = datetime(2024, 5, 6, 7, 8, 9, 123456, UTC)
META = "SELECT sample_id, status, label, annotator, labeled_at, comment, origin FROM wine_metadata"


def file_of(*given: tuple[Any, ...]) -> LabelFile:
    """(bottle, label, annotator, moment, comment), as many of them as are there."""
    records = [
        Imported(line, {"bottle": str(bottle)}, *rest)
        for line, (bottle, *rest) in enumerate(given, start=1)
    ]
    return LabelFile("table", records)


def labels_of(bottles: range, label: str | None = None, annotator: str = "") -> LabelFile:
    """One annotation each; by default the truth of make_source."""
    return file_of(*((each, label or ("white" if each % 2 else "red"), annotator)
                     for each in bottles))  # fmt: skip


def bring_in(workspace: Workspace, project: Project, file: LabelFile, **how: Any) -> Plan:
    done = use_cases.bring_in_labels(
        workspace, project.project_id, file, "labels.csv", How(**how), LOCAL
    )
    check_memory(workspace, workspace.project(project.project_id))
    return done[1]


def plan(workspace: Workspace, project: Project, file: LabelFile, **how: Any) -> Plan:
    return use_cases.plan_labels(workspace, project.project_id, file, How(**how), LOCAL)


def everything(workspace: Workspace) -> list[list[tuple]]:
    """What the project's tables hold."""
    return [rows(workspace.database, f"SELECT * FROM {table} ORDER BY ALL")
            for table in ("wine_metadata", "wine_labels")]  # fmt: skip


def test_each_annotation_is_stored_as_the_decision_it_is(
    workspace: Workspace, make_project: Make
) -> None:
    project = make_project(queries_table="")
    bring_in(workspace, project, file_of(
        (3, "white", "kim", WHEN, "cloudy"), (4, "red"), (5, None, "kim", WHEN)))  # fmt: skip
    kim, other, skipped = rows(workspace.database, f"{META} ORDER BY label_id")
    assert kim == ("4", "LABELED", "white", "kim", WHEN, "cloudy", "import")
    assert other[:4] == ("5", "LABELED", "red", "import 1") and other[6] == "import"
    assert skipped == ("6", "SKIPPED", None, "kim", WHEN, None, "import")
    assert rows(workspace.database, "SELECT bottle, label, label_id FROM wine_labels") == [
        (3, "white", 1), (4, "red", 2)]  # fmt: skip
    queue = workspace.queue(project)
    assert (queue.counts.labeled, queue.counts.skipped) == (2, 1)


def test_the_dry_run_says_what_becomes_of_each(
    workspace: Workspace, make_project: Make, annotator: People
) -> None:
    project = make_project(queries_table="")
    ana = annotator(project)
    sample_id = ana.take(1)[0]
    ana.send([ana.decision(sample_id, "label", category="red")])
    known = int(sample_id) - 1
    free = [each for each in range(20) if each != known]
    file = file_of(
        (known, "white", "kim"),
        (free[0], "rose"), (free[1], "rose"), (free[2], "blanc"),
        (free[3], "red", "kim"), (free[3], "red", "kim"),
        (free[4], "red", "kim", WHEN), (free[4], "white", "kim", WHEN.replace(year=2025)),
        (free[5], "red", "kim"), (free[5], "white", "lee"),
        (free[6], "  ReD​ "), (9999, "red"),
    )  # fmt: skip
    file.refuse(77, "This line has 1 cell, the header 2.")
    before = everything(workspace)
    found = plan(workspace, project, file)
    assert found.rows == 12 and found.match.column == "bottle"
    assert found.fates == {
        "new": 5, "conflict": 1, "unknown sample": 1, "unknown category": 3,
        "repeated": 1, "contradicted": 1,
    }  # fmt: skip
    assert found.unknown == {"rose": 2, "blanc": 1}
    assert (found.several, found.disputed) == (1, 1)
    assert found.examples["contradicted"] == [7] and found.examples["unknown sample"] == [12]
    assert (found.stored(), found.stored("import")) == (5, 6)
    table = found.table("import")
    assert [row["number"] for row in table if row["then"] == "brought in"] == [5, 1]
    assert table[-1]["number"] == 1 and table[-1]["lines"] == "77"
    assert everything(workspace) == before and not events_of(workspace, "import")
    bring_in(workspace, project, file)
    assert rows(workspace.database, "SELECT label FROM wine_metadata WHERE sample_id = ?",
                str(free[4] + 1)) == [("white",)]  # fmt: skip
    again = plan(workspace, project, file)
    assert again.fates["same"] == 5 and not again.fates.get("new")


def events_of(workspace: Workspace, *kinds: str) -> list[str]:
    """The sentences of the log, newest first."""
    with workspace.database.read() as cursor:
        found = eventlog.read(cursor, eventlog.Filter("wine", kinds=kinds), LOCAL, 0, 50)
    return [sentence(each) for each in found]


@pytest.mark.parametrize("wins", ["people", "import"])
def test_who_wins_is_chosen_and_can_be_taken_back(
    workspace: Workspace, make_project: Make, annotator: People, wins: str
) -> None:
    project = make_project(queries_table="")
    ana = annotator(project)
    done = ana.label_truly(20)
    before = everything(workspace)
    wrong = [(int(each) - 1, "red" if int(each) % 2 == 0 else "white", "kim") for each in done[:8]]
    right = [(each, "white" if each % 2 else "red", "kim") for each in range(100, 130)]
    right = [each for each in right if str(each[0] + 1) not in done]
    found = bring_in(workspace, project, file_of(*wrong, *right), wins=wins)
    assert found.fates == {"new": len(right), "conflict": 8}
    query = "SELECT count(*) FROM wine_metadata WHERE annotator = ? AND origin = 'import'"
    stored = len(right) + 8 * (wins == "import")
    assert rows(workspace.database, query, "kim") == [(stored,)]
    assert rows(workspace.database, "SELECT count(*), count(DISTINCT bottle) FROM wine_labels") == [
        (20 + len(right), 20 + len(right))]  # fmt: skip
    taken = use_cases.take_back_import(workspace, "wine", 1, LOCAL)
    check_memory(workspace, project)
    assert taken == TakenBack(stored, 8 * (wins == "import"), 0)
    assert everything(workspace) == before
    with pytest.raises(LabelingError, match="no import 1"):
        use_cases.take_back_import(workspace, "wine", 1, LOCAL)
    assert "took import 1 back" in events_of(workspace, "import undone")[0]


def test_what_people_have_changed_since_stays_theirs(
    workspace: Workspace, make_project: Make, annotator: People
) -> None:
    project = make_project(queries_table="")
    bring_in(workspace, project, labels_of(range(10), annotator="kim"))
    kim = annotator(project, "kim")
    kim.send([kim.decision("1", "label", category="white")])
    taken = use_cases.take_back_import(workspace, "wine", 1, LOCAL)
    assert taken == TakenBack(9, 0, 1)
    assert rows(workspace.database, "SELECT sample_id, label FROM wine_metadata") == [
        ("1", "white")]  # fmt: skip
    assert rows(workspace.database, "SELECT bottle, label FROM wine_labels") == [(0, "white")]
    next_id = workspace.queue(project).next_label_id
    assert next_id == 11  # an id is never used again


def test_labels_become_categories_on_request_and_go_with_the_import(
    workspace: Workspace, make_project: Make
) -> None:
    project = make_project(rows=1500, queries_table="")
    file = file_of((1, "rose"), (2, "rose"), (3, "red"))
    with pytest.raises(LabelingError, match="Nothing of labels"):
        bring_in(workspace, project, file_of((1, "rose")))
    bring_in(workspace, project, file, create=True)
    settings = workspace.project("wine").settings
    assert settings.names == ("red", "white", "rose") and settings.categories[2].key == "o"
    use_cases.take_back_import(workspace, "wine", 1, LOCAL)
    assert workspace.project("wine").settings.names == ("red", "white")
    many = file_of(*((each, f"kind {each}") for each in range(1500)))
    with pytest.raises(LabelingError, match="right column"):
        bring_in(workspace, project, many, create=True)
    assert workspace.project("wine").settings.names == ("red", "white")


def test_a_label_from_before_a_rename_follows_it(workspace: Workspace, make_project: Make) -> None:
    project = make_project(queries_table="")
    use_cases.rename_category(workspace, "wine", "red", "rouge", LOCAL)
    bring_in(workspace, project, file_of((1, "red")))
    assert rows(workspace.database, "SELECT label FROM wine_labels") == [("rouge",)]


def test_several_people_on_one_sample_are_all_kept(
    workspace: Workspace, make_project: Make
) -> None:
    project = make_project(queries_table="")
    bring_in(workspace, project, file_of(
        (1, "red", "kim"), (1, "red", "lee"), (1, "white", "max"),
        (2, "red", "kim"), (2, "white", "lee")))  # fmt: skip
    assert len(rows(workspace.database, META)) == 5
    # what most of them chose; a tie waits for somebody to settle it
    assert rows(workspace.database, "SELECT bottle, label FROM wine_labels") == [(1, "red")]
    assert workspace.queue(project).counts.disputed == 1
    Adjudicator(workspace, project).rule("3", "white")
    assert rows(workspace.database, "SELECT bottle, label FROM wine_labels ORDER BY 1") == [
        (1, "red"), (2, "white")]  # fmt: skip


def test_where_several_decide_an_import_is_one_more_decision(
    workspace: Workspace, make_project: Make, annotator: People
) -> None:
    project = make_project(queries_table="", overlap_share=1.0)
    ana = annotator(project)
    done = ana.label_truly(10)
    file = file_of(*((int(each) - 1, "red", "kim") for each in done))
    assert plan(workspace, project, file).fates == {"further": 10}
    bring_in(workspace, project, file)
    disputed = sum(int(each) % 2 == 0 for each in done)
    assert workspace.queue(project).counts.disputed == disputed
    assert len(rows(workspace.database, "FROM wine_labels")) == 10 - disputed
    use_cases.take_back_import(workspace, "wine", 1, LOCAL)
    check_memory(workspace, project)
    assert workspace.queue(project).counts.disputed == 0
    assert len(rows(workspace.database, "FROM wine_metadata")) == 10


def places(workspace: Workspace, sample_ids: list[str]) -> dict[str, int]:
    found = rows(
        workspace.database,
        'SELECT __sample_id, __place FROM labeling_pool."samples_wine" '
        "WHERE __sample_id IN (SELECT unnest(?::VARCHAR[]))", sample_ids,
    )  # fmt: skip
    return dict(found)


def divided(workspace: Workspace) -> tuple[set[int], set[int]]:
    """The places that train, and those that measure."""
    project = workspace.project("wine")
    pool = workspace.queue(project).pool
    with workspace.database.read() as cursor:
        end = measuring_end(cursor, project, pool.closed, project.probe_limit)
        train, probes = split(read_labels(cursor, project), project.probe_limit, end, pool.apart)
    return set(train.positions.tolist()), set(probes.positions.tolist())


def test_imported_labels_train_and_do_not_measure(
    workspace: Workspace, make_project: Make, annotator: People
) -> None:
    project = make_project(queries_table="", probe_share=0.2)  # places 0..39 are kept for probes
    ana = annotator(project)
    own = places(workspace, ana.label_truly(30))
    probes_before = {each for each in own.values() if each < 40}
    assert divided(workspace) == (set(own.values()) - probes_before, probes_before)
    file = labels_of(range(0, 200, 2))
    named = places(workspace, [str(each + 1) for each in range(0, 200, 2)])
    assert plan(workspace, project, file).probes == len(
        {each for each in named.values() if each < 40} - probes_before
    )
    bring_in(workspace, project, file)
    train, probes = divided(workspace)
    assert probes == probes_before - set(named.values())  # a draw of what the import left
    assert train == (set(own.values()) | set(named.values())) - probes and not train & probes
    later = places(workspace, annotator(project, "ben").label_truly(60))
    train, probes = divided(workspace)
    assert probes == {p for p in (own | later).values() if p < 40} - set(named.values())
    use_cases.take_back_import(workspace, "wine", 1, LOCAL)
    train, probes = divided(workspace)  # a model may have learned of them: they never measure
    assert not probes & set(named.values()) and not train & probes


def test_a_random_draw_measures_where_probes_are_kept(
    workspace: Workspace, make_project: Make
) -> None:
    project = make_project(queries_table="", probe_share=0.2)
    drawn = np.random.default_rng(3).choice(200, 80, replace=False).tolist()
    bring_in(workspace, project, file_of(*((each, "white" if each % 2 else "red")
                                           for each in drawn)), random_draw=True)  # fmt: skip
    found = set(places(workspace, [str(each + 1) for each in drawn]).values())
    train, probes = divided(workspace)
    assert probes == {each for each in found if each < 40} and train == found - probes


def test_a_session_follows_by_itself_and_only_one(workspace: Workspace, make_project: Make) -> None:
    project = make_project(rows=400)
    bring_in(workspace, project, labels_of(range(200)))
    with pytest.raises(LabelingError, match="session is running"):
        use_cases.take_back_import(workspace, "wine", 1, LOCAL)
    wait(workspace, project)
    query = "SELECT state, labels, trigger_labels, started_by FROM labeling.sessions"
    assert rows(workspace.database, query) == [("DONE", 200, 200, "trigger")]


def test_samples_return_to_the_queries_as_they_stood(
    workspace: Workspace, make_project: Make
) -> None:
    project = make_project()
    scores = 'labeling_pool."scores_wine"'
    with workspace.database.transaction() as cursor:
        cursor.execute(
            f"INSERT INTO {scores} SELECT __place, __place / 200.0, 'red', 0, __place "
            'FROM labeling_pool."samples_wine"'
        )
    workspace.open_projects.forget("wine")
    before = rows(workspace.database, f"FROM {scores} ORDER BY ALL")
    label_import.bring_in(workspace.open_projects, "wine", labels_of(range(50)), "f", How(), LOCAL)
    assert len(rows(workspace.database, f"FROM {scores}")) == 150
    label_import.take_back(workspace.open_projects, "wine", 1, LOCAL)
    check_memory(workspace, project)
    assert rows(workspace.database, f"FROM {scores} ORDER BY ALL") == before


def test_the_log_tells_each_label_and_the_import(workspace: Workspace, make_project: Make) -> None:
    project = make_project(queries_table="")
    bring_in(workspace, project, file_of((1, "red", "kim"), (2, "rose", "kim")))
    assert events_of(workspace, "decision") == ["kim labeled sample 2 red, as import 1 tells."]
    assert events_of(workspace, "import") == [
        "ana brought in 1 labels of labels.csv (import 1; 1 annotations were left out)."
    ]


def test_only_who_manages_a_project_brings_labels_in(
    workspace: Workspace, make_project: Make
) -> None:
    make_project()
    with pytest.raises(ForbiddenError):
        use_cases.plan_labels(
            workspace,
            "wine",
            labels_of(range(3)),
            How(),
            Person("eva", ((EVERYWHERE, "annotator"),)),
        )


def test_a_hundred_thousand_labels_take_seconds(workspace: Workspace, make_project: Make) -> None:
    project = make_project(rows=120_000, queries_table="")
    file = labels_of(range(100_000), annotator="kim")
    begun = time.perf_counter()
    bring_in(workspace, project, file)
    took = time.perf_counter() - begun
    assert workspace.queue(project).counts.labeled == 100_000
    assert took < 40, took
    begun = time.perf_counter()
    use_cases.take_back_import(workspace, "wine", 1, LOCAL)
    assert time.perf_counter() - begun < 40
    assert workspace.queue(project).counts.labeled == 0
