"""What an import of labels would do, before anything is done: the dry run.

Works on the temporary table ``import_matched`` (see label_matching) and makes ``import_fates`` of
it: the same rows with the category that each means, and with what becomes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.labeling.label_matching import Match, Names, names, put
from labeling_core.projects.overlap import ADJUDICATION, chosen
from labeling_core.settings import Project
from labeling_core.sources.label_records import LabelFile, Unreadable

PEOPLE, IMPORT = WINS = ("people", "import")
EXAMPLES = 5

# What becomes of an annotation, in words.
FATES = {
    "new": "of samples that nobody has decided",
    "further": "of samples that several people decide: one more decision",
    "conflict": "that contradict what was decided here",
    "same": "that are here already, the same",
    "unknown sample": "of samples that this project does not have",
    "several samples": "with a key that several samples have",
    "unknown category": "with a category that this project does not have",
    "retired category": "with a category that was retired",
    "repeated": "that repeat another one of the same sample and person",
    "contradicted": "that the same person has given otherwise later, or further down",
}


# Each row with its category, or with what stands against it; of several of one person the newest;
# and beside it what was decided on the sample, by the same person and by anybody.
_FATES = """
WITH named AS (
    SELECT m.line, m.annotator, m.labeled_at, m.comment, m.place, m.sample_id, n.category,
        CASE WHEN m.label IS NULL THEN 'SKIPPED' ELSE 'LABELED' END AS status,
        CASE WHEN m.number = 0 THEN 'unknown sample'
             WHEN m.number > 1 THEN 'several samples'
             WHEN m.label IN (SELECT unnest(?::VARCHAR[])) THEN 'retired category'
             WHEN m.label IS NOT NULL AND n.category IS NULL THEN 'unknown category'
        END AS obstacle
    FROM import_matched AS m LEFT JOIN import_names AS n USING (label)
), ranked AS (
    SELECT *, coalesce(category, '') AS state, row_number() OVER last AS nth,
        first_value(coalesce(category, '')) OVER last AS newest
    FROM named WHERE obstacle IS NULL
    WINDOW last AS (PARTITION BY place, annotator
                    ORDER BY labeled_at DESC NULLS LAST, line DESC)
), decided AS (
    SELECT sample_id, annotator, coalesce({label}, '') AS state,
        origin = '{ruling}' AS ruled FROM {metadata}
    WHERE sample_id IN (SELECT sample_id FROM ranked)
), own AS (
    SELECT sample_id, annotator, min(state) AS before FROM decided WHERE NOT ruled
    GROUP BY ALL
), others AS (
    SELECT sample_id, min(state) AS least, max(state) AS most FROM decided GROUP BY ALL
), fates AS (
    SELECT r.* EXCLUDE (obstacle, nth, newest),
        CASE WHEN nth > 1 AND state = newest THEN 'repeated'
             WHEN nth > 1 THEN 'contradicted'
             WHEN o.before IS NOT NULL AND o.before = state THEN 'same'
             WHEN o.before IS NOT NULL THEN 'conflict'
             WHEN e.least IS NULL THEN 'new'
             WHEN r.place IN (SELECT place FROM import_shared) THEN 'further'
             WHEN e.least = state AND e.most = state THEN 'same'
             ELSE 'conflict' END AS fate
    FROM ranked AS r LEFT JOIN own AS o USING (sample_id, annotator)
    LEFT JOIN others AS e USING (sample_id)
)
SELECT line, annotator, labeled_at, comment, place, sample_id, status, category, fate
FROM fates
UNION ALL SELECT line, annotator, labeled_at, comment, place, sample_id, status, category,
    obstacle FROM named WHERE obstacle IS NOT NULL
