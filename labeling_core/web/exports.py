"""What a project holds, taken away in pieces: by a link on a page, from Python, by a command.

A link is made for one person in one browser and ends; what that person may do is looked up when
it is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from labeling_core.access import tokens
from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import modality_of
from labeling_core.people import Person
from labeling_core.progress import downloads, label_filter, packages
from labeling_core.progress.label_filter import Wanted
from labeling_core.settings import Project
from labeling_core.store import exporting
from labeling_core.store.growing_files import stream
from labeling_core.web import media_links, request_log
from labeling_core.workspace import Workspace

ADDRESS = "/labeling/export/"
DATABASE, LABEL_STUDIO, FOLDER = "DuckDB file", "Label Studio", "folder with metadata.csv"
# The tables name everybody's decisions, and which samples were probes.
_OPEN = ("sessions",)
_SUFFIXES = {DATABASE: "tables.duckdb", LABEL_STUDIO: "label_studio.json", FOLDER: "files.zip"}
_MADE = {LABEL_STUDIO: packages.label_studio, FOLDER: packages.folder}


class Export(NamedTuple):
    """A file on its way: what it is called, and its content in pieces."""

    name: str
    pieces: Iterator[bytes]


def listed(project: Project, by: Person) -> list[str]:
    """What of a project a person may take away, beside the models."""
    if by.may("manage", project.project_id):
        media = [FOLDER] if modality_of(project.settings).reads_files else []
        return [*downloads.exports(project), DATABASE, LABEL_STUDIO, *media]
    sees = by.may("see", project.project_id)
    return [each for each in downloads.exports(project) if sees and each in _OPEN]


def filtered(what: str) -> bool:
    """Whether a filter narrows one of :func:`listed`; the rest is not about single labels."""
    return what in (*downloads.FILTERED, *_SUFFIXES)


def export(
    workspace: Workspace,
    project: Project,
    what: str,
    form: str,
    by: Person,
    wanted: Wanted = label_filter.ALL,
    safe: bool = False,
) -> Export:
    """One of :func:`listed`, a table in one of exporting.FORMATS; ``safe`` as to_file has it.

    Nothing is held whole in memory: pieces are made as they are asked for. LabelingError for what
    there is not, and for a filter of what cannot be filtered; ForbiddenError.
    """
    by.require("see" if what in _OPEN else "manage", project.project_id)
    known = listed(project, by)
    if what not in known:
        raise LabelingError(f"“{what}” cannot be exported: choose one of {', '.join(known)}.")
    wanted.check()
    if wanted != label_filter.ALL and not filtered(what):
        raise LabelingError(f"“{what}” cannot be filtered: it is not about single labels.")
    if what in _SUFFIXES:
        name = f"{project.project_id}_{_SUFFIXES[what]}"
        return Export(name, _package(workspace, project, what, wanted))
    if form not in exporting.FORMATS:
        forms = ", ".join(exporting.FORMATS)
        raise LabelingError(f"“{form}” is no format of tables: choose one of {forms}.")
    name = f"{project.project_id}_{what.replace(' ', '_')}.{exporting.FORMATS[form][0]}"
    return Export(name, _table(workspace, project, what, form, wanted, safe))


def save(pieces: Iterator[bytes], path: Path) -> None:
    """Write the pieces of an export to the file ``path``; LabelingError where that cannot be."""
    try:
        with path.open("wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise LabelingError(f"{path} cannot be written: {error.strerror}.") from error


def _table(
    workspace: Workspace, project: Project, what: str, form: str, wanted: Wanted, safe: bool
) -> Iterator[bytes]:
    # Only the accuracy by session needs the queue: to load it takes a second for a million samples.
    queue = workspace.queue(project) if what == "sessions" else None
    with workspace.database.read() as cursor:
        sql, values = downloads.query(cursor, project, what, queue, wanted)
    if form == exporting.JSON_LINES:
        return _pieces(workspace, lambda cursor: exporting.json_lines(cursor, sql, values))
    return stream(
        workspace.database,
        lambda cursor, path: exporting.write(
            # What is filtered is told by its ids and not by its order.
            cursor,
            sql,
            form,
            path,
            safe,
            values,
            ordered=what not in downloads.FILTERED,
        ),
        exporting.head(form),
    )


def _package(workspace: Workspace, project: Project, what: str, wanted: Wanted) -> Iterator[bytes]:
    if what in _MADE:
        return _pieces(workspace, lambda cursor: _MADE[what](cursor, project, wanted))
    queue = partial(workspace.queue, project)
    return stream(
        workspace.database,
        lambda cursor, path: packages.write_database(cursor, project, path, queue, wanted),
        settled=packages.SETTLED,
    )


def _pieces(workspace: Workspace, make: Callable[..., Iterator[bytes]]) -> Iterator[bytes]:
    with workspace.database.read() as cursor:
        yield from make(cursor)


class Link(NamedTuple):
    """What a link stands for; ``expires`` in seconds since the epoch, ``wanted`` as in JSON."""

    project_id: str
    annotator: str
    browser: str
    what: str
    form: str
    safe: bool
    wanted: list[Any]
    expires: float


def link(key: bytes, asked: Link) -> str:
    """The address of an export, from the app's own base on and without a slash in front."""
    return ADDRESS.lstrip("/") + tokens.seal(key, "export", list(asked))


def asked_by(
    project: Project, who: str, browser: str, what: str, form: str, safe: bool,
    wanted: Wanted = label_filter.ALL,
) -> Link:  # fmt: skip
    """What a link for ``who`` in ``browser`` (see media_links.browser_of) shall stand for."""
    times = [each and each.isoformat() for each in (wanted.since, wanted.until)]
    told: list[Any] = [wanted.categories, wanted.people, *times, wanted.agreement]
    return Link(project.project_id, who, browser, what, form, safe, told, media_links.end())


def follow(workspace: Workspace, token: str, browser: str) -> Export:
    """The export behind a link; LabelingError when it is not ours, not this browser's, or over,
    and when its person may not have it any more."""
    asked = Link(*tokens.unseal(workspace.key, "export", token))
    media_links.require_valid(asked.browser, asked.expires, browser)
    request_log.by(workspace.key, asked.annotator)
    by = workspace.roles.person(asked.annotator)
    by.require("see", asked.project_id)  # before anybody learns whether there is such a project
    project = workspace.project(asked.project_id)
    categories, people, *times, agreement = asked.wanted
    since, until = (datetime.fromisoformat(each) if each else None for each in times)
    wanted = Wanted(tuple(categories), tuple(people), since, until, agreement)
    return export(workspace, project, asked.what, asked.form, by, wanted, asked.safe)
