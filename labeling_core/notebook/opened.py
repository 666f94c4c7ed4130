"""One database, opened from a notebook or a script."""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import MODALITIES
from labeling_core.notebook.frames import to_parquet
from labeling_core.notebook.project import LabelingProject
from labeling_core.people import local_person
from labeling_core.settings import Category, Column, Settings, default_tables, named_after
from labeling_core.sources.importing import inspect
from labeling_core.sources.uploads import Upload
from labeling_core.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


def open_database(path: str | Path, annotator: str = "") -> Labeling:
    """Open the database at ``path``, or make an empty one; the same tables as the app has.

    ``annotator`` is written beside decisions: the name of whoever is logged in, unless another
    one is given. Raises LabelingError when the file is none of this program's, or is open in
    another process, the app included. Close it, or use it in a ``with`` block.
    """
    return Labeling(Workspace(Path(path).expanduser().resolve()), annotator or _user())


class Labeling:
    """An open database: its projects, and how to make new ones."""

    def __init__(self, workspace: Workspace, annotator: str) -> None:
        """Use :func:`open_database`."""
        self._workspace, self._person = workspace, local_person(annotator)

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
        """End the background work and close the file; what was decided is stored already."""
        self._workspace.close()

    @property
    def projects(self) -> dict[str, LabelingProject]:
        """All projects by id, oldest first."""
        found = use_cases.visible_projects(self._workspace, self._person)
        return {each: self.project(each) for each in found}

    def project(self, project_id: str) -> LabelingProject:
        """The project of that id. Raises LabelingError when there is none."""
        return LabelingProject(self._workspace, self._workspace.project(project_id), self._person)

    def create(
        self,
        title: str,
        source: str | Path | pd.DataFrame,
        categories: Sequence[str | Category] = (),
        labels: str = "",
        **settings: Any,
    ) -> LabelingProject:
        """Make a project of a table or of a folder of files.

        ``source`` is a DataFrame, the path of a table, the name of a table in the database, or,
        with a ``modality`` of files, a folder below the allowed roots. ``settings``
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
        with self._uploaded(
            title, source, str(wanted.get("modality", Settings.modality))
        ) as upload:
            name = named_after(title) if upload else str(source)
            entered: dict[str, Any] = {"title": title, "source": name, "categories": chosen}
            made = use_cases.create_from_upload(
                self._workspace, Settings(**entered | wanted), upload, self._person
            )
        return self.project(made.project_id)

    @contextmanager
    def _uploaded(
        self, title: str, source: str | Path | pd.DataFrame, modality: str
    ) -> Iterator[Upload | None]:
        """What is to become a new table; None for a table or a folder that is there already."""
        if modality in MODALITIES and MODALITIES[modality].source.thing != "table":
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="create-") as folder:
            path = Path(folder) / "table"
            if isinstance(source, str | Path):
                given = Path(source).expanduser()
                if not given.is_file():
                    if isinstance(source, Path) or given.suffix:
                        raise LabelingError(f"There is no file {given}.", "source")
                    yield None
                    return
                path.write_bytes(given.read_bytes())
                yield Upload(path, inspect(path, given.name))
            else:
                to_parquet(source, path)
                yield Upload(path, inspect(path, f"{title}.parquet"))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "notebook"
