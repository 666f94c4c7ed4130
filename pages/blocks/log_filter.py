"""The widgets above the log, and times as the clock on the reader's wall shows them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from labeling_core.people import EVERYWHERE
from labeling_core.store.eventlog import KINDS, Filter
from labeling_core.workspace import Workspace
from pages.shell.plain_text import escaped


def zone() -> ZoneInfo:
    """The time zone of the browser; UTC where it does not tell."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local(moment: datetime, zone: ZoneInfo) -> str:
    """A time of the log (UTC) in ``zone``."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def scope(workspace: Workspace, project_id: str | None) -> str:
    """The project whose log is wanted, or EVERYWHERE; for who manages all of them."""
    if project_id is None:
        return EVERYWHERE
    title = workspace.project(project_id).settings.title
    scopes = {project_id: f"Project: {escaped(title)}", EVERYWHERE: "All projects"}
    return st.segmented_control(
        "Events of", list(scopes), format_func=lambda each: scopes[each], default=project_id,
        required=True, key=f"log-scope-{project_id}", label_visibility="collapsed",
    )  # fmt: skip


def choose(project_id: str, names: list[str], zone: ZoneInfo) -> Filter:
    """Which events are wanted; ``names`` are those whose events can be seen."""
    left, middle, right = st.columns(3)
    who = left.selectbox("Annotator", ["", *names], format_func=_anyone) if names else ""
    kinds = middle.multiselect(
        "What", list(KINDS), format_func=lambda each: KINDS[each], placeholder="Anything"
    )
    sample_id = right.text_input("Sample", help="The whole sample_id.")
    text = left.text_input("Words in the comment")
    since, until = days(middle, right, zone)
    return Filter(project_id, str(who), tuple(kinds), sample_id.strip(), since, until, text.strip())


def days(
    left: DeltaGenerator, right: DeltaGenerator, zone: ZoneInfo
) -> tuple[datetime | None, datetime | None]:
    """The days wanted: the first moment, and the first one after them; None without a bound."""
    since = left.date_input("From", None, help="The whole day, by your clock.")
    until = right.date_input("Until", None, help="The whole day, by your clock.")
    return _midnight(since, zone), _midnight(until + timedelta(days=1), zone) if until else None


def _anyone(name: str) -> str:
    return name or "Anyone"


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time.min, zone) if day else None
