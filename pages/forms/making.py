"""Making a project: at once where that is quick, else beside the page, which tells how long it has
been at it and offers to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import streamlit as st

from labeling_core.settings import Project
from labeling_core.store.database import Database

_KEY = "project_in_the_making"  # in the session state: of one tab
_QUICK = 1.0  # seconds in which there is nothing to tell
_PATIENCE = 15.0  # seconds for a statement to end that is told to


class _Making:
    """One project that is being made, in a thread of its own."""

    def __init__(self, database: Database, make: Callable[[], Project]) -> None:
        self.made: Project | None = None
        self.error: Exception | None = None
        self.stopped = False
        self._database, self._make, self._began = database, make, time.monotonic()
        self._thread = threading.Thread(target=self._work, name="making", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self.made = self._make()
        except Exception as error:  # told by the page
            self.error = error

    def running(self, wait: float = 0.0) -> bool:
        """Whether it still is at it, after having waited for so many seconds at most."""
        self._thread.join(wait)
        return self._thread.is_alive()

    def told(self) -> tuple[float, str]:
        """The share, 0..1, of the step that it is at, and in words how long it has taken."""
        share = self._database.writing.share(self._thread.ident or 0)
        return share, f"Making the project for {time.monotonic() - self._began:.0f} s"

    def stop(self) -> None:
        """Have nothing made, unless it is too late for that."""
        self.stopped = True
        until = time.monotonic() + _PATIENCE
        while self.running(0.05) and time.monotonic() < until:
            # Again and again: between two statements there is nothing to interrupt.
            self._database.writing.interrupt(self._thread.ident or 0)


def begin(database: Database, make: Callable[[], Project]) -> None:
    """Call ``make`` beside the page, and wait a moment for what comes of it."""
    st.session_state[_KEY] = doing = _Making(database, make)
    doing.running(_QUICK)


def running() -> bool:
    """Whether this tab has a project in the making."""
    doing = st.session_state.get(_KEY)
    return doing is not None and doing.running()


def made() -> Project | None:
    """The project that this tab has made, once; None where there is none (yet)."""
    doing = st.session_state.get(_KEY)
    if doing is None or doing.running() or doing.made is None:
        return None
    del st.session_state[_KEY]
    return doing.made


def show() -> None:
    """How far it is, or that it was stopped; raises what went wrong."""
    doing = st.session_state.get(_KEY)
    if doing is None:
        return
    if doing.running():
        _progress(doing)
        return
    del st.session_state[_KEY]
    if doing.stopped:
        st.info("Stopped: no project was made, and nothing has changed.", icon=":material/stop:")
    elif doing.error is not None:
        raise doing.error


@st.fragment(run_every="0.5s")
def _progress(doing: _Making) -> None:
    if not doing.running():
        st.rerun()
    share, words = doing.told()
    st.progress(share, text=words)
    if st.button("Stop making it", icon=":material/stop:", key="stop_making"):
        doing.stop()
        st.rerun()
