"""Files of a project that are there twice; a labeled one's label for the others, on consent."""

from __future__ import annotations

import streamlit as st

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.labeling import twin_labels
from labeling_core.labeling.label_plan import Plan
from labeling_core.modalities.twins import BYTES, Twin
from labeling_core.people import Person
from labeling_core.sessions import features
from labeling_core.settings import Project
from labeling_core.workspace import Workspace

_SHOWN = 1_000
_SAID = "same-files-said"


def show(workspace: Workspace, project: Project, by: Person) -> None:
    """How many files are the same as another, and which; nothing where all differ."""
    found = features.same_files(workspace.database, project)
    if not found:
        return
    by_bytes = sum(each.same == BYTES for each in found)
    thing = "window" if project.settings.window_seconds else "file"
    count = f"{len(found):,} {thing}{' is' if len(found) == 1 else 's are'}"
    st.header("The same twice", anchor=False)
    st.text(
        f"{count} the same as another: {by_bytes:,} byte for byte, {len(found) - by_bytes:,} by "
        "all that is decoded. Each is asked for by itself."
    )
    with st.expander("Which"):
        st.dataframe(
            {
                thing: [each.path for each in found[:_SHOWN]],
                "same as": [each.of for each in found[:_SHOWN]],
                "by": [each.same for each in found[:_SHOWN]],
            },
            hide_index=True,
        )
        if len(found) > _SHOWN:
            st.caption(f"The first {_SHOWN:,} of {len(found):,}.")
    _follow(workspace, project, found, by)


def _follow(workspace: Workspace, project: Project, found: list[Twin], by: Person) -> None:
    """A dry run says how many labels there would be; the button stores them, once."""
    key = f"twins-{project.project_id}-"
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Dry run", key=key + "plan"):
            st.session_state[key] = _tried(workspace, project, found, by)
        plan: Plan | str | None = st.session_state.get(key)
        st.button(
            "Label them alike", key=key + "go", type="primary",
            disabled=not isinstance(plan, Plan) or not plan.stored(),
            help="What nobody has decided gets the label of what it is the same as: once, not of "
            "later labels. It is stored as an import, and can be taken back below. First a dry "
            "run.",
            on_click=_store, args=(workspace, project, found, by, key),
        )  # fmt: skip
    if isinstance(plan, Plan):
        for line in [f"{plan.stored():,} would get a label.", *plan.lines()[1:]]:
            st.text(line)
    if isinstance(plan, str):
        st.text(plan)
    if said := st.session_state.pop(_SAID, None):
        st.success(said, icon=":material/check:")


def _tried(workspace: Workspace, project: Project, found: list[Twin], by: Person) -> Plan | str:
    """What would become of it; a sentence where nothing would."""
    file = twin_labels.of_twins(workspace.database, project, found)
    if not file.records:
        return " ".join(["None of them would get a label.", *file.notes])
    try:
        how = twin_labels.HOW
        return use_cases.plan_labels(workspace, project.project_id, file, how, by)
    except LabelingError as error:
        return str(error)


def _store(workspace: Workspace, project: Project, found: list[Twin], by: Person, key: str) -> None:
    file = twin_labels.of_twins(workspace.database, project, found)
    try:
        number, plan = use_cases.bring_in_labels(
            workspace, project.project_id, file, twin_labels.NAME, twin_labels.HOW, by
        )
        st.session_state[_SAID] = f"Import {number}: {plan.stored():,} labels are stored."
        st.session_state.pop(key, None)
    except LabelingError as error:
        st.session_state[key] = str(error)
