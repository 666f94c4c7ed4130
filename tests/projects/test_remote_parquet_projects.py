"""A project on Parquet files in a bucket, through the command line: made, labeled, learned from,
grown; and what an outage leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from s3_server import BUCKET, S3Server, command_told

import labeling_core as lc
from labeling_core.store.database import literal

SOURCE = f"s3://{BUCKET}/wines"
ROWS = (
    "SELECT i AS bottle, (i % 2) * 8 + 1 + (i % 7) / 10.0 AS acidity, md5(i::VARCHAR) AS report "
    "FROM range({}, {}) t(i)"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    server = S3Server(tmp_path / "s3")
    yield server
    server.stop()


def put(server: S3Server, path: Path, start: int, end: int) -> None:
    with duckdb.connect() as con:
        con.execute(f"COPY ({ROWS.format(start, end)}) TO {literal(str(path))} (FORMAT parquet)")
    server.put(f"wines/{path.name}", path.read_bytes())


def test_it_is_made_labeled_learned_from_and_what_fails_loses_nothing(
    server: S3Server, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with lc.open(home / "wines.duckdb"):
        pass  # it is made
    nobody = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}

    def told(command: str, *words: str | Path, **environment: str) -> Any:
        words = (command, "--database", home / "wines.duckdb", *words)
        return command_told(server.packages, *words, **(server.environment | environment))

    put(server, tmp_path / "a.parquet", 0, 120)
    create = (
        "--title", "Wines", "--source", SOURCE, "--category", "low", "--category", "high",
        "--leave", "report", "--every", "1000",
    )  # fmt: skip
    *logged, sentence = told("create", *create, **nobody).splitlines()
    assert all("could not be read: EndpointConnectionError" in each for each in logged)
    assert "the storage cannot be reached" in sentence
    assert told("projects") == []
    made = told("create", *create)
    assert made["source"] == f"{SOURCE}/**/*.parquet"

    handed = told("next", "--project", "wines", "--count", "30", **nobody)
    assert set(handed[0]["fields"]) == {"bottle", "acidity"}
    rows = ["sample_id,label"]
    rows += [
        f"{each['sample_id']},{'high' if float(each['fields']['acidity']) > 5 else 'low'}"
        for each in handed
    ]
    file = tmp_path / "decisions.csv"
    file.write_text("\n".join(rows), "utf-8")
    assert told("label", "--project", "wines", "--file", file, **nobody)["stored"] == 30
    learned = told("sample", "--project", "wines", **nobody)
    assert learned["state"] == "DONE" and learned["labels"] == 30

    out = tmp_path / "labels.csv"
    told("export", "--project", "wines", "--what", "labels", "--out", out, **nobody)
    assert len(out.read_text("utf-8").splitlines()) == 31
