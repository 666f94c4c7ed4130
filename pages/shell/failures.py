"""What a page says when something on it fails that nobody has foreseen."""

from __future__ import annotations

import logging

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.store.database import UnavailableError
from labeling_core.web import request_log

log = logging.getLogger(__name__)


def told(error: Exception) -> bool:
    """One sentence where it failed, be that in the frame, a page, a part of it that runs by itself,
    or what a button does; and the same number in the log. True: Streamlit says nothing more."""
    if isinstance(error, LabelingError | UnavailableError):
        st.error(str(error))
        return True
    reference = request_log.new_reference()
    told = {"request": reference}
    log.error("A page failed (reference %s)", reference, exc_info=error, extra={"told": told})
    st.error(f"Something went wrong on this page: tell an admin the reference {reference}.")
    return True
