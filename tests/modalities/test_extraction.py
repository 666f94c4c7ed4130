from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from broken_media import broken_images, broken_sounds, encoded, photo, wave, write_all

from labeling_core.errors import LabelingError
from labeling_core.modalities import images
from labeling_core.modalities.extraction import Progress, extract, ledger_folder
from labeling_core.modalities.extraction_ledger import read_entries, read_vectors, recorder, vector
from labeling_core.modalities.registry import FEATURES
from labeling_core.sources.folders import Stamp, stamp_of

# A stand-in for a decoder that dies, hangs or fails as no one foresaw, told by the file's name.
WILD = """
import os, time
import numpy as np
FEATURES_VERSION = 1
PIXEL_COLUMNS = 0
def features(path):
    print("noise that must not mix with the answers", flush=True)
    if "dies" in path.name: os.kill(os.getpid(), 11)
    if "hangs" in path.name: time.sleep(600)
    if "raises" in path.name: raise MemoryError
    if "nan" in path.name: return np.full(3, np.nan)
    with open(path.resolve().with_name("reads.log"), "a") as log:
        log.write(f"{path.name} {os.getpid()}\\n")
    time.sleep(0.02)
    return np.arange(3.0)
"""


@pytest.fixture
def wild(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes the features ``wild`` known; returns a folder for their files."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "wild_features.py").write_text(WILD, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    monkeypatch.setitem(FEATURES, "wild", "wild_features")
    (tmp_path / "media").mkdir()
    return tmp_path / "media"


def reads(root: Path) -> list[str]:
    return [line.split()[0] for line in (root / "reads.log").read_text("utf-8").splitlines()]


def files_of(root: Path, names: list[str]) -> list[str]:
    write_all(root, {name: b"x" for name in names})
    return names


def test_good_images_are_extracted_and_broken_ones_set_aside(tmp_path: Path) -> None:
    good = {f"good_{n}.png": encoded(photo(seed=n), "PNG") for n in range(5)}
    root = write_all(tmp_path / "media", good | broken_images())
    files = [*good, *broken_images(), "vanished.png"]
    result = extract(files, root, tmp_path / "out", "images")
    assert (result.done, result.total) == (len(files), len(files))
    assert set(result.broken) == {*broken_images(), "vanished.png"}
    assert all(reason.endswith(".") for reason in result.broken.values())
    ledger = ledger_folder(tmp_path / "out", "images")
    entries, vectors = read_entries(ledger), read_vectors(ledger)
    for name in good:
        assert np.array_equal(vector(vectors, entries[name]), images.features(root / name))


def test_good_sounds_are_extracted_and_broken_ones_set_aside(tmp_path: Path) -> None:
    root = write_all(tmp_path / "media", {"a.wav": wave(1), "b.wav": wave(0.2)} | broken_sounds())
    files = sorted(path.name for path in root.iterdir())
    result = extract(files, root, tmp_path / "out", "sounds")
    assert set(result.broken) == set(broken_sounds())


def test_a_file_outside_of_the_folder_is_never_read(tmp_path: Path) -> None:
    write_all(tmp_path, {"secret.png": encoded(photo(), "PNG"), "media/x.txt": b""})
    (tmp_path / "media" / "link.png").symlink_to(tmp_path / "secret.png")
    files = ["../secret.png", str(tmp_path / "secret.png"), "link.png"]
    result = extract(files, tmp_path / "media", tmp_path / "out", "images")
    assert set(result.broken) == set(files)


def test_a_file_that_kills_or_stalls_its_reader_does_not_stop_the_rest(
    wild: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labeling_core.modalities.extraction_process.SECONDS_PER_FILE", 10.0)
    good = [f"good_{n}" for n in range(10)]
    files = files_of(wild, [*good[:5], "dies", "hangs", "raises", "nan", *good[5:], "dies_too"])
    result = extract(files, wild, tmp_path / "out", "wild", processes=2)
    assert sorted(reads(wild)) == sorted(good)
    assert result.broken == {
        "dies": "dies crashed its reader.",
        "dies_too": "dies_too crashed its reader.",
        "hangs": "hangs took more than 10 seconds.",
        "raises": "raises cannot be read (MemoryError).",
        "nan": "nan gives values that are no numbers.",
    }


def test_all_processes_take_part(wild: Path, tmp_path: Path) -> None:
    files = files_of(wild, [f"{n}" for n in range(60)])
    extract(files, wild, tmp_path / "out", "wild", processes=2)
    lines = (wild / "reads.log").read_text("utf-8").split()
    assert sorted(lines[::2]) == sorted(files) and len(set(lines[1::2])) == 2


def test_progress_tells_done_total_rate_and_time_left(wild: Path, tmp_path: Path) -> None:
    files, seen = files_of(wild, ["a", "b", "c"]), list[Progress]()
    extract(files, wild, tmp_path / "out", "wild", seen.append)
    assert [(report.done, report.total) for report in seen] == [(n, 3) for n in range(4)]
    assert seen[0].seconds_left is None and seen[-1].seconds_left == 0
    assert all(report.rate > 0 for report in seen[1:])


def test_what_was_stopped_goes_on_where_it_was(wild: Path, tmp_path: Path) -> None:
    files, seen = files_of(wild, [f"{n}" for n in range(20)]), list[Progress]()
    stopped = extract(files, wild, tmp_path / "o", "wild", seen.append, lambda: len(seen) > 5)
    assert 5 <= stopped.done < 20
    resumed = extract(files, wild, tmp_path / "o", "wild")
    assert resumed.done == 20 and sorted(reads(wild)) == sorted(files)
    assert extract(files, wild, tmp_path / "o", "wild").done == 20 and len(reads(wild)) == 20


def test_a_changed_file_and_a_new_one_are_read_again_and_no_other(
    wild: Path, tmp_path: Path
) -> None:
    files = files_of(wild, ["a", "b", "c"])
    extract(files, wild, tmp_path / "out", "wild")
    (wild / "b").write_bytes(b"longer")
    os.utime(wild / "c", (1, 1))
    extract([*files, *files_of(wild, ["d"])], wild, tmp_path / "out", "wild")
    assert sorted(reads(wild)[3:]) == ["b", "c", "d"]


def test_what_an_earlier_reading_refused_is_tried_again_once(wild: Path, tmp_path: Path) -> None:
    files = files_of(wild, ["a", "raises", "nan"])
    for reading in (0, 0, 1, 1):
        result = extract(files, wild, tmp_path / "out", "wild", reading=reading)
        assert set(result.broken) == {"raises", "nan"}
    lines = (tmp_path / "out" / "wild-1" / "entries.jsonl").read_text("utf-8").split("\n")
    assert len([line for line in lines if line.strip()]) == 3 + 2
    assert reads(wild) == ["a"]


def test_entries_of_before_readings_had_numbers_are_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "entries.jsonl").write_text('["b", 1, 2, 0, 0, "The reason."]\n', "utf-8")
    assert read_entries(tmp_path)["b"].reading == 0


def test_after_sigkill_finished_files_are_not_read_again(wild: Path, tmp_path: Path) -> None:
    files = files_of(wild, [f"{n:03d}" for n in range(150)])
    program = (
        "import json, sys; from pathlib import Path\n"
        "from labeling_core.modalities.extraction import FEATURES, extract\n"
        "FEATURES['wild'] = 'wild_features'\n"
        "extract(json.loads(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), 'wild')"
    )
    command = [sys.executable, "-c", program, json.dumps(files), str(wild), str(tmp_path / "out")]
    paths = os.environ | {"PYTHONPATH": f"{Path.cwd()}{os.pathsep}{os.environ['PYTHONPATH']}"}
    ledger = tmp_path / "out" / "wild-1"
    done = 0
    for _ in range(3):
        with subprocess.Popen(command, env=paths) as run:
            while len(read_entries(ledger)) < done + 20:
                time.sleep(0.01)
                if run.poll() is not None:
                    break  # all were read before this process had its turn
            run.kill()
        done = len(read_entries(ledger))
    assert extract(files, wild, tmp_path / "out", "wild").done == 150
    # Only what was in work at the moment of a kill (a file a process) may be read twice.
    cores = os.cpu_count() or 1
    assert set(reads(wild)) == set(files) and len(reads(wild)) <= 150 + 3 * 2 * cores


def test_children_end_when_their_parent_is_killed(wild: Path, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from labeling_core.modalities.extraction_process import ExtractionProcess\n"
        "child = ExtractionProcess('wild_features'); child.features(Path(sys.argv[1]))\n"
        "print(child.child.pid, flush=True); time.sleep(600)"
    )
    files_of(wild, ["a"])
    paths = os.environ | {"PYTHONPATH": f"{Path.cwd()}{os.pathsep}{os.environ['PYTHONPATH']}"}
    command = [sys.executable, "-c", program, str(wild / "a")]
    with subprocess.Popen(command, env=paths, stdout=subprocess.PIPE, encoding="utf-8") as run:
        assert run.stdout is not None
        child = int(run.stdout.readline())
        os.kill(run.pid, signal.SIGKILL)
    for _ in range(500):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or " Z " in state.read_text(encoding="utf-8"):
            return
        time.sleep(0.02)
    raise AssertionError("the child still runs")


def test_half_a_line_or_half_a_row_of_a_kill_is_passed_over(tmp_path: Path) -> None:
    with recorder(tmp_path) as record:
        record("a", Stamp(1, 2), np.arange(4.0))
    with (tmp_path / "vectors.f32").open("ab") as vectors:
        vectors.write(b"\x01\x02\x03")
    with (tmp_path / "entries.jsonl").open("ab") as lines:
        lines.write(b'["b", 1, 2, 16, 4')
    assert set(read_entries(tmp_path)) == {"a"}
    with recorder(tmp_path) as record:
        record("b", Stamp(1, 2), np.arange(5.0) + 7)
        record("c", Stamp(1, 2), "The reason.")
    entries, vectors = read_entries(tmp_path), read_vectors(tmp_path)
    assert np.array_equal(vector(vectors, entries["a"]), np.arange(4.0))
    assert np.array_equal(vector(vectors, entries["b"]), np.arange(5.0) + 7)
    assert entries["c"].reason == "The reason." and entries["c"].length == 0


def test_the_stamp_of_a_file_that_is_gone_is_like_no_other(tmp_path: Path) -> None:
    assert stamp_of(tmp_path / "gone") == Stamp(-1, 0)


def test_unknown_features_are_told(tmp_path: Path) -> None:
    with pytest.raises(LabelingError, match="images, images_embedding, sounds") as error:
        extract([], tmp_path, tmp_path, "smells")
    assert error.value.field == "features"


def test_no_files_are_no_trouble(tmp_path: Path) -> None:
    assert extract([], tmp_path, tmp_path / "out", "images") == (0, 0, {})
