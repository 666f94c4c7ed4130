"""Runs at the start of every Python process that a test starts: this folder is on PYTHONPATH."""

import os
import sys
import warnings
from pathlib import Path

if sys.flags.warn_default_encoding:  # text in the encoding of the system: a fault where it is ours
    warnings.filterwarnings("ignore", category=EncodingWarning)
    warnings.filterwarnings("error", category=EncodingWarning, module=r"(labeling_core|pages)\b")
if os.environ.get("TESTS_LIKE_WINDOWS"):
    sys.path.append(str(Path(__file__).parents[1]))
    import windows_mode

    windows_mode.install()
