"""Downloads: what is in the tables is in the files, and the model stands alone."""

from __future__ import annotations

import io
import json
import zipfile

import pandas as pd
import pytest
from test_sessions import run_session

from labeling_core import export
from labeling_core.errors import LabelingError


def test_every_table_comes_out_in_both_formats_without_loss(space, make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(40)
    with space.database.read() as cursor:
        assert export.available(cursor, project) == ["labels", "metadata", "sessions"]
        with pytest.raises(LabelingError, match="does not exist before the first session"):
            export.table(cursor, project, "queries", "CSV")
    run_session(space, project)
    expected = {"labels": 40, "metadata": 40, "queries": 160, "sessions": 1}
    for what, number in expected.items():
        with space.database.read() as cursor:
            text = export.table(cursor, project, what, "CSV")
            binary = export.table(cursor, project, what, "Parquet")
        from_csv, from_parquet = pd.read_csv(io.BytesIO(text)), pd.read_parquet(io.BytesIO(binary))
        assert len(from_csv) == len(from_parquet) == number
        assert list(from_csv.columns) == list(from_parquet.columns)


def test_the_model_predicts_categories_from_raw_columns_without_our_package(
    space, make_project, annotator
):
    import skops.io

    project = make_project(every=1000)
    annotator(project).label_truly(40)
    with space.database.read() as cursor:
        assert export.model(cursor, project.project_id) is None
    run_session(space, project)
    with space.database.read() as cursor:
        archive = zipfile.ZipFile(io.BytesIO(export.model(cursor, project.project_id)))
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
