"""The frame: runs before every page, deep links included."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import MODALITIES
from labeling_core.store.database import UnavailableError
from labeling_core.workspace import open_workspace
from pages.shell import doorkeeping, gate, identity
from pages.shell.sidebar import sidebar

st.set_page_config(
    page_title="ML-assisted labeling",
    page_icon=str(Path(__file__).with_name("icon.png")),
    layout="wide",
)
st.html(Path(__file__).with_name("style.css"))
login = identity.configured()
try:
    open_workspace(hosted=login).database.require_file()
except (LabelingError, UnavailableError) as error:
    text = "The reason is in the server's log: tell an admin." if login else str(error)
    st.error(text, title="The database cannot be used")
    st.stop()

page = st.navigation(
    {
        "": [
            gate.page("home.py", title="Projects", icon=":material/grid_view:", default=True),
        ],
        "Label": [
            gate.page(f"{each.page}.py", title=f"Label {each.name}", icon=f":material/{each.icon}:")
            for each in MODALITIES.values()
        ],
        "Learn": [
            gate.page("query_sampler.py", title="Query sampler", icon=":material/model_training:"),
            gate.page(
                "session_progress.py", title="Session progress", icon=":material/show_chart:"
            ),
            gate.page("simulation.py", title="Simulation", icon=":material/science:"),
            gate.page("review.py", title="Review", icon=":material/fact_check:"),
        ],
        "Set up": [
            gate.page("settings.py", title="Settings", icon=":material/tune:"),
            gate.page("people.py", title="People", icon=":material/group:"),
            gate.page("storage.py", title="Storage", icon=":material/hard_drive:"),
            gate.page("log.py", title="Log", icon=":material/history:"),
        ],
    }
)
identity.require_role()
doorkeeping.admit()
sidebar()
gate.require(page)
page.run()
