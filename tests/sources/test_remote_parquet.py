"""Folders of Parquet files on a real S3 server and a real web server: only what is used comes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import from_pypi
import pytest
from s3_server import BUCKET, S3FS, S3Server, steps_told
from web_server import Web

from labeling_core.errors import LabelingError
from labeling_core.sources.parquet_folders import pattern_of
from labeling_core.store.database import literal

REPORT = "report"  # by far the largest column
ROWS = (
    "SELECT i AS bottle, i * 0.5 AS acidity, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS report "
    "FROM range({}, {}) t(i)"
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return from_pypi.install(tmp_path_factory.mktemp("web") / "packages", *S3FS)


@pytest.fixture
def web(tmp_path: Path, packages: Path) -> Iterator[Web]:
    (tmp_path / "served").mkdir()
    web = Web(tmp_path / "served", packages)
    yield web
    web.server.shutdown()
    web.server.server_close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


def content(path: Path, start: int, end: int) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute(f"COPY ({ROWS.format(start, end)}) TO {literal(str(path))} (FORMAT parquet)")
    return path.read_bytes()


@pytest.fixture
def wines(tmp_path: Path) -> Path:
    """A folder on this machine with the files that the others have."""
    folder = tmp_path / "root" / "wines"
    content(folder / "year=2025" / "a [1].parquet", 0, 20_000)
    content(folder / "year=2026" / "b.parquet", 20_000, 30_000)
    return folder


def put_all(put: Callable[[str, bytes], None], folder: Path, prefix: str) -> None:
    for each in folder.rglob("*.parquet"):
        put(f"{prefix}/{each.relative_to(folder).as_posix()}", each.read_bytes())


def told_here(folder: Path, *left: str) -> list:
    home = folder.parents[1] / "home"
    home.mkdir()
    roots = {"LABELING_DATA_ROOTS": str(folder.parent)}
    return steps_told(folder, "table", folder, home, *left, **roots)


def fetched(home: Path) -> int:
    """The bytes that came."""
    return sum(each.stat().st_size for each in home.glob("remote/*/fetched/**/*") if each.is_file())


@pytest.mark.posix  # names of folders with = and of files with [
def test_a_bucket_gives_the_rows_of_the_same_folder_here(
    server: S3Server, tmp_path: Path, wines: Path
) -> None:
    put_all(server.put, wines, "wines")
    source = f"s3://{BUCKET}/wines"
    here = told_here(wines)
    assert here[1][0] == 30_000 and [each[0] for each in here[0]][-1] == "year"
    assert server.told("table", source, tmp_path) == here
    some = server.told("table", f"{source}/year=2026/?.parquet", tmp_path)
    assert some[1][0] == 10_000


def test_of_a_bucket_only_the_columns_come_that_are_used_and_once(
    server: S3Server, tmp_path: Path, wines: Path
) -> None:
    put_all(server.put, wines, "used")
    source = f"s3://{BUCKET}/used"
    columns, (rows, _), _ = server.told("table", source, tmp_path, REPORT)
    assert [name for name, _ in columns] == ["bottle", "acidity", "year"] and rows == 30_000
    size = sum(each.stat().st_size for each in wines.rglob("*.parquet"))
    assert 0 < fetched(tmp_path) < size / 4
    out = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}  # nobody is there
    assert server.told("table", source, tmp_path, REPORT, **out)[1][0] == rows
    sentence = server.told("table", source, tmp_path, **out)  # the reports have not come yet
    assert sentence.startswith("NoAnswerError: ") and sentence.endswith("Try again later.")
    assert server.told("table", source, tmp_path)[1][0] == rows


def test_what_is_replaced_gone_and_new_is_told_and_seen_by_looking_again(
    server: S3Server, tmp_path: Path, wines: Path
) -> None:
    put_all(server.put, wines, "changing")
    source = f"s3://{BUCKET}/changing"
    assert server.told("table", source, tmp_path, REPORT)[1][0] == 30_000
    server.put("changing/year=2026/b.parquet", content(tmp_path / "new.parquet", 0, 5))
    sentence = server.told("table", source, tmp_path)
    assert "b.parquet was replaced in" in sentence and "look for new files" in sentence
    assert server.told("table_again", source, tmp_path)[1][0] == 20_005
    server.delete("changing/year=2026/b.parquet")
    assert server.told("table_again", source, tmp_path)[1][0] == 20_000


def test_a_damaged_file_is_named(server: S3Server, tmp_path: Path, wines: Path) -> None:
    put_all(server.put, wines, "damaged")
    server.put("damaged/year=2026/z.parquet", b"PAR1 and no more")
    told = server.told("table", f"s3://{BUCKET}/damaged", tmp_path)
    assert told.startswith("“z.parquet” cannot be read. It is cut off or damaged")


def test_refused_credentials_are_said(server: S3Server, tmp_path: Path, wines: Path) -> None:
    put_all(server.put, wines, "refused")
    source = f"s3://{BUCKET}/refused"
    with server.refusing():
        told = server.told("table", source, tmp_path)
    assert "the storage refuses it to the server's credentials" in told


@pytest.mark.posix  # the server is one, too: Windows could not keep what it serves
def test_a_web_server_sends_the_parts_that_are_used(web: Web, tmp_path: Path, wines: Path) -> None:
    put_all(web.put, wines, "parts")
    columns, (rows, _), _ = web.told("table", f"{web.url}/parts", tmp_path, REPORT)
    assert [name for name, _ in columns] == ["bottle", "acidity", "year"] and rows == 30_000
    size = sum(each.stat().st_size for each in wines.rglob("*.parquet"))
    assert 0 < sum(web.sent) < size / 4
    assert fetched(tmp_path) == sum(web.sent)
    before = len(web.sent)
    assert web.told("table", f"{web.url}/parts", tmp_path, REPORT)[1][0] == rows
    assert len(web.sent) == before
    assert web.told("table", f"{web.url}/parts", tmp_path) == told_here(wines)
    changed = web.folder / "parts/year=2026/b.parquet"
    os.utime(changed, (10**9, 10**9))
    (tmp_path / "other").mkdir()
    web.told("listed", f"{web.url}/parts", tmp_path / "other")
    os.utime(changed, (2 * 10**9, 2 * 10**9))
    assert "b.parquet was replaced in" in web.told("table", f"{web.url}/parts", tmp_path / "other")


@pytest.mark.posix
def test_a_web_server_that_sends_whole_files_only_serves_as_well(
    web: Web, tmp_path: Path, wines: Path
) -> None:
    put_all(web.put, wines, "whole")
    assert web.told("table", f"{web.url}/whole", tmp_path) == told_here(wines)
    assert not web.sent and fetched(tmp_path) == sum(
        each.stat().st_size for each in wines.rglob("*.parquet")
    )


@pytest.mark.posix
def test_an_answer_that_sends_elsewhere_is_not_followed(web: Web, tmp_path: Path) -> None:
    web.put("moved/moved.png", b"")
    web.put("secret.png", b"secret")
    assert "which is not followed" in web.told("table", f"{web.url}/moved", tmp_path)
    assert "/secret.png" not in web.asked


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("s3://key:word@bucket/wines", "neither a password nor a query"),
        ("https://host/wines/*.parquet?X-Signature=word", "neither a password nor a query"),
        ("https://host/wines/*.csv", "names no Parquet files"),
        ("s3://bucket/wines/a.parquet", "is one file"),
    ],
)
def test_what_no_address_of_parquet_files_is(typed: str, told: str) -> None:
    with pytest.raises(LabelingError, match=told) as caught:
        pattern_of(typed)
    assert "word" not in str(caught.value).replace("password", "")


def test_only_what_the_administrator_named_is_asked(
    packages: Path, tmp_path: Path, wines: Path
) -> None:
    roots = {"LABELING_REMOTE_ROOTS": "s3://ours", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    for source in ("s3://theirs/wines", "http://127.0.0.1:1/wines"):
        told = steps_told(packages, "table", source, tmp_path, **roots)
        assert "lies outside of the remote folders that may be read" in told
    assert "in full" in steps_told(packages, "table", "s3://our*/a.parquet", tmp_path, **roots)
