"""Whose login a request comes with; one that was ended by signing out is taken for none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from labeling_core.access.roles import confirmed_email
from labeling_core.errors import LabelingError
from labeling_core.web.base_path import own_path
from labeling_core.workspace import open_workspace

# Where a request's scope holds the confirmed e-mail of its login, "" without one; nothing where
# no login is set up.
LOGIN = "labeling_login"
LOGOUT = "/auth/logout"
SIGNED_OUT = "You are not signed in any more: sign in again, then reload this page."
Claims = Mapping[str, Any]


def signed_out(scope: Scope) -> bool:
    """Whether a request comes without a login where one is needed."""
    return scope.get(LOGIN) == ""


class Logins:
    """Ends a login at sign-out, and takes the cookie of an ended one out of every request."""

    def __init__(
        self,
        app: ASGIApp,
        cookie: str,
        claims: Callable[[Scope], Claims | None],
        prepare: Callable[[Scope], None] = lambda scope: None,
    ) -> None:
        """``claims`` tells what stands in a request's ``cookie``, once ``prepare`` has been at it:
        empty for no login, None where no login is set up."""
        self.app, self.cookie, self.claims, self.prepare = app, cookie, claims, prepare

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            self.prepare(scope)
            claims = self.claims(scope)
            if claims is not None:
                scope[LOGIN] = await self._email(claims, scope)
        await self.app(scope, receive, send)

    async def _email(self, claims: Claims, scope: Scope) -> str:
        if not claims:
            return ""
        try:
            ended = open_workspace().sign_outs
        except LabelingError:
            return ""  # nothing can be looked up, and every page says why
        if ended.has_ended(claims):
            self._take_out(scope)
            return ""
        if own_path(scope) == LOGOUT:
            await run_in_threadpool(ended.end, claims)
        return confirmed_email(claims)

    def _take_out(self, scope: Scope) -> None:
        """The request is as one of a browser that has never signed in."""
        parts = "; ".join(Headers(scope=scope).getlist("cookie")).split(";")
        kept = [each.strip() for each in parts if not each.strip().startswith(self.cookie)]
        MutableHeaders(scope=scope)["cookie"] = "; ".join(kept)
