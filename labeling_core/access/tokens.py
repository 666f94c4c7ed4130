"""What the server has signed: tokens that say who may do what on which project, and links."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from labeling_core.errors import LabelingError

# SHA-256 with a key of its own for each purpose.
_SIGNING: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
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
    return Signer(path.read_bytes(), salt=f"use {use}", **_SIGNING).derive_key()


def issue(key: bytes, project_id: str, annotator: str) -> str:
    """A token for ``annotator`` to label in ``project_id``."""
    return seal(key, "exchange", [project_id, annotator, time.time() + LIFETIME])


def verify(key: bytes, token: str) -> Grant:
    """What ``token`` grants; LabelingError when it is not ours or has expired."""
    grant = Grant(*unseal(key, "exchange", token))
    if grant.expires < time.time():
        raise LabelingError("This page has been open for too long: reload it to go on.")
    return grant


def check(key: bytes, purpose: str, token: str) -> None:
    """LabelingError unless ``token`` is ours and made for ``purpose``; when it ends, and who may
    do what, is looked at with the message."""
    unseal(key, purpose, token)


def seal(key: bytes, purpose: str, values: list[Any]) -> str:
    """Signed text of ``values``, fit for an address; good for its ``purpose`` only.

    The same values give the same text, so that a browser finds again what it has kept under it.
    """
    body = base64_encode(json.dumps(values, separators=(",", ":")))
    return _signer(key, purpose).sign(body).decode()


def unseal(key: bytes, purpose: str, token: str) -> list[Any]:
    """The values that :func:`seal` was given; LabelingError when it is not ours or altered."""
    try:
        return list(json.loads(base64_decode(_signer(key, purpose).unsign(token))))
    except (BadData, TypeError, ValueError) as error:
        raise LabelingError("This page is not signed in to the project: reload it.") from error


# No serializer of theirs: the compression that comes with it costs four times all the rest.
@lru_cache(maxsize=32)
def _signer(key: bytes, purpose: str) -> Signer:
    return Signer(key, salt=purpose, **_SIGNING)
