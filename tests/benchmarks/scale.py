"""How the core behaves at 10⁴, 10⁵ and 10⁶ samples of 64 numbers.

    python tests/benchmarks/scale.py [rows ...]

Prints, for each size: seconds to make the project and its features, seconds from the n-th
label to the new queue served, milliseconds per exchange with one decision (alone, and while
a session runs), milliseconds of what the pages ask for, and the memory of all processes.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from labeling_core.people import local_person  # noqa: E402
from labeling_core.progress import learning_curve  # noqa: E402
from labeling_core.projects import queries  # noqa: E402
from labeling_core.projects.lifecycle import create_project  # noqa: E402
from labeling_core.settings import Category, Project, Settings  # noqa: E402
from labeling_core.web import label_exchange, messages  # noqa: E402
from labeling_core.workspace import Workspace  # noqa: E402

COLUMNS, EVERY, WARM = 64, 20, 500
SETTINGS = Settings(
    title="Scale", source="scale", labels_table="scale_labels", metadata_table="scale_metadata",
    queries_table="scale_queries", categories=(Category("a"), Category("b")), every=10**9,
)  # fmt: skip


class Browser:
    """Labels without a browser; remembers how long each exchange took, in seconds."""

    def __init__(self, workspace: Workspace, project: Project) -> None:
        self.workspace, self.project, self.seq = workspace, project, 0
        self.waiting: list[dict[str, Any]] = []
        self.version = 0

    def label(self) -> float:
        """Decide on one sample; the seconds until it was stored."""
        while not self.waiting:
            self.send([], want=200)
        sample = self.waiting.pop(0)
        self.seq += 1
        first = float(sample["view"]["fields"][0][1])
        decision = {
            "client": "bench", "seq": self.seq, "sample_id": sample["sample_id"],
            "action": "label", "category": "a" if first > 0 else "b",
        }  # fmt: skip
        return self.send([decision], want=0)

    def send(self, decisions: list[dict[str, Any]], want: int) -> float:
        started = time.perf_counter()
        message = {
            "client": "bench", "message": self.seq, "decisions": decisions, "want": want,
            "holding": [each["sample_id"] for each in self.waiting],
            "version": self.version,
        }  # fmt: skip
        by = local_person("ana")
        reply = label_exchange.answer(
            self.workspace, self.project.project_id, by, messages.parse(message)
        )
        took = time.perf_counter() - started
        dropped = set(reply["drop"])
        self.waiting = [each for each in self.waiting if each["sample_id"] not in dropped]
        self.waiting += reply["samples"]
        self.version = reply["learning"]["version"]
        return took


def measure(rows: int, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (what, figure) for a project of ``rows`` samples."""
    workspace = Workspace(folder / f"scale-{rows}.duckdb")
    listed = ", ".join(f"random() - 0.5 AS c{i}" for i in range(COLUMNS))
    with workspace.database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE scale AS SELECT {listed} FROM range({rows})")
    seconds, project = timed(lambda: create_project(workspace.database, SETTINGS))
    yield "make the project", f"{seconds:.1f} s"
    workspace.loop.prepare(project)
    yield "features", f"{timed(lambda: wait(workspace, project))[0]:.1f} s"
    browser = Browser(workspace, project)
    alone = [browser.label() for _ in range(WARM)]
    yield "decision stored", spread(alone)
    for name in ("first", "second", "third"):
        memory: list[float] = []
        done = threading.Event()
        watcher = threading.Thread(target=watch, args=(memory, done))
        watcher.start()
        started = time.perf_counter()
        workspace.loop.start_session(project, "hand")
        during = []
        while workspace.loop.trainer.running(project.project_id):
            during.append(browser.label())
            time.sleep(0.05)
        browser.send([], want=20)
        yield f"{name} session until its queue is served", f"{time.perf_counter() - started:.2f} s"
        yield "decision stored meanwhile", spread(during)
        done.set()
        watcher.join()
        yield "memory, all processes", f"{max(memory):,.0f} MB"
    yield from pages(workspace, project)
    workspace.close()


def pages(workspace: Workspace, project: Project) -> Iterator[tuple[str, str]]:
    """What the pages ask the database for."""
    queue = workspace.queue(project)
    asked: dict[str, Callable[[Any], object]] = {
        "projects at a glance": lambda cursor: learning_curve.summary(cursor, project, queue),
        "histogram": lambda cursor: queries.histogram(cursor, project),
        "head of the queue": lambda cursor: queries.head(cursor, project, "margin"),
        "learning curve": lambda cursor: learning_curve.sessions(cursor, project, queue),
        "labels over time": lambda cursor: learning_curve.labels_over_time(cursor, project),
    }
    for name, ask in asked.items():
        with workspace.database.read() as cursor:
            times = [timed(lambda ask=ask, cursor=cursor: ask(cursor))[0] for _ in range(5)]
        yield name, spread(times)
    workspace.open_projects.forget(project.project_id)
    yield "queue rebuilt after a restart", f"{timed(lambda: workspace.queue(project))[0]:.2f} s"


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def wait(workspace: Workspace, project: Project) -> None:
    while workspace.loop.trainer.running(project.project_id):
        time.sleep(0.01)


def spread(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return f"p50 {statistics.median(ordered) * 1e3:.1f} ms, p95 {high * 1e3:.1f} ms"


def watch(memory: list[float], done: threading.Event) -> None:
    """Proportional memory of this process and its children, in MB."""
    memory.append(0.0)
    while not done.wait(0.1):
        mine = str(Path("/proc/self").resolve().name)
        children = Path(f"/proc/{mine}/task/{mine}/children").read_text(encoding="utf-8").split()
        memory.append(sum(anonymous(pid) for pid in (mine, *children)))


def anonymous(pid: str) -> float:
    """Memory of a process that is its own (pages of mapped files are the system's cache)."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return float(text.split("RssAnon:")[1].split()[0]) / 1024


if __name__ == "__main__":
    for size in [int(each) for each in sys.argv[1:]] or [10_000, 100_000, 1_000_000]:
        print(f"\n{size:,} samples x {COLUMNS}")
        with tempfile.TemporaryDirectory() as where:
            for what, figure in measure(size, Path(where)):
                print(f"  {what:45} {figure}", flush=True)
