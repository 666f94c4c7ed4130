"""One project, used from a notebook or a script: the same use cases as the pages."""

from __future__ import annotations

import tempfile
import time
import uuid
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.labeling.bookkeeping import Decision
from labeling_core.labeling.label_import import How
from labeling_core.labeling.label_plan import WINS
from labeling_core.models import final_model
from labeling_core.models.prediction import predict_table, read_model
from labeling_core.models.reading_report import sentences
from labeling_core.notebook.frames import to_parquet
from labeling_core.people import Person
from labeling_core.progress import downloads, label_filter, learning_curve
from labeling_core.progress.label_filter import Wanted
from labeling_core.progress.learning_curve import Session
from labeling_core.settings import Project, Settings
from labeling_core.simulation import data_sources
from labeling_core.simulation.replay import Plan
from labeling_core.simulation.summary import rows
from labeling_core.sources.foreign_labels import read_files
from labeling_core.store import eventlog
from labeling_core.store.events import Entry
from labeling_core.store.exporting import form_of
from labeling_core.web import exports, label_exchange, messages
from labeling_core.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

_TURN = 0.02  # seconds between two looks at whether the background work is done


class NextSample(NamedTuple):
    """A sample that waits for a decision: ``fields`` are what people are shown of it."""

    sample_id: str
    fields: dict[str, Any]


