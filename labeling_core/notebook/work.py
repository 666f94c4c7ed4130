"""What notebooks and commands do to a project, done where the database is open; see
labeling_core.notebook.database_work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.labeling.label_import import How
from labeling_core.labeling.label_plan import Brought
from labeling_core.learning.measures import MEASURES
from labeling_core.models import final_model
from labeling_core.notebook.deciding import Client
from labeling_core.people import Person
from labeling_core.progress import downloads, learning_curve, packages
from labeling_core.progress.label_filter import Wanted
from labeling_core.progress.learning_curve import Session
from labeling_core.settings import Project, Settings
from labeling_core.simulation import data_sources
from labeling_core.simulation.replay import Plan
from labeling_core.simulation.summary import Row, rows
from labeling_core.sources import parquet_folders, parquet_notes
from labeling_core.sources.foreign_labels import read_files
from labeling_core.store import eventlog
from labeling_core.store.events import Entry
from labeling_core.store.exporting import form_of
from labeling_core.store.growing_files import stream
from labeling_core.web import exports
from labeling_core.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

Wait = Callable[[float], None]
_TURN = 0.02  # seconds between two looks at whether the background work is done
_SESSION_TURN = 0.1  # the same where the database has to be asked


class NextSample(NamedTuple):
    """A sample that waits for a decision: ``fields`` are what people are shown of it."""

    sample_id: str
    fields: dict[str, Any]


class ProjectWork:
    """What is done to one project by one person."""

    def __init__(
        self, workspace: Workspace, project_id: str, person: Person, wait: Wait = time.sleep
    ) -> None:
        """LabelingError when there is no such project. ``wait`` as DatabaseWork has it."""
        self._workspace, self._person, self._wait = workspace, person, wait
        self._id = workspace.project(project_id).project_id
        self._client = Client(workspace, self._id, person)

    @property
    def _project(self) -> Project:
        return self._workspace.project(self._id)

    def settings(self) -> Settings:
        """Its settings of this moment."""
        return self._project.settings

    def source_notes(self) -> list[str]:
        """See LabelingProject.source_notes."""
        source = self._project.settings.source
        if not parquet_folders.is_pattern(source):
            return []
        with self._workspace.database.read() as cursor:
            return parquet_notes.notes(cursor, source)

    def next(self, count: int) -> list[NextSample]:
        """See LabelingProject.next."""
        self._prepare(reading=False)
        found = self._client.exchange(want=count)["samples"][:count]
        return [NextSample(each["sample_id"], _fields(each["view"])) for each in found]

    def decide(self, rows: list[tuple[str, str, str, str]]) -> list[tuple[int, str]]:
        """See deciding.Client.decide."""
        return self._client.decide(rows)

    def release(self, sample_ids: list[str]) -> None:
        """Hand back samples that will not be decided here."""
        self._client.exchange(holding=sample_ids, release=True)

    def import_labels(
        self, files: list[Path], names: list[str], form: str, label: str, how: How, dry_run: bool
    ) -> Brought:
        """See LabelingProject.import_labels; ``files`` are called ``names``."""
        given = list(zip(files, names, strict=True))
        read = read_files(given, form, label, [self.settings().label_column])
        if dry_run:
            plan = use_cases.plan_labels(self._workspace, self._id, read, how, self._person)
            return plan.brought(how.wins, None)
        with self._idle():
            number, plan = use_cases.bring_in_labels(
                self._workspace, self._id, read, ", ".join(names), how, self._person
            )
        return plan.brought(how.wins, number)

    def run_session(self, classifier: str, strategy: str) -> Session:
        """See LabelingProject.run_session."""
        loop = self._workspace.loop
        loop.prepare(self._project)
        with self._idle():
            known = self.sessions()
            use_cases.run_session(
                self._workspace, self._project, self._person, classifier, strategy
            )
        session_id = known[-1].session_id + 1 if known else 1
        while loop.trainer.running(self._id):
            if any(each.state != "RUNNING" for each in self.sessions(session_id)):
                break  # people go on labeling: the next one may follow at once
            self._wait(_SESSION_TURN)
        for done in self.sessions(session_id):
            if done.state == "DONE":
                return done
            raise LabelingError(f"The session failed: {done.reason}")
        raise LabelingError(f"The session failed: {loop.trainer.status[self._id].text}")

    def sessions(self, only: int | None = None) -> list[Session]:
        """The learning curve, see learning_curve.sessions."""
        queue = self._workspace.queue(self._project)
        with self._workspace.database.read() as cursor:
            return learning_curve.sessions(cursor, self._project, queue, only)

    def prepare_queries(self) -> None:
        """Have the pool ordered, and wait for it. LabelingError without active learning."""
        if not self.settings().queries_table:
            raise LabelingError("Active learning is off: name a queries table in the settings.")
        self._prepare()

    def table(self, which: str) -> pd.DataFrame:
        """One of the project's tables: labels, metadata, queries."""
        with self._workspace.database.read() as cursor:
            return cursor.execute(self._rows(which)).df()

    def table_file(self, which: str) -> Iterator[bytes]:
        """The same as a DuckDB file with a table ``rows``, in pieces: no type is lost."""
        tables = {"rows": [downloads.Query(self._rows(which), [])]}
        return stream(
            self._workspace.database,
            lambda cursor, path: packages.write_tables(cursor, path, tables),
            settled=packages.SETTLED,
        )

    def _rows(self, which: str) -> str:
        return f"SELECT * FROM {getattr(self._project.tables, which)}"

    def events(self) -> list[Entry]:
        """Everything that was done in the project, newest first."""
        with self._workspace.database.read() as cursor:
            wanted = eventlog.Filter(self._id)
            number = eventlog.count(cursor, wanted, self._person)
            return eventlog.read(cursor, wanted, self._person, 0, number)

    def simulate(self, strategies: list[str], batch: int, budget: int, seeds: int) -> list[Row]:
        """See LabelingProject.simulate."""
        source = data_sources.project(self._workspace.database, self._project, self._person)
        plan = Plan(tuple(strategies), batch, budget, seeds, self.settings().classifier)
        simulations = self._workspace.simulations
        started = simulations.start(source, plan, self._person)
        while simulations.jobs.running(started):
            self._wait(_TURN)
        made = next(
            each for each in simulations.listed(self._person) if each.simulation_id == started
        )
        status = simulations.status(made)
        if status.state == "failed":
            raise LabelingError(status.text)
        measure = self.settings().measure
        return rows(simulations.runs(made), measure if measure in MEASURES else "accuracy")

    def train(self) -> None:
        """See LabelingProject.train."""
        loop, job = self._workspace.loop, (self._id, final_model.KIND)
        with self._idle():
            final_model.train(loop, self._project, self._person)
        while job not in loop.trainer.outcomes and loop.trainer.running(self._id):
            self._wait(_TURN)
        done = loop.trainer.outcomes[job]
        if done.state == "failed":
            raise LabelingError(done.text)

    def model(self) -> bytes:
        """See LabelingProject.model."""
        found = use_cases.export_final_model(self._workspace, self._project, self._person)
        if not found:
            raise LabelingError("There is no final model yet: train it first.")
        return found

    def exports(self) -> list[str]:
        """What :meth:`export` can give."""
        return exports.listed(self._project, self._person)

    def export(self, what: str, name: str, wanted: Wanted, safe: bool) -> Iterator[bytes]:
        """One of :meth:`exports` as the content of a file called ``name``."""
        form = form_of(Path(name)) if what in downloads.exports(self._project) else ""
        by = self._person
        return exports.export(self._workspace, self._project, what, form, by, wanted, safe).pieces

    def _prepare(self, reading: bool = True) -> None:
        """Have features and a first order of the pool made, and wait for them; not for files that
        are still being read unless ``reading``."""
        loop, project = self._workspace.loop, self._project
        loop.prepare(project)
        while self._busy(reading) and loop.unprepared(project):
            self._wait(_TURN)

    @contextmanager
    def _idle(self) -> Iterator[None]:
        """Wait until nothing of the project runs in the background; in this block nothing begins
        by itself. In the app other people label meanwhile, and one session may follow another."""
        loop = self._workspace.loop
        try:
            with loop.pace.held(self._id):
                while True:
                    while self._busy():
                        self._wait(_TURN)
                    with self._workspace.database.lock:
                        if not self._busy():
                            yield
                            return
        finally:
            with suppress(LabelingError):  # it is gone
                loop.after_decisions(self._project)

    def _busy(self, reading: bool = True) -> bool:
        """Whether something runs in the background; ``reading`` of files included."""
        loop = self._workspace.loop
        return loop.trainer.running(self._id) or (reading and loop.reader.running(self._id))


def _fields(view: dict[str, Any]) -> dict[str, Any]:
    """What a deck is shown, by name: the cells of a row, or what is known of a file."""
    if "fields" in view:
        return {name: text for name, text, *_ in view["fields"]}
    return view
