"""The decisions of a notebook or a command, sent as a browser sends its own."""

from __future__ import annotations

import uuid
from typing import Any

from labeling_core.labeling.bookkeeping import Decision
from labeling_core.people import Person
from labeling_core.web import label_exchange, messages
from labeling_core.workspace import Workspace

_LONGEST = 1_000  # characters of a category, see messages.parse


class Client:
    """What a browser is elsewhere: its decisions are numbered, each is stored exactly once."""

    def __init__(self, workspace: Workspace, project_id: str, person: Person) -> None:
        self._workspace, self._id, self._person = workspace, project_id, person
        self._begin()

    def _begin(self) -> None:
        self._name, self._decisions = f"notebook-{uuid.uuid4()}", 0

    def exchange(self, **message: Any) -> dict[str, Any]:
        """The answer to one message, see label_exchange.answer."""
        raw = {"client": self._name, "message": self._decisions} | message
        return label_exchange.answer(self._workspace, self._id, self._person, messages.parse(raw))

    def decide(self, rows: list[tuple[str, str, str, str]]) -> list[tuple[int, str]]:
        """Store up to a thousand decisions in one transaction, each a sample_id, what is done
        (label, skip or undo), a category and a comment: which of them, by their place from 0, were
        refused, and why."""
        decisions, refused = list[Decision](), list[tuple[int, str]]()
        places = dict[int, int]()  # of those that are sent, by their number
        for place, (sample_id, action, category, comment) in enumerate(rows):
            if not 0 < len(sample_id) <= messages.MAX_ID:
                refused.append((place, f"A sample_id has 1 to {messages.MAX_ID:,} characters."))
            elif len(category) > _LONGEST:
                refused.append((place, f"“{category[:100]}…” is no category of the project."))
            else:
                number = self._decisions + len(decisions) + 1
                places[number] = place
                decisions.append(
                    Decision(
                        self._name, number, sample_id, action, category or None, comment or None
                    )
                )
        if decisions:
            try:
                told = self.exchange(decisions=[each._asdict() for each in decisions])["refused"]
            except BaseException:
                self._begin()  # whether these numbers are taken is not known
                raise
            self._decisions += len(decisions)
            refused += [(places[each["seq"]], each["reason"]) for each in told]
        return sorted(refused)
