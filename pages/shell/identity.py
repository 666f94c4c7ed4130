"""Who is at the keyboard: somebody who has logged in, or in local use whoever sits there.

The server is hosted when Streamlit's secrets have a section ``[auth]``. Then nobody gets further
than the sign-in page without a login, nor further than one sentence without a role.
"""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import Error as StreamlitError

from labeling_core.access.roles import confirmed_email
from labeling_core.people import Person
from labeling_core.web.media_links import browser_of
from labeling_core.web.security_headers import COOKIE
from labeling_core.workspace import open_workspace


def configured() -> bool:
    """Whether a login is set up; secrets that cannot be read count as one: nobody gets in."""
    try:
        return "auth" in st.secrets
    except (StreamlitError, OSError):
        return any(Path(each).exists() for each in st.get_option("secrets.files"))


def require_role() -> None:
    """Show the sign-in page, and nothing else, to whoever has not logged in; one sentence to
    whoever has no role anywhere."""
    if person().may_anywhere("see"):
        return
    if person().name:
        _no_role()
    else:
        _sign_in()
    st.stop()


def _sign_in() -> None:
    st.title("ML-assisted labeling", anchor=False)
    if _claims():
        st.warning(
            "Your login comes without a confirmed e-mail address: confirm it there first, or ask "
            "an admin of this page (“Login” in docs/teams.md)."
        )
        sign_out()
        return
    if st.button("Sign in", type="primary", icon=":material/login:"):
        try:
            st.login(_provider())
        except StreamlitError:
            st.error("The login is not set up completely: see “Login” in the README.")


def _provider() -> str | None:
    """The one provider with a section of its own (``[auth.name]``), if there is one."""
    sections = [name for name, value in st.secrets["auth"].items() if hasattr(value, "items")]
    return next((each for each in sections if each != "client_kwargs"), None)


def _no_role() -> None:
    st.title("ML-assisted labeling", anchor=False)
    st.info(f"`{person().name}` has no role here yet: send this address to an admin of this page.")
    sign_out()


def sign_out() -> None:
    """The button that ends the login."""
    st.button("Sign out", icon=":material/logout:", on_click=st.logout)


def person() -> Person:
    """Who is at the keyboard, with the roles of this moment; decisions are stored under the name.

    Outside of local use somebody without a login is a person without a name or a role.
    """
    roles = open_workspace().roles
    if roles.hosted:
        email = _email()
        return roles.person(email) if email else Person("")
    return roles.person(st.session_state.get("annotator", "").strip() or system_user())


def _email() -> str:
    """The e-mail of the login, if it is confirmed; see :func:`roles.confirmed_email`."""
    return confirmed_email(_claims())


def _claims() -> dict[str, Any]:
    """What the login's provider says; empty without a login, and once it was ended."""
    claims = st.user.to_dict()
    ended = open_workspace().sign_outs.has_ended(claims)
    return claims if claims.get("is_logged_in") and not ended else {}


def system_user() -> str:
    """The name that local use starts with."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return "annotator"


def browser() -> str:
    """Which browser it is, by its cookie."""
    return browser_of(st.context.cookies.to_dict().get(COOKIE))
