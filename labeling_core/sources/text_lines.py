"""A text whose lines are the samples."""

from __future__ import annotations

from pathlib import Path

from labeling_core.sources.choices import Choices
from labeling_core.sources.dialects import find_reading
from labeling_core.sources.import_errors import encoding_error, file_error
from labeling_core.sources.plain_files import Plain

LINES = "one text per line"
COLUMN = "text"
_BATCH = 50_000


def table(plain: Plain, folder: Path) -> Plain:
    """The lines as a Parquet file with one column; empty ones are left out, and counted.

    Raises LabelingError if it is no text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # The suffix keeps lines of JSON from being anything else than lines.
    reading = find_reading(
        plain.path, plain.name, Choices(delimiter=",", decimal=".", quote="", comment="", skip=0)
    )
    if reading.encoding is None:
        raise file_error(plain.name, "is no text; choose its rows, not its lines")
    schema = pa.schema([(COLUMN, pa.string())])
    target, empty = folder / "lines", 0
    batch: list[str] = []
    try:
        with (
            plain.path.open(encoding=reading.encoding, newline=None) as lines,
            pq.ParquetWriter(target, schema) as file,
        ):
            for line in lines:
                text = line.rstrip("\n")
                empty += not text.strip()
                batch += [text] if text.strip() else []
                if len(batch) == _BATCH:
                    file.write_table(pa.table([batch], schema=schema))
                    batch = []
            file.write_table(pa.table([batch], schema=schema))
    except UnicodeError as error:
        raise encoding_error(plain.name, reading.encoding) from error
    notes = [*plain.notes, *reading.notes]
    if empty:
        notes.append(f"{empty:,} empty {'line was' if empty == 1 else 'lines were'} left out.")
    return Plain(target, plain.name, tuple(notes))
