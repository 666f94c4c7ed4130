"""A million labels downloaded from the real app: time to the first byte, in all, peak memory.

    python tests/benchmarks/exports.py [rows [EXPORT ...]]

``EXPORT`` is one by its name, such as "labels" or "Label Studio"; without any all are taken.

Memory is that of the whole app with its child programs, the cache of the database included. Needs
Linux, which tells it.
"""

from __future__ import annotations

import http.client
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(ROOT / "tests" / "support")]

from annotating import LOCAL, SETTINGS  # noqa: E402
from app_server import AppServer  # noqa: E402

from labeling_core import use_cases  # noqa: E402
from labeling_core.access import tokens  # noqa: E402
from labeling_core.store.file_names import files_of  # noqa: E402
from labeling_core.web import exports, media_links, security_headers  # noqa: E402
from labeling_core.workspace import Workspace  # noqa: E402

COOKIE = "b" * 32  # of a browser


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


def programs(pid: int) -> list[Path]:
    """What Linux knows of a process and of its descendants."""
    found = [Path(f"/proc/{pid}")]
    for task in found[0].glob("task/*/children"):
        for child in task.read_text("ascii").split():
            found += programs(int(child))
    return found


def memory(server: AppServer, which: str) -> float:
    """MB of all processes: ``VmRSS`` now, ``VmHWM`` the most since :func:`forget`."""
    assert server.process
    lines = (
        line
        for each in programs(server.process.pid)
        for line in (each / "status").read_text("utf-8").splitlines()
    )
    return sum(int(line.split()[1]) for line in lines if line.startswith(which)) / 1024


def forget(server: AppServer) -> None:
    """Have the peaks begin anew."""
    assert server.process
    for each in programs(server.process.pid):
        (each / "clear_refs").write_text("5", "ascii")


def measure(server: AppServer, what: str, form: str) -> None:
    """One download, printed as a row."""
    browser = media_links.browser_of(COOKIE)
    asked = exports.Link(
        "wine", "ana", browser, what, form, False, [[], [], None, None, None], media_links.end()
    )
    key = tokens.read_key(files_of(server.path), "local")
    forget(server)
    before, start = memory(server, "VmRSS"), time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    sent = {"Cookie": f"{security_headers.COOKIE}={COOKIE}"}
    connection.request("GET", "/" + exports.link(key, asked), headers=sent)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    size = len(answer.read(1))
    first = time.perf_counter() - start
    while piece := answer.read(1 << 20):
        size += len(piece)
    whole = time.perf_counter() - start
    connection.close()
    print(
        f"| {what} | {form} | {size / 1e6:.0f} MB | {first:.2f} s | {whole:.1f} s "
        f"| {memory(server, 'VmHWM'):.0f} MB (before: {before:.0f}) |",
        flush=True,
    )


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    chosen = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        server = AppServer(Path(folder))
        prepare(server.path, rows)
        print(
            f"Load {os.getloadavg()[0]:.1f}.\n\n| what | form | size | first byte | whole "
            "| peak memory |\n|---|---|---|---|---|---|"
        )
        for what, form in [
            ("labels", "CSV"), ("labels", "Parquet"), ("labels", "JSON lines"),
            ("metadata", "CSV"), ("history", "CSV"), ("source with labels", "CSV"),
            ("source with labels", "Parquet"), (exports.LABEL_STUDIO, ""), (exports.DATABASE, ""),
        ]:  # fmt: skip
            if chosen and what not in chosen:
                continue
            server.start()
            measure(server, what, form)
            server.stop()


if __name__ == "__main__":
    main()
