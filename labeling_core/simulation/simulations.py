"""Simulations as people start them: each a folder beside the database that outlives the page."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.people import Person
from labeling_core.sessions.jobs import JobLine, Status
from labeling_core.sessions.worker_client import Progress, Worker
from labeling_core.simulation.data_sources import Source
from labeling_core.simulation.job import RUNS
from labeling_core.simulation.replay import Plan, Run, check_plan
from labeling_core.simulation.summary import whole_seeds
from labeling_core.store.database import SIMULATIONS, Database, now
from labeling_core.store.removal import remove, replace

RECORD, END = "simulation.json", "end.json"
# Seconds that one session of a run takes on an idle core, by classifier: for a first estimate.
_SESSION = {
    "auto": 0.3,
    "logistic_regression": 0.03,
    "random_forest": 0.25,
    "hist_gradient_boosting": 0.8,
}
BOUNDS = {"batch": (1, 1_000), "budget": (2, 10_000), "seeds": (1, 100)}  # of a plan on a page
WINES = Plan(("auto", "margin", "random"), 1, 43, 10, "logistic_regression")


class Simulation(NamedTuple):
    """One simulation as recorded; ``started`` in ISO 8601, UTC, ``project_id`` maybe empty."""

    simulation_id: str
    title: str
    project_id: str
    by: str
    started: str
    source: str
    notes: list[str]
    plan: Plan

    @property
    def words(self) -> str:
        """How to tell it from others in a list: from those of the same minute, too."""
        moment = datetime.fromisoformat(self.started).astimezone()
        return f"{self.title}, {moment:%d %b %H:%M:%S}, {self.by}"


class Simulations:
    """The simulations beside one database, and the worker that carries them out."""

    def __init__(self, database: Database) -> None:
        """Start nothing yet."""
        self._database = database
        self.jobs = JobLine(lambda simulation_id: None, Worker())

    @property
    def _folder(self) -> Path:
        return self._database.files(SIMULATIONS)

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        self.jobs.stop()

    def start(self, source: Source, plan: Plan, by: Person) -> str:
        """Write the data down and have the worker replay them; returns the simulation_id.

        Raises LabelingError for data that cannot be used or a plan that cannot be carried out.
        """
        by.require("manage", source.project_id)
        check(plan)
        simulation_id = f"{now():%Y%m%d_%H%M%S%f}_{uuid.uuid4().hex[:6]}"  # sorts by time
        folder = self._folder / simulation_id
        (folder / "data").mkdir(parents=True)
        try:
            prepared = source.prepare(folder / "data")
            record = Simulation(
                simulation_id, source.title, source.project_id, by.name,
                now().isoformat(timespec="seconds"), prepared.source, prepared.notes, plan,
            )  # fmt: skip
            _write(folder / RECORD, record._asdict() | {"plan": plan._asdict()})
        except BaseException:
            remove(folder)
            raise
        job = {
            "kind": "simulation", "folder": str(folder), "data": prepared.data,
            "plan": plan._asdict(),
        }  # fmt: skip
        self.jobs.submit(
            simulation_id, lambda worker, progress: _work(folder, job, worker, progress)
        )
        return simulation_id

    def stop(self, simulation: Simulation, by: Person) -> None:
        """End a simulation; the seeds that are finished stay."""
        _require(simulation, by)
        _end(self._folder / simulation.simulation_id, "stopped", f"Stopped by {by.name}.")
        self.jobs.stop_job(simulation.simulation_id)

    def delete(self, simulation: Simulation, by: Person) -> None:
        """Forget a simulation and its curves."""
        _require(simulation, by)
        if self.jobs.running(simulation.simulation_id):
            raise LabelingError("This simulation runs: stop it first.")
        remove(self._folder / simulation.simulation_id)

    def listed(self, by: Person) -> list[Simulation]:
        """All simulations, newest first."""
        by.require("manage")
        paths = sorted(self._folder.glob(f"*/{RECORD}"), reverse=True)
        found = []
        for path in paths:
            record = json.loads(path.read_text(encoding="utf-8"))
            found.append(Simulation(**(record | {"plan": Plan(**record["plan"])})))
        return found

    @property
    def at_work(self) -> bool:
        """Whether one runs, or waits for its turn."""
        return any(each.state in ("waiting", "running") for each in self.jobs.status.values())

    def status(self, simulation: Simulation) -> Status:
        """Whether it runs, is done, was stopped or failed, in a sentence."""
        simulation_id, plan = simulation.simulation_id, simulation.plan
        running = self.jobs.status.get(simulation_id)
        end = self._folder / simulation_id / END
        # One that was stopped while it waited for another counts as running until its turn comes.
        if running is not None and running.state == "running" and not end.exists():
            return running
        if len(self.all_runs(simulation)) == plan.seeds * len(plan.strategies):
            return Status("done", "finished")
        if end.exists():
            return Status(*json.loads(end.read_text(encoding="utf-8")))
        return Status("stopped", "The program ended while this simulation ran: start it again.")

    def runs(self, simulation: Simulation) -> list[Run]:
        """The runs of the seeds that all strategies have finished."""
        return whole_seeds(self.all_runs(simulation), len(simulation.plan.strategies))

    def all_runs(self, simulation: Simulation) -> list[Run]:
        """Every run finished so far; one that is being written is left out."""
        path = self._folder / simulation.simulation_id / RUNS
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        return [Run(**json.loads(line)) for line in lines if line.endswith("\n")]


def _work(folder: Path, job: dict[str, Any], worker: Worker, progress: Progress) -> str:
    try:
        notes = worker.run(job, progress)["notes"]
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        _write(folder / RECORD, record | {"notes": [*record["notes"], *notes]})
    except LabelingError as error:
        _end(folder, "failed", str(error))
        raise
    finally:
        worker.pause()  # it is not needed for long, and has the data open
        remove(folder / "data")
    return "finished"


def _end(folder: Path, state: str, text: str) -> None:
    """Note how it ended, unless that is known: after a stop the worker's death is no fault."""
    if folder.is_dir() and not (folder / END).exists():
        _write(folder / END, [state, text])


def _require(simulation: Simulation, by: Person) -> None:
    """Whoever started it may end it; so may those who manage what it is about."""
    if by.name != simulation.by:
        by.require("manage", simulation.project_id)


def check(plan: Plan) -> None:
    """Raise LabelingError, with the field, for a plan that makes no sense on a page."""
    check_plan(plan)
    for field, (least, most) in BOUNDS.items():
        if not least <= getattr(plan, field) <= most:
            raise LabelingError(f"The {field} must lie between {least:,} and {most:,}.", field)


def estimate(plan: Plan) -> tuple[int, float]:
    """How many models a plan trains, and about how many seconds that takes on an idle core."""
    models = len(plan.strategies) * plan.seeds * -(-plan.budget // plan.batch)
    return models, models * _SESSION.get(plan.classifier, 0.1)


def _write(path: Path, content: Any) -> None:
    """Write JSON so that a reader, or a crash, never meets half of it."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8", newline="\n")
    replace(part, path)
