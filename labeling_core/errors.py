"""The one kind of error whose text is meant for the person at the screen."""

from __future__ import annotations


class LabelingError(Exception):
    """Something a person can put right, told in one sentence.

    ``str(error)`` is that sentence: what is wrong, where, and what to do.
    ``field`` names the setting it belongs to, so that a page can show it there.
    """

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field
