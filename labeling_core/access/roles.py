"""The roles of a team, kept in the database: by e-mail, by domain, and for everybody else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from labeling_core import config
from labeling_core.errors import LabelingError
from labeling_core.people import EVERYWHERE, ROLES, Person, local_person
from labeling_core.store.database import Database, now
from labeling_core.store.events import NewEvent, append

ANYBODY = "*"  # the entry of those whom no other entry names
ADMINS = config.ADMINS.name  # what stands for who appointed those that the environment names
_NAME = r"[^\s@*,`]+"
_WHO = re.compile(rf"(\*|{_NAME})@{_NAME}")


class Entry(NamedTuple):
    """``who`` (an e-mail, ``*@domain`` or ANYBODY) has a role in a project, or EVERYWHERE."""

    who: str
    project_id: str
    role: str
    added_by: str
    added: datetime | None = None


def normalized(who: str) -> str:
    """What an admin has typed as it is stored, without what stands around it."""
    return folded(who.strip())


def folded(who: str) -> str:
    """An e-mail as it is compared: lower case, and nothing else.

    Only plain letters are folded: a letter that merely becomes one of them in lower case (the
    Kelvin sign, a k) must not make somebody else of its owner.
    """
    return who.lower() if who.isascii() else who


def confirmed_email(claims: Mapping[str, Any]) -> str:
    """The e-mail of a login by what its provider says, as it is compared; empty unless it is said
    to be confirmed. A provider that says nothing of that is believed by a setting only.

    Nothing is mended here: an address with anything around it or in it that is not seen is
    another address, or a trick.
    """
    email, said = claims.get("email"), claims.get("email_verified")
    silent = said is None and config.UNCONFIRMED.get() == "accept"
    if not isinstance(email, str) or not (silent or said in (True, "true", "True")):
        return ""
    seen = email.isprintable() and email == email.strip()
    return folded(email) if seen and is_email(email) else ""


def is_email(text: str) -> bool:
    """Whether a text names one person, and not a domain."""
    return _WHO.fullmatch(text) is not None and not text.startswith("*")


def resolve(entries: Sequence[Entry], email: str) -> Person:
    """The person behind ``email``: an entry for the e-mail beats one for its domain, which beats
    the one for anybody; among these one for the project beats one for everywhere."""
    email = folded(email)
    levels = (email, "*" + email[email.rfind("@") :], ANYBODY)
    given = {(each.who, each.project_id): each.role for each in entries}

    def role(place: str) -> str:
        wanted = [(who, where) for who in levels for where in (place, EVERYWHERE)]
        return next((given[each] for each in wanted if each in given), "none")

    places = {EVERYWHERE} | {each.project_id for each in entries}
    return Person(email, tuple((place, role(place)) for place in sorted(places)))


class Roles:
    """Who may do what, on one database. Kept in memory: no other process can write to the file."""

    def __init__(self, database: Database, hosted: bool) -> None:
        """``hosted`` false: local use, whoever comes is at home and may do everything."""
        self.database = database
        self.hosted = hosted
        self.entries: list[Entry] = []
        self.read()

    def read(self) -> None:
        """Take over what the table holds."""
        with self.database.read() as cursor:
            self.entries = [*_appointed(), *_stored(cursor)]

    def person(self, name: str) -> Person:
        """The person of that name (hosted: of that e-mail) with the roles of this moment."""
        return resolve(self.entries, name) if self.hosted else local_person(name)

    def set_role(self, who: str, project_id: str, role: str, by: Person) -> None:
        """Give a role, or change it; LabelingError for what cannot be."""
        by.require("manage")
        who = normalized(who)
        _check(who, project_id, role)
        with self._change(Entry(who, project_id, role, by.name)) as cursor:
            if (
                project_id
                and not cursor.execute(
                    "SELECT 1 FROM labeling.projects WHERE project_id = ?", [project_id]
                ).fetchone()
            ):
                raise LabelingError("There is no such project: choose another.", field="project_id")
            _remove(cursor, who, project_id)
            cursor.execute(
                "INSERT INTO labeling.people VALUES (?, ?, ?, ?, ?)",
                [who, project_id, role, by.name, now()],
            )

    def remove_role(self, who: str, project_id: str, by: Person) -> None:
        """Take a role back; what holds then is what a wider entry says, or none."""
        by.require("manage")
        who = normalized(who)
        with self._change(Entry(who, project_id, "", by.name)) as cursor:
            _remove(cursor, who, project_id)

    @contextmanager
    def _change(self, change: Entry) -> Iterator[duckdb.DuckDBPyConnection]:
        """The transaction of a change: logged with it, and in force only once it is stored."""
        with self.database.lock:  # who stores later is also taken over later
            with self.database.transaction() as cursor:
                yield cursor
                changed = self._settled(cursor, change)
            self.entries = changed

    def _settled(self, cursor: duckdb.DuckDBPyConnection, change: Entry) -> list[Entry]:
        """Log a change; the entries then. LabelingError if there would be no admin any more."""
        changed = [*_appointed(), *_stored(cursor)]
        if _has_admin(self.entries) and not _has_admin(changed):
            raise LabelingError("This is the last admin: name another one first.", field="who")
        detail = {"who": change.who, "role": change.role}
        event = NewEvent("role", change.added_by, detail)
        append(cursor, change.project_id, [event], now())
        return changed


def _appointed() -> list[Entry]:
    """The admins that the environment names; the table cannot take that from them."""
    named = [normalized(each) for each in config.ADMINS.get()]
    return [Entry(each, EVERYWHERE, "admin", ADMINS) for each in named if is_email(each)]


def _stored(cursor: duckdb.DuckDBPyConnection) -> list[Entry]:
    appointed = {each.who for each in _appointed()}
    rows = cursor.execute(
        "SELECT who, project_id, role, added_by, added FROM labeling.people "
        "ORDER BY who, project_id"
    ).fetchall()
    found = [Entry(*row) for row in rows]
    return [each for each in found if each.project_id or each.who not in appointed]


def _remove(cursor: duckdb.DuckDBPyConnection, who: str, project_id: str) -> None:
    cursor.execute(
        "DELETE FROM labeling.people WHERE who = ? AND project_id = ?", [who, project_id]
    )


def _has_admin(entries: Sequence[Entry]) -> bool:
    """Whether somebody is an admin by name; a domain may have nobody in it."""
    return any(each.role == "admin" and not each.who.startswith("*") for each in entries)


def _check(who: str, project_id: str, role: str) -> None:
    if who != ANYBODY and not _WHO.fullmatch(who):
        raise LabelingError(
            "Write an e-mail (eva@example.org) or a domain (*@example.org).", field="who"
        )
    if role not in ROLES:
        raise LabelingError(f"“{role[:20]}” is no role: use {', '.join(ROLES)}.", field="role")
    if role == "admin" and (project_id or who == ANYBODY):
        raise LabelingError(
            "An admin is one everywhere, and by e-mail or domain: an admin sees the tables and "
            "folders of all projects.",
            field="role",
        )
