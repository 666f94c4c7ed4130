"""A token is good for one annotator on one project, for a while, across restarts."""

from __future__ import annotations

import base64
import stat

import pytest

from labeling_core.access import tokens
from labeling_core.errors import LabelingError


def test_a_token_tells_its_grant_and_the_key_outlives_the_process(tmp_path):
    token = tokens.issue(tokens.read_key(tmp_path, "local"), "wine", "ana")
    grant = tokens.verify(tokens.read_key(tmp_path, "local"), token)
    assert (grant.project_id, grant.annotator) == ("wine", "ana")
    assert stat.S_IMODE((tmp_path / "signing.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("token", [None, 7, "", "a", "a.b", "a.b.c", "é.é", {"x": 1}])
def test_what_is_no_token_is_refused(tmp_path, token):
    with pytest.raises(LabelingError, match="not signed in"):
        tokens.verify(tokens.read_key(tmp_path, "local"), token)


def test_an_altered_or_foreign_token_is_refused(tmp_path):
    key = tokens.read_key(tmp_path, "local")
    body, signature = tokens.issue(key, "wine", "ana").split(".")
    altered = base64.urlsafe_b64encode(base64.urlsafe_b64decode(body).replace(b"ana", b"bob"))
    for forged in (f"{altered.decode()}.{signature}", tokens.issue(b"other key", "wine", "ana")):
        with pytest.raises(LabelingError, match="not signed in"):
            tokens.verify(key, forged)


def test_an_expired_token_is_refused(tmp_path, monkeypatch):
    key = tokens.read_key(tmp_path, "local")
    monkeypatch.setattr(tokens, "LIFETIME", -1.0)
    with pytest.raises(LabelingError, match="open for too long"):
        tokens.verify(key, tokens.issue(key, "wine", "ana"))
