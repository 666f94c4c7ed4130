"""Work in pieces: here, and on a real Dask cluster of which a worker is killed."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import dask_client
import pytest
from broken_media import encoded, photo, wave, write_all
from dask_cluster import DaskCluster

from labeling_core.errors import LabelingError
from labeling_core.learning import pieces
from labeling_core.modalities import extraction
from labeling_core.modalities.extraction import extract, ledger_folder
from labeling_core.modalities.extraction_ledger import read_entries, read_vectors, vector
from labeling_core.modalities.feature_matrix import matrix


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Two workers; those that a test has killed are replaced for the next."""
    cluster = DaskCluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.fixture
def whole(cluster: DaskCluster) -> DaskCluster:
    for number, worker in enumerate(cluster.workers):
        if worker.poll() is not None:
            cluster.workers[number] = cluster.add_worker(number)
    return cluster


@pytest.fixture
def media(tmp_path: Path) -> Path:
    files = {f"{n:03}.png": encoded(photo(seed=n), "PNG") for n in range(40)}
    return write_all(tmp_path / "media", files | {"cut.png": encoded(photo(), "PNG")[:200]})


def numbers(folder: Path, features: str) -> dict[str, bytes | str]:
    """What the ledger has of each file."""
    ledger = ledger_folder(folder, features)
    vectors = read_vectors(ledger)
    return {
        path: entry.reason or vector(vectors, entry).tobytes()
        for path, entry in read_entries(ledger).items()
    }


@pytest.mark.parametrize("ordered", [True, False])
def test_all_pieces_come_back(ordered: bool) -> None:
    found = list(pieces.done(pow, ((n, 2) for n in range(20)), 2, 60, ordered))
    assert (found if ordered else sorted(found)) == [number**2 for number in range(20)]


def test_a_worker_that_is_killed_costs_its_piece_and_changes_nothing(
    whole: DaskCluster, media: Path, tmp_path: Path
) -> None:
    here, there, files = tmp_path / "here", tmp_path / "there", dask_client.files_of(media)
    found = extract(files, media, here, "images")
    assert set(found.broken) == {"cut.png"}
    told = []
    for line in whole.lines("extract", str(media), str(there), "images"):
        told.append(int(line))
        if told[-1] == 10:
            whole.kill(0)
    assert told == list(range(len(files) + 1))  # each file is done once
    assert numbers(there, "images") == numbers(here, "images")
    made = [folder / "matrix.npy" for folder in (here, there)]
    for target in made:
        matrix(files, media, target.parent, "images", target)
    assert made[0].read_bytes() == made[1].read_bytes()


def test_sounds_are_the_same_from_the_cluster(whole: DaskCluster, tmp_path: Path) -> None:
    root = write_all(tmp_path / "sounds", {f"{n}.wav": wave(0.3 + n / 50) for n in range(6)})
    extract(dask_client.files_of(root), root, tmp_path / "here", "sounds")
    assert whole.told("extract", str(root), str(tmp_path / "there"), "sounds").endswith("6\n")
    assert numbers(tmp_path / "there", "sounds") == numbers(tmp_path / "here", "sounds")


def test_a_simulation_on_the_cluster_is_the_one_of_here(whole: DaskCluster) -> None:
    assert json.loads(whole.told("simulate")) == json.loads(dask_client.runs())


def test_what_fails_there_is_one_sentence(whole: DaskCluster) -> None:
    told = whole.told("call", "truediv", "60")
    assert "failed (ZeroDivisionError: " in told and "what was finished is kept" in told
    nobody = "dask://127.0.0.1:9"
    told = whole.told("call", "add", "60", cluster=nobody)
    assert told.startswith("There is no Dask scheduler at 127.0.0.1:9: start it")


def test_workers_that_do_not_answer_are_not_waited_for(whole: DaskCluster) -> None:
    for each in whole.workers:
        each.send_signal(signal.SIGSTOP)
    try:
        told = whole.told("call", "add", "2")
    finally:
        for each in whole.workers:
            each.send_signal(signal.SIGCONT)
    assert "has not answered for 2 seconds" in told


def test_a_folder_that_workers_do_not_have_is_told_and_no_file_is_blamed(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = dask_client.files_of(media)
    gone = [(files[0], extraction.Stamp(-1, 0), "is no longer there")]
    monkeypatch.setattr(pieces, "done", lambda *_: iter([gone]))
    with pytest.raises(LabelingError, match=r"does not find “000\.png”"):
        extract(files, media, tmp_path / "there", "images")
    assert not read_entries(ledger_folder(tmp_path / "there", "images"))


@pytest.mark.parametrize("package", ["dask", "distributed"])
def test_a_package_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setenv("LABELING_CLUSTER", "dask://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LabelingError, match=r"Dask is not installed: run pip install 'dask\["):
        list(pieces.done(pow, [(1, 2)], 1, 60))


def test_other_versions_are_refused() -> None:
    worker = {"tcp://w:1": pieces.versions() | {"numpy": "1.0"}}
    with pytest.raises(LabelingError, match=r"worker tcp://w:1 .* has numpy 1\.0"):
        pieces._require_same(worker)
