"""A small project and somebody who labels in it, without a browser."""

from __future__ import annotations

import itertools
from typing import Any

from labeling_core.labeling.bookkeeping import Decision
from labeling_core.labeling.queue import Queue
from labeling_core.people import local_person
from labeling_core.settings import Category, Project, Settings
from labeling_core.store.database import Database
from labeling_core.web import adjudication_exchange, label_exchange, messages
from labeling_core.workspace import Workspace

_NUMBERS = itertools.count()
LOCAL = local_person("ana")
TWO = (Category("red", key="r"), Category("white", key="w"))
SETTINGS = Settings(
    title="Wine",
    source="wine",
    categories=TWO,
    labels_table="wine_labels",
    metadata_table="wine_metadata",
    queries_table="wine_queries",
    probe_share=0.1,
)


def make_source(database: Database, rows: int = 200, table: str = "wine") -> None:
    """A table of two well separated groups; ``truth`` is told by ``acidity > 5``."""
    with database.transaction() as cursor:
        cursor.execute(
            f"CREATE TABLE main.{table} AS SELECT i AS bottle, "
            "(i % 2) * 8 + 1 + (i % 7) / 10.0 AS acidity, 'cask ' || i % 5 AS cask "
            f"FROM range({rows}) t(i)"
        )


class Annotator:
    """A browser without a browser: takes samples, decides on them, numbers its decisions."""

    def __init__(self, workspace: Workspace, project: Project, name: str = "ana") -> None:
        self.workspace, self.project, self.name = workspace, project, name
        self.client = f"client-of-{name}-{next(_NUMBERS)}"  # an id() may come again
        self.seq = 0

    def decision(self, sample_id: str, action: str, **more: Any) -> Decision:
        """The next decision in this browser's numbering."""
        self.seq += 1
        return Decision(self.client, self.seq, sample_id, action, **more)

    def raw(self, decisions: list[Decision] = [], **more: Any) -> dict[str, Any]:  # noqa: B006
        """A message as it comes from the browser."""
        return {
            "client": self.client,
            "message": self.seq,
            "decisions": [each._asdict() for each in decisions],
        } | more

    def send(self, decisions: list[Decision] = [], **more: Any) -> dict[str, Any]:  # noqa: B006
        """Exchange a message; the reply."""
        message = messages.parse(self.raw(decisions, **more))
        by = self.workspace.roles.person(self.name)
        return label_exchange.answer(self.workspace, self.project.project_id, by, message)

    def take(self, count: int) -> list[str]:
        """Have samples handed out; their ids."""
        return [each["sample_id"] for each in self.send(want=count)["samples"]]

    def label_truly(self, count: int) -> list[str]:
        """Label so many samples by the truth of :func:`make_source`."""
        done: list[str] = []
        while len(done) < count:
            samples = self.send(want=count - len(done))["samples"]
            if not samples:
                break
            decisions = [
                self.decision(each["sample_id"], "label", category=truth(each["view"]))
                for each in samples
            ]
            self.send(decisions)
            done += [each["sample_id"] for each in samples]
        return done


def truth(view: dict[str, Any]) -> str:
    """The true category of a row of :func:`make_source`."""
    values = {name: text for name, text, _ in view["fields"]}
    return "white" if float(values["acidity"]) > 5 else "red"


def rows(database: Database, sql: str, *values: Any) -> list[tuple]:
    """The rows of a query."""
    with database.read() as cursor:
        return cursor.execute(sql, list(values)).fetchall()


def reserved(queue: Queue) -> list[str]:
    """The ids of the samples that somebody holds."""
    return [each.sample_id for each in queue.reservations]


class Adjudicator(Annotator):
    """A browser in adjudication mode without a browser."""

    def send(self, decisions: list[Decision] = [], **more: Any) -> dict[str, Any]:  # noqa: B006
        """Exchange a message; the reply."""
        message = messages.parse(self.raw(decisions, **more))
        by = self.workspace.roles.person(self.name)
        return adjudication_exchange.answer(self.workspace, self.project.project_id, by, message)

    def rule(self, sample_id: str, category: str | None, comment: str = "") -> dict[str, Any]:
        """Settle a sample; None: without a label."""
        action = "skip" if category is None else "label"
        more = {"category": category, "comment": comment}
        return self.send([self.decision(sample_id, action, **more)])
