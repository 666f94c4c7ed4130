"""All checks of a database, and the mending of what can be mended without loss."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.integrity import decisions, files, rows
from labeling_core.integrity.logs import bytes_cut, keep_log
from labeling_core.integrity.record import Check, Found, House
from labeling_core.people import EVERYWHERE, Person
from labeling_core.store import eventlog
from labeling_core.store.backups import Backups, backup_folder, before_upgrade
from labeling_core.store.database import Database
from labeling_core.store.file_state import log_of

log = logging.getLogger(__name__)
# In this order: what one mends, the next may build on.
CHECKS: tuple[Check, ...] = (rows.READABLE, *decisions.CHECKS, *rows.CHECKS, *files.CHECKS)
NUMBER = len(CHECKS) + 1  # with that of the log
LOG = "log"
_CUT = "The log {} ends in the middle of a transaction: {:,} bytes of it cannot be read."
_TAKE_OVER = (
    "A copy of the log is kept, and what is whole of it is taken over. If decisions lack then, "
    "bring back a backup; power that fails while something is written cuts only what nobody was "
    "told to be stored."
)


class Finding(NamedTuple):
    """What one check found in one project ("" for none): in a sentence, and what to do.

    ``state`` is ``broken`` (a person has to do it), ``mendable`` or ``mended``.
    """

    check: str
    project: str
    number: int
    sentence: str
    to_do: str
    state: str


class Report(NamedTuple):
    """What was found, and the paths of the copies that were made before anything was mended."""

    findings: list[Finding]
    copies: list[str]  # no Path: through the app that would be the file itself

    @property
    def open(self) -> list[Finding]:
        """What is still wrong."""
        return [each for each in self.findings if each.state != "mended"]


def look(path: Path, by: Person) -> Report:
    """Find out what is wrong with the database file ``path`` and what lies beside it.

    Raises LabelingError where it cannot be opened at all. With a log that is cut nothing else is
    looked at: to open the file would be to take over what is left of it.
    """
    _require(path, by)
    if cut := bytes_cut(path):
        wrong = _CUT.format(log_of(path).name, cut)
        return Report([Finding(LOG, EVERYWHERE, 1, wrong, _TAKE_OVER, "mendable")], [])
    database = Database(path, before_upgrade)
    try:
        return Report(_look(House.of(database)), [])
    finally:
        database.close()


def mend(path: Path, by: Person) -> Report:
    """The same, and mend what loses nothing, after a backup; each mending is in the event log.

    Raises LabelingError where the file cannot be opened or no backup can be made.
    """
    _require(path, by)
    findings, copies = list[Finding](), list[str]()
    if cut := bytes_cut(path):
        copies.append(str(keep_log(path, backup_folder(path))))
        wrong = _CUT.format(log_of(path).name, cut)
        findings.append(Finding(LOG, EVERYWHERE, 1, wrong, _TAKE_OVER, "mended"))
    database = Database(path, before_upgrade)
    try:
        if findings:
            eventlog.note(database, EVERYWHERE, by, "mended", {"check": LOG, "number": 1})
        more = mend_open(database, Backups(database), by)
    finally:
        database.close()
    return Report(findings + more.findings, copies + more.copies)


def look_open(database: Database, by: Person) -> Report:
    """The same as :func:`look` of a database that this process has open, but for the log.

    The caller sees to it that nothing is stored meanwhile, and that nothing runs: what is on its
    way to a worker would be taken for a remnant.
    """
    by.require("manage")
    return Report(_look(House.of(database)), [])


def mend_open(database: Database, backups: Backups, by: Person) -> Report:
    """The same as :func:`mend`, as :func:`look_open` has it; what is held in memory of the tables
    is to be read anew then."""
    by.require("manage")
    house = House.of(database)
    copies, findings = list[str](), list[Finding]()
    if any(each.state == "mendable" for each in _look(house)):
        copies.append(str(backups.make(by).path))
    for check in CHECKS:
        findings += _mended(check, house, by)
    return Report(findings, copies)


def _require(path: Path, by: Person) -> None:
    by.require("manage")
    if not path.exists():
        raise LabelingError(f"There is no database {path}.")


def _look(house: House) -> list[Finding]:
    return [
        _told(check, each, "mendable" if check.mend else "broken")
        for check in CHECKS
        for each in check.find(house)
    ]


def _mended(check: Check, house: House, by: Person) -> list[Finding]:
    """What a check found before and still finds after its mending."""
    before = check.find(house)
    if not before:
        return []
    try:
        if check.mend is not None:
            check.mend(house, before)
    except (duckdb.Error, OSError, LabelingError):
        log.exception("“%s” could not be mended", check.name)
    after = check.find(House.of(house.database))
    left = {each.project_id: set(map(str, each.items)) for each in after}
    findings = []
    for each in before:
        items = [item for item in each.items if str(item) not in left.get(each.project_id, set())]
        if items:
            findings.append(_told(check, Found(each.project_id, tuple(items)), "mended"))
            detail = {"check": check.name, "number": len(items)}
            eventlog.note(house.database, each.project_id, by, "mended", detail)
    return findings + [_told(check, each, "broken") for each in after]


def _told(check: Check, found: Found, state: str) -> Finding:
    wrong = check.wrong.format(number=f"{len(found.items):,}", named=found.named)
    return Finding(check.name, found.project_id, len(found.items), wrong, check.to_do, state)
