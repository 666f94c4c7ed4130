"""One project, used from a notebook or a script: the same use cases as the pages."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labeling_core.errors import LabelingError
from labeling_core.labeling.label_import import How
from labeling_core.labeling.label_plan import WINS, Brought
from labeling_core.models.prediction import predict_table, read_model
from labeling_core.models.reading_report import sentences
from labeling_core.notebook.frames import to_parquet
from labeling_core.notebook.work import NextSample, ProjectWork
from labeling_core.progress import label_filter
from labeling_core.progress.label_filter import Wanted
from labeling_core.progress.learning_curve import Session
from labeling_core.settings import Settings
from labeling_core.store.events import Entry
from labeling_core.web import exports

if TYPE_CHECKING:
    import pandas as pd

AT_ONCE = 1_000  # decisions that are stored in one transaction


class LabelingProject:
    """One project; every method takes the names and gives the tables that the app has."""

    def __init__(self, project_id: str, work: ProjectWork) -> None:
        """Use Labeling.project or Labeling.create."""
        self._id, self._work = project_id, work

    def __repr__(self) -> str:
        return f"LabelingProject({self._id!r})"

    @property
    def project_id(self) -> str:
        """Its id, as in the addresses of the pages."""
        return self._id

    @property
    def settings(self) -> Settings:
        """Its settings of this moment."""
        return self._work.settings()

    def source_notes(self) -> list[str]:
        """What there is to say of the Parquet files that its rows lie in, the number of rows first;
        nothing of other sources."""
        return self._work.source_notes()

    def next(self, count: int = 1) -> list[NextSample]:
        """The next samples to decide on, at most ``count``, the most useful first.

        They stay reserved for this notebook until they are decided or :meth:`release` is called.
        Fewer, or none, when the pool is empty. The first call prepares the features; files are
        read in the background meanwhile.
        """
        return self._work.next(count)

    def label(self, sample_id: str, category: str, comment: str = "") -> None:
        """Give a sample its category. Raises LabelingError when it is not for you to decide."""
        self._decide(sample_id, "label", category, comment)

    def skip(self, sample_id: str, comment: str = "") -> None:
        """Leave a sample without a label."""
        self._decide(sample_id, "skip", "", comment)

    def undo(self, sample_id: str) -> None:
        """Take back your decision on a sample."""
        self._decide(sample_id, "undo", "", "")

    def _decide(self, sample_id: str, action: str, category: str, comment: str) -> None:
        for _, reason in self._work.decide([(sample_id, action, category, comment)]):
            raise LabelingError(reason)

    def label_many(
        self,
        rows: Sequence[tuple[str, str, str]],
        progress: Callable[[float], None] | None = None,
    ) -> list[tuple[int, str]]:
        """Decide on many samples: each row is a sample_id, a category (empty: skip) and a comment.

        A thousand are stored in one transaction. What is refused is given back by its place among
        the rows, from 0, with the reason; all others are stored. ``progress`` is called with the
        share that is done (0..1).
        """
        refused: list[tuple[int, str]] = []
        for start in range(0, len(rows), AT_ONCE):
            some = [
                (sample_id, "label" if category else "skip", category, comment)
                for sample_id, category, comment in rows[start : start + AT_ONCE]
            ]
            refused += [(start + place, reason) for place, reason in self._work.decide(some)]
            if progress:
                progress(min(start + AT_ONCE, len(rows)) / len(rows))
        return refused

    def release(self, sample_ids: Sequence[str]) -> None:
        """Hand back samples that were reserved and will not be decided here."""
        self._work.release(list(sample_ids))

    def import_labels(
        self,
        file: str | Path | Sequence[str | Path],
        match: str = "",
        label: str = "",
        wins: str = WINS[0],
        create_categories: bool = False,
        random_draw: bool = False,
        dry_run: bool = False,
        form: str = "auto",
    ) -> Brought:
        """Bring in labels that exist: a table, or a file of Label Studio, doccano, Prodigy, Argilla
        or the labeling plugin (of this one two: labels and metadata); what was done, in
        figures and in sentences (``told``).

        ``match`` is the column that tells the samples, ``label`` that of the labels: found where
        empty. ``wins`` says whose label holds where they contradict. With ``dry_run`` nothing is
        stored. ``form`` is ``table`` or one of label_tools.FORMATS, where the content does not
        tell. Raises LabelingError for a file that holds no labels.
        """
        files = [Path(file)] if isinstance(file, str | Path) else [Path(each) for each in file]
        files = [each.expanduser() for each in files]
        for each in files:
            if not each.is_file():
                raise LabelingError(f"There is no file {each}.", "file")
        how = How(match, wins, create_categories, random_draw)
        names = [each.name for each in files]
        return self._work.import_labels(files, names, form, label, how, dry_run)

    def run_session(self, classifier: str = "", strategy: str = "") -> Session:
        """Train, measure, score the pool and order the queue anew; the session's row.

        Waits until it is done. Raises LabelingError when the labels do not allow it yet, or when
        it fails.
        """
        return self._work.run_session(classifier, strategy)

    def progress(self) -> pd.DataFrame:
        """A row for each session: labels, accuracy and its 95 % interval, contradictions.

        ``score`` with its interval is by the ``measure`` of the project; ``lacking`` says why it is
        accuracy in its place. Measured anew on all probes labeled so far, as on the page.
        """
        import pandas as pd

        frame = pd.DataFrame(self._work.sessions(), columns=pd.Index(Session._fields))
        for name in ("started", "finished"):
            frame[name] = pd.to_datetime(frame[name], unit="s", utc=True)
        return frame

    def labels(self) -> pd.DataFrame:
        """The labels table: the source's own columns, the label and its id."""
        return self._work.table("labels")

    def metadata(self) -> pd.DataFrame:
        """The metadata table: a row for each decision."""
        return self._work.table("metadata")

    def queries(self) -> pd.DataFrame:
        """The pool with its uncertainty, best first. LabelingError without active learning."""
        self._work.prepare_queries()
        return self._work.table("queries")

    def history(self) -> pd.DataFrame:
        """Everything that was done in the project, newest first."""
        import pandas as pd

        return pd.DataFrame(self._work.events(), columns=pd.Index(Entry._fields))

    def simulate(
        self,
        strategies: Sequence[str] = ("auto", "random"),
        batch: int = 10,
        budget: int = 200,
        seeds: int = 10,
    ) -> pd.DataFrame:
        """Replay the project's labels with several query strategies; a row for each of them, by the
        project's measure.

        See labeling_core.simulation.summary.Row for the columns. LabelingError while there are
        too few labels for it.
        """
        import pandas as pd

        return pd.DataFrame(self._work.simulate(list(strategies), batch, budget, seeds))

    def train(self) -> None:
        """Train the final model on all labels, and wait for it."""
        self._work.train()

    def model(self) -> bytes:
        """The final model as the zip that the page offers. LabelingError before the first."""
        return self._work.model()

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
        path = Path(path).expanduser()
        exports.save(self._work.export(what, path.name, wanted, safe), path)

    @property
    def exports(self) -> list[str]:
        """What :meth:`export` can write."""
        return self._work.exports()
