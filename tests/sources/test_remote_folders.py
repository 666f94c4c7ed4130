"""Folders on S3: a real server, real files, and all that goes wrong between them and here."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from s3_server import BUCKET, S3Server

from labeling_core import config
from labeling_core.errors import LabelingError
from labeling_core.projects import lifecycle
from labeling_core.settings import Settings
from labeling_core.sources import remote_folders
from labeling_core.sources.folders import chosen_folder, source_folder
from labeling_core.store.database import Database

DIGITS = Path(__file__).parents[2] / "data" / "digits"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


def test_a_folder_is_listed_once_and_its_files_are_kept(server: S3Server, tmp_path: Path) -> None:
    for name in ("a.png", "deep/er/b.png", "c.txt", "é.png"):
        server.put(f"kept/{name}", name.encode())
    server.put("kept2/other.png", b"of another folder")
    source = f"s3://{BUCKET}/kept"
    assert server.told("known", source, tmp_path) == (
        f"LabelingError: The folder '{source}' has not been listed on this server yet: look for "
        "new files."
    )
    files, refusals = server.told("listed", source, tmp_path)
    assert files == ["a.png", "deep/er/b.png", "é.png"]
    assert refusals == []
    assert not [*tmp_path.glob(f"remote/*/{remote_folders.FETCHED}/**/*")]
    assert server.told("read", source, tmp_path, *files) == files
    out = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}  # nobody is there
    assert server.told("known", source, tmp_path, **out) == files
    assert server.told("read", source, tmp_path, *files, **out) == files


def test_what_is_replaced_gone_and_new_is_seen_by_looking_again(
    server: S3Server, tmp_path: Path
) -> None:
    source = f"s3://{BUCKET}/changing"
    for name in ("gone.png", "replaced.png", "same.png"):
        server.put(f"changing/{name}", b"before")
    server.told("listed", source, tmp_path)
    stamps = {each.name: each.stat().st_mtime_ns for each in tmp_path.glob("remote/*/listed/*")}
    server.put("changing/replaced.png", b"behind")  # of the same size, within the same second
    server.put("changing/new.png", b"new")
    server.delete("changing/gone.png")
    assert server.told("read", source, tmp_path, "gone.png", "replaced.png", "same.png") == [
        f"LabelingError: gone.png is not in {source} any more: look for new files.",
        f"LabelingError: replaced.png was replaced in {source} since it was listed: look for new "
        "files.",
        "before",
    ]
    files, _ = server.told("listed", source, tmp_path)
    assert files == ["new.png", "replaced.png", "same.png"]
    assert server.told("read", source, tmp_path, *files) == ["new", "behind", "before"]
    after = {each.name: each.stat().st_mtime_ns for each in tmp_path.glob("remote/*/listed/*")}
    assert after["same.png"] == stamps["same.png"]
    assert after["replaced.png"] != stamps["replaced.png"]


def test_names_that_no_file_here_can_have_are_refused_with_reasons(
    server: S3Server, tmp_path: Path
) -> None:
    odd = (
        "../up.png", "x/../../up.png", "/root.png", "a//b.png", "./c.png", ".hidden.png", "CON.png",
        "back\\slash.png", "colon:.png", "a.png", "A.PNG", "is/folder.png", "is", "tab\t.png",
        "e\u0301.png", "x" * 230 + ".png",
    )  # fmt: skip
    for name in odd:
        server.put(f"odd/{name}", b"odd")
    files, refusals = server.told("listed", f"s3://{BUCKET}/odd", tmp_path / "home")
    assert files == ["A.PNG", "is/folder.png"]
    assert len(refusals) == len(odd) - len(files)
    assert all(reason.endswith(".") for _, reason in refusals)
    assert ["tab_.png", "Not every system can keep a file of this name: rename it."] in refusals
    (home,) = tmp_path.iterdir()
    written = {each.name for each in home.rglob("*") if each.is_file()}
    assert written == {"A.PNG", "folder.png", "remote.json", "refused.json"}


def test_a_name_may_turn_from_a_file_to_a_folder_and_back(server: S3Server, tmp_path: Path) -> None:
    source = f"s3://{BUCKET}/turning"
    for first, then in (("x.png", "x.png/y.png"), ("x.png/y.png", "x.png")):
        server.put(f"turning/{first}", first.encode())
        assert server.told("listed", source, tmp_path)[0] == [first]
        assert server.told("read", source, tmp_path, first) == [first]
        server.delete(f"turning/{first}")
        server.put(f"turning/{then}", then.encode())
        assert server.told("listed", source, tmp_path)[0] == [then]
        assert server.told("read", source, tmp_path, then) == [then]
        server.delete(f"turning/{then}")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("s3://other/pictures", "lies outside of the remote folders that may be read (s3://ours/p"),
        ("s3://ours/pub", "lies outside of the remote folders"),
        ("s3://ours", "lies outside of the remote folders"),
        ("s3://ours/p/../private", "is no folder that can be read"),
        ("s3://ours/p/*", "is no folder that can be read"),
        ("s3://ours/p//x", "is no folder that can be read"),
        ("http://169.254.169.254/latest/meta-data", "lies outside of the remote folders"),
        ("https://ours/p/%2e%2e/private", "is no folder that can be read"),
        ("https://ours/p@2/x y/", "lies outside of the remote folders"),
        ("https://key:secret@ours/p", "holds neither a password nor a query"),
        ("file:///etc", "is no folder that can be read"),
        ("s3://key:secret@ours/p", "holds neither a password nor a query"),
        ("s3://ours/p?X-Amz-Signature=secret", "holds neither a password nor a query"),
    ],
)
def test_only_what_the_administrator_named_is_asked(
    source: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELING_REMOTE_ROOTS", "s3://ours/p, s3://theirs/q/")
    assert config.REMOTE_ROOTS.get() == ("s3://ours/p", "s3://theirs/q")
    for find in (chosen_folder, source_folder):
        with pytest.raises(LabelingError) as raised:
            find(source, tmp_path)
        assert sentence in str(raised.value)
        assert "secret" not in str(raised.value)
    assert not (tmp_path / remote_folders.REMOTE).exists()


@pytest.mark.parametrize("roots", ["ours/p", "s3://key:secret@ours", "s3://ours/*", "ftp://x/y"])
def test_a_root_that_is_none_is_said(roots: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELING_REMOTE_ROOTS", roots)
    with pytest.raises(LabelingError, match="LABELING_REMOTE_ROOTS is"):
        config.REMOTE_ROOTS.get()


def test_a_folder_that_passes_itself_off_as_remote_asks_for_nothing_else(
    server: S3Server, tmp_path: Path
) -> None:
    server.put("secret.txt", b"secret")
    listed = tmp_path / "listed"
    listed.mkdir()
    (tmp_path / "remote.json").write_text(json.dumps(f"s3://{BUCKET}"), "utf-8")
    (listed / "secret.txt").write_text(json.dumps({"remote": [6, 0, ""]}), "utf-8")
    (listed / "own.png").write_text("no note", "utf-8")
    roots = {"LABELING_REMOTE_ROOTS": f"s3://{BUCKET}/public"}
    secret, own = server.told("read_below", listed, "secret.txt", "own.png", **roots)
    assert "lies outside of the remote folders" in secret
    assert own == "LabelingError: own.png is no file of a remote folder."


def test_recordings_elsewhere_are_not_cut(tmp_path: Path) -> None:
    settings = Settings("far", "sounds", f"s3://{BUCKET}/far", window_seconds=5.0)
    database = Database(tmp_path / "cut.duckdb")
    with database.read() as cursor:
        told = lifecycle.problems(cursor, settings)
    database.close()
    assert [each.sentence for each in told if each.field == "window_seconds"] == [
        "Recordings in a bucket are not cut into windows: enter 0, or copy them to a folder on the "
        "server."
    ]


def test_without_the_package_its_command_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELING_REMOTE_ROOTS", "s3://ours")
    with pytest.raises(LabelingError, match="run pip install s3fs, and start the app again"):
        chosen_folder("s3://ours/p", tmp_path)


def test_what_cannot_be_had_is_one_sentence_and_what_is_here_goes_on(
    server: S3Server, tmp_path: Path
) -> None:
    source = f"s3://{BUCKET}/failing"
    for name in ("a.png", "b.png"):
        server.put(f"failing/{name}", name.encode())
    files, _ = server.told("listed", source, tmp_path)
    assert server.told("read", source, tmp_path, "a.png") == ["a.png"]
    nobody = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    sentence = (
        f"NoAnswerError: The folder {source} cannot be read: the storage cannot be reached "
        "(EndpointConnectionError). Try again later."
    )
    assert server.told("listed", source, tmp_path, **nobody) == sentence
    assert server.told("read", source, tmp_path, *files, **nobody) == ["a.png", sentence]
    assert server.told("known", source, tmp_path, **nobody) == files
    assert server.told("listed", f"s3://{BUCKET}/empty", tmp_path) == (
        f"LabelingError: There are no files below s3://{BUCKET}/empty."
    )
    no_bucket = {"LABELING_REMOTE_ROOTS": "s3://nothing"}
    assert server.told("listed", "s3://nothing/x", tmp_path, **no_bucket) == (
        "LabelingError: There is no folder s3://nothing/x."
    )
    small = {"LABELING_REMOTE_CACHE": "0.000001"}
    assert server.told("read", source, tmp_path, "b.png", **small) == [
        "LabelingError: b.png has 0 MB, and LABELING_REMOTE_CACHE lets remote files take 0 MB here."
    ]
    for name in files:
        server.delete(f"failing/{name}")
    assert "There are no files" in server.told("listed", source, tmp_path)
    assert server.told("known", source, tmp_path) == files


class _Odd(BaseHTTPRequestHandler):
    """A storage that answers ``b.png`` with half of it, ``c.png`` after a long time."""

    def do_HEAD(self) -> None:
        self._head()

    def _head(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.send_header("ETag", '"x"')
        self.send_header("Last-Modified", "Sun, 29 Nov 2026 07:00:00 GMT")
        self.end_headers()

    def do_GET(self) -> None:
        if "list-type" not in self.path:
            time.sleep(10 if "c.png" in self.path else 0)
            self._head()
            self.wfile.write(b"half" * 100)
            self.close_connection = True
            return
        one = (
            "<Contents><Key>p/{}.png</Key><LastModified>2026-11-29T07:00:00.000Z</LastModified>"
            "<ETag>&quot;x&quot;</ETag><Size>1000</Size></Contents>"
        )
        content = f"<ListBucketResult>{one.format('b')}{one.format('c')}</ListBucketResult>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_: object) -> None: ...


@contextmanager
def odd_storage() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_half_a_file_and_one_that_does_not_come_are_not_taken(
    server: S3Server, tmp_path: Path
) -> None:
    source = f"s3://{BUCKET}/p"
    with odd_storage() as address:
        there = {"AWS_ENDPOINT_URL": address}
        assert server.told("listed", source, tmp_path, **there)[0] == ["b.png", "c.png"]
        (half,) = server.told("read_soon", source, tmp_path, "b.png", **there)
        (late,) = server.told("read_soon", source, tmp_path, "c.png", **there)
    assert half.startswith("NoAnswerError: The folder s3://pictures/p cannot be read: ")
    assert late == (
        f"NoAnswerError: The folder {source} cannot be read: the storage did not answer in time. "
        "Try again later."
    )
    left = [each for each in tmp_path.rglob("*") if each.is_file() and "listed" not in str(each)]
    assert {each.name for each in left} == {"remote.json", "refused.json"}


def test_features_are_those_of_the_same_files_here_whatever_fails_between(
    server: S3Server, tmp_path: Path
) -> None:
    local, home, source = tmp_path / "local", tmp_path / "home", f"s3://{BUCKET}/features"
    local.mkdir()
    for each in sorted(DIGITS.glob("*.png"))[:30]:
        (local / each.name).write_bytes(each.read_bytes())
    (local / "broken.png").write_bytes(b"no picture")
    names = server.put_folder(local, "features")
    assert sorted(server.told("listed", source, home)[0]) == names
    server.told("read", source, home, *names[:10])
    nobody = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    told = server.told("extracted_there", source, home, tmp_path / "there", **nobody)
    assert told.startswith("NoAnswerError: ")  # and nothing is set aside for it
    done, broken, numbers = server.told("extracted_there", source, home, tmp_path / "there")
    assert done == 31
    assert [*broken] == ["broken.png"]
    assert [done, broken, numbers] == server.told("extracted", local, tmp_path / "here")


def test_a_storage_that_refuses_the_credentials_is_said(server: S3Server, tmp_path: Path) -> None:
    source = f"s3://{BUCKET}/refused"
    server.put("refused/a.png", b"a")
    assert server.told("listed", source, tmp_path)[0] == ["a.png"]
    refused = "cannot be read: the storage refuses it to the server's credentials."
    with server.refusing():
        folder = server.told("listed", source, tmp_path)
        (file,) = server.told("read", source, tmp_path, "a.png")
    assert folder == f"OutOfReachError: The folder {source} {refused}"
    assert file == f"OutOfReachError: a.png of {source} {refused}"
    assert server.told("read", source, tmp_path, "a.png") == ["a"]


def test_what_was_not_asked_for_longest_goes(tmp_path: Path) -> None:
    now = time.time()
    for number in range(10):
        path = tmp_path / "some" / remote_folders.FETCHED / f"{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
        os.utime(path, (now - 1000 + number, now))
    listed = tmp_path / "some" / remote_folders.LISTED / "0.png"
    listed.parent.mkdir()
    listed.write_bytes(b"x" * 100)
    assert remote_folders.trim(tmp_path, 1200) == 0
    assert remote_folders.trim(tmp_path, 700, young=997.5) == 3  # three are old enough
    left = sorted(each.stem for each in tmp_path.glob(f"*/{remote_folders.FETCHED}/**/*.png"))
    assert left == ["3", "4", "5", "6", "7", "8", "9"]
    assert remote_folders.trim(tmp_path, 700) == 1
    assert listed.exists()
