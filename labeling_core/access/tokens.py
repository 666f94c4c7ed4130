"""What the server has signed: tokens that say who may do what on which project, and links."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any, NamedTuple

from labeling_core.errors import LabelingError

LIFETIME = 7 * 24 * 3600.0  # seconds; a laptop lid may be closed over a weekend


class Grant(NamedTuple):
    """What a token stands for: this annotator may label in this project until ``expires``."""

    project_id: str
    annotator: str
    expires: float


def read_key(folder: Path, use: str) -> bytes:
    """The key for a ``use`` made of the secret kept in ``folder``, a file for the owner only.

    It outlives the process: pages that are open during a restart stay valid. What was signed in
    local use, under whatever name somebody typed, is worth nothing in hosted use.
    """
    path = folder / "signing.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    return _sign(path.read_bytes(), "use", use.encode())


def issue(key: bytes, project_id: str, annotator: str) -> str:
    """A token for ``annotator`` to label in ``project_id``."""
    return seal(key, "exchange", [project_id, annotator, time.time() + LIFETIME])


def verify(key: bytes, token: str) -> Grant:
    """What ``token`` grants; LabelingError when it is not ours or has expired."""
    grant = Grant(*unseal(key, "exchange", token))
    if grant.expires < time.time():
        raise LabelingError("This page has been open for too long: reload it to go on.")
    return grant


def seal(key: bytes, purpose: str, values: list[Any]) -> str:
    """Signed text of ``values``, fit for an address; good for its ``purpose`` only."""
    body = json.dumps(values, separators=(",", ":")).encode()
    return f"{_encode(body)}.{_encode(_sign(key, purpose, body))}"


def unseal(key: bytes, purpose: str, token: str) -> list[Any]:
    """The values that :func:`seal` was given; LabelingError when it is not ours or altered."""
    try:
        body, signature = (_decode(part) for part in token.split("."))
        genuine = hmac.compare_digest(signature, _sign(key, purpose, body))
    except (ValueError, TypeError, AttributeError):
        genuine = False
    if not genuine:
        raise LabelingError("This page is not signed in to the project: reload it.")
    return list(json.loads(body))


def _sign(key: bytes, purpose: str, body: bytes) -> bytes:
    return hmac.digest(key, purpose.encode() + b"\0" + body, hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode())
