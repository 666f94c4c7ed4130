"""How the core grows with the pool: 10³ to 10⁶ samples of 64 numbers, and as far as memory allows.

    python tests/benchmarks/scale.py [rows ...] [--only make,features,decision,session,memory,
        predict,pages,csv] [--columns 64] [--json FILE] [--plot FILE.svg]

Prints a line of the table for each thing and size, with its target where there is one, and over
the sizes the exponent e of cost ~ samplesᵉ, fitted by least squares to the logarithms. What a
decision costs is that of the core, without HTTP and browser: those are in deck_latency.py and
load.py. ``predict`` is by turns with scikit-learn and modAL's selection on the same arrays.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from labeling_core import use_cases  # noqa: E402
from labeling_core.learning.classifiers import fit, predict_probabilities  # noqa: E402
from labeling_core.learning.strategies import rank  # noqa: E402
from labeling_core.people import local_person  # noqa: E402
from labeling_core.progress import learning_curve  # noqa: E402
from labeling_core.projects import queries  # noqa: E402
from labeling_core.settings import Category, Project, Settings  # noqa: E402
from labeling_core.sources.importing import inspect  # noqa: E402
from labeling_core.sources.uploads import Upload  # noqa: E402
from labeling_core.web import label_exchange, messages  # noqa: E402
from labeling_core.workspace import Workspace  # noqa: E402

WARM, MEMORY_OF_A_ROW = 500, 40  # decisions; bytes that a number takes at most, all told
PARTS = ("make", "features", "decision", "session", "memory", "predict", "pages", "csv")
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


class Line(NamedTuple):
    """A figure at a size; ``target`` is in the same unit, where there is one."""

    what: str
    rows: int
    value: float
    unit: str
    target: float | None = None

    def told(self) -> str:
        aim = "" if self.target is None else f"  target {self.target:g} {self.unit}"
        missed = "" if self.target is None or self.value <= self.target else "  MISSED"
        return f"{self.rows:>12,}  {self.what:44} {self.value:>10.3g} {self.unit:3}{aim}{missed}"


def measure(rows: int, columns: int, folder: Path, only: set[str]) -> Iterator[Line]:
    """The lines of ``only`` (of PARTS) for a project of ``rows`` samples."""
    if only & {"make", "features", "decision", "session", "memory", "pages"}:
        yield from project_lines(rows, columns, folder, only)
    if "predict" in only:
        yield from predictions(rows, columns)
    if "csv" in only:
        yield from of_a_file(rows, folder)


def project_lines(rows: int, columns: int, folder: Path, only: set[str]) -> Iterator[Line]:
    workspace = Workspace(folder / f"scale-{rows}.duckdb")
    listed = ", ".join(f"(random() - 0.5)::FLOAT AS c{i}" for i in range(columns))
    with workspace.database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE scale AS SELECT {listed} FROM range({rows})")
    seconds, project = timed(
        lambda: use_cases.create_project(workspace, SETTINGS, local_person("ana"))
    )
    if "make" in only:
        yield Line("make the project", rows, seconds, "s")
    workspace.loop.prepare(project)
    seconds = timed(lambda: wait(workspace, project))[0]
    if "features" in only:
        yield Line("features", rows, seconds, "s")
    browser = Browser(workspace, project)
    alone = [browser.label() for _ in range(min(WARM, rows // 4))]
    if "decision" in only:
        yield from spread("decision stored, core alone", rows, alone)
    if only & {"session", "memory"}:
        found = list(sessions(rows, workspace, project, browser))
        yield from (
            each for each in found if ("memory" if each.unit == "MB" else "session") in only
        )
    if "pages" in only:
        yield from pages(rows, workspace, project)
    workspace.close()


def sessions(rows: int, workspace: Workspace, project: Project, browser: Browser) -> Iterator[Line]:
    """Three sessions, while one person labels: the middle one of their times."""
    memory: list[float] = []
    done = threading.Event()
    watcher = threading.Thread(target=watch, args=(memory, done))
    watcher.start()
    took, kept, during = [], [], []
    for _ in range(3):
        started, version = time.perf_counter(), workspace.queue(project).version
        workspace.loop.start_session(project, "hand")
        while workspace.queue(project).version == version:
            during.append(browser.label())
            time.sleep(0.02)
            if not workspace.loop.trainer.running(project.project_id):
                break
        browser.send([], want=20)
        took.append(time.perf_counter() - started)
        wait(workspace, project)
        kept.append(time.perf_counter() - started)
    done.set()
    watcher.join()
    limit = {10**4: 0.3, 10**5: 0.5, 10**6: 1.5, 10**7: 15.0}.get(rows)
    yield Line("session until its queue is served", rows, statistics.median(took), "s", limit)
    yield Line("  and until its model is kept", rows, statistics.median(kept), "s")
    yield from spread("decision stored while sessions run, core", rows, during)
    limit = {10**6: 900.0, 10**7: 3000.0}.get(rows)
    yield Line("memory, all processes", rows, max(memory), "MB", limit)


def predictions(rows: int, columns: int) -> Iterator[Line]:
    """Ours and scikit-learn's predict + score + select, by turns on the same arrays.

    Theirs selects as modAL does: modAL.uncertainty.classifier_margin and modAL.utils.selection
    .multi_argmax (0.4.2.1), written out here. ``queue`` is what a session does: it puts the whole
    pool in order, not only the next batch.
    """
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, columns), dtype=np.float32)
    pool, labeled = np.arange(500, rows), np.arange(500)
    for classes in (2, 10):
        y = rng.integers(0, classes, 500)
        model = fit("logistic_regression", X[:500], y, 0)

        def ours(
            wanted: int | None = 20, model: Any = model, y: Any = y, classes: int = classes
        ) -> None:
            told = predict_probabilities(model, X[500:], classes)
            rank("margin", probabilities=told, features=X, pool=pool, labeled=labeled, labels=y,
                 batch=20, seed=0, wanted=wanted)  # fmt: skip

        def theirs(model: Any = model) -> None:
            part = np.partition(-model.predict_proba(X[500:]), 1, axis=1)
            np.argpartition(part[:, 0] - part[:, 1], -20)[-20:]

        queue = partial(ours, None)
        turns = [[timed(each)[0] for each in (ours, theirs, X.sum, queue)] for _ in range(9)]
        mine, other, read, whole = (statistics.median(each) for each in zip(*turns, strict=True))
        yield Line(f"predict + score + select, {classes} classes", rows, mine * 1e3, "ms")
        yield Line(f"  the whole queue in order, {classes} classes", rows, whole * 1e3, "ms")
        yield Line(f"  the same with scikit-learn, {classes} classes", rows, other * 1e3, "ms")
        yield Line(f"  share of its time, {classes} classes", rows, mine / other, "x",
                   {2: 1 / 7, 10: 1 / 4}[classes] if rows == 10**6 else None)  # fmt: skip
        yield Line(f"  times one read of the matrix, {classes} classes", rows, mine / read, "x",
                   {2: 1.5, 10: 4.0}[classes] if rows == 10**6 else None)  # fmt: skip


def of_a_file(rows: int, folder: Path) -> Iterator[Line]:
    """A CSV of 13 columns, from *Create* to the first sample and to the features."""
    path = folder / "upload" / "table"
    path.parent.mkdir()
    numbers = ", ".join(f"round(random() * 100, 3) AS c{each}" for each in range(9))
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT i AS id, {numbers}, 'kind ' || i % 7 AS kind, DATE '2020-01-01' + "
            f"(i % 3000)::INTEGER AS day, 'note ' || i % 1000 AS note FROM range({rows}) t(i)) "
            f"TO '{path}' (HEADER)"
        )
    preview = inspect(path, "table.csv")
    workspace = Workspace(folder / f"csv-{rows}.duckdb")
    settings = replace(SETTINGS, source="table")
    started = time.perf_counter()
    upload, by = Upload(path, preview), local_person("ana")
    project = use_cases.create_from_upload(workspace, settings, upload, by)
    Browser(workspace, project).send([], want=1)
    first = time.perf_counter() - started
    workspace.loop.prepare(project)
    wait(workspace, project)
    ready = time.perf_counter() - started
    workspace.close()
    large = rows == 10**6
    yield Line("CSV of 13 columns to the first sample", rows, first, "s", 5.0 if large else None)
    yield Line("  and until its features are ready", rows, ready, "s", 20.0 if large else None)


def pages(rows: int, workspace: Workspace, project: Project) -> Iterator[Line]:
    """What the pages ask for, and the queue after a restart."""
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
            times = [timed(partial(ask, cursor))[0] for _ in range(5)]
        yield Line(f"page: {name}", rows, statistics.median(times) * 1e3, "ms", 1000.0)
    workspace.open_projects.forget(project.project_id)
    seconds = timed(lambda: workspace.queue(project))[0]
    yield Line("queue rebuilt after a restart", rows, seconds, "s")


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def wait(workspace: Workspace, project: Project) -> None:
    while workspace.loop.trainer.running(project.project_id):
        time.sleep(0.01)


def spread(what: str, rows: int, seconds: list[float]) -> Iterator[Line]:
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    yield Line(f"{what}, p50", rows, statistics.median(ordered) * 1e3, "ms")
    yield Line(f"{what}, p95", rows, high * 1e3, "ms")


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


def exponents(lines: list[Line]) -> dict[str, float]:
    """What → e of cost ~ samplesᵉ, of what was measured at three sizes or more."""
    found = {}
    for what in dict.fromkeys(each.what for each in lines):
        mine = [each for each in lines if each.what == what and each.value > 0]
        if len(mine) > 2:
            sizes = np.log10([each.rows for each in mine])
            costs = np.log10([each.value for each in mine])
            found[what.strip()] = round(float(np.polyfit(sizes, costs, 1)[0]), 2)
    return found


def fits(rows: int, columns: int) -> bool:
    """Whether the machine has the memory for such a pool."""
    text = Path("/proc/meminfo").read_text(encoding="utf-8")
    free = int(text.split("MemAvailable:")[1].split()[0]) * 1024
    return rows * columns * MEMORY_OF_A_ROW // 8 < free


def plot(lines: list[Line]) -> str:
    """Seconds over samples, both logarithmic, as SVG: a line for each thing measured in time."""
    timed_ones = [each for each in lines if each.unit in ("s", "ms") and each.value > 0]
    if not timed_ones:
        return ""
    scale = {"s": 1.0, "ms": 1e-3}
    points = [(math.log10(e.rows), math.log10(e.value * scale[e.unit])) for e in timed_ones]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = math.floor(min(y for _, y in points)), math.ceil(max(y for _, y in points))

    def place(x: float, y: float) -> str:
        across = 60 + 460 * (x - left) / max(right - left, 1e-9)
        return f"{across:.1f},{360 - 330 * (y - low) / max(high - low, 1):.1f}"

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 400" font-family="sans-serif" '
        'font-size="11"><rect width="860" height="400" fill="white"/>'
    ]
    for y in range(low, high + 1):
        (x1, at), x2 = place(left, y).split(","), place(right, y).split(",")[0]
        parts.append(f'<path d="M{x1},{at}H{x2}" stroke="#ddd"/>'
                     f'<text x="8" y="{at}">{10.0**y:g} s</text>')  # fmt: skip
    for rows in dict.fromkeys(each.rows for each in timed_ones):
        at = place(math.log10(rows), low).split(",")[0]
        parts.append(f'<text x="{at}" y="380" text-anchor="middle">{rows:,}</text>')
    names = list(dict.fromkeys(each.what for each in timed_ones))
    for number, what in enumerate(names):
        colour = f"hsl({360 * number // len(names)},70%,40%)"
        mine = [place(*point) for point, each in zip(points, timed_ones, strict=True)
                if each.what == what]  # fmt: skip
        parts.append(f'<polyline points="{" ".join(mine)}" fill="none" stroke="{colour}"/>'
                     f'<text x="540" y="{24 + 14 * number}" fill="{colour}">'
                     f"{what.strip()}</text>")  # fmt: skip
    return "".join([*parts, "</svg>"])


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("rows", nargs="*", type=int, default=[10**3, 10**4, 10**5, 10**6, 10**7])
    asked.add_argument("--only", default=",".join(PARTS), help=", ".join(PARTS))
    asked.add_argument("--columns", type=int, default=64)
    asked.add_argument("--json", type=Path)
    asked.add_argument("--plot", type=Path)
    given = asked.parse_args()
    only = set(given.only.split(","))
    if unknown := only - set(PARTS):
        asked.error(f"no line is called {', '.join(sorted(unknown))}")
    lines: list[Line] = []
    for size in given.rows:
        if not fits(size, given.columns):
            print(f"{size:>12,}  left out: this machine has not enough free memory")
            continue
        with tempfile.TemporaryDirectory() as where:
            for line in measure(size, given.columns, Path(where), only):
                lines.append(line)
                print(line.told(), flush=True)
    found = exponents(lines)
    for what, exponent in found.items():
        print(f"{'exponent':>12}  {what:44} {exponent:>10.2f}")
    if given.json:
        told = {"columns": given.columns, "lines": [each._asdict() for each in lines],
                "exponents": found}  # fmt: skip
        given.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    if given.plot and lines:
        given.plot.write_text(plot(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
