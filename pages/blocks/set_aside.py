"""The gallery of what was set aside: why, how many, what would help, and another try."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.people import Person
from labeling_core.projects import set_aside
from labeling_core.settings import Project
from labeling_core.workspace import Workspace

_SHOWN = 1_000  # names of one kind
_FEW, _HEIGHT = 12, 320  # more names than so many are scrolled, in so many pixels


def show(workspace: Workspace, project: Project, by: Person) -> None:
    """A part for each reason, with its files; nothing where nothing was set aside."""
    with workspace.database.read() as cursor:
        kinds = set_aside.kinds(set_aside.listed(cursor, project.project_id))
    if not kinds:
        return
    count = sum(len(each.sample_ids) for each in kinds)
    st.header(f"Set aside: {count:,} {'file' if count == 1 else 'files'}", anchor=False)
    st.caption("They are never shown, and the model learns nothing from them.")
    for kind in kinds:
        _show(kind)
    if st.button("Try again", icon=":material/replay:", help="Reads these files anew, and no "
                 "other: after a decoder was installed, or a file was mended."):  # fmt: skip
        try:
            project, _ = use_cases.refresh_source(workspace, project, by)
            use_cases.read_files(workspace, project, by)
            st.rerun()
        except LabelingError as error:
            st.error(str(error))


def _show(kind: set_aside.Kind) -> None:
    number = len(kind.sample_ids)
    with st.container(border=True):
        st.text(f"{number:,} × {kind.reason}")
        st.caption(kind.help)
        with st.expander(f"{number:,} {'file' if number == 1 else 'files'}"):
            # Wrapped, as the end of a path is what tells one file from another.
            names = "\n".join(kind.sample_ids[:_SHOWN])
            height: int | Literal["content"] = _HEIGHT if number > _FEW else "content"
            st.code(names, language=None, wrap_lines=True, height=height)
            if number > _SHOWN:
                st.caption(f"The first {_SHOWN:,} of {number:,}.")
