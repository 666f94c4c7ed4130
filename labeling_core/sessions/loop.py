"""The loop of each project: when a session runs, what is read before, and how far all that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from labeling_core.errors import LabelingError
from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.modalities.registry import modality_of, source_of
from labeling_core.progress import deck_advice
from labeling_core.projects import lifecycle
from labeling_core.sessions import features, records, session
from labeling_core.sessions.jobs import JobLine, Status
from labeling_core.sessions.pace import Pace
from labeling_core.sessions.preparing import FEATURES, Preparing
from labeling_core.sessions.session_run import SessionRun
from labeling_core.sessions.told_accuracy import ToldAccuracy
from labeling_core.sessions.trigger import coming, due, next_trigger, waits
from labeling_core.sessions.worker_client import Progress, Worker
from labeling_core.settings import Project
from labeling_core.store.checkpoints import let_go
from labeling_core.store.removal import sweep

SESSION = "session"  # kind of job


class Loop:
    """Sessions and the reading of files, for all open projects."""

    def __init__(self, open_projects: OpenProjects) -> None:
        """Start nothing yet."""
        self.open_projects, self.database = open_projects, open_projects.database
        self.trainer = JobLine(self._finished, Worker())
        # Files are read in a line of their own: it may take hours, and sessions go on meanwhile.
        self.reader = JobLine(self._finished, Worker(imports=()), keep=False)
        self._preparing = Preparing(open_projects, self.trainer, self.reader)
        self._triggers: dict[str, int] = {}
        self.pace = Pace(self._look_again)
        self.in_session: set[str] = set()  # projects with a session in the line
        self._advice: dict[str, dict[str, Any] | None] = {}
        self._accuracy = ToldAccuracy(self.database)
        self.on_job_end: Callable[[], object] = lambda: None
        self._before: dict[str, str] = {}  # why the last session before the start failed, or ""

    def stop(self) -> None:
        """End the workers, and what waits."""
        self.pace.stop()
        self.reader.stop()
        self.trainer.stop()

    def forget(self, project_id: str) -> None:
        """Drop what is held in memory of a project."""
        self._triggers.pop(project_id, None)
        self.pace.forget(project_id)
        self._advice.pop(project_id, None)
        self._accuracy.forget(project_id)

    def status(self, project: Project) -> Status:
        """What the loop of a project is doing, in a sentence."""
        settings = project.settings
        if stopped := self._preparing.stopped(project):
            return Status("waiting", f"reading is stopped, sessions wait for it ({stopped.text})")
        reading = self.reader.status.get(project.project_id)
        if reading is not None and reading.state not in ("idle", "stopped"):
            return reading
        if not settings.queries_table:
            return Status("off", "active learning is off, samples come in random order")
        known = self.trainer.status.get(project.project_id)
        if known is not None and known.state == "running":
            return known
        queue = self.open_projects.queue(project)
        left = self._trigger(project) + settings.every - queue.counts.labeled
        when = coming(settings, left, queue.counts.classes)
        state, then = "idle", f"next {when}"
        if left <= 0 and queue.counts.classes < 2 and settings.automatic:
            state, then = "waiting", "a session needs labels of at least two categories"
        last = self._last_session(project)
        if last is not None and last.state == "failed":
            text = f"The last session failed: {last.text} The next one comes {when}."
            return Status("failed", text)
        last = last or self.trainer.outcomes.get((project.project_id, FEATURES))
        if last is None or state == "waiting":
            return Status(state, then)
        if last.text.endswith("."):  # a sentence, such as one about a table that teaches nothing
            return Status(last.state, f"{last.text} The next session comes {when}.")
        text = last.text
        if text == session.FINISHED:
            text = self._accuracy.words(project, queue) or text
        return Status(last.state, f"{text}; {then}")

    def _last_session(self, project: Project) -> Status | None:
        """How the last session ended, whatever other work has been done since; of one before the
        program's start only a failure is told. None while there is nothing to tell."""
        project_id = project.project_id
        if (project_id, SESSION) not in self.trainer.outcomes and project_id not in self._before:
            with self.database.read() as cursor:
                self._before[project_id] = records.last_failure(cursor, project_id)
        reason = self._before.get(project_id, "")
        earlier = Status("failed", reason) if reason else None
        return self.trainer.outcomes.get((project_id, SESSION), earlier)

    def advice(self, project: Project) -> dict[str, Any] | None:
        """What the decks are told about halting; None before the first session and without
        active learning. Worked out at the end of each session, beside the decisions."""
        queue = self.open_projects.queue(project)
        if not project.settings.queries_table or not queue.session_id:
            return None
        if project.project_id not in self._advice:
            found = deck_advice.read(self.database, project, queue)
            self._advice[project.project_id] = found
        return self._advice[project.project_id]

    def after_decisions(self, project: Project) -> None:
        """Apply the rule: start a session when enough labels have come in."""
        settings = project.settings
        if not settings.queries_table:
            return
        with self.database.lock:  # two browsers may bring the n-th label at once
            queue = self.open_projects.queue(project)
            trigger, every, classes = self._trigger(project), settings.every, queue.counts.classes
            running = project.project_id in self.in_session or self._reading(project) == "running"
            if classes < 2 and queue.counts.labeled - trigger > every:
                # nothing could be learned at the points that have gone by: they are not made up for
                self._triggers[project.project_id] = queue.counts.labeled - every
            elif settings.automatic and self.pace.may_look(project):
                is_due = due(queue.counts.labeled, trigger, every, classes, running)
                if not self.pace.may_start(project, is_due):
                    return
                if self._preparing.stopped(project):
                    return  # until somebody has it go on
                if not features.must_be_read(self.database, project):
                    self.start_session(project, "trigger")
                elif self._reading(project) != "failed":
                    self.read_files(project)  # the session follows when that is done

    def require_idle(self, project_id: str) -> None:
        """Raise LabelingError while a session runs or files are read."""
        self.require_no_session(project_id)
        if self.reader.running(project_id):
            raise LabelingError("The files are being read: stop that first, or wait for its end.")

    def require_no_session(self, project_id: str) -> None:
        """Raise LabelingError while a session runs, or the worker is busy with the project."""
        if self.trainer.running(project_id):
            raise LabelingError("A session is running: try again when it has finished.")

    def _reading(self, project: Project) -> str:
        known = self.reader.status.get(project.project_id)
        return known.state if known is not None else "idle"

    def _finished(self, project_id: str) -> None:
        self._look_again(project_id)
        self.on_job_end()

    def _look_again(self, project_id: str) -> None:
        """After a job, or a wait: labels that came in meanwhile may make up the next session."""
        with self.database.read() as cursor:
            known = {each.project_id: each for each in lifecycle.list_projects(cursor)}
        if project_id in known:
            sweep(self.database.files(project_id))
            self.after_decisions(known[project_id])

    def start_session(
        self, project: Project, started_by: str, classifier: str = "", strategy: str = ""
    ) -> None:
        """Queue a session; classifier and strategy default to the project's.

        Raises LabelingError when one is under way, or the labels do not allow it yet.
        """
        # The caller's settings may be older.
        project = self.open_projects.project(project.project_id)
        settings = project.settings
        if not settings.queries_table:
            raise LabelingError(
                "Active learning is off: name a queries table in the settings first."
            )
        with self.database.lock:
            if project.project_id in self.in_session:
                raise LabelingError("A session of this project is running already.")
            self._require_files(project)
            queue = self.open_projects.queue(project)
            if queue.counts.classes < 2:
                raise LabelingError(
                    "A session needs labels of at least two categories: label some more first."
                )
            trigger = queue.counts.labeled
            if started_by == "trigger" and not waits(settings):
                trigger = next_trigger(queue.counts.labeled, self._trigger(project), settings.every)
            self._triggers[project.project_id] = trigger
            self.in_session.add(project.project_id)
            chosen = project._replace(
                settings=replace(
                    settings,
                    classifier=classifier or settings.classifier,
                    strategy=strategy or settings.strategy,
                )
            )
            self.trainer.submit(
                project.project_id, partial(self._session, chosen, started_by, trigger), SESSION
            )

    def learn(
        self, project: Project, kind: str, run: Callable[[Project, Path, Worker, Progress], str]
    ) -> None:
        """Queue a job on the project's features, which are computed first where they are missing;
        ``run`` is given the project as it is now, and their folder.

        Raises LabelingError while other work is being done, or not all files have been read.
        """
        with self.database.lock:
            if self.trainer.running(project.project_id):
                raise LabelingError(
                    "The worker is busy with this project: try again when it is done."
                )
            # The caller's settings may be older. Once the job is queued none of them can change.
            known = self.open_projects.project(project.project_id)
            self._require_files(known)

            def work(worker: Worker, progress: Progress) -> str:
                get_queue = partial(self.open_projects.queue, known)
                folder = features.ensure_features(self.database, known, get_queue, worker, progress)
                return run(known, folder, worker, progress)

            self.trainer.submit(project.project_id, work, kind)

    def _require_files(self, project: Project) -> None:
        if features.must_be_read(self.database, project):
            self.prepare(project)
            raise LabelingError("The files have to be read first: see how far that is.")

    def prepare(self, project: Project) -> None:
        """Warm up for labeling: start the worker, have the features computed early."""
        learns = project.settings.queries_table or modality_of(project.settings).reads_files
        if learns and not self._preparing.stopped(project):
            self.read_files(project)
        if project.settings.queries_table:
            self.trainer.worker.start()
            self.after_decisions(project)  # labels may have been brought in by the command line

    def read_files(self, project: Project) -> None:
        """Compute the features that are missing, in the background: see Preparing.begin."""
        self._preparing.begin(project)

    def unprepared(self, project: Project) -> bool:
        """Whether features or the first order of the pool are missing."""
        return self._preparing.missing(project)

    def reading(self, project: Project) -> Status | None:
        """How far the features are that are computed: see Preparing.status."""
        return self._preparing.status(project)

    def stop_reading(self, project: Project) -> None:
        """Stop computing features; what was read of files is kept."""
        self._preparing.stop(project)

    def _session(
        self, project: Project, started_by: str, trigger: int, worker: Worker, progress: Progress
    ) -> str:
        try:
            settings = project.settings
            again = source_of(settings).quick_to_compare
            project, _ = self.open_projects.compare_source(project, again, retry=False)
            let_go(self.database)  # the worker needs its share of the memory now
            project = project._replace(settings=settings)
            queue = self.open_projects.queue(project)
            behind = queue.counts.labeled - trigger >= settings.every
            labels = trigger if behind else queue.counts.labeled
            session_id = records.begin(self.database, project, started_by, labels, trigger)
            this = SessionRun(self.database, project, queue, session_id, labels)
            published = session.run(this, worker, progress)
            advice = deck_advice.read(self.database, project, queue)
            with self.database.lock:
                # A write failed, it was read anew.
                if self.open_projects.queue(project) is not queue:
                    self.open_projects.forget(project.project_id)
                self._advice[project.project_id] = advice
            return session.keep_model(published, worker, progress)
        finally:
            self.in_session.discard(project.project_id)

    def _trigger(self, project: Project) -> int:
        if project.project_id not in self._triggers:
            with self.database.read() as cursor:
                self._triggers[project.project_id] = records.trigger_point(cursor, project)
        return self._triggers[project.project_id]
