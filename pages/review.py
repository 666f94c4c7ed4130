"""Go through labels that are likely wrong, and see where the model and people disagree."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.learning import classifiers
from labeling_core.people import Person
from labeling_core.progress import figures
from labeling_core.sessions import label_errors
from labeling_core.sessions.label_errors import Listing
from labeling_core.settings import Project
from labeling_core.web import review_exchange
from labeling_core.workspace import Workspace, open_workspace
from pages.blocks import adjudication
from pages.shell import gate, identity, mounting
from pages.shell.figure import show_figure
from pages.shell.plain_text import escaped
from pages.shell.project import current_project


def likely_errors(project: Project, widest: Listing) -> None:
    """The segment of the labels that are likely wrong."""
    show_list(project, widest._replace(segment="likely"))


def all_labels(project: Project, widest: Listing) -> None:
    """The segment of all labels, most suspicious first."""
    show_list(project, widest._replace(segment="all"))


def model_against_people(project: Project, widest: Listing) -> None:
    """The segment of the labels that the project's own classifier would not have given."""
    with open_workspace().database.read() as cursor:
        pairs = label_errors.agreement(cursor, project, widest.annotator)
    names = project.settings.classes
    same = sum(number for (label, said), number in pairs.items() if label == said)
    disputed = {pair: number for pair, number in pairs.items() if pair[0] != pair[1]}
    with st.container(horizontal=True, vertical_alignment="center"):
        agreed = f"**{same / max(sum(pairs.values()), 1):.1%}**".replace("%", " %")
        st.markdown(
            f"Agreement: {agreed}",
            width="content",
            help="The share of labels that the classifier would have given as well, each "
            "predicted by a model that has not seen it.",
        )
        pair = st.selectbox(
            "Show",
            [("", ""), *sorted(disputed, key=lambda each: -disputed[each])],
            format_func=lambda each: (
                f"people: {each[0]}, model: {each[1]} ({disputed[each]:,})"
                if each[0]
                else f"All disagreements ({sum(disputed.values()):,})"
            ),
            label_visibility="collapsed",
            width=360,
        )
        with st.popover("By category", icon=":material/grid_on:"):
            show_figure(
                "People and model by category",
                figures.confusion(label_errors.table(pairs, names), names, "people", "the model"),
                "Heat map of the labels given by people against those predicted by the model",
            )
    show_list(project, widest._replace(segment="people", label=pair[0], prediction=pair[1]))


# Of labels that were looked through; each gets the project and the widest list one may review.
SEGMENTS: dict[str, Callable[[Project, Listing], None]] = {
    "Likely errors": likely_errors,
    "All, most suspicious first": all_labels,
    "Model against people": model_against_people,
}

DISAGREEMENTS = "Disagreements"


def show_list(project: Project, listing: Listing) -> None:
    """The deck on a list, or a sentence where there is nothing to look at."""
    with open_workspace().database.read() as cursor:
        left = len(label_errors.findings(cursor, project, listing))
    begun = st.session_state.setdefault("reviews_begun", set())
    # A list worked off on this page keeps its deck: its last decision can still be taken back.
    if left or (project.project_id, listing) in begun:
        begun.add((project.project_id, listing))
        review_deck(project, listing)
    else:
        st.success("Nothing is left to look at in this list.", icon=":material/check_circle:")


@st.fragment
def review_deck(project: Project, listing: Listing) -> None:
    """The deck on a list of labels."""
    by = identity.person()

    def issue() -> str:
        return review_exchange.issue(open_workspace().key, project.project_id, by, listing)

    key = "-".join(("review", project.project_id, by.name, *listing))
    mounting.mount(project, mounting.REVIEW, key, key, issue)


@st.fragment(run_every="1s")
def show_looking(project: Project) -> None:
    """The progress of the worker; the page runs again at its end."""
    status = open_workspace().loop.trainer.status[project.project_id]
    if status.state == "running":
        st.progress(status.progress or 0.0, text=status.text)
    else:
        st.rerun()


def show_check(workspace: Workspace, project: Project, by: Person) -> bool:
    """When labels were last looked through, and the button to do it; whether there is a result."""
    with workspace.database.read() as cursor:
        check = label_errors.last_check(cursor, project.project_id)
    if check:
        left, place = st.columns([4, 1], vertical_alignment="center")
        with left:
            show_last(project)
    else:
        st.caption(f"Project: {escaped(project.settings.title)}")
        st.info(
            "Models that have not seen a label say what they would have given. Labels that they "
            "find improbable are listed here, most suspicious first.",
            title="The labels have not been looked through yet",
        )
        place = st.container()
    busy = workspace.loop.trainer.running(project.project_id)
    if not busy:
        with place:
            look_button(workspace, project, by, again=check is not None)
    if busy:
        show_looking(project)
        return bool(check)
    status = workspace.loop.trainer.outcomes.get((project.project_id, label_errors.KIND))
    if status is not None and status.state == "failed":
        st.error(status.text, icon=":material/error:")
    return bool(check)


@st.fragment(run_every="3s")
def show_last(project: Project) -> None:
    """What the last look through the labels was, and what has been reviewed since: it follows
    the deck, which stores decisions by itself."""
    gate.still("label", project.project_id)
    with open_workspace().database.read() as cursor:
        check = label_errors.last_check(cursor, project.project_id)
        done = label_errors.reviewed_number(cursor, project)
    if check is None:
        return
    text = (
        f"Project: {escaped(project.settings.title)}. {check.labels:,} labels looked through on "
        f"{check.checked:%d %b %Y, %H:%M} UTC. "
        f"Reviewed so far: {done['kept']:,} kept, {done['changed']:,} changed. "
        "Most suspicious first: when a dozen in a row are right, the rest mostly is too."
    )
    if check.since:
        text += f" **Out of date**: decisions and changes since then: {check.since:,}."
    title = classifiers.title(check.classifier).lower()
    st.caption(text, help=f"Judged by {title}, and by other classifiers beside it.")


def look_button(workspace: Workspace, project: Project, by: Person, again: bool) -> None:
    """Have the labels looked through."""
    if again:
        pressed = st.button("Look again", icon=":material/search:", width="stretch")
    else:
        pressed = st.button("Look for label errors", type="primary", icon=":material/search:")
    if not pressed:
        return
    try:
        label_errors.look(workspace.loop, project, by)
    except LabelingError as error:
        st.error(str(error))
    else:
        st.session_state["reviews_begun"] = set()
        st.rerun()


current, chosen_project = current_project("Review")
segments = list(SEGMENTS)
if current.queue(chosen_project).overlap.used:
    segments.append(DISAGREEMENTS)
# All in one row, so that a sample and what can be decided about it fit below on a small screen.
with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Review", anchor=False, width="content")
    segment = st.segmented_control(
        "Segment", segments, default=segments[0], required=True, label_visibility="collapsed",
        wrap=True,
    )  # fmt: skip
try:
    allowed = label_errors.scope(identity.person(), chosen_project.project_id)
except LabelingError as forbidden:
    st.error(str(forbidden))
    st.stop()
if segment == DISAGREEMENTS:
    adjudication.show(chosen_project)
elif show_check(current, chosen_project, identity.person()):
    SEGMENTS[segment](chosen_project, allowed)
