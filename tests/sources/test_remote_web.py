"""Folders on a real web server: what its pages list, and what it sends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import from_pypi
import pytest
from s3_server import S3FS
from web_server import Web


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    packages = from_pypi.install(tmp_path_factory.mktemp("web") / "packages", *S3FS)
    web = Web(tmp_path_factory.mktemp("served"), packages)
    yield web
    web.server.shutdown()
    web.server.server_close()


@pytest.mark.posix  # the server is one, too: Windows could not keep what it serves
def test_a_folder_is_listed_and_its_files_are_kept(web: Web, tmp_path: Path) -> None:
    names = ["a b.png", "deep/er/über #1?.png", "percent%20.png", "plain.png"]
    for name in [*names, "deep/.hidden.png", "deep/notes.txt"]:
        web.put(f"kept/{name}", name.encode())
    (web.folder / "kept" / "empty").mkdir()
    source = f"{web.url}/kept"
    assert "has not been listed" in web.told("known", source, tmp_path)
    files, refusals = web.told("listed", source, tmp_path)
    assert files == ["a b.png", "percent%20.png", "plain.png"]
    assert [name for name, _ in refusals] == ["deep/.hidden.png", "deep/er/über #1_.png"]
    assert web.told("read", source, tmp_path, *files) == files
    before = len(web.asked)
    assert web.told("read", source, tmp_path, *files) == files
    assert len(web.asked) == before


def test_what_is_replaced_or_gone_is_said_and_seen_by_looking_again(
    web: Web, tmp_path: Path
) -> None:
    source = f"{web.url}/changing"
    for name in ("gone.png", "replaced.png", "same.png"):
        web.put(f"changing/{name}", b"before")
    web.told("listed", source, tmp_path)
    web.put("changing/replaced.png", b"afterwards")
    (web.folder / "changing/gone.png").unlink()
    assert web.told("read", source, tmp_path, "gone.png", "replaced.png", "same.png") == [
        f"LabelingError: gone.png is not in {source} any more: look for new files.",
        f"LabelingError: replaced.png was replaced in {source} since it was listed: look for new "
        "files.",
        "before",
    ]
    assert web.told("listed", source, tmp_path)[0] == ["replaced.png", "same.png"]
    assert web.told("read", source, tmp_path, "replaced.png") == ["afterwards"]


def test_no_link_leads_out_of_the_folder(web: Web, tmp_path: Path) -> None:
    web.put("secret.png", b"secret")
    web.put("odd/plain.png", b"plain")
    files, refusals = web.told("listed", f"{web.url}/odd", tmp_path)
    assert files == ["plain.png"]
    untold = "The server does not tell its size, and its date or ETag."
    assert refusals == [[name, untold] for name in ("gone.png", "moved.png", "no_date.png")]
    assert "/secret.png" not in web.asked


def test_an_answer_that_sends_elsewhere_is_not_followed(web: Web, tmp_path: Path) -> None:
    web.put("secret.png", b"secret")
    web.put("moved/moved.png", b"")
    sentence = f"The server sends {web.url}/moved/moved.png on to another address, which is not"
    assert sentence in web.told("listed", f"{web.url}/moved", tmp_path)
    assert "/secret.png" not in web.asked


def test_what_goes_wrong_is_one_sentence(web: Web, tmp_path: Path) -> None:
    web.put("refused/a.png", b"a")
    source = f"{web.url}/refused"
    assert web.told("listed", source, tmp_path) == (
        f"OutOfReachError: The folder {source} cannot be read: the storage refuses it to the "
        "server's credentials."
    )
    gone = f"{web.url}/nowhere"
    assert web.told("listed", gone, tmp_path) == f"LabelingError: There is no folder {gone}."
    web.put("endless/x.png", b"12345678")
    endless = f"{web.url}/endless"
    assert web.told("listed", endless, tmp_path)[0] == ["x.png"]
    (told,) = web.told("read", endless, tmp_path, "x.png")
    assert "x.png" in told and told.endswith("look for new files.")  # another date
    nobody = "http://127.0.0.1:1/x"
    told = web.told("listed", nobody, tmp_path, LABELING_REMOTE_ROOTS=nobody)
    assert told == (
        f"NoAnswerError: The folder {nobody} cannot be read: the storage cannot be reached "
        "(ClientConnectorError). Try again later."
    )


def test_a_password_comes_from_netrc(web: Web, tmp_path: Path) -> None:
    web.put("netrc/a.png", b"a")
    source = f"{web.url}/netrc"
    assert "refuses it" in web.told("listed", source, tmp_path)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n", "utf-8")
    told = web.told("listed", source, tmp_path, NETRC=str(tmp_path / "netrc"))
    assert told[0] == ["a.png"]
