"""Figures on a page."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

# Streamlit's grey on white has a contrast of 3.7; this is easy to read in the light and the dark.
_UNDER_THE_MOUSE = {"bgcolor": "#31333f", "font_color": "#ffffff"}


def show_figure(title: str, figure: go.Figure, alt: str, help: str | None = None) -> None:
    """A titled plotly figure whose toolbar can download it as a picture."""
    st.header(title, anchor=False, help=help)
    st.plotly_chart(
        figure.update_layout(hoverlabel=_UNDER_THE_MOUSE),
        key=f"figure-{title}",
        alt=alt,
        config={"displaylogo": False, "toImageButtonOptions": {"filename": title, "scale": 2}},
    )
