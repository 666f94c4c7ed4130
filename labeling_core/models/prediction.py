"""Predictions of a downloaded model for any table or folder: the model at work, elsewhere.

For the command line: numpy, pyarrow and skops are imported inside the functions.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.modalities.extraction import extract
from labeling_core.modalities.feature_matrix import Extracted
from labeling_core.modalities.joined_vectors import completed
from labeling_core.modalities.registry import Modality, fits, modality_with, require_installed
from labeling_core.modalities.table_columns import batches, prepare
from labeling_core.models import events, tampering
from labeling_core.models.reading_report import ReadColumn, ReadingReport
from labeling_core.settings import quote
from labeling_core.sources.folders import list_files
from labeling_core.sources.importing import inspect, load
from labeling_core.store.database import literal
from labeling_core.store.exporting import EXCEL, beside, form_of, to_file

if TYPE_CHECKING:
    import numpy as np

    Categories = tuple[list[str], np.ndarray]  # categories and their probabilities, row by row

# Besides what skops trusts by itself: what the classifiers on offer and the columns of a table
# are made of. The list in the card does not count: it comes with the file.
TRUSTED = [
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
]
_CHUNK = 4_096
_MOST_BYTES = 4 * 1024**3
_OURS = ("prediction", "probability", "problem")

Progress = Callable[[float], None]


class Model(NamedTuple):
    """A model with its card; ``pipeline`` predicts categories from columns or raw features."""

    card: dict[str, Any]
    pipeline: Any

    @property
    def features(self) -> dict[str, Any]:
        """What the card says of the features: ``columns`` of a table, or ``features`` of files."""
        return dict(self.card["features"])

    @property
    def windows(self) -> tuple[float, float]:
        """Seconds of the windows that it learned from, and of their overlap; 0 for whole files."""
        known = self.card.get("windows") or {"seconds": 0.0, "overlap": 0.0}
        return float(known["seconds"]), float(known["overlap"])

    @property
    def missing(self) -> dict[str, list[str]]:
        """Name → texts that stand for no value; models of before 0.3.0 know none."""
        return dict(self.features.get("missing", {}))

    def predict(self, rows: Any) -> Categories:
        """Each row's category, by the card's ``decision_weights``, and its probability (0..1)."""
        found, classes = self.pipeline.predict_proba(rows), self.pipeline.classes_
        by = [(self.card.get("decision_weights") or {}).get(name, 1.0) for name in classes]
        best = (found * by).argmax(axis=1)
        return classes[best].tolist(), found[range(len(best)), best]


def read_model(path: Path) -> Model:
    """The model in a zip that was downloaded; nothing but scikit-learn's types is trusted.

    Raises LabelingError for anything else.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        with zipfile.ZipFile(path) as archive:
            _bound(archive, path)
            card = json.loads(archive.read("model_card.json"))
            content = archive.read("model.skops")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _bound(archive, path)
        pipeline = skops.io.loads(content, trusted=TRUSTED)
        tampering.check(pipeline)
        return Model(card, pipeline)
    except FileNotFoundError as error:
        raise LabelingError(f"There is no file {path}.") from error
    except (UntrustedTypesFoundException, tampering.TamperedError) as error:
        raise LabelingError(
            f"{path.name} holds more than a classifier of this program: it is not opened."
        ) from error
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise LabelingError(
            f"{path.name} is no model that was downloaded here: it should be a zip with "
            "model.skops and model_card.json."
        ) from error


def _bound(archive: zipfile.ZipFile, path: Path) -> None:
    """LabelingError for more than a model can be, before it is unpacked."""
    if sum(each.file_size for each in archive.infolist()) > _MOST_BYTES:
        raise LabelingError(f"{path.name} unpacks to more than a model can have: it is not opened.")


class Predicted(NamedTuple):
    """How many ``rows`` were predicted, what was read of the ``columns`` that the model needs, and
    which columns of the data are called otherwise in the result: ``renamed``, old → new."""

    rows: int
    columns: list[ReadColumn]
    renamed: dict[str, str]


def predict_table(
    model: Model,
    path: Path,
    out: Path,
    safe: bool = False,
    excel: bool = False,
    part: str = "",
    progress: Progress | None = None,
) -> Predicted:
    """Write the rows of the table ``part`` of a file (see containers.opened) with ``prediction``
    and ``probability`` (of that category, 0..1) to ``out``.

    Columns of the file with one of these names are called ``…_source``. Raises LabelingError when
    a column that the model needs is missing, or none of its values can be read. ``safe`` as for
    export.to_file, ``excel`` as for _form; ``progress`` is called with the share that is done.
    """
    form = _form(out, excel)
    kinds = model.features.get("columns", {})
    _require(bool(kinds), "This model is for files: name their folder with --folder.")
    _require(path.is_file(), f"There is no file {path}.")
    with tempfile.TemporaryDirectory() as folder, _memory() as cursor:
        load(cursor, path, inspect(path, path.name, part=part), "source")
        names = [row[0] for row in cursor.execute("DESCRIBE main.source").fetchall()]
        joined, table = model.features.get("joined", {}), Path(folder) / "table.parquet"
        if lacking := [each for each in kinds if each not in names and each not in joined]:
            raise LabelingError(f"{path.name} has no column “{lacking[0]}”, which the model needs.")
        cursor.execute(f"COPY main.source TO {literal(str(table))} (FORMAT parquet)")
        table = completed(table, joined, Path(folder) / "joined.parquet")
        report = ReadingReport(model.features, model.pipeline)
        found = Path(folder) / "predictions.parquet"
        ((number,),) = cursor.execute("SELECT count(*) FROM main.source").fetchall()
        tell = progress or (lambda share: None)
        rows = _write(_predicted(model, table, report, lambda n: tell(n / number)), found)
        report.require_readable()
        called = beside(names, _OURS)
        listed = ", ".join(f"s.{quote(old)} AS {quote(new)}" for old, new in called.items())
        query = f"SELECT {listed}, p.* FROM {_read(table)} AS s POSITIONAL JOIN {_read(found)} p"
        _save(out, to_file(cursor, query, form, safe))
    return Predicted(rows, report.columns, {old: new for old, new in called.items() if old != new})


