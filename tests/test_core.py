"""What holds for the package as a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout


def test_the_core_never_imports_streamlit():
    code = (
        "import importlib, pkgutil, sys, labeling_core\n"
        "for each in pkgutil.walk_packages(labeling_core.__path__, 'labeling_core.'):\n"
        "    if not each.name.endswith('__main__'): importlib.import_module(each.name)\n"
        "print('streamlit' in sys.modules)"
    )
    assert run(code).strip() == "False"


def test_the_server_never_imports_what_only_training_needs():
    code = (
        "import sys\n"
        "from labeling_core import figures, queries, routes, workspace\n"
        "print([each for each in ('sklearn', 'scipy', 'skops', 'librosa', 'torch') "
        "if each in sys.modules])"
    )
    assert run(code).strip() == "[]"
