"""Whether a login is needed; in doubt it is."""

from __future__ import annotations

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets

from pages.shell import identity


@pytest.mark.parametrize(
    ("content", "needed"),
    [
        (None, False),
        ("[database]\nname = 'x'\n", False),
        ("[auth]\nclient_id = 'x'\n", True),
        ("[auth]\n", True),
        ("[auth\nclient_id = 'x'\n", True),
        ("", False),
    ],
)
def test_a_login_is_needed_as_soon_as_the_secrets_name_or_may_name_one(
    tmp_path, monkeypatch, content, needed
):
    path = tmp_path / "secrets.toml"
    if content is not None:
        path.write_text(content, "utf-8")
    monkeypatch.setattr(st, "secrets", Secrets())
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(path)])
    try:
        assert identity.configured() is needed
    finally:
        config.set_option("secrets.files", before)
