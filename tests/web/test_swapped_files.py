"""A file becomes a link to something outside, and a file again, all the while: what lies outside is
never read, shown, learned from or given away."""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from annotating import Annotator
from broken_media import encoded, photo, wave, write_all
from picture_project import SETTINGS
from serving import ask, serving

from labeling_core.errors import LabelingError
from labeling_core.modalities import extraction, images, twins
from labeling_core.progress import packages
from labeling_core.progress.label_filter import ALL
from labeling_core.projects import lifecycle
from labeling_core.sources.folders import resolve_file
from labeling_core.sources.pinned import pinned
from labeling_core.web import media_links, routes, security_headers
from labeling_core.workspace import Workspace

pytestmark = [
    pytest.mark.posix,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux opens through no link"),
]
OWN, SECRET = wave(0.2), wave(0.3)
ME = "m" * 32  # a browser


def swap(place: str, outside: str) -> None:
    """Until this process is ended: a link in place of ``place``, then what was there."""
    aside, link = f"{place}.aside", f"{place}.link"
    while True:
        if not os.path.lexists(link):
            os.symlink(outside, link)
        os.rename(place, aside)
        os.rename(link, place)
        os.rename(place, link)
        os.rename(aside, place)


@contextmanager
def swapping(place: Path, outside: Path) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(
        target=swap, args=(str(place), str(outside)), daemon=True
    )
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


class Stage(NamedTuple):
    """A folder with ``inner/a.wav``, and what in it is swapped: that file, or ``inner``."""

    root: Path
    place: Path
    outside: Path


@pytest.fixture(params=["file", "folder"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    root = write_all(tmp_path / "root" / "media", {"inner/a.wav": OWN})
    outside = write_all(tmp_path / "outside", {"a.wav": SECRET})
    if request.param == "folder":
        return Stage(root, root / "inner", outside)
    return Stage(root, root / "inner" / "a.wav", outside / "a.wav")


def read_by_name(root: Path) -> bytes:
    return resolve_file(root, "inner/a.wav").read_bytes()


def read_pinned(root: Path) -> bytes:
    with pinned(resolve_file(root, "inner/a.wav")) as file:
        return file.read_bytes()


def attempt(read: Callable[[Path], bytes], root: Path) -> bytes:
    with suppress(LabelingError, OSError):
        return read(root)
    return b""


def test_what_is_pinned_is_never_what_lies_outside(stage: Stage) -> None:
    fooled = own = 0
    with swapping(stage.place, stage.outside):
        while fooled < 5 or own < 50:  # as long as who opens by name is fooled
            fooled += attempt(read_by_name, stage.root) == SECRET
            for _ in range(5):
                found = attempt(read_pinned, stage.root)
                assert found in (OWN, b"")
                own += found == OWN


@pytest.fixture
def swap_when_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Has the swap happen each time that a module has found a file to lie inside of its folder, and
    before it is opened."""

    def prepare(module: Any) -> None:
        def found(folder: Path, relative: str) -> Path:
            path = resolve_file(folder, relative)
            if relative != "inner/a.wav":
                return path
            stage.place.rename(stage.place.with_name("aside"))
            stage.place.symlink_to(stage.outside)
            return path

        monkeypatch.setattr(module, "resolve_file", found)

    return prepare


def swap_back(stage: Stage) -> None:
    assert stage.place.is_symlink()  # it was swapped indeed
    stage.place.unlink()
    stage.place.with_name("aside").rename(stage.place)


def test_it_is_not_learned_from(
    stage: Stage, tmp_path: Path, swap_when_found: Callable[[Any], None]
) -> None:
    swap_when_found(extraction)
    # Pictures are recognised by their content, and read without a wait for what reads sounds.
    (stage.root / "inner" / "a.wav").write_bytes(encoded(photo(seed=0), "PNG"))
    (stage.root.parents[1] / "outside" / "a.wav").write_bytes(encoded(photo(seed=1), "PNG"))
    found = extraction.extract(
        ["inner/a.wav"], stage.root, tmp_path / "kept", "images", processes=1
    )
    assert "is a link by now" in found.broken["inner/a.wav"]
    swap_back(stage)


def test_it_is_the_same_as_no_other_file(
    stage: Stage, tmp_path: Path, swap_when_found: Callable[[Any], None]
) -> None:
    own = encoded(photo(seed=0), "PNG")
    (stage.root / "inner" / "a.wav").write_bytes(own)
    (stage.root.parents[1] / "outside" / "a.wav").write_bytes(own)
    write_all(stage.root, {"b.wav": own})
    names = ["b.wav", "inner/a.wav"]
    extraction.extract(names, stage.root, tmp_path, "images", processes=1)
    ledger = extraction.ledger_folder(tmp_path, "images")
    assert twins.find(names, stage.root, ledger, images.content)
    swap_when_found(twins)
    assert not twins.find(names, stage.root, ledger, images.content)
    swap_back(stage)


def test_it_is_neither_shown_nor_exported(
    stage: Stage,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    swap_when_found: Callable[[Any], None],
) -> None:
    monkeypatch.setenv("LABELING_DATA_ROOTS", str(stage.root.parent))
    monkeypatch.setattr(routes, "open_workspace", lambda: workspace)
    settings = replace(SETTINGS, modality="sounds", source=str(stage.root), queries_table="")
    project = lifecycle.create_project(workspace.database, settings)
    ana = Annotator(workspace, project)
    ana.take(1)
    ana.send([ana.decision("inner/a.wav", "label", category="a")])
    viewer = media_links.Viewer(
        workspace.key, project, workspace.database.path.parent, "ana", media_links.browser_of(ME)
    )
    links = [viewer.link(kind, "inner/a.wav") for kind in ("audio", "slow", "picture")]
    with serving() as port:
        whole = ask(port, "GET", links[0], Cookie=f"{security_headers.COOKIE}={ME}")
        assert whole.body == OWN
        swap_when_found(media_links)
        for link in links:
            answer = ask(port, "GET", link, Cookie=f"{security_headers.COOKIE}={ME}")
            assert (answer.status, b"is a link by now" in answer.body) == (404, True), answer
            swap_back(stage)
    swap_when_found(packages)
    with workspace.database.read() as cursor:
        content = b"".join(packages.folder(cursor, project, ALL))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("left_out.txt") == b"inner/a.wav\n"
        assert not [each for each in archive.namelist() if each.endswith(".wav")]
    swap_back(stage)
