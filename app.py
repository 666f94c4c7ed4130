"""The entry: ``python -m streamlit run app.py``. Server concerns only; pages are in pages/."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import duckdb  # noqa: F401  imported before the freeze below
import pandas as pd  # noqa: F401
import plotly.graph_objects  # noqa: F401
import streamlit as st
import streamlit.logger
from starlette.middleware import Middleware

from labeling_core.config import LOG
from labeling_core.errors import LabelingError
from labeling_core.notebook.door import Door
from labeling_core.web import health, metrics, request_log, routes
from labeling_core.web.base_path import BelowPath
from labeling_core.web.bounds import Bounded
from labeling_core.web.login_return import ReturnAfterLogin
from labeling_core.web.logins import Logins
from labeling_core.web.pacing import PacedRefusals, PacedSockets
from labeling_core.web.presence import Presence
from labeling_core.web.security_headers import SecureResponses
from labeling_core.workspace import accompany, close_workspaces, open_workspace
from pages.shell import doorkeeping, failures, identity
from pages.shell.outgoing import PlainOutgoing


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Open the database before the first page asks, and close it in the end."""
    accompany(Door)
    try:
        if LOG.get() == "json":
            streamlit.logger.setup_formatter = request_log.hand_up  # of loggers yet to come
            request_log.install()
        open_workspace(hosted=identity.configured())
    except LabelingError as error:
        logging.getLogger(__name__).error("%s", error)  # each page shows the same sentence
    # Streamlit collects garbage after every script run: what is loaded now stays for good.
    gc.collect()
    gc.freeze()
    yield
    close_workspaces()
    gc.unfreeze()


# What every page starts from; its one inline script is allowed by its hash.
START = Path(st.__file__).with_name("static") / "index.html"

BASE = st.get_option("server.baseUrlPath")

MAIN = Path(__file__).parent / "pages" / "main.py"

app = st.App(
    "pages/main.py",
    routes=[*routes.below(BASE), health.below(BASE), metrics.below(BASE)],
    middleware=[
        Middleware(BelowPath, base=BASE),
        Middleware(PacedRefusals),
        Middleware(request_log.Logged),
        Middleware(SecureResponses, page=START.read_text("utf-8")),
        Middleware(ReturnAfterLogin),
        Middleware(
            Logins,
            cookie=doorkeeping.COOKIE,
            claims=doorkeeping.claims,
            prepare=doorkeeping.count_as_of_now,
        ),
        Middleware(Bounded, may_upload=doorkeeping.may_upload, held=doorkeeping.held),
        Middleware(Presence),
        Middleware(PacedSockets, signed_in=doorkeeping.signed_in),
        Middleware(PlainOutgoing, script=MAIN),
    ],
    lifespan=lifespan,
    on_script_error=failures.told,
)