class LabelingProject:
    """One project; every method takes the names and gives the tables that the app has."""

    def __init__(self, workspace: Workspace, project: Project, person: Person) -> None:
        """Use Labeling.project or Labeling.create."""
        self._workspace, self._id, self._person = workspace, project.project_id, person
        self._client, self._decisions = f"notebook-{uuid.uuid4()}", 0

    def __repr__(self) -> str:
        return f"LabelingProject({self._id!r})"

    @property
    def project_id(self) -> str:
        """Its id, as in the addresses of the pages."""
        return self._id

    @property
    def settings(self) -> Settings:
        """Its settings of this moment."""
        return self._project.settings

    @property
    def _project(self) -> Project:
        return self._workspace.project(self._id)

    def next(self, count: int = 1) -> list[NextSample]:
        """The next samples to decide on, at most ``count``, the most useful first.

        They stay reserved for this notebook until they are decided or :meth:`release` is called.
        Fewer, or none, when the pool is empty. The first call prepares the features; files are
        read in the background meanwhile.
        """
        self._workspace.loop.prepare(self._project)
        self._wait(reading=False)
        found = self._exchange(want=count)["samples"][:count]
        return [NextSample(each["sample_id"], _fields(each["view"])) for each in found]

    def label(self, sample_id: str, category: str, comment: str = "") -> None:
        """Give a sample its category. Raises LabelingError when it is not for you to decide."""
        self._decide(sample_id, "label", category=category, comment=comment or None)

    def skip(self, sample_id: str, comment: str = "") -> None:
        """Leave a sample without a label."""
        self._decide(sample_id, "skip", comment=comment or None)

    def undo(self, sample_id: str) -> None:
        """Take back your decision on a sample."""
        self._decide(sample_id, "undo")

    def release(self, sample_ids: Sequence[str]) -> None:
        """Hand back samples that were reserved and will not be decided here."""
        self._exchange(holding=list(sample_ids), release=True)

    def import_labels(
        self,
        file: str | Path,
        match: str = "",
        label: str = "",
        wins: str = WINS[0],
        create_categories: bool = False,
        random_draw: bool = False,
        dry_run: bool = False,
    ) -> list[str]:
        """Bring in labels that exist: a table, or a file of Label Studio, doccano, Prodigy, Argilla
        or the labeling plugin; what was done, in sentences.

        ``match`` is the column that tells the samples, ``label`` that of the labels: found where
        empty. ``wins`` says whose label holds where they contradict. With ``dry_run`` nothing is
        stored. Raises LabelingError for a file that holds no labels, and while a session runs.
        """
        path = Path(file).expanduser()
        if not path.is_file():
            raise LabelingError(f"There is no file {path}.", "file")
        read = read_files([(path, path.name)], "auto", label, [self.settings.label_column])
        how = How(match, wins, create_categories, random_draw)
        if dry_run:
            plan = use_cases.plan_labels(self._workspace, self._id, read, how, self._person)
        else:
            self._wait()
            _, plan = use_cases.bring_in_labels(
                self._workspace, self._id, read, path.name, how, self._person
            )
        return plan.lines(wins)

    def run_session(self, classifier: str = "", strategy: str = "") -> Session:
        """Train, measure, score the pool and order the queue anew; the session's row.

        Waits until it is done. Raises LabelingError when the labels do not allow it yet, or when
        it fails.
        """
        self._workspace.loop.prepare(self._project)
        self._wait()
        use_cases.run_session(self._workspace, self._project, self._person, classifier, strategy)
        self._wait()
        done = self._sessions()[-1]
        if done.state != "DONE":
            raise LabelingError(f"The session failed: {done.reason}")
        return done

    def progress(self) -> pd.DataFrame:
        """A row for each session: labels, accuracy and its 95 % interval, contradictions.

        Measured anew on all probes labeled so far, as on the page.
        """
        import pandas as pd

        frame = pd.DataFrame(self._sessions(), columns=pd.Index(Session._fields))
        for name in ("started", "finished"):
            frame[name] = pd.to_datetime(frame[name], unit="s", utc=True)
        return frame

    def labels(self) -> pd.DataFrame:
        """The labels table: the source's own columns, the label and its id."""
        return self._table(self._project.tables.labels)

    def metadata(self) -> pd.DataFrame:
        """The metadata table: a row for each decision."""
        return self._table(self._project.tables.metadata)

    def queries(self) -> pd.DataFrame:
        """The pool with its uncertainty, best first. LabelingError without active learning."""
        if not self.settings.queries_table:
            raise LabelingError("Active learning is off: name a queries table in the settings.")
        self._workspace.loop.prepare(self._project)
        self._wait()
        return self._table(self._project.tables.queries)

    def history(self) -> pd.DataFrame:
        """Everything that was done in the project, newest first."""
        import pandas as pd

        with self._workspace.database.read() as cursor:
            wanted = eventlog.Filter(self._id)
            number = eventlog.count(cursor, wanted, self._person)
            found = eventlog.read(cursor, wanted, self._person, 0, number)
        return pd.DataFrame(found, columns=pd.Index(Entry._fields))

    def simulate(
        self,
        strategies: Sequence[str] = ("auto", "random"),
        batch: int = 10,
        budget: int = 200,
        seeds: int = 10,
    ) -> pd.DataFrame:
        """Replay the project's labels with several query strategies; a row for each of them.

        See labeling_core.simulation.summary.Row for the columns. LabelingError while there are
        too few labels for it.
        """
        import pandas as pd

        source = data_sources.project(self._workspace.database, self._project, self._person)
        plan = Plan(tuple(strategies), batch, budget, seeds, self.settings.classifier)
        simulations = self._workspace.simulations
        started = simulations.start(source, plan, self._person)
        while simulations.jobs.running(started):
            time.sleep(_TURN)
        made = next(
            each for each in simulations.listed(self._person) if each.simulation_id == started
        )
        status = simulations.status(made)
        if status.state == "failed":
            raise LabelingError(status.text)
        return pd.DataFrame(rows(simulations.runs(made)))

    def train(self) -> None:
        """Train the final model on all labels, and wait for it."""
        self._wait()
        final_model.train(self._workspace.loop, self._project, self._person)
        self._wait()
        status = self._workspace.loop.trainer.status[self._id]
        if status.state == "failed":
            raise LabelingError(status.text)

    def model(self) -> bytes:
        """The final model as the zip that the page offers. LabelingError before the first."""
        found = use_cases.export_final_model(self._workspace, self._project, self._person)
        if not found:
            raise LabelingError("There is no final model yet: train it first.")
        return found

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows with ``prediction`` and ``probability`` (0..1) by the final model; a warning
        where many values of a column cannot be read."""
        import pandas as pd

        with tempfile.TemporaryDirectory(prefix="predict-") as folder:
            model, table, out = (
                Path(folder) / name for name in ("m.zip", "in.parquet", "out.parquet")
            )
            model.write_bytes(self.model())
            to_parquet(frame, table)
            predicted = predict_table(read_model(model), table, out)
            for sentence in sentences(predicted.columns, predicted.renamed)[1]:
                warnings.warn(sentence, stacklevel=2)
            return pd.read_parquet(out).set_axis(frame.index)

    def export(
        self, what: str, path: str | Path, wanted: Wanted = label_filter.ALL, safe: bool = False
    ) -> None:
        """Write one of ``exports`` to a file; see labeling_core.web.exports.export.

        The suffix of a table's file says its format: ``.csv``, ``.parquet`` or ``.jsonl``.
        """
        form = form_of(Path(path)) if what in downloads.exports(self._project) else ""
        by = self._person
        found = exports.export(self._workspace, self._project, what, form, by, wanted, safe)
        exports.save(found, Path(path).expanduser())

    @property
    def exports(self) -> list[str]:
        """What :meth:`export` can write."""
        return exports.listed(self._project, self._person)

    def _table(self, name: str) -> pd.DataFrame:
        with self._workspace.database.read() as cursor:
            return cursor.execute(f"SELECT * FROM {name}").df()

    def _sessions(self) -> list[Session]:
        queue = self._workspace.queue(self._project)
        with self._workspace.database.read() as cursor:
            return learning_curve.sessions(cursor, self._project, queue)

    def _decide(self, sample_id: str, action: str, **more: Any) -> None:
        self._decisions += 1
        made = Decision(self._client, self._decisions, sample_id, action, **more)
        refused = self._exchange(decisions=[made._asdict()])["refused"]
        if refused:
            raise LabelingError(refused[0]["reason"])

    def _exchange(self, **message: Any) -> dict[str, Any]:
        raw = {"client": self._client, "message": self._decisions} | message
        return label_exchange.answer(self._workspace, self._id, self._person, messages.parse(raw))

    def _wait(self, reading: bool = True) -> None:
        """Until nothing runs in the background for this project; ``reading`` of files included."""
        loop = self._workspace.loop
        while loop.trainer.running(self._id) or (reading and loop.reader.running(self._id)):
            time.sleep(_TURN)


def _fields(view: dict[str, Any]) -> dict[str, Any]:
    """What a deck is shown, by name: the cells of a row, or what is known of a file."""
    if "fields" in view:
        return {name: text for name, text, *_ in view["fields"]}
    return view
