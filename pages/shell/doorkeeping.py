"""What the server is told of Streamlit's sessions: who is behind them, and what they hold."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from http.cookies import CookieError
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Scope
from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette import starlette_app_utils
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from labeling_core.errors import LabelingError
from labeling_core.web.bounds import ADMITTED
from labeling_core.workspace import open_workspace
from pages.shell import identity

COOKIE = "_streamlit_user"


def admit() -> None:
    """Remember who sits behind the session of the page that runs."""
    context = get_script_run_ctx()
    if context is not None:
        ADMITTED.enter(context.session_id, identity.person().name)


def may_upload(session: str) -> bool:
    """Whether somebody is behind the session who may manage, by their role of this moment."""
    name = ADMITTED.find(session)
    try:
        return name is not None and open_workspace().roles.person(name).may_anywhere("manage")
    except LabelingError:
        return False


def held() -> int:
    """How many bytes of uploaded files are in memory."""
    manager: Any = get_instance().uploaded_file_mgr
    sessions = list(manager.file_storage.values())
    return sum(len(file.data) for files in sessions for file in list(files.values()))


def signed_in(scope: Scope) -> bool:
    """Whether whoever opens a connection has logged in; always so where no login is set up."""
    found = claims(scope)
    return found is None or bool(found)


@lru_cache(maxsize=1)
def _login_is_set_up(second: int) -> bool:
    """Looked up once a second: without secrets Streamlit looks for their files at every question,
    and each request asks twice."""
    return identity.configured()


def count_as_of_now(scope: Scope) -> None:
    """Have the cookies of a login count that are of later than now, as of now: since the clock was
    set back, nobody could sign in anew either, as what the provider says is of later as well."""
    if not _login_is_set_up(int(time.monotonic())):
        return
    with suppress(CookieError):
        given = HTTPConnection(scope).cookies
        anew = {name: _signed_anew(name, value) or value for name, value in given.items()}
        if anew != given:
            told = "; ".join(f"{name}={value}" for name, value in anew.items())
            MutableHeaders(scope=scope)["cookie"] = told


def _signed_anew(name: str, value: str) -> str:
    """A cookie of a login that is of later than now, signed at this moment; "" for any other."""
    if not name.startswith(COOKIE):
        return ""
    secret = get_cookie_secret()
    try:
        told, moment = URLSafeTimedSerializer(secret, salt=name).loads(value, return_timestamp=True)
    except BadData:
        return ""
    ahead = moment > datetime.now(UTC)
    return starlette_app_utils.create_signed_value(secret, name, told).decode() if ahead else ""


def claims(scope: Scope) -> dict[str, Any] | None:
    """What a login's provider says of whoever opens a connection, by the signed cookie; empty
    without a login, None where none is set up."""
    if not _login_is_set_up(int(time.monotonic())):
        return None
    try:
        told = _get_signed_cookie_with_chunks(HTTPConnection(scope).cookies, COOKIE)
        return dict(json.loads(told)) if told else {}
    except (CookieError, ValueError, KeyError, TypeError, RecursionError):
        return {}
