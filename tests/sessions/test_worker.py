"""The worker process on its own, without the server that talks to it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]


def test_it_ends_without_a_word_when_nobody_listens_any_more(tmp_path: Path) -> None:
    table = tmp_path / "samples.parquet"
    pq.write_table(pa.table({"x": [1.0, 2.0, 3.0], "y": [3.0, 1.0, 2.0]}), table)
    job = {
        "kind": "features", "features": "tabular", "table": str(table), "folder": str(tmp_path),
        "exclude": [],
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "labeling_core.sessions.worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdin and worker.stdout and worker.stderr
        worker.stdout.close()  # as when the server is killed in mid-job; stdin may close later
        worker.stdin.write(json.dumps(job) + "\n")
        worker.stdin.flush()
        assert worker.stderr.read() == ""
        assert worker.wait(timeout=120) == 0
