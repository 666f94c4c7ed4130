"""The frame: runs before every page, deep links included."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.workspace import workspace
from pages import frame

st.set_page_config(
    page_title="ML-assisted labeling",
    page_icon=str(Path(__file__).with_name("icon.png")),
    layout="wide",
)
try:
    workspace()
except LabelingError as error:
    st.error(str(error), title="The database cannot be used")
    st.stop()

page = st.navigation(
    {
        "": [
            st.Page("home.py", title="Projects", icon=":material/grid_view:", default=True),
        ],
        "Label": [
            st.Page("label_tabular.py", title="Label tabular", icon=":material/table_rows:"),
            st.Page("label_images.py", title="Label images", icon=":material/image:"),
            st.Page("label_sounds.py", title="Label sounds", icon=":material/graphic_eq:"),
        ],
        "Learn": [
            st.Page("query_sampler.py", title="Query sampler", icon=":material/model_training:"),
            st.Page("session_progress.py", title="Session progress", icon=":material/show_chart:"),
            st.Page("simulation.py", title="Simulation", icon=":material/science:"),
        ],
        "Set up": [
            st.Page("settings.py", title="Settings", icon=":material/tune:"),
        ],
    }
)
frame.sidebar()
page.run()
