"""How far the people of one project agree, from the samples that several of them labeled."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.learning import agreement
from labeling_core.learning.agreement import MISSING, Codes, Estimate
from labeling_core.projects.overlap import ADJUDICATION
from labeling_core.settings import Project

# Krippendorff's bounds for alpha: below the first nothing can be concluded, from the second on
# data are reliable ("Content Analysis", 4th edition, 2019, chapter 12).
TENTATIVE, RELIABLE = 0.667, 0.8


class Pair(NamedTuple):
    """Two people: how many samples both labeled, and how far they agree on them (0..1, kappa)."""

    first: str
    second: str
    samples: int
    raw: float | None
    kappa: float | None


class Report(NamedTuple):
    """Agreement on the ``samples`` that at least two of ``people`` labeled.

    ``kappa`` is Cohen's for two people, else Fleiss' on the samples that most often many did.
    ``confusion`` [categories, categories] counts pairs of labels on the same sample: for two
    people rows are the first one's; for more, both ways round, so that it is symmetric.
    """

    people: list[str]
    samples: int
    raw: Estimate
    kappa: Estimate
    alpha: Estimate
    pairs: list[Pair]
    confusion: NDArray[np.int64]


def report(cursor: duckdb.DuckDBPyConnection, project: Project) -> Report:
    """Compare the labels of people on the same samples; skips and rulings are not compared."""
    people, codes = _read(cursor, project)
    classes = len(project.settings.names)
    pairs, confusion = [], np.zeros((classes, classes), np.int64)
    for first, second in combinations(range(len(people)), 2):
        both = codes[:, [first, second]]
        both = both[(both != MISSING).all(axis=1)]
        if len(both):
            pairs.append(_pair(people[first], people[second], both))
            table = agreement.confusion(both, classes)
            confusion += table if len(people) == 2 else table + table.T
    kappa = agreement.cohen if len(people) == 2 else agreement.fleiss
    return Report(
        people, len(codes), agreement.raw(codes), kappa(codes), agreement.krippendorff(codes),
        pairs, confusion,
    )  # fmt: skip


def _pair(first: str, second: str, codes: Codes) -> Pair:
    equal = float((codes[:, 0] == codes[:, 1]).mean())
    return Pair(first, second, len(codes), equal, agreement.value(agreement.COHEN, codes))


def _read(cursor: duckdb.DuckDBPyConnection, project: Project) -> tuple[list[str], Codes]:
    """The people, and their class codes [samples, people] where at least two have labeled."""
    tables = project.tables
    votes = (
        f"(SELECT sample_id, annotator, list_position(?::VARCHAR[], {tables.label}) - 1 "
        f"AS code FROM {tables.metadata} "
        f"WHERE status = 'LABELED' AND origin <> '{ADJUDICATION}')"
    )
    found = cursor.execute(
        f"WITH votes AS {votes} SELECT dense_rank() OVER (ORDER BY sample_id) - 1 AS sample, "
        "annotator, code FROM votes WHERE code >= 0 AND sample_id IN "
        "(SELECT sample_id FROM votes GROUP BY sample_id HAVING count(*) > 1)",
        [list(project.settings.names)],
    ).fetchnumpy()
    names = np.asarray(found["annotator"], dtype=object)
    people, columns = np.unique(names.astype(str), return_inverse=True)
    rows = np.asarray(found["sample"], np.int64)
    codes = np.full((int(rows.max(initial=-1)) + 1, len(people)), MISSING, np.int64)
    codes[rows, columns] = np.asarray(found["code"], np.int64)
    return [str(each) for each in people], codes


def in_words(found: Report, categories: tuple[str, ...]) -> str:
    """What a report means, in a few plain sentences."""
    if not found.samples:
        return "No sample has been labeled by two people yet."
    lead = f"{found.samples:,} samples were labeled by two people or more"
    lead = lead.replace("1 samples were", "1 sample was") if found.samples == 1 else lead
    equal = f"{lead}; their labels agree in {found.raw.value or 0:.0%} of the pairs."
    if found.alpha.value is None:
        return (
            f"{equal} All of them chose the same category, so agreement beyond chance cannot be "
            "told: kappa and alpha are not defined."
        )
    return " ".join([equal, _verdict(found.alpha), _mixed_up(found, categories)]).strip()


def _verdict(alpha: Estimate) -> str:
    value, low = alpha.value or 0.0, alpha.low
    if value >= RELIABLE:
        sure = low is not None and low >= RELIABLE
        return "People label alike." if sure else "People label alike, as far as so few can tell."
    if value >= TENTATIVE:
        return "People label mostly alike: conclusions from these labels are tentative."
    return (
        "People do not label alike enough to rely on these labels: describe the categories "
        "more sharply, and look at the samples they disagree on."
    )


def _mixed_up(found: Report, categories: tuple[str, ...]) -> str:
    """Names the two categories that are most often mixed up."""
    either = np.triu(found.confusion + found.confusion.T, 1)
    if not either.any():
        return ""
    first, second = np.unravel_index(either.argmax(), either.shape)
    return f"Most often mixed up: {categories[int(first)]} and {categories[int(second)]}."
