"""The worker process on its own, without the server that talks to it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]


def features_job(folder: Path) -> dict[str, object]:
    """Features of a small table."""
    table = folder / "samples.parquet"
    pq.write_table(pa.table({"x": [1.0, 2.0, 3.0], "y": [3.0, 1.0, 2.0]}), table)
    return {
        "kind": "features", "features": "tabular", "table": str(table), "folder": str(folder),
        "exclude": [],
    }  # fmt: skip


def test_it_learns_where_the_system_knows_no_niceness(tmp_path: Path) -> None:
    code = (
        "import os, runpy\n"
        "del os.nice\n"  # as on Windows
        "runpy.run_module('labeling_core.sessions.worker', run_name='__main__')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdin and worker.stdout
        worker.stdin.write(json.dumps(features_job(tmp_path)).encode() + b"\n")
        worker.stdin.flush()
        answers = map(json.loads, worker.stdout)
        result = next(each for each in answers if "progress" not in each)
        worker.stdin.close()
    assert result == {"result": {"complete": True, "broken": {}}}


def test_it_ends_without_a_word_when_nobody_listens_any_more(tmp_path: Path) -> None:
    job = features_job(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "labeling_core.sessions.worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as worker:
        assert worker.stdin and worker.stdout and worker.stderr
        worker.stdout.close()  # as when the server is killed in mid-job; stdin may close later
        worker.stdin.write(json.dumps(job) + "\n")
        worker.stdin.flush()
        assert worker.stderr.read() == ""
        assert worker.wait(timeout=120) == 0
