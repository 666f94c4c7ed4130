"""Samples about which people disagree, one at a time: who said what, and which label holds."""

from __future__ import annotations

from typing import Any

import streamlit as st

from labeling_core import adjudication, display, samples
from labeling_core import media as media_files
from labeling_core.adjudication import Dispute
from labeling_core.errors import LabelingError
from labeling_core.settings import Project
from labeling_core.workspace import Workspace
from pages import frame

WAITING, SETTLED = "Waiting", "Settled"


def show(space: Workspace, project: Project) -> None:
    """The disputed samples of a project, for those who may settle them."""
    by = frame.person()
    if not by.may("manage", project.project_id):
        st.info("Ask an admin of this project.", title="Adjudicators only")
        return
    lists = {
        WAITING: adjudication.disputes(space, project, by),
        SETTLED: adjudication.disputes(space, project, by, settled=True),
    }
    which = st.segmented_control(
        "Disagreements", list(lists), default=WAITING, required=True, key="adjudication_list",
        format_func=lambda each: f"{each} ({len(lists[each]):,})", label_visibility="collapsed",
    )  # fmt: skip
    if lists[which]:
        _show_one(space, project, lists[which], which)
    elif which == SETTLED:
        st.info("Samples settled by an adjudicator appear here.", title="Nothing is settled yet")
    else:
        st.info(
            "Samples that several people decided differently wait here for the label that holds.",
            title="No disagreement waits",
        )


def _show_one(space: Workspace, project: Project, found: list[Dispute], which: str) -> None:
    skipped = st.session_state.setdefault("adjudication_skipped", 0)
    dispute = found[skipped % len(found)]
    key = f"adjudication-{project.project_id}-{dispute.sample_id}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Sample {dispute.sample_id}, {skipped % len(found) + 1} of {len(found):,}")
        if len(found) > 1 and st.button(
            "Next", key="adjudication_next", icon=":material/skip_next:"
        ):
            st.session_state["adjudication_skipped"] = skipped + 1
            st.rerun()
    left, right = st.columns(2)
    with left:
        _show_sample(space, project, dispute)
    with right:
        opinions = [_row(each, "") for each in dispute.opinions]
        if dispute.ruling is not None:
            opinions.append(_row(dispute.ruling, " (adjudicator)"))
        st.dataframe(opinions, hide_index=True)
        _ask(space, project, dispute, key)


def _row(each: adjudication.Opinion, role: str) -> dict[str, Any]:
    said = each.category if each.category is not None else "skipped"
    return {"person": each.annotator + role, "label": said, "comment": each.comment or ""}


def _show_sample(space: Workspace, project: Project, dispute: Dispute) -> None:
    """The row of a table, or what the deck would show of a file."""
    if not project.settings.is_media:
        with space.database.read() as cursor:
            fields = samples.read(cursor, project.project_id, [dispute.place])[dispute.place].fields
        shown = [{"column": name, "value": display.show(value) or ""} for name, _, value in fields]
        st.dataframe(shown, hide_index=True)
        return
    viewer = media_files.Viewer(space.key, project, space.database.path.parent, "", "")
    cache = space.database.files(project.project_id, "renditions")
    kinds = ["image"] if project.settings.modality == "images" else ["picture", "audio"]
    try:
        for kind in kinds:
            path, media_type = media_files.serve(cache, viewer.file(dispute.sample_id), kind)
            show_ = st.audio if kind == "audio" else st.image
            show_(str(path), **({"format": media_type} if kind == "audio" else {}))
    except LabelingError as error:
        st.warning(str(error))


def _ask(space: Workspace, project: Project, dispute: Dispute, key: str) -> None:
    """A button for each category; in the settled list, also the way back."""
    comment = st.text_input("Comment", key=f"{key}-comment", max_chars=10_000)
    by = frame.person()
    try:
        with st.container(horizontal=True):
            for each in project.settings.categories:
                if st.button(each.name, key=f"{key}-{each.name}", help=each.description or None):
                    adjudication.decide(
                        space, project, dispute.sample_id, each.name, by, comment.strip()
                    )
                    st.rerun()
            if st.button("No label", key=f"{key}-none", icon=":material/block:"):
                adjudication.decide(space, project, dispute.sample_id, None, by, comment.strip())
                st.rerun()
            if dispute.ruling is not None and st.button(
                "Take back", key=f"{key}-back", icon=":material/undo:"
            ):
                adjudication.take_back(space, project, dispute.sample_id, by)
                st.rerun()
    except LabelingError as error:
        st.error(str(error))
