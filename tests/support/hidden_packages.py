"""Packages that programs do not find while a file is there: as if they were not installed yet."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SITE = """
import os, sys
if os.path.exists(os.environ["HIDING"]):
    sys.modules.update(dict.fromkeys(os.environ["HIDDEN"].split(",")))
"""


def hide(folder: Path, monkeypatch: pytest.MonkeyPatch, *packages: str) -> Path:
    """Hide ``packages`` from child programs for as long as the file that is given exists."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SITE, "utf-8")
    flag = folder / "hiding"
    flag.touch()
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("HIDING", str(flag))
    monkeypatch.setenv("HIDDEN", ",".join(packages))
    return flag
