"""What holds for the package as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT, check=True
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
        "from labeling_core import use_cases\n"
        "from labeling_core.progress import figures\n"
        "from labeling_core.simulation import figure\n"
        "from labeling_core.web import routes\n"
        "print([each for each in ('sklearn', 'scipy', 'skops', 'librosa', 'torch') "
        "if each in sys.modules])"
    )
    assert run(code).strip() == "[]"


def test_no_page_speaks_to_the_database_in_sql():
    for path in ROOT.glob("pages/**/*.py"):
        assert "cursor.execute" not in path.read_text("utf-8"), path


def test_no_two_pages_or_modality_modules_share_a_run_of_20_lines():
    seen: dict[tuple[str, ...], str] = {}
    paths = [*ROOT.glob("pages/**/*.py"), *ROOT.glob("labeling_core/modalities/*.py")]
    for path in [*paths, *ROOT.glob("pages/deck/view_*.js")]:
        lines = [_without_names(line) for line in path.read_text("utf-8").splitlines()]
        lines = [line for line in lines if line]
        for start in range(len(lines) - 19):
            run_ = tuple(lines[start : start + 20])
            assert seen.setdefault(run_, path.name) == path.name, (path, start, run_)


def _without_names(line: str) -> str:
    """A line of code with every name, text and number replaced by one sign."""
    line = re.sub(r"(\"[^\"]*\"|'[^']*'|\w+)", "x", line.split("#")[0].split("//")[0])
    return re.sub(r"\s+", "", line)
