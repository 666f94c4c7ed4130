"""A child program keeps its pipes to itself."""

from __future__ import annotations

import subprocess
import sys

from labeling_core.config import child_environment

CHILD = """
import os, sys
from labeling_core.modalities.child_program import own_pipes
questions, answers = own_pipes()
print("a library prints")
os.write(1, b"and one below Python")
answers.write(ascii([questions.readline(), os.read(0, 10), sys.stdin.read()]) + " größer\\n")
"""


def test_libraries_find_no_questions_and_spoil_no_answers() -> None:
    """On Windows one that looks at a standard input on which a thread waits would hang."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input="wie groß?\n".encode(), capture_output=True,
        env=child_environment(PYTHONIOENCODING="cp1252"), check=True,
    )  # fmt: skip
    assert done.stdout.decode() == "['wie gro\\xdf?\\n', b'', ''] größer\n"
    assert b"a library prints" in done.stderr and b"below Python" in done.stderr
