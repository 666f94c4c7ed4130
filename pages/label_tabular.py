"""Label the rows of a table."""

from __future__ import annotations

import streamlit as st

from pages import frame

space, project = frame.current_project()
if project.settings.modality != "tabular":
    st.info("This project is not about a table.", title=project.settings.title)
    st.page_link(frame.label_page(project), label="Open its own labeling page")
    st.stop()
space.prepare(project)
frame.show_deck(project, "record")
