"""Whose browser something comes from."""

from __future__ import annotations

from typing import NamedTuple


class Browser(NamedTuple):
    """One tab of one person. The name that a tab has given itself is no secret: whoever knows it
    must come to nothing under it but decisions of their own."""

    annotator: str
    client: str