"""


class Plan(NamedTuple):
    """What an import would do.

    ``rows`` annotations were read of the file; ``fates`` says how many of them meet which of
    FATES. ``unknown`` and ``retired`` are the labels that are no category (any more), with how
    often each comes. ``several`` samples have annotations of more than one person, and about
    ``disputed`` of them those disagree. ``probes`` are labels for places kept for probes.
    ``examples`` are lines of the file for each fate; ``unreadable`` was not read at all.
    """

    match: Match
    rows: int
    fates: dict[str, int]
    unknown: dict[str, int]
    retired: dict[str, int]
    several: int
    disputed: int
    probes: int
    examples: dict[str, list[int]]
    unreadable: tuple[Unreadable, ...]
    notes: tuple[str, ...]

    def stored(self, wins: str = PEOPLE) -> int:
        """How many annotations are stored when conflicts end like this."""
        count = self.fates.get("new", 0) + self.fates.get("further", 0)
        return count + (self.fates.get("conflict", 0) if wins == IMPORT else 0)

    def table(self, wins: str = PEOPLE) -> list[dict[str, str | int]]:
        """The figures as rows for people: what, how many, what happens."""
        taken = {"new", "further"} | ({"conflict"} if wins == IMPORT else set())
        rows: list[dict[str, str | int]] = [
            {
                "annotations": FATES[fate], "number": number,
                "then": "brought in" if fate in taken else "left out",
                "lines": ", ".join(map(str, self.examples.get(fate, []))),
            }
            for fate, number in self.fates.items()
        ]  # fmt: skip
        if self.unreadable:
            lines = ", ".join(str(each.line) for each in self.unreadable[:EXAMPLES])
            rows.append({"annotations": "that cannot be taken", "number": len(self.unreadable),
                         "then": "left out", "lines": lines})  # fmt: skip
        return rows

    def brought(self, wins: str, number: int | None) -> Brought:
        """What import ``number`` did, or, without a number, what it would do."""
        return Brought(
            number,
            self.rows + len(self.unreadable),
            self.stored(wins) if number is not None else 0,
            self.table(wins),
            self.unknown,
            self.retired,
            [(each.line, each.reason) for each in self.unreadable],
            [*self.lines(wins), f"Import {number} is stored." if number else "Nothing is stored."],
        )

    def lines(self, wins: str = PEOPLE) -> list[str]:
        """The same in sentences, with what else is to be said."""
        found = [f"{self.rows:,} annotations were read, their samples told by {self.match.words}."]
        for row in self.table(wins):
            where = f" (lines {row['lines']} …)" if row["then"] == "left out" else ""
            found.append(f"{row['number']:,} {row['annotations']}: {row['then']}{where}.")
        for what, labels in (("No category", self.unknown), ("Retired", self.retired)):
            if labels:
                shown = ", ".join(f"“{name}” ({count:,})" for name, count in [*labels.items()][:20])
                more = f" and {len(labels) - 20:,} more" if len(labels) > 20 else ""
                found.append(f"{what}: {shown}{more}.")
        if self.several:
            found.append(
                f"{self.several:,} samples have labels of several people, who are all kept; about "
                f"{self.disputed:,} of them they disagree, and the rule of the final label decides."
            )
        if self.probes:
            found.append(
                f"{self.probes:,} of the samples were kept for probes: unless they are a random "
                "draw they train from now on, and do not measure."
            )
        found += [f"Line {each.line}: {each.reason}" for each in self.unreadable[:EXAMPLES]]
        return [*found, *self.notes]


class Brought(NamedTuple):
    """What an import of labels did, or, without a ``number``, would do.

    ``read`` annotations are in the file, ``stored`` of them are decisions now. ``table`` has a row
    for each thing that becomes of them: ``annotations``, their ``number``, what happens ``then``,
    and the first ``lines`` of them. ``unknown`` and ``retired`` are labels that are no category
    (any more), with how often each comes; ``unreadable`` lines come with the reason. ``told`` is
    all of it in sentences.
    """

    number: int | None
    read: int
    stored: int
    table: list[dict[str, str | int]]
    unknown: dict[str, int]
    retired: dict[str, int]
    unreadable: list[tuple[int, str]]
    told: list[str]


def check_wins(wins: str) -> None:
    """Raise LabelingError for what is no way to end conflicts."""
    if wins not in WINS:
        raise LabelingError(f"“{wins}” cannot win: choose {PEOPLE} or {IMPORT}.", "wins")


def plan_import(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    file: LabelFile,
    column: str = "",
    create: bool = False,
) -> Plan:
    """The dry run for the annotations of a file; ``column`` as in label_matching.put, with
    ``create`` labels that are no category become one. Raises LabelingError when none of the
    samples is found."""
    if not file.records:
        reason = f" {file.unreadable[0].reason}" if file.unreadable else ""
        raise LabelingError(f"The file holds no annotation that could be taken.{reason}", "file")
    match = put(cursor, project, file.records, column)
    return decide(cursor, project, match, create, file.unreadable, file.notes)


def decide(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    match: Match,
    create: bool,
    unreadable: Sequence[Unreadable] = (),
    notes: Sequence[str] = (),
) -> Plan:
    """Say what becomes of each row of ``import_matched``."""
    found = names(cursor, project)
    _decide_each(cursor, project, found, create)
    rows = cursor.execute(
        "SELECT fate, count(*), list(line ORDER BY line)[:?] FROM import_fates GROUP BY fate",
        [EXAMPLES],
    ).fetchall()
    numbers = {fate: (number, lines) for fate, number, lines in rows}
    several, disputed, probes = _people(cursor, project)
    return Plan(
        match,
        sum(number for number, _ in numbers.values()),
        {fate: numbers[fate][0] for fate in FATES if fate in numbers},
        {} if create else found.unknown,
        found.retired,
        several,
        disputed,
        probes,
        {fate: lines for fate, (_, lines) in numbers.items()},
        tuple(unreadable),
        tuple(notes),
    )


def _decide_each(
    cursor: duckdb.DuckDBPyConnection, project: Project, found: Names, create: bool
) -> None:
    meant = found.meant | ({name: name for name in found.unknown} if create else {})
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE import_names AS SELECT unnest(?::VARCHAR[]) AS label, "
        "unnest(?::VARCHAR[]) AS category",
        [list(meant), list(meant.values())],
    )
    shared = chosen(project.settings, project.samples)
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE import_shared AS SELECT unnest(?::INTEGER[]) AS place",
        [shared.nonzero()[0].tolist()],
    )
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE import_fates AS "
        + _FATES.format(
            label=project.tables.label, metadata=project.tables.metadata, ruling=ADJUDICATION
        ),
        [list(found.retired)],
    )


def _people(cursor: duckdb.DuckDBPyConnection, project: Project) -> tuple[int, int, int]:
    """Samples that the file has of several people, those among them with several categories, and
    labels for places kept for probes."""
    row = cursor.execute(
        "SELECT count(*) FILTER (people > 1), count(*) FILTER (people > 1 AND categories > 1) "
        "FROM (SELECT count(DISTINCT annotator) AS people, count(DISTINCT category) AS categories "
        "FROM import_fates WHERE fate IN ('new', 'further', 'conflict') GROUP BY sample_id)"
    ).fetchone()
    kept = 0 if project.settings.test_table else project.probe_limit
    places = cursor.execute(
        "SELECT count(DISTINCT place) FROM import_fates WHERE fate IN ('new', 'further') "
        "AND place < ?",
        [kept],
    ).fetchone()
    assert row is not None and places is not None
    return int(row[0]), int(row[1]), int(places[0])


def taken_rows(cursor: duckdb.DuckDBPyConnection, wins: str) -> None:
    """Make ``import_taken`` of the rows that are to be stored, numbered ``nth`` in the order of
    the file. When the import wins about a sample that one person decides, all annotations of it
    are stored in the place of what was decided."""
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE import_taken AS SELECT *, "
        "row_number() OVER (ORDER BY line, annotator) AS nth FROM import_fates WHERE "
        "fate IN ('new', 'further') OR (? AND (fate = 'conflict' OR (fate = 'same' "
        "AND place NOT IN (SELECT place FROM import_shared) AND place IN "
        "(SELECT place FROM import_fates WHERE fate = 'conflict'))))",
        [wins == IMPORT],
    )
