"""The widgets above the log, and times as the clock on the reader's wall shows them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from labeling_core.eventlog import KINDS, Filter
from labeling_core.people import Person
from labeling_core.settings import Project


def zone() -> ZoneInfo:
    """The time zone of the browser; UTC where it does not tell."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local(moment: datetime, zone: ZoneInfo) -> str:
    """A time of the log (UTC) in ``zone``."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def whole_instance(by: Person, project: Project) -> bool:
    """Whether the log of all projects is wanted; only who manages all is asked."""
    if not by.may("manage"):
        return False
    scopes = {"one": f"Project: {project.settings.title}", "all": "All projects"}
    chosen = st.segmented_control(
        "Events of", list(scopes), format_func=lambda each: scopes[each], default="one",
        required=True, key="log-scope", label_visibility="collapsed",
    )  # fmt: skip
    return chosen == "all"


def choose(project_id: str, names: list[str], zone: ZoneInfo) -> Filter:
    """Which events are wanted; ``names`` are those whose events can be seen."""
    left, middle, right = st.columns(3)
    who = left.selectbox("Annotator", ["", *names], format_func=_anyone) if names else ""
    kinds = middle.multiselect(
        "What", list(KINDS), format_func=lambda each: KINDS[each], placeholder="Anything"
    )
    sample_id = right.text_input("Sample", help="The whole sample_id.")
    text = left.text_input("Words in the comment")
    since = middle.date_input("From", None, help="The whole day, by your clock.")
    until = right.date_input("Until", None, help="The whole day, by your clock.")
    return Filter(
        project_id,
        str(who),
        tuple(kinds),
        sample_id.strip(),
        _midnight(since, zone),
        _midnight(until + timedelta(days=1), zone) if until else None,
        text.strip(),
    )


def _anyone(name: str) -> str:
    return name or "Anyone"


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time.min, zone) if day else None
