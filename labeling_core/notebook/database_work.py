"""What notebooks and commands do to a database, done where the database is open.

That is this process, or the app's: then each public method here and in labeling_core.notebook.work
is called from there (see labeling_core.notebook.door). So what they take and give is plain values,
records, files.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.integrity import checks, remains, storage
from labeling_core.integrity.checks import Report
from labeling_core.integrity.storage import Storage
from labeling_core.notebook.work import ProjectWork
from labeling_core.people import Person
from labeling_core.settings import Settings
from labeling_core.sources.importing import inspect
from labeling_core.sources.uploads import Upload
from labeling_core.workspace import Workspace

log = logging.getLogger(__name__)
Wait = Callable[[float], None]
_TURN = 0.02  # seconds between two looks at whether the background work is done


class DatabaseWork:
    """What is done to an open database by one person."""

    def __init__(self, workspace: Workspace, person: Person, wait: Wait = time.sleep) -> None:
        """``workspace`` is closed by whoever opened it; ``wait`` lets some seconds pass, and raises
        when there is nothing to wait for any more."""
        self._workspace, self._person, self._wait = workspace, person, wait

    def projects(self) -> list[str]:
        """The ids of all projects, oldest first."""
        return list(use_cases.visible_projects(self._workspace, self._person))

    def project(self, project_id: str) -> ProjectWork:
        """The project of that id; LabelingError when there is none."""
        return ProjectWork(self._workspace, project_id, self._person, self._wait)

    def create(self, settings: Settings, file: Path | None, name: str) -> str:
        """Make a project, of the table in ``file`` (called ``name``) or of what is there already;
        its id. LabelingError for the first thing that is wrong."""
        with tempfile.TemporaryDirectory(prefix="create-") as folder:
            upload = None
            if file is not None:  # an upload goes when the project is made, with its folder
                table = Path(folder) / "table"
                shutil.copyfile(file, table)
                upload = Upload(table, inspect(table, name))
            made = use_cases.create_from_upload(self._workspace, settings, upload, self._person)
        return made.project_id

    def backup(self) -> str:
        """Make a backup; the path of its file."""
        return str(self._workspace.backups.make(self._person).path)

    def storage(self) -> Storage:
        """What takes how much on the disk."""
        return storage.look(self._workspace.database, self._person)

    def clear(self, kind: str, project_id: str) -> int:
        """See storage.clear; the bytes that went."""
        return storage.clear(self._workspace.loop, kind, project_id, self._person)

    def check(self, mend: bool) -> Report:
        """Look whether all is sound, but for the log, while nothing is stored and nothing runs;
        with ``mend`` make it so. LabelingError while files are read or a simulation runs."""
        workspace, by = self._workspace, self._person
        with self._all_idle():
            if not mend:
                return checks.look_open(workspace.database, by)
            try:
                return checks.mend_open(workspace.database, workspace.backups, by)
            finally:
                workspace.open_projects.forget_all()

    @contextmanager
    def _all_idle(self) -> Iterator[None]:
        """Wait until no project learns; in this block nothing is stored and nothing begins."""
        workspace, loop = self._workspace, self._workspace.loop
        with ExitStack() as held:
            for each in self.projects():
                held.callback(self._look_again, each)  # when it is held no more
                held.enter_context(loop.pace.held(each))
            while True:
                with workspace.database.lock:
                    projects = self.projects()
                    if not any(loop.trainer.running(each) for each in projects):
                        self._require_quiet(projects)
                        yield
                        return
                self._wait(_TURN)

    def _look_again(self, project_id: str) -> None:
        try:
            self._workspace.loop.after_decisions(self._workspace.project(project_id))
        except LabelingError:  # it is gone
            pass
        except Exception:  # of a project that is not sound: what is wrong with it is told
            log.exception("The sessions of %s do not go on", project_id)

    def _require_quiet(self, projects: list[str]) -> None:
        """LabelingError while something runs that may take hours."""
        for each in projects:
            self._workspace.loop.require_idle(each)
        if self._workspace.simulations.at_work:
            raise LabelingError("A simulation runs: wait for its end, or stop it on its page.")

    def delete(self, project_id: str, tables: bool, uploads: bool) -> str:
        """See Labeling.delete; the path of the backup, "" without one."""
        workspace, by = self._workspace, self._person
        if not tables:
            use_cases.delete_project(workspace, project_id, by)
            return ""
        if project_id in self.projects():
            return str(use_cases.delete_with_tables(workspace, project_id, uploads, by).path)
        dropped = remains.drop(workspace.database, workspace.backups, project_id, uploads, by)
        return str(dropped.path)
