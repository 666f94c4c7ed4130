"""A token is good for one annotator on one project, for a while, across restarts."""

from __future__ import annotations

import hashlib
import hmac
import stat

import pytest
from itsdangerous.encoding import base64_decode, base64_encode

from labeling_core.access import tokens
from labeling_core.errors import LabelingError


def test_a_token_tells_its_grant_and_the_key_outlives_the_process(tmp_path):
    token = tokens.issue(tokens.read_key(tmp_path, "local"), "wine", "ana")
    grant = tokens.verify(tokens.read_key(tmp_path, "local"), token)
    assert (grant.project_id, grant.annotator) == ("wine", "ana")
    assert stat.S_IMODE((tmp_path / "signing.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "token",
    [None, 7, "", "a", "a.b", "a.b.c", ".", ".a.b", "é.é", "\ud800.a", b"a.b", ["a.b"], {"x": 1}],
)
def test_what_is_no_token_is_refused(tmp_path, token):
    with pytest.raises(LabelingError, match="not signed in"):
        tokens.verify(tokens.read_key(tmp_path, "local"), token)


def test_an_altered_or_foreign_token_is_refused(tmp_path):
    key = tokens.read_key(tmp_path, "local")
    body, signature = tokens.issue(key, "wine", "ana").split(".")
    altered = base64_encode(base64_decode(body).replace(b"ana", b"bob")).decode()
    assert altered != body
    unsigned = [f"{altered}.{signature}", body, f"{body}.", f"{body}.{signature[:-1]}"]
    for forged in (*unsigned, tokens.issue(b"other key", "wine", "ana")):
        with pytest.raises(LabelingError, match="not signed in"):
            tokens.verify(key, forged)


def test_an_expired_token_is_refused(tmp_path, monkeypatch):
    key = tokens.read_key(tmp_path, "local")
    monkeypatch.setattr(tokens, "LIFETIME", -1.0)
    with pytest.raises(LabelingError, match="open for too long"):
        tokens.verify(key, tokens.issue(key, "wine", "ana"))


def test_a_token_is_good_for_its_purpose_and_use_only(tmp_path):
    key = tokens.read_key(tmp_path, "local")
    with pytest.raises(LabelingError, match="not signed in"):
        tokens.verify(key, tokens.seal(key, "media", ["wine", "ana", 9e9]))
    with pytest.raises(LabelingError, match="not signed in"):
        tokens.verify(tokens.read_key(tmp_path, "hosted"), tokens.issue(key, "wine", "ana"))


def test_the_same_values_give_the_same_text_fit_for_an_address(tmp_path):
    key, values = tokens.read_key(tmp_path, "local"), ["größe/ü", "?&#", 1.5, None, "x" * 500]
    token = tokens.seal(key, "media", values)
    assert token == tokens.seal(key, "media", values)
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert tokens.unseal(key, "media", token) == values


def test_a_page_open_since_an_older_version_is_told_to_reload(tmp_path):
    key = tokens.read_key(tmp_path, "local")
    body = b'["wine","ana",9999999999]'
    before = hmac.digest(key, b"exchange\0" + body, hashlib.sha256)
    with pytest.raises(LabelingError, match="reload it"):
        tokens.verify(key, f"{base64_encode(body).decode()}.{base64_encode(before).decode()}")
