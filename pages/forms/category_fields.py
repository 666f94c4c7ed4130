"""Changing categories that have labels: rename, merge, retire, offer again."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.settings import Project
from labeling_core.workspace import Workspace
from pages.shell import identity
from pages.shell.plain_text import escaped

TRAIN, FORGET = "Its labels go on training the model", "The model learns nothing of it any more"


def show(workspace: Workspace, project: Project) -> None:
    """Popovers for each change; each takes effect at once, labels included.

    Who makes one is looked up when it is made: a role may have gone since the page was drawn.
    """
    st.caption(
        "Categories that have labels are changed here, at once; the log keeps the old names."
    )
    with st.container():  # a place that stays: an open popover that moves up is closed
        if sentence := st.session_state.pop("category-refused", None):
            st.error(sentence, icon=":material/error:")
        if sentence := st.session_state.pop("category-changed", None):
            st.success(sentence, icon=":material/check:")
    names = [each.name for each in project.settings.offered]
    retired = [each.name for each in project.settings.categories if each.retired]
    with st.container(horizontal=True):
        _rename(workspace, project, names)
        _merge(workspace, project, names + retired, names)
        _retire(workspace, project, names)
        if retired:
            _offer(workspace, project, retired)
    if retired:
        st.caption(f"Retired: {escaped(', '.join(retired))}")


def _rename(workspace: Workspace, project: Project, names: list[str]) -> None:
    old, new = _key(project, "rename-old"), _key(project, "rename-new")

    def change() -> str:
        before, after = st.session_state[old], st.session_state[new]
        if before is None:
            raise LabelingError("Choose the category that shall have another name.")
        use_cases.rename_category(workspace, *_at(project, before, after), identity.person())
        return f"“{escaped(before)}” is called “{escaped(after.strip())}” now."

    # A form: what is typed while the page still runs for the chosen category would be lost.
    with st.popover("Rename", icon=":material/edit:"), st.form("rename-category", border=False):
        _choose("Category", names, old)
        st.text_input("New name", key=new)
        st.caption("Its labels follow, and open browsers.")
        st.form_submit_button("Rename it", type="primary", on_click=_act, args=(change,))


def _merge(workspace: Workspace, project: Project, names: list[str], targets: list[str]) -> None:
    with st.popover("Merge", icon=":material/merge:"):
        old = _choose("Category", names, _key(project, "merge-old"))
        others = [each for each in targets if each != old]
        into = _choose("Merge into", others, _key(project, f"merge-into-{old}"))
        if old and into:
            labels = f"{_count(workspace, project, old)} “{escaped(old)}”"
            st.caption(
                f"{labels} will be “{escaped(into)}”. It cannot be taken back: only the log can "
                "tell them apart afterwards."
            )
        _button(
            "Merge them",
            lambda: use_cases.merge_category(
                workspace, *_at(project, old, into), identity.person()
            ),
            f"“{escaped(str(old))}” has become part of “{escaped(str(into))}”.",
            bool(old and into),
        )


def _retire(workspace: Workspace, project: Project, names: list[str]) -> None:
    with st.popover("Retire", icon=":material/do_not_disturb_on:"):
        name = _choose("Category", names, _key(project, "retire-name"))
        if name:
            st.caption(f"It is offered no longer; {_count(workspace, project, name)} kept.")
        choice = st.radio("And the model?", [TRAIN, FORGET], key=_key(project, "retire-learned"))
        _button(
            "Retire it",
            lambda: use_cases.retire_category(
                workspace, project.project_id, str(name), choice == TRAIN, identity.person()
            ),
            f"“{escaped(str(name))}” is retired.",
            bool(name),
        )


def _offer(workspace: Workspace, project: Project, retired: list[str]) -> None:
    with st.popover("Offer again", icon=":material/undo:"):
        name = _choose("Category", retired, _key(project, "offer-name"))
        _button(
            "Offer it",
            lambda: use_cases.offer_category(
                workspace, project.project_id, str(name), identity.person()
            ),
            f"“{escaped(str(name))}” is offered again.",
            bool(name),
        )


def _choose(label: str, names: list[str], key: str) -> str | None:
    """Nothing is chosen at first, nor after a change: a second click must not make another."""
    return st.selectbox(label, names, index=None, placeholder="Choose one", key=key)


def _button(label: str, change: Callable[[], Project], done: str, ready: bool) -> None:
    def sentence() -> str:
        change()
        return done

    st.button(label, type="primary", on_click=_act, args=(sentence,), disabled=not ready)


def _act(change: Callable[[], str]) -> None:
    """Make a change, and have the page tell what has become of it."""
    try:
        st.session_state["category-changed"] = change()
    except LabelingError as error:
        st.session_state["category-refused"] = str(error)
        return
    for key in [each for each in st.session_state if str(each).startswith("category-choice-")]:
        del st.session_state[key]


def _at(project: Project, old: str | None, new: str | None) -> tuple[str, str, str]:
    return project.project_id, str(old), str(new or "")


def _count(workspace: Workspace, project: Project, name: str | None) -> str:
    number = workspace.queue(project).counts.categories[str(name)]
    return f"{number:,} {'label' if number == 1 else 'labels'}"


def _key(project: Project, name: str) -> str:
    return f"category-choice-{project.project_id}-{name}"
