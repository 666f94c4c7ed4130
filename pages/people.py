"""Who may do what: roles by e-mail, by domain, and for everybody else."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from labeling_core import use_cases
from labeling_core.access.roles import ADMINS, ANYBODY, Entry, Roles
from labeling_core.errors import LabelingError
from labeling_core.people import EVERYWHERE, ROLES, Person
from labeling_core.workspace import open_workspace
from pages.shell import identity

MEANING = {
    "none": "nothing",
    "viewer": "sees the projects and their progress",
    "annotator": "labels as well, and runs sessions",
    "admin": "everything, in every project",
}
PROJECT_ROLES = ROLES[:-1]


def show_entry(roles: Roles, by: Person, entry: Entry, titles: dict[str, str]) -> None:
    """One entry: whose it is, its role to be changed, and a way to take it back."""
    key = f"{entry.who}-{entry.project_id}"
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width=320, gap=None):
            st.text(entry.who)
            st.caption(titles.get(entry.project_id, entry.project_id))
        if entry.added_by == ADMINS:
            st.text("admin, by the server's settings")
            return
        choose_role(roles, by, entry, key)
        given = f"The role was given by `{entry.added_by}` on {entry.added:%Y-%m-%d}."
        if st.button("Remove", key=f"remove-{key}", icon=":material/delete:", help=given):
            change(lambda: roles.remove_role(entry.who, entry.project_id, by))


def choose_role(roles: Roles, by: Person, entry: Entry, key: str) -> None:
    """The role of an entry; a change is stored at once."""
    offered = PROJECT_ROLES if entry.project_id or entry.who == ANYBODY else ROLES
    chosen = st.selectbox(
        f"Role of {entry.who}", offered, index=offered.index(entry.role), width=160,
        label_visibility="collapsed", key=f"role-{key}-{entry.role}",
    )  # fmt: skip
    if chosen != entry.role:
        change(lambda: roles.set_role(entry.who, entry.project_id, chosen, by))


def change(what: Callable[[], None]) -> None:
    """Make one change, and show the list anew; what speaks against it is told here."""
    try:
        what()
    except LabelingError as error:
        st.error(str(error))
    else:
        st.rerun()


def add(roles: Roles, by: Person, titles: dict[str, str]) -> None:
    """The form for a new entry."""
    with st.form(f"add-{len(roles.entries)}"):  # another form, so empty, when one was added
        who = st.text_input(
            "E-mail or domain", placeholder="eva@example.org or *@example.org", max_chars=250,
            help="As the login gives it. An entry for an e-mail beats one for its domain.",
        )  # fmt: skip
        left, right = st.columns(2)
        project_id = left.selectbox("Project", list(titles), format_func=lambda each: titles[each])
        role = right.selectbox(
            "Role", ROLES, index=ROLES.index("annotator"),
            format_func=lambda each: f"{each}: {MEANING[each]}",
        )  # fmt: skip
        if st.form_submit_button("Add", type="primary", icon=":material/person_add:"):
            change(lambda: roles.set_role(who, project_id, role, by))


workspace, person = open_workspace(), identity.person()
roles = workspace.roles
projects = use_cases.visible_projects(workspace, person)
titles = {EVERYWHERE: "every project"} | {
    project_id: each.settings.title for project_id, each in projects.items()
}
st.title("People", anchor=False)
if not roles.hosted:
    st.info(
        "Whoever reaches these pages may do everything, under any name. The roles below count "
        "once a login is set up: see “Login” in the README.",
        title="There is no login",
    )
st.header("Add somebody", anchor=False)
add(roles, person, titles)
st.header("Roles", anchor=False)
for each in roles.entries:
    if each.who != ANYBODY:
        show_entry(roles, person, each, titles)
if not any(each.who != ANYBODY for each in roles.entries):
    st.caption("Nobody has been added yet.")
st.header("Everybody else", anchor=False)
others = next(
    (each for each in roles.entries if (each.who, each.project_id) == (ANYBODY, EVERYWHERE)),
    Entry(ANYBODY, EVERYWHERE, "none", ""),
)
st.caption("The role of whoever logs in and has no entry above. Leave it at “none” for a team.")
choose_role(roles, person, others, "everybody")
