"""``serve``: start the app."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from labeling_core.commands.options import FILE, answer, command, database_option, json_option
from labeling_core.config import DATA_ROOTS, DATABASE, ROOT
from labeling_core.errors import LabelingError
from labeling_core.notebook import doorway


@command(name="serve")
@database_option
@click.option(
    "--root",
    "roots",
    type=FILE,
    multiple=True,
    metavar="DIR",
    help="A folder below which images and sounds may lie; repeat for more (default: "
    "LABELING_DATA_ROOTS).",
)
@click.option("--address", default="127.0.0.1", help="Where to listen: this machine only.")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, help="The port to listen on.")
@click.option("--browser", is_flag=True, help="Open it in the browser, too.")
@json_option
def serve(
    path: Path, roots: tuple[Path, ...], address: str, port: int, browser: bool, as_json: bool
) -> None:
    """Start the app, and stay until Ctrl-C.

    What another address than this machine's means is told in docs/hosting.md.

    \b
    Example:
      python -m labeling_core serve --port 8600 --browser
    """
    for each in roots:
        if not each.is_dir():
            raise LabelingError(f"There is no folder {each}: name another with --root.")
    _require_free(path)
    DATABASE.put(str(path))
    if roots:
        DATA_ROOTS.put(os.pathsep.join(str(each.absolute()) for each in roots))
    made = "" if path.exists() else ", which is made now, with sample projects"
    text = f"The app starts on http://{address}:{port} with the database {path}{made}."
    answer(as_json, {"address": f"http://{address}:{port}", "database": str(path)}, text)
    sys.stdout.flush()
    sys.argv = [
        "streamlit", "run", str(ROOT / "app.py"), f"--server.address={address}",
        f"--server.port={port}", f"--server.headless={str(not browser).lower()}",
    ]  # fmt: skip
    stopped = list[int]()

    def note(number: int, frame: FrameType | None) -> None:
        stopped.append(number)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, note)
    # In this very process, so that a signal reaches it; by name, as the core knows no Streamlit.
    try:
        runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        if stopped:  # of which Streamlit makes a 1, as of a fault
            raise click.Abort from error
        raise


def _require_free(path: Path) -> None:
    """Raise LabelingError where the app would start and could only show why it cannot work."""
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise LabelingError(
            f"The database {path} is not yours to read and write: name another with --database, or "
            "start the app as its owner."
        )
    if found := doorway.connect(path):
        found.close()
        raise LabelingError(
            f"An app that is running has the database {path} open already: use that one, or stop "
            "it first."
        )
