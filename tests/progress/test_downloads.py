"""Downloads: what is in the tables is in the files, and the model stands alone."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pandas as pd
from running import run_session

from labeling_core.progress import downloads, learning_curve
from labeling_core.store.exporting import EXCEL, to_file


def table(cursor, project, what, form, safe=False, queue=None):
    """One of the downloads as a file, whole."""
    found = downloads.query(cursor, project, what, queue)
    return to_file(cursor, found.sql, form, safe, found.values)


def test_every_table_comes_out_in_both_formats_without_loss(workspace, make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(40)
    run_session(workspace, project)
    expected = {"labels": 40, "metadata": 40, "queries": 160, "sessions": 1}
    for what, number in expected.items():
        with workspace.database.read() as cursor:
            text = table(cursor, project, what, "CSV")
            binary = table(cursor, project, what, "Parquet")
        from_csv, from_parquet = pd.read_csv(io.BytesIO(text)), pd.read_parquet(io.BytesIO(binary))
        assert len(from_csv) == len(from_parquet) == number
        assert list(from_csv.columns) == list(from_parquet.columns)


def test_the_sessions_come_out_with_the_accuracy_that_the_page_shows(
    workspace, make_project, annotator
):
    project = make_project(every=1000, probe_share=0.25)
    ana = annotator(project)
    for _ in range(2):
        ana.label_truly(20)
        run_session(workspace, project)
    with workspace.database.read() as cursor:
        shown = learning_curve.sessions(cursor, project, workspace.queue(project))
        told = table(cursor, project, "sessions", "CSV", queue=workspace.queue(project))
        then = table(cursor, project, "sessions", "CSV")
    found = pd.read_csv(io.BytesIO(told))
    assert found["accuracy"].tolist() == [each.accuracy for each in shown]
    assert found["low"].tolist() == [each.low for each in shown]
    assert found["evaluated"].tolist() == [10, 10] and found["evaluated_then"].tolist() == [5, 10]
    assert pd.read_csv(io.BytesIO(then))["evaluated"].tolist() == [5, 10]


def test_the_model_predicts_categories_from_raw_columns_without_our_package(
    workspace, make_project, annotator
):
    import skops.io

    project = make_project(every=1000)
    annotator(project).label_truly(40)
    with workspace.database.read() as cursor:
        assert downloads.model(cursor, project.project_id) is None
    run_session(workspace, project)
    with workspace.database.read() as cursor:
        archive = zipfile.ZipFile(io.BytesIO(downloads.model(cursor, project.project_id)))
        raw = cursor.execute("SELECT * FROM wine").df()
    data = archive.read("model.skops")
    unknown = skops.io.get_untrusted_types(data=data)
    assert all(each.startswith(("sklearn.", "numpy.", "scipy.")) for each in unknown)
    model = skops.io.loads(data, trusted=unknown)
    expected = ["white" if value > 5 else "red" for value in raw["acidity"]]
    assert list(model.predict(raw)) == expected
    card = json.loads(archive.read("model_card.json"))
    assert card["labels_per_category"].keys() == {"red", "white"}
    assert sum(card["labels_per_category"].values()) == card["labels"] == len(card["label_ids"])


NASTY = ["=1+1", "+x", "-x", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "-5", "+1.5e3",
         "plain", "a=b", "", None, "'=1"]  # fmt: skip


def test_a_safe_csv_holds_no_formula_and_leaves_numbers_alone(workspace, make_project, annotator):
    project = make_project(every=1000)
    with workspace.database.transaction() as cursor:
        cursor.execute('ALTER TABLE main.wine_metadata RENAME COLUMN comment TO "=comment"')
        cursor.execute(
            'INSERT INTO main.wine_metadata (label_id, "=comment", seconds) '
            "SELECT unnest(range(16)), unnest(?::VARCHAR[]), -1.5",
            [NASTY],
        )
    with workspace.database.read() as cursor:
        safe = table(cursor, project, "metadata", "CSV", safe=True)
        whole = table(cursor, project, "metadata", "CSV")
        binary = table(cursor, project, "metadata", "Parquet", safe=True)
    found = list(csv.reader(io.StringIO(safe.decode(), newline="")))
    column = found[0].index("'=comment")
    assert [row[column] for row in found[1:]] == [
        *("'" + each for each in NASTY[:9]), *NASTY[9:14], "", NASTY[15],
    ]  # fmt: skip
    assert {row[found[0].index("seconds")] for row in found[1:]} == {"-1.5"}
    plain = list(csv.reader(io.StringIO(whole.decode(), newline="")))
    assert [row[column] for row in plain[1:]] == [each or "" for each in NASTY]
    assert list(pd.read_parquet(io.BytesIO(binary))["=comment"][:14]) == NASTY[:14]


def test_a_csv_for_excel_begins_with_its_mark_and_keeps_nothing_apart_from_empty(
    workspace, make_project
):
    project = make_project()
    with workspace.database.transaction() as cursor:
        cursor.execute("CREATE TABLE odd AS SELECT '' AS ä, NULL::VARCHAR AS b, 'x' AS c")
        plain = to_file(cursor, "SELECT * FROM odd", "CSV")
        marked = to_file(cursor, "SELECT * FROM odd", EXCEL)
        assert marked == b"\xef\xbb\xbf" + plain == '\ufeffä,b,c\n"",,x\n'.encode()
        safe = to_file(cursor, "SELECT '=1' AS a", EXCEL, safe=True)
        assert safe.decode("utf-8-sig") == "a\n'=1\n"
        labels = table(cursor, project, "labels", EXCEL)
    assert labels.startswith(b"\xef\xbb\xbfbottle,")
