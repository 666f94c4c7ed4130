"""Packages of PyPI that stand in no requirements, as they or what they ask for would do harm there:
installed for a test, into a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def install(folder: Path, *needed: str) -> Path:
    """``folder`` with these packages, and nothing that they ask for; without PyPI the tests are
    left out, except under CI."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder]
    done = subprocess.run([*command, *needed], capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        reason = f"{', '.join(needed)} could not be installed: {done.stderr[-300:]}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return folder
