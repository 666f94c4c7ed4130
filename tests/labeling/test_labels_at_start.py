"""A new project starts from the labels that are there."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from annotating import LOCAL, SETTINGS, Annotator, make_source, rows
from PIL import Image
from running import check_memory, train, wait

from labeling_core import use_cases
from labeling_core.config import DATA
from labeling_core.labeling.labels_at_start import Given
from labeling_core.projects.labels import measuring_end, read_labels, split
from labeling_core.projects.validation import SettingsError
from labeling_core.sessions import features
from labeling_core.settings import Column, Project, default_tables
from labeling_core.sources.foreign_labels import read_file
from labeling_core.sources.importing import inspect
from labeling_core.sources.label_records import write_samples
from labeling_core.sources.uploads import Upload
from labeling_core.workspace import Workspace

FOREIGN = Path(__file__).parents[1] / "data" / "foreign"
People = Callable[..., Annotator]
USES = {"truth": "labels", "who": "annotator", "at_time": "time", "remark": "comment"}
COLUMNS = tuple(Column(name, use) for name, use in USES.items())


def make(workspace: Workspace, rows: int = 200, share: float = 0.3, **more: Any) -> Project:
    """The wine project of a table that has labels of a share of its rows, chosen by acidity:
    those of the least."""
    make_source(workspace.database, rows)
    given = more.pop("given", Given())
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "CREATE OR REPLACE TABLE main.wine AS SELECT *, CASE WHEN bottle < ? THEN "
            "CASE WHEN acidity > 5 THEN 'white' ELSE 'red' END WHEN bottle < ? + 2 THEN ' ' END "
            "AS truth, CASE WHEN bottle < 3 THEN 'kim' END AS who, CASE WHEN bottle = 0 "
            "THEN '2020-01-02 03:04:05' WHEN bottle = 1 THEN 'soon' END AS at_time, "
            "CASE WHEN bottle = 2 THEN 'hm' END AS remark FROM wine ORDER BY bottle",
            [round(share * rows), round(share * rows)],
        )
    settings = replace(SETTINGS, categories=(), columns=COLUMNS, **more)
    return use_cases.create_from_upload(workspace, settings, None, LOCAL, given)


def test_a_column_of_labels_is_the_start(workspace: Workspace) -> None:
    project = make(workspace, queries_table="")
    assert project.settings.names == ("red", "white")
    found = rows(workspace.database, "SELECT sample_id::INT - 1, label, annotator, labeled_at, "
                 "comment, origin FROM wine_metadata ORDER BY 1")  # fmt: skip
    assert [each[:2] for each in found] == [(n, "white" if n % 2 else "red") for n in range(60)]
    assert found[0][2:] == ("kim", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), None, "import")
    assert found[2][2] == "kim" and found[2][4] == "hm" and found[3][2] == "import 1"
    (detail,) = rows(workspace.database, "SELECT detail->'notes' FROM labeling.events "
                     "WHERE kind = 'import'")  # fmt: skip
    assert "1 times such as “soon” cannot be read" in detail[0]
    check_memory(workspace, project)


def test_probes_are_drawn_of_what_has_no_label(workspace: Workspace, annotator: People) -> None:
    project = make(workspace, queries_table="", probe_share=0.2)
    assert project.probe_limit == 28  # a fifth of 140
    placed = rows(workspace.database, "SELECT __place, bottle FROM labeling_pool.samples_wine")
    assert {place for place, bottle in placed if bottle < 60} == set(range(140, 200))
    annotator(project).label_truly(100)
    queue = workspace.queue(project)
    with workspace.database.read() as cursor:
        end = measuring_end(cursor, project, queue.pool.closed, project.probe_limit)
        labels = read_labels(cursor, project)
        train, probes = split(labels, project.probe_limit, end, queue.pool.apart)
    assert len(probes.positions) == 20 and probes.positions.max() < 28
    assert len(train.positions) == 60 + 80


def test_a_random_draw_takes_part_in_the_draw_of_probes(workspace: Workspace) -> None:
    project = make(workspace, queries_table="", probe_share=0.2, given=Given(random_draw=True))
    assert project.probe_limit == 40
    pool = workspace.queue(project).pool
    closed = np.flatnonzero(pool.closed)
    with workspace.database.read() as cursor:
        train, probes = split(read_labels(cursor, project), 40, 40, pool.apart)
    assert probes.positions.tolist() == closed[closed < 40].tolist() != []
    assert train.positions.tolist() == closed[closed >= 40].tolist()


def test_the_first_session_runs_without_a_key(workspace: Workspace) -> None:
    project = make(workspace)
    wait(workspace, project)
    query = "SELECT state, labels FROM labeling.sessions"
    assert rows(workspace.database, query) == [("DONE", 60)]
    # the model has not seen the labels: what it learns from are the other columns
    assert workspace.queue(project).session_id == 1


def test_more_labels_than_categories_can_be_are_refused(
    workspace: Workspace,
) -> None:
    make_source(workspace.database, 1500)
    with workspace.database.transaction() as cursor:
        cursor.execute("ALTER TABLE wine ADD COLUMN kind VARCHAR")
        cursor.execute("UPDATE wine SET kind = 'kind ' || bottle")
    settings = replace(SETTINGS, columns=(Column("kind", "labels"),))
    with pytest.raises(Exception, match="The column “kind” holds 1,500 different labels"):
        use_cases.create_from_upload(workspace, settings, None, LOCAL)
    with pytest.raises(SettingsError, match="no table"):
        use_cases.create_from_upload(workspace, replace(settings, source="x"), None, LOCAL)


@pytest.fixture
def pictures(media: Path) -> Path:
    """Images in two sub-folders, and one in none."""
    for name in ("cat/a.png", "cat/b.png", "dog/a.png", "c.png"):
        (media / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(media / name)
    return media


def test_sub_folders_are_categories(workspace: Workspace, pictures: Path) -> None:
    settings = replace(SETTINGS, modality="images", source="media", categories=(), queries_table="")
    project = use_cases.create_project(workspace, settings, LOCAL, Given(folders=True))
    assert project.settings.names == ("cat", "dog")
    assert rows(workspace.database, "SELECT path, label FROM wine_labels ORDER BY 1") == [
        ("cat/a.png", "cat"), ("cat/b.png", "cat"), ("dog/a.png", "dog")]  # fmt: skip


def test_a_file_of_paths_and_labels(workspace: Workspace, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(
        "path,label\nc.png,x\ns3://bucket/cat/b.png,y\na.png,x\n", encoding="utf-8"
    )
    file = read_file(tmp_path / "l.csv", "l.csv")
    settings = replace(SETTINGS, modality="images", source="media", categories=(), queries_table="")
    use_cases.create_project(workspace, settings, LOCAL, Given(file=file, name="l.csv"))
    assert rows(workspace.database, "SELECT path, label FROM wine_labels ORDER BY 1") == [
        ("c.png", "x"), ("cat/b.png", "y")]  # fmt: skip  # two files are called a.png


@pytest.mark.parametrize(
    ("name", "annotations", "timed"),
    [
        ("label_studio.json", 16, True),
        ("label_studio.csv", 15, True),
        ("doccano_each.zip", 15, False),
    ],
)
def test_another_tools_project_becomes_one_of_ours(
    workspace: Workspace, tmp_path: Path, name: str, annotations: int, timed: bool
) -> None:
    file = read_file(FOREIGN / name, name)
    assert write_samples(file, tmp_path / "samples.csv") == 12
    upload = Upload(tmp_path / "samples.csv", inspect(tmp_path / "samples.csv", "samples.csv"))
    settings = replace(SETTINGS, categories=(), queries_table="")
    given = Given(file=file, name=name)
    project = use_cases.create_from_upload(workspace, settings, upload, LOCAL, given)
    assert project.samples == 12 and set(project.settings.names) == {
        "positive", "negative", "neutral"}  # fmt: skip
    found = rows(workspace.database, "SELECT s.sku, m.annotator, m.label, m.labeled_at "
                 'FROM wine_metadata AS m JOIN labeling_pool."samples_wine" AS s '
                 "ON s.__sample_id = m.sample_id")  # fmt: skip
    given_there = {(r.fields["sku"], r.annotator, r.label, r.moment) for r in file.records}
    assert len(found) == annotations
    assert {each if timed else (*each[:3], None) for each in found} == given_there


def test_labels_of_a_column_teach_what_the_same_labels_by_keys_do(
    workspace: Workspace, annotator: People
) -> None:
    wines = str(DATA / "wine_colour" / "answers.csv")
    table = f"(SELECT *, row_number() OVER () AS n FROM read_csv('{wines}') LIMIT 500)"
    with workspace.database.transaction() as cursor:
        cursor.execute(
            f"CREATE TABLE main.known AS SELECT * EXCLUDE (n, label), "
            f"CASE WHEN n % 10 < 3 THEN label END AS colour FROM {table} ORDER BY n"
        )
        cursor.execute("CREATE TABLE main.plain AS SELECT * EXCLUDE (colour) FROM known")
        truth = [label for (label,) in cursor.execute(
            f"SELECT label FROM {table} ORDER BY n").fetchall()]  # fmt: skip
    shared = {"probe_share": 0.0, "every": 10_000}
    settings = {
        name: replace(SETTINGS, title=name, source=name, **default_tables(name), **shared)
        for name in ("known", "plain")
    }
    by_column = use_cases.create_project(
        workspace, replace(settings["known"], columns=(Column("colour", "labels"),)), LOCAL
    )
    by_keys = use_cases.create_project(workspace, settings["plain"], LOCAL)
    labeled = {str(n) for n in range(1, 501) if n % 10 < 3}
    person, left = annotator(by_keys), set(labeled)
    while left:
        taken = person.take(500)
        mine = [each for each in taken if each in left]
        left -= set(mine)
        person.send([
            person.decision(each, "label", category=truth[int(each) - 1]) for each in mine
        ])  # fmt: skip
    accuracy = {}
    for project in (by_column, by_keys):
        wait(workspace, project)
        train(workspace, project)
        content = use_cases.export_predictions(workspace, project, "CSV", LOCAL)
        found = pd.read_csv(io.BytesIO(content), dtype=str).set_index("sample_id")
        others = found[~found.index.isin(labeled)]
        right = [truth[int(n) - 1] == said for n, said in others.prediction.items()]
        assert len(right) == 350
        accuracy[project.project_id] = np.mean(right)
        assert "colour" not in (features.learned(workspace.database, project) or ((), ()))[0]
    assert accuracy["known"] == pytest.approx(accuracy["plain"], abs=0.01)
    assert accuracy["known"] > 0.95
