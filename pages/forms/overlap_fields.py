"""The fields of the settings page about samples that several people decide."""

from __future__ import annotations

from typing import Any

import streamlit as st

from labeling_core.projects.overlap import FINAL_LABELS
from labeling_core.settings import Settings
from pages.forms.fields import Fields


def several_people(fields: Fields, base: Settings) -> dict[str, Any]:
    """Ask for the overlap; the settings by name."""
    st.header("Several people", anchor=False)
    left, right = st.columns(2)
    with left:
        percent = fields.number(
            "overlap_share", "Samples that several people decide (%)",
            round(base.overlap_share * 100),
            "So many of the samples, drawn at random, go to more than one person: that shows how "
            "far people agree. They look like any other sample. 0 = one person decides each.",
        )  # fmt: skip
    people, rule = base.overlap_people, base.final_label
    with right:
        if percent:
            people = fields.number(
                "overlap_people", "People for each of them", base.overlap_people,
                "After so many decisions of different people a sample has its final label.",
            )  # fmt: skip
            rule = fields.choice(
                "final_label", "Their final label is", FINAL_LABELS, base.final_label,
                "A tie always waits for an adjudicator, on the Review page. A skip is no vote.",
            )  # fmt: skip
    return {"overlap_share": percent / 100, "overlap_people": people, "final_label": rule}
