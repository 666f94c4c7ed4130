"""Seconds and peak memory of the features of a million rows with 64 columns of numbers.

Run: python tests/benchmarks/features.py [rows] [columns]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

MEASURE = "--measure"


def write_table(path: Path, rows: int, columns: int) -> None:
    """A Parquet table of random numbers, 1 % of the first column missing."""
    numbers = ", ".join(f"random() * 100 AS v{at}" for at in range(1, columns))
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT CASE WHEN random() > 0.01 THEN random() END AS v0, {numbers} "
            f"FROM range({rows})) TO '{path}' (FORMAT parquet)"
        )


def measure(table: Path) -> None:
    """Compute the features in this process and print what it cost."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from labeling_core.modalities.tabular import fit_features

    start = time.perf_counter()
    features = fit_features(table, table.parent / "features")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{features.rows:,} rows × {features.width} features: {seconds:.1f} s, peak {peak:,.0f} MB"
    )


def main() -> None:
    """Make the table here and measure in a process of its own, so that its peak is clean."""
    if sys.argv[1:2] == [MEASURE]:
        measure(Path(sys.argv[2]))
        return
    given = [int(word) for word in sys.argv[1:]]
    rows, columns = (given + [1_000_000, 64][len(given) :])[:2]
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.parquet"
        write_table(table, rows, columns)
        subprocess.run([sys.executable, __file__, MEASURE, str(table)], check=True)


if __name__ == "__main__":
    main()
