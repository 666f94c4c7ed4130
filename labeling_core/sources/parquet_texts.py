"""Columns of Parquet files that DuckDB would read as bare numbers: written as pandas shows them.

Durations, periods and intervals are whole numbers or pairs in the file; what they mean stands
only in the schema that pandas and Arrow add.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from labeling_core.store.database import literal

if TYPE_CHECKING:
    import pyarrow as pa


def texts_of(
    path: Path, columns: Sequence[str], source: str, left: ExitStack
) -> tuple[dict[str, str], str]:
    """Column → the column of text that stands for it, and what to select both from.

    The texts are a temporary file, which lives as long as ``left``.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pa.array(pd.array(["2020"], dtype="period[Y]"))  # so that Arrow knows periods
        schema = pq.read_schema(path)
        odd = {name: at for at, name in enumerate(columns) if _is_odd(schema.field(at))}
        if not odd:
            return {}, source
        table = pq.read_table(path, columns=[schema.field(at).name for at in odd.values()])
    except pa.ArrowException as error:
        raise OSError(str(error)) from error
    made = {
        f"import text {at}": pa.array(
            [None if pd.isna(value) else str(value) for value in column.to_pandas()], pa.string()
        )
        for at, column in enumerate(table.columns)
    }
    folder = left.enter_context(tempfile.TemporaryDirectory(prefix="import-"))
    target = Path(folder) / "texts.parquet"
    pq.write_table(pa.table(made), target)
    joined = f"(SELECT * FROM {source} POSITIONAL JOIN read_parquet({literal(str(target))}))"
    return dict(zip(odd, made, strict=True)), joined


def _is_odd(field: pa.Field) -> bool:
    import pyarrow as pa

    extension = (field.metadata or {}).get(b"ARROW:extension:name", b"")
    if isinstance(field.type, pa.BaseExtensionType):
        extension = field.type.extension_name.encode()
    return pa.types.is_duration(field.type) or extension.startswith(b"pandas.")