def _predicted(
    model: Model, table: Path, report: ReadingReport, tell: Callable[[int], object]
) -> Iterator[Categories]:
    """What the model says of the rows of a table; ``tell`` is called with how many are done."""
    kinds, missing, done = model.features["columns"], model.missing, 0
    for each in batches(table, list(kinds)):
        report.add(each)
        yield model.predict(prepare(each, kinds, missing))
        done += each.num_rows
        tell(done)


def predict_folder(
    model: Model, folder: Path, out: Path, safe: bool = False, progress: Progress | None = None,
    excel: bool = False, as_events: events.Files = events.NONE,
) -> tuple[int, int]:  # fmt: skip
    """Write the files of ``folder``, or their windows as the model knows them, with ``prediction``
    and ``probability`` to ``out``: how many they are, and how many of them could not be read;
    these have a ``problem`` instead.

    ``progress`` is told the share of files read (0..1). Raises LabelingError when the model is for
    tables, or learned from features that this version does not compute.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    form = _form(out, excel)
    modality = _modality_for(model, folder, as_events)
    source = modality.source.cut(*model.windows)
    files = source.sample_ids(folder, list_files(folder, source.suffixes).files)
    _require(bool(files), f"The folder holds no {modality.name}.")
    with tempfile.TemporaryDirectory() as kept, _memory() as cursor:
        broken, usable, rows = _read_files(folder, files, model.features, Path(kept), progress)
        found, listed = Path(kept) / "predictions.parquet", Path(kept) / "files.parquet"
        _write(map(model.predict, rows), found)
        pq.write_table(pa.table({"path": pa.array(usable, pa.string())}), listed)
        cursor.execute(
            "CREATE TABLE broken AS SELECT unnest(?::VARCHAR[]) AS path, "
            "unnest(?::VARCHAR[]) AS problem",
            [list(broken), list(broken.values())],
        )
        query = (
            f"SELECT f.path, p.*, NULL AS problem FROM {_read(listed)} AS f POSITIONAL JOIN "
            f"{_read(found)} AS p UNION ALL SELECT path, NULL, NULL, problem FROM broken "
            "ORDER BY path"
        )
        _save(out, to_file(cursor, query, form, safe))
        events.save(cursor, query, as_events, safe)
    return len(files), len(broken)


def _modality_for(model: Model, folder: Path, as_events: events.Files) -> Modality:
    """What the files of ``folder`` are taken for; LabelingError where the model is not for such."""
    kind = model.features.get("features", "")
    _require(bool(kind), "This model is for tables: name a file with --data.")
    _require(folder.is_dir(), f"There is no folder {folder}.")
    require_installed(kind)
    if not fits(kind, model.features["version"]):
        raise LabelingError(
            "This version of the program computes other features than the model learned from: "
            "train the final model anew."
        )
    _require(
        model.windows[0] > 0 or as_events == events.NONE,
        "There are events in windows only: this model learned from whole files.",
    )
    return modality_with(kind, model.features.get("modality", ""))


def _read_files(
    folder: Path, files: list[str], features: dict[str, Any], kept: Path, progress: Progress | None
) -> tuple[dict[str, str], list[str], Iterator[np.ndarray]]:
    """Why some files cannot be read, the others, and their features, some thousand at a time."""
    import numpy as np

    tell, kind = progress or (lambda share: None), str(features["features"])
    broken = extract(files, folder, kept, kind, lambda now: tell(now.done / now.total)).broken
    read = Extracted(files, folder, kept, kind)
    gone = {*files}.difference((files[at] for at in read.usable()), broken)
    broken |= dict.fromkeys(gone, "It went away while it was read.")
    usable = [name for name in files if name not in broken]
    numbers = sum(read.widths(usable[0])) if usable else 0
    _require(
        not usable or numbers == features.get("numbers", numbers),
        f"Each file has {numbers:,} numbers, not as many as the model learned from.",
    )
    chunks = (usable[at : at + _CHUNK] for at in range(0, len(usable), _CHUNK))
    return broken, usable, (np.array([read.row(name) for name in part]) for part in chunks)


def _write(predicted: Iterator[Categories], path: Path) -> int:
    """Write predictions to Parquet piece by piece; how many there were."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("prediction", pa.string()), ("probability", pa.float64())])
    rows = 0
    with pq.ParquetWriter(path, schema) as file:
        for categories, probabilities in predicted:
            file.write_table(pa.table([categories, probabilities], schema=schema))
            rows += len(categories)
    return rows


def _memory() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("SET TimeZone = 'UTC'")  # moments are written as they are in the file
    return connection


def _read(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


def _form(out: Path, excel: bool) -> str:
    """The one of FORMATS that the name of ``out`` asks for; a CSV may be for ``excel``."""
    form = form_of(out)
    return EXCEL if excel and form == "CSV" else form


def _save(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise LabelingError(f"{out} cannot be written: {error.strerror}.") from error


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise LabelingError(sentence)
