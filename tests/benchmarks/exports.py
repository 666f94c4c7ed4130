"""A million labels taken away through the route: time to the first byte, in all, peak memory.

    python tests/benchmarks/exports.py [rows]

Memory is that of a process with the app's core and nothing else, in it the database's own.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from annotating import LOCAL, SETTINGS  # noqa: E402

from labeling_core import use_cases  # noqa: E402
from labeling_core.web import exports  # noqa: E402
from labeling_core.workspace import Workspace  # noqa: E402


def prepare(path: Path, rows: int) -> None:
    """A project of 12 columns in which every sample has a label."""
    workspace = Workspace(path)
    with workspace.database.transaction() as cursor:
        numbers = ", ".join(f"hash(i, {n}) / 1e18 AS number_{n}" for n in range(8))
        cursor.execute(
            f"CREATE TABLE wine AS SELECT i AS bottle, {numbers}, 'cask ' || i % 50 AS cask, "
            "md5(i::VARCHAR) AS code, DATE '2020-01-01' + (i % 1000)::INTEGER AS day "
            f"FROM range({rows}) t(i)"
        )
    project = use_cases.create_project(workspace, replace(SETTINGS, every=10**9), LOCAL)
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO wine_metadata (label_id, sample_id, status, label, session_id, annotator, "
            "labeled_at, origin, seconds) SELECT i + 1, i + 1, 'LABELED', 'red', 0, 'ana', now(), "
            f"'query', 1.5 FROM range({rows}) t(i)"
        )
        cursor.execute("INSERT INTO wine_labels SELECT *, 'red', bottle + 1 FROM wine")
        cursor.execute(
            "INSERT INTO labeling.events (event_id, happened, project_id, annotator, kind, "
            "sample_id, label_id, detail) SELECT 1000 + i, now(), ?, 'ana', 'label', i + 1, i + 1, "
            f"'{{}}' FROM range({rows}) t(i)",
            [project.project_id],
        )
    workspace.close()


def measure(path: Path, what: str, form: str) -> None:
    """One export in a process of its own, printed as a row."""
    workspace = Workspace(path)
    project = workspace.project("wine")
    workspace.queue(project)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    pieces = exports.export(workspace, project, what, form, LOCAL).pieces
    size = len(next(pieces))
    first = time.perf_counter() - start
    size += sum(map(len, pieces))
    whole = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"| {what} | {form} | {size / 1e6:.0f} MB | {first:.2f} s | {whole:.1f} s "
        f"| {peak / 1024:.0f} MB (before: {before / 1024:.0f}) |",
        flush=True,
    )
    workspace.close()


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exports.duckdb"
        prepare(path, rows)
        print(
            "| what | form | size | first piece | whole | peak memory |\n|---|---|---|---|---|---|"
        )
        sys.stdout.flush()
        for what, form in [
            ("labels", "CSV"), ("labels", "Parquet"), ("labels", "JSON lines"),
            ("metadata", "CSV"), ("history", "CSV"), ("source with labels", "CSV"),
            ("source with labels", "Parquet"), (exports.LABEL_STUDIO, ""), (exports.DATABASE, ""),
        ]:  # fmt: skip
            child = os.fork()
            if not child:
                measure(path, what, form)
                os._exit(0)
            os.waitpid(child, 0)


if __name__ == "__main__":
    main()
