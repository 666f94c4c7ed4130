"""Logins that people have ended: a copy of their cookie is worth nothing after that.

Streamlit keeps a login in a signed cookie only, which stays valid for a month wherever it was
copied to. So the server remembers which logins were ended, in a file beside the database: it
outlives the process, and a database put back from a backup brings no login back.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labeling_core.store.removal import replace

KEPT = 60 * 24 * 3600.0  # seconds; a login ends by itself after 31 days
LEAST = 1_000  # so many are remembered however old: the clock may be wrong by years for a while
# What tells one login of a person from the next one: when, and what the server had asked with.
_IDENTITY = ("iss", "sub", "aud", "iat", "exp", "nonce")


def login_of(claims: Mapping[str, Any]) -> str:
    """What stands for a login, by what its provider says; "" for one that says not even when."""
    if not {"iat", "nonce"} & claims.keys():
        return ""
    told = json.dumps([claims.get(each) for each in _IDENTITY], default=str)
    return hashlib.sha256(told.encode()).hexdigest()


class SignOuts:
    """The ended logins, in the file ``signed_out`` of ``folder``: a line with time and login."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "signed_out"
        self._lock = threading.Lock()
        self._ended = self._read()

    def has_ended(self, claims: Mapping[str, Any]) -> bool:
        """Whether the login with these ``claims`` was ended by its owner."""
        return login_of(claims) in self._ended

    def end(self, claims: Mapping[str, Any]) -> None:
        """End a login for good: it is on the disk when this returns."""
        login = login_of(claims)
        if not login:
            return
        with self._lock:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{time.time():.0f} {login}\n")
                file.flush()
                os.fsync(file.fileno())
            self._ended = self._read()  # may replace the file, which Windows wants closed for that

    def _read(self) -> dict[str, float]:
        """What the file holds, which loses what is too old to matter."""
        if not self._path.exists():
            return {}
        lines = self._path.read_text("utf-8", errors="replace").splitlines()
        parts = [each.split() for each in lines]
        found = {each[1]: float(each[0]) for each in parts if len(each) == 2 and each[0].isdigit()}
        last, oldest = set(list(found)[-LEAST:]), time.time() - KEPT
        kept = {each: when for each, when in found.items() if when > oldest or each in last}
        if len(kept) < len(lines):
            part = self._path.with_name("signed_out.part")
            part.write_text("".join(f"{kept[each]:.0f} {each}\n" for each in kept), "utf-8")
            replace(part, self._path)
        return kept
