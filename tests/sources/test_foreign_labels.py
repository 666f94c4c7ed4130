"""Labels as other tools export them; the files of Label Studio and doccano are by these tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from labeling_core.errors import LabelingError
from labeling_core.sources.foreign_labels import read_file, read_files
from labeling_core.sources.label_records import LabelFile, as_moment

FOREIGN = Path(__file__).parents[1] / "data" / "foreign"
Write = Callable[..., LabelFile]
# What two people gave: W-001 … W-010; nothing of W-011 and W-012.
ANA = ["positive", "negative", "neutral", "positive", "negative", None, "positive", "positive",
       "negative", "neutral"]  # fmt: skip
BEN = {1: "positive", 2: "negative", 3: "positive", 6: "neutral", 8: "positive", 10: "negative"}


def told(found: LabelFile) -> set[tuple[str, str, str | None]]:
    return {(each.fields["sku"], each.annotator, each.label) for each in found.records}


def expected(ana: str, ben: str, skipped: bool) -> set[tuple[str, str, str | None]]:
    mine = {(f"W-{n:03d}", ana, label) for n, label in enumerate(ANA, 1) if label or skipped}
    return mine | {(f"W-{n:03d}", ben, label) for n, label in BEN.items()}


@pytest.fixture
def read(tmp_path: Path) -> Write:
    """Write a file, and read it."""

    def write(name: str, content: str, **more: Any) -> LabelFile:
        (tmp_path / name).write_text(content, "utf-8")
        return read_file(tmp_path / name, name, **more)

    return write


def lines(*entries: Any) -> str:
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in entries)


@pytest.mark.parametrize(
    ("name", "form", "skipped"),
    [
        ("label_studio.json", "label-studio", True),
        ("label_studio_min.json", "label-studio-min", False),
        ("label_studio.csv", "label-studio-min", False),
    ],
)
def test_each_annotation_of_label_studio_is_read(name: str, form: str, skipped: bool) -> None:
    found = read_file(FOREIGN / name, name)
    assert found.format == form and told(found) == expected("1", "2", skipped)
    assert len(found.records) == len(told(found)) and not found.unreadable
    first = next(each for each in found.records if each.fields["sku"] == "W-001"
                 and each.annotator == "1")  # fmt: skip
    assert first.moment == datetime(2026, 11, 28, 2, 54, 21, 237498, UTC)
    assert {"W-011", "W-012"} <= {each["sku"] for each in found.unlabeled}
    texts = {each.fields["text"] for each in found.records}
    assert {"Two lines\nof praise", "Öl, Süße, Säure: wunderbar"} <= texts


def test_each_annotation_of_doccano_is_read() -> None:
    found = read_file(FOREIGN / "doccano_each.zip", "doccano_each.zip")
    assert found.format == "doccano" and told(found) == expected("ana", "ben", False)
    assert [each.comment for each in found.records if each.fields["sku"] == "W-003"] == [
        "not sure", None]  # fmt: skip
    together = read_file(FOREIGN / "doccano_together.zip", "doccano_together.zip")
    assert {each.annotator for each in together.records} == {""}
    assert len(together.records) == 8
    (several,) = together.unreadable
    assert several.line == 1 and "“neutral”, “positive”" in several.reason


def test_prodigy(read: Write) -> None:
    found = read(
        "p.jsonl",
        lines(
            {"text": "a", "label": "POS", "answer": "accept", "_annotator_id": "ana",
             "_timestamp": 1700000000},
            {"text": "b", "options": [{"id": "x", "text": "Ex"}], "accept": ["x"],
             "answer": "accept", "_session_id": "s-ben"},
            {"text": "c", "label": "POS", "answer": "ignore"},
            {"text": "d", "label": "POS", "answer": "reject"},
            {"text": "e", "accept": ["x", "y"], "answer": "accept"},
        ),
    )  # fmt: skip
    assert [(each.fields["text"], each.label, each.annotator) for each in found.records] == [
        ("a", "POS", "ana"), ("b", "Ex", "s-ben"), ("c", None, "")]  # fmt: skip
    assert found.records[0].moment == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert [each.line for each in found.unreadable] == [4, 5]


def test_argilla(read: Write) -> None:
    nested = [
        {"id": "1", "fields": {"text": "a"}, "metadata": {"sku": "W"}, "responses": {"label": [
            {"value": "pos", "user_id": "u1"}, {"value": "neg", "user_id": "u2"}]}},
        {"id": "2", "fields": {"text": "b"}, "responses": {}},
    ]  # fmt: skip
    found = read("a.json", json.dumps(nested))
    assert [(each.label, each.annotator) for each in found.records] == [
        ("pos", "u1"),
        ("neg", "u2"),
    ]
    assert found.records[0].fields == {"id": "1", "text": "a", "sku": "W"}
    assert [each["text"] for each in found.unlabeled] == ["b"]
    listed = {key: [row.get(key) for row in nested] for key in ("id", "fields", "responses")}
    assert len(read("b.json", json.dumps(listed)).records) == 2
    flat = [{"id": "1", "text": "a", "label.responses": ["pos", "neg"],
             "label.responses.users": ["u1", "u2"],
             "label.responses.status": ["submitted", "discarded"]}]  # fmt: skip
    assert [(each.label, each.annotator) for each in read("c.json", json.dumps(flat)).records] == [
        ("pos", "u1"), (None, "u2")]  # fmt: skip
    old = {"text": "a", "annotation": "pos", "annotation_agent": "ana", "status": "Validated",
           "event_timestamp": "2023-01-02T03:04:05"}  # fmt: skip
    (each,) = read("d.jsonl", lines(old, {"text": "b", "annotation": None,
                                          "annotation_agent": None})).records  # fmt: skip
    assert (each.label, each.annotator, each.moment) == (
        "pos", "ana", datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC))  # fmt: skip


def test_the_datasets_of_the_plugin(read: Write) -> None:
    meta = (
        "date,data_id,status,label,label_id,comment,session,annotator\n"
        "2021-03-04 05:06:07.5,a/1.png,LABELED,cat,1,blurred,0,eva\n"
        "2021-03-04 05:06:08,a/2.png,SKIPPED,,2,,0,eva\n"
    )
    found = read("meta.csv", meta)
    assert found.format == "plugin"
    one, two = found.records
    assert (one.fields["data_id"], one.label, one.annotator, one.comment) == (
        "a/1.png", "cat", "eva", "blurred")  # fmt: skip
    assert one.moment == datetime(2021, 3, 4, 5, 6, 7, 500000, UTC) and two.skipped


def test_the_plugins_labels_dataset_tells_the_rows_of_its_metadata(
    read: Write, tmp_path: Path
) -> None:
    read(
        "meta.csv",
        "date,data_id,status,colour,colour_id,comment,session,annotator\n"
        "2021-03-04 05:06:07,h1,LABELED,red,7,,0,eva\n"
        "2021-03-04 05:06:07,h2,LABELED,red,9,,0,eva\n",
    )
    (tmp_path / "labels.csv").write_text("acidity,colour,colour_id\n1.5,red,7\n", encoding="utf-8")
    meta = [(tmp_path / each, each) for each in ("labels.csv", "meta.csv")]
    found = read_files(meta)
    assert found.format == "plugin"
    assert found.records[0].fields["acidity"] == "1.5" and found.records[0].annotator == "eva"
    assert "acidity" not in found.records[1].fields
    assert found.notes[-1] == "labels.csv is joined by “colour_id”: it has 1 of 2 samples."
    with pytest.raises(LabelingError, match="Name one file"):
        read_files([meta[0], meta[0]])


def test_a_table_with_a_column_of_labels(read: Write) -> None:
    found = read("t.csv", "sku;Kind;by\nA;red;x\nB;;\nC;white;y;z\n\nD;white;x\n", label="kind")
    assert [(each.line, each.label) for each in found.records] == [(2, "red"), (6, "white")]
    assert [each["sku"] for each in found.unlabeled] == ["B"]
    assert found.unreadable == [(4, "This line has 4 cells, the header 3.")]
    with pytest.raises(LabelingError, match="no column that looks like one of labels"):
        read("u.csv", "a,b\n1,2\n")
    with pytest.raises(LabelingError, match="no column “x”: it has “a”, “b”"):
        read("u.csv", "a,b\n1,2\n", label="x")
    odd = read("v.csv", "a,label,time\n1,x,yesterday\n2,y,2024-01-02\n")
    assert [each.label for each in odd.records] == ["y"]
    assert "“yesterday” cannot be read" in odd.unreadable[0].reason


def test_one_bad_line_costs_one_line(read: Write) -> None:
    good = {"text": "a", "label": ["x"]}
    found = read("b.jsonl", lines(good) + "\n{broken\n[1]\n" + lines(good))
    assert [each.line for each in found.records] == [1, 4]
    assert [each.line for each in found.unreadable] == [2, 3]
    with pytest.raises(LabelingError, match="no complete JSON"):
        read("c.json", '[{"data": ')
    with pytest.raises(LabelingError, match="no format of labels"):
        read("c.json", "[]", form="word")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02 03:04:05 UTC", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02 03:04:05+02", datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2024-01-02", datetime(2024, 1, 2, tzinfo=UTC)),
        (1700000000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("1700000000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("", None),
    ],
)
def test_moments(text: Any, moment: datetime | None) -> None:
    assert as_moment(text) == moment
