"""Ended logins: remembered over restarts, each for itself, and not for ever."""

from __future__ import annotations

import time
from pathlib import Path

from labeling_core.access import sign_outs
from labeling_core.access.sign_outs import SignOuts

ANA = {"iss": "https://login.example.org", "sub": "ana", "iat": 1, "exp": 2, "nonce": "a"}


def test_an_ended_login_stays_ended_and_no_other_one_ends(tmp_path: Path) -> None:
    SignOuts(tmp_path).end(ANA)
    for known in (SignOuts(tmp_path), SignOuts(tmp_path)):
        assert known.has_ended(ANA | {"email": "changed@example.org", "origin": "x"})
        assert not known.has_ended(ANA | {"nonce": "b"})
        assert not known.has_ended(ANA | {"sub": "eva"})


def test_a_login_that_cannot_be_told_from_others_ends_none_of_them(tmp_path: Path) -> None:
    known = SignOuts(tmp_path)
    known.end({"iss": "https://login.example.org", "sub": "ana"})
    assert not known.has_ended({"iss": "https://login.example.org", "sub": "ana"})


def test_what_is_too_old_or_broken_is_left_out(tmp_path: Path, monkeypatch) -> None:
    SignOuts(tmp_path).end(ANA)
    monkeypatch.setattr(sign_outs, "LEAST", 1)
    path = tmp_path / "signed_out"
    path.write_text(f"\ufffd\n12\n1 old\n{path.read_text('utf-8')}17", "utf-8")
    assert SignOuts(tmp_path).has_ended(ANA)
    assert len(path.read_text("utf-8").splitlines()) == 1
    monkeypatch.setattr(sign_outs, "KEPT", -10)
    SignOuts(tmp_path).end(ANA | {"nonce": "b"})
    known = SignOuts(tmp_path)
    assert known.has_ended(ANA | {"nonce": "b"}) and not known.has_ended(ANA)
    assert len(path.read_text("utf-8").splitlines()) == 1


def test_a_clock_that_ran_ahead_for_a_while_brings_no_ended_login_back(
    tmp_path: Path, monkeypatch
) -> None:
    SignOuts(tmp_path).end(ANA)
    later = time.time() + 10 * 365 * 86_400
    with monkeypatch.context() as ahead:
        ahead.setattr(time, "time", lambda: later)
        SignOuts(tmp_path).end(ANA | {"nonce": "b"})
    assert SignOuts(tmp_path).has_ended(ANA)
