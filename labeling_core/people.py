"""Who is at the keyboard, and what that person may do in which project."""

from __future__ import annotations

from typing import NamedTuple

from labeling_core.errors import LabelingError

EVERYWHERE = ""  # in place of a project's id: a role that holds in every project
# What each role adds to the one before it.
ROLES = ("none", "viewer", "annotator", "admin")
ACTIONS = {"see": "viewer", "label": "annotator", "manage": "admin"}


class ForbiddenError(LabelingError):
    """Somebody asked for what their role does not allow."""


class Person(NamedTuple):
    """Somebody using the program: ``name`` is written beside decisions and in the event log.

    ``roles`` pairs a project's id, or EVERYWHERE, with one of ROLES.
    """

    name: str
    roles: tuple[tuple[str, str], ...] = ()

    def role(self, project_id: str) -> str:
        """The role in a project: the one given for it, else the one that holds everywhere.

        An admin everywhere is an admin in each project.
        """
        given = dict(self.roles)
        everywhere = given.get(EVERYWHERE, "none")
        return everywhere if everywhere == "admin" else given.get(project_id, everywhere)

    def may(self, action: str, project_id: str = EVERYWHERE) -> bool:
        """Whether one of ACTIONS is allowed in a project."""
        return ROLES.index(self.role(project_id)) >= ROLES.index(ACTIONS[action])

    def may_anywhere(self, action: str) -> bool:
        """Whether one of ACTIONS is allowed everywhere or in some project."""
        return any(self.may(action, where) for where, _ in self.roles)

    def require(self, action: str, project_id: str = EVERYWHERE) -> None:
        """Raise ForbiddenError with one sentence unless :meth:`may`."""
        if not self.may(action, project_id):
            raise ForbiddenError(
                f"This needs the role “{ACTIONS[action]}”, and yours here is "
                f"“{self.role(project_id)}”: ask an admin for it."
            )


def local_person(name: str) -> Person:
    """Whoever sits at this machine: everything is allowed, as the file itself is theirs."""
    return Person(name, ((EVERYWHERE, "admin"),))
