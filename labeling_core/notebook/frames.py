"""DataFrames as files that the core reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labeling_core.errors import LabelingError

if TYPE_CHECKING:
    import pandas as pd


def to_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write the columns of a DataFrame, its index left out, to the Parquet file ``path``.

    Raises LabelingError (field ``source``) where a column holds what no table can.
    """
    import pyarrow as pa

    try:
        frame.to_parquet(path, index=False)
    except (pa.ArrowException, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise LabelingError(
            f"The DataFrame cannot be stored as a table: {reason}.", "source"
        ) from (error)
