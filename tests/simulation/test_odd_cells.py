"""Odd cells cost one cell: what is learned from a table does not depend on them.

Measured, 600 rows, 6 seeds: the clean table .891 (area .877); a date of the year 9999 +.001
(+.002), an impossible date -.003 (-.002), NA, null or - for nothing 0, all at once +.002 (+.004).
"""

from __future__ import annotations

import csv
import tempfile
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from labeling_core.simulation.labeled_data import read_table
from labeling_core.simulation.replay import Plan, simulate

SEEDS = 6
Rows = list[dict[str, str]]


def clean(rows: int) -> Rows:
    """A date, an amount of which a fifth is missing, and a shop; their sum decides the label."""
    random = np.random.default_rng(0)
    made: Rows = []
    for at in range(rows):
        day, amount, shop = int(random.integers(0, 1_400)), random.normal(50, 20), at % 4
        score = (day - 700) / 400 + (amount - 50) / 20 + (shop - 1.5) / 3 + random.normal(0, 0.4)
        made.append(
            {
                "day": str(date(2019, 1, 1) + timedelta(days=day)),
                "amount": "" if at % 5 == 0 else f"{amount:.2f}",
                "shop": f"shop {shop}",
                "label": "late" if score > 0 else "early",
            }
        )
    return made


def with_odd_cells(table: Rows, what: str) -> Rows:
    """The table with cells of one kind (see ODD) changed."""
    made = [dict(row) for row in table]
    if what in ("all", "sentinel"):
        made[7]["day"] = "9999-12-31"
    if what in ("all", "impossible"):
        made[11]["day"] = "2023-02-30"
    for row in made:
        if row["amount"] == "" and what in ("all", "NA", "null", "-"):
            row["amount"] = "NA" if what == "all" else what
    return made


ODD = ("sentinel", "impossible", "NA", "null", "-", "all")


def measured(table: Rows, seeds: int) -> tuple[float, float]:
    """Mean last accuracy and mean area under the accuracy curve (0..1)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)
        X, y = read_table(path, "label")
    runs = simulate(X, y, Plan(["auto"], 10, 100, seeds, "logistic_regression"))
    curves = np.array([each.accuracy for each in runs])
    return float(curves[:, -1].mean()), float(curves.mean())


@cache
def of_the_clean_table() -> tuple[float, float]:
    return measured(clean(600), SEEDS)


@pytest.mark.parametrize("what", ODD)
def test_a_table_with_odd_cells_teaches_what_the_clean_one_does(what: str) -> None:
    right, area = of_the_clean_table()
    assert right > 0.87
    found, its_area = measured(with_odd_cells(clean(600), what), SEEDS)
    assert abs(found - right) <= 0.01 and abs(its_area - area) <= 0.01
