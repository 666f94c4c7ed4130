"""Figures on a page."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st


def show_figure(title: str, figure: go.Figure, alt: str, help: str | None = None) -> None:
    """A titled plotly figure whose toolbar can download it as a picture."""
    st.header(title, anchor=False, help=help)
    st.plotly_chart(
        figure,
        key=f"figure-{title}",
        alt=alt,
        config={"displaylogo": False, "toImageButtonOptions": {"filename": title, "scale": 2}},
    )
