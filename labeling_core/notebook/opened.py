"""One database, opened from a notebook or a script."""

from __future__ import annotations

import getpass
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from labeling_core.errors import LabelingError
from labeling_core.integrity.storage import Storage
from labeling_core.modalities.registry import MODALITIES
from labeling_core.notebook import through_app
from labeling_core.notebook.database_work import DatabaseWork
from labeling_core.notebook.frames import to_parquet
from labeling_core.notebook.project import LabelingProject
from labeling_core.people import local_person
from labeling_core.settings import Category, Column, Settings, default_tables, named_after
from labeling_core.sources.parquet_folders import is_wild, pattern_of
from labeling_core.sources.remote_storage import is_remote
from labeling_core.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

_TURN = 0.02  # seconds between two looks at whether a session has ended


def open_database(path: str | Path, annotator: str = "") -> Labeling:
    """Open the database at ``path``, or make an empty one; the same tables as the app has.

    While the app has it open everything goes through the app: nobody has to stop it.
    ``annotator`` is written beside decisions: the name of whoever is logged in, unless another
    one is given. Raises LabelingError when the file is none of this program's, or is open in
    another process than the app. Close it, or use it in a ``with`` block.
    """
    path, who = Path(path).expanduser().resolve(), annotator or _user()
    through = through_app.enter(path, who)
    if through is None:
        try:
            workspace = Workspace(path)
            work = DatabaseWork(workspace, local_person(who))
            return Labeling(work, partial(_close, workspace))
        except LabelingError:
            through = through_app.enter(path, who)  # the app may have opened it meanwhile
            if through is None:
                raise
    return Labeling(*through)


class Labeling:
    """An open database: its projects, and how to make new ones."""

    def __init__(self, work: DatabaseWork, close: Callable[[], None]) -> None:
        """Use :func:`open_database`."""
        self._work, self._close = work, close

    def __enter__(self) -> Labeling:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the background work and close the file; what was decided is stored already.

        A session that is under way, such as one that the last labels have set off, is waited for.
        Of a database that the app has open only the connection to it ends.
        """
        self._close()

    @property
    def projects(self) -> dict[str, LabelingProject]:
        """All projects by id, oldest first."""
        return {each: self.project(each) for each in self._work.projects()}

    def project(self, project_id: str) -> LabelingProject:
        """The project of that id. Raises LabelingError when there is none."""
        return LabelingProject(project_id, self._work.project(project_id))

    def create(
        self,
        title: str,
        source: str | Path | pd.DataFrame,
        categories: Sequence[str | Category] = (),
        labels: str = "",
        **settings: Any,
    ) -> LabelingProject:
        """Make a project of a table or of a folder of files.

        ``source`` is a DataFrame, the path of a table, the name of a table in the database, or a
        folder below the allowed roots: of Parquet files (or a pattern such as
        ``readings/*/*.parquet``), or of those of a ``modality`` of files. ``settings``
        are fields of labeling_core.settings.Settings, such as ``every=10``; the output tables are
        named after the title unless they are given. ``labels`` is the column that holds labels
        already: its values become categories, its rows are labeled.
        Raises LabelingError with the first thing that is wrong; nothing is made then.
        """
        unknown = sorted(set(settings) - set(Settings.__dataclass_fields__))
        if unknown:
            raise LabelingError(f"There is no setting “{unknown[0]}”.", unknown[0])
        wanted = default_tables(title) | settings
        if labels:
            wanted["columns"] = (*wanted.get("columns", ()), Column(labels, "labels"))
        chosen = tuple(Category(each) if isinstance(each, str) else each for each in categories)
        modality = str(wanted.get("modality", Settings.modality))
        with _table(title, source, modality) as (file, called):
            name = named_after(title) if file else called or str(source)
            entered: dict[str, Any] = {"title": title, "source": name, "categories": chosen}
            made = self._work.create(Settings(**entered | wanted), file, called)
        project = self.project(made)
        for note in project.source_notes()[1:]:
            warnings.warn(note, stacklevel=2)
        return project

    def backup(self) -> Path:
        """Copy the database into the folder of backups; the copy."""
        return Path(self._work.backup())

    def storage(self) -> Storage:
        """What takes how much on the disk, by kind and by project, and what is free."""
        return self._work.storage()

    def clear(self, kind: str, project_id: str = "") -> int:
        """Remove what is made again, of one project or of all: ``renditions``, ``features``,
        ``waiting uploads``, ``fetched files``; the bytes that went.

        Raises LabelingError for anything else, and for features while they are in use.
        """
        return self._work.clear(kind, project_id)

    def delete(self, project_id: str, tables: bool = False, uploads: bool = False) -> Path | None:
        """Delete a project, with ``tables`` its labels and metadata as well, with ``uploads`` also
        what was uploaded for it; of a project that is deleted already, drop those tables.

        Returns the backup that was made before anything was dropped; uploaded files are in none.
        Raises LabelingError when there is no such project, or one that is at work.
        """
        backup = self._work.delete(project_id, tables, uploads)
        return Path(backup) if backup else None


def _close(workspace: Workspace) -> None:
    try:
        workspace.loop.pace.stop()  # no other session begins
        while workspace.loop.in_session:
            time.sleep(_TURN)
    finally:  # Ctrl-C as well
        workspace.close()


@contextmanager
def _table(
    title: str, source: str | Path | pd.DataFrame, modality: str
) -> Iterator[tuple[Path | None, str]]:
    """The file of what is to become a new table, and what it is called; no file for what is there
    already: Parquet files, called by their pattern, or a table or a folder, as given."""
    if modality in MODALITIES and MODALITIES[modality].source.thing != "table":
        yield None, ""
    elif isinstance(source, str | Path):
        given = Path(source).expanduser()
        if pattern := _parquet_files(source):
            yield None, pattern
            return
        if not given.is_file() and (isinstance(source, Path) or given.suffix):
            raise LabelingError(f"There is no file {given}.", "source")
        yield (given, given.name) if given.is_file() else (None, "")
    else:
        with tempfile.TemporaryDirectory(prefix="create-") as folder:
            path = Path(folder) / "table"
            to_parquet(source, path)
            yield path, f"{title}.parquet"


def _parquet_files(source: str | Path) -> str:
    """The pattern that a source is; "" for a table. From where we are, if there is such a folder;
    else below the allowed roots. A bare name is that of a table."""
    text = str(source)
    if is_remote(text):
        return pattern_of(text)
    place, wild = Path(text).expanduser(), is_wild(text)
    bare = "/" not in text and isinstance(source, str)
    if not wild and (bare or not place.is_dir()):
        return ""
    start = next(each for each in (place, *place.parents) if not is_wild(str(each)))
    here = start.is_dir() and str(start) != "."
    return pattern_of(str(place.absolute()) if here else text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "notebook"
