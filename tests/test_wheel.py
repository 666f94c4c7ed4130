"""The program as `pip install` leaves it: in an environment of its own, far from the checkout."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
# Everything that an installation adds beside the packages that were there.
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
OURS = {"labeling_core", f"labeling-{VERSION}.dist-info"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of a new environment with the wheel; what it needs is taken from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / SCRIPTS / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    theirs = subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True,
                            encoding="utf-8")  # fmt: skip
    ours = "\n".join(each for each in sys.path if each.endswith("site-packages"))
    Path(theirs.stdout.strip(), "packages.pth").write_text(ours, "utf-8")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / SCRIPTS


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items()
            if name != "PYTHONPATH" and not name.startswith("LABELING_")}  # fmt: skip


def run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True,
                          encoding="utf-8", check=False)  # fmt: skip


def test_nothing_but_the_package_is_put_where_all_packages_are(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        (metadata,) = (each for each in names if each.endswith("METADATA"))
        told = packed.read(metadata).decode()
    assert {each.partition("/")[0] for each in names} == OURS
    assert not [each for each in names if "__pycache__" in each or each.endswith(".duckdb")]
    needed = [
        line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]  # fmt: skip
    assert told.count("Requires-Dist: ") == len(needed)
    assert "Requires-Dist: streamlit[performance]<2,>=" in told


def test_a_notebook_imports_it_and_the_pages_are_nobodys_names(
    scripts: Path, tmp_path: Path
) -> None:
    (tmp_path / "wines.csv").write_text(
        "strength\n" + "".join(f"{n % 9}.5\n" for n in range(40)), "utf-8"
    )
    script = """
import importlib.util, pathlib, sys
import labeling_core as lc
assert pathlib.Path(lc.__file__).is_relative_to(pathlib.Path(sys.prefix)), lc.__file__
assert not [each for each in ("app", "pages") if importlib.util.find_spec(each)]
with lc.open("own.duckdb", "ana") as database:
    project = database.create("Wines", "wines.csv", ["weak", "strong"])
    (sample,) = project.next()
    project.label(sample.sample_id, "weak")
    print(len(project.labels()))
"""
    done = run([scripts / "python", "-c", script], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_the_command_goes_by_its_name(scripts: Path, tmp_path: Path) -> None:
    told = run([scripts / "labeling", "--help"], tmp_path).stdout
    assert told.startswith("Usage: labeling [OPTIONS] COMMAND")
    told = run([scripts / "python", "-m", "labeling_core", "--help"], tmp_path).stdout
    assert told.startswith("Usage: python -m labeling_core [OPTIONS] COMMAND")
    told = run([scripts / "labeling", "backup", "--help"], tmp_path).stdout
    assert "  labeling backup --list\n" in told and "python -m" not in told
    lacking = run([scripts / "labeling", "projects"], tmp_path)
    path = tmp_path.resolve() / "data" / "labeling.duckdb"
    assert lacking.stderr == f"There is no database {path}: name one with --database.\n"


@contextmanager
def served(command: list[str | Path], folder: Path) -> Iterator[str]:
    """The first line that the app says, once it answers; it is ended as by Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    asked = [*command, "--port", str(port), "--address", "127.0.0.1", "--json"]
    log = folder / "served.log"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(asked, cwd=folder, env=environment(), stdout=out, stderr=out)
    try:
        address, end = f"http://127.0.0.1:{port}", time.monotonic() + 600
        while not _answers(f"{address}/labeling/health"):
            assert process.poll() is None and time.monotonic() < end, log.read_text("utf-8")
            time.sleep(0.1)
        assert _answers(f"{address}/")
        yield log.read_text("utf-8").splitlines()[0]
    finally:
        process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
        ended = process.wait(60)
    assert os.name == "nt" or ended == 130, log.read_text("utf-8")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def test_the_installed_app_serves_the_database_of_the_folder_it_is_started_in(
    scripts: Path, tmp_path: Path
) -> None:
    path = tmp_path.resolve() / "data" / "labeling.duckdb"
    with served([scripts / "labeling", "serve"], tmp_path) as told:
        assert json.loads(told)["database"] == str(path)
    with duckdb.connect() as tables:
        tables.execute(f"ATTACH '{path}' AS file (READ_ONLY)")
        found = tables.execute(
            "SELECT project_id, samples FROM file.labeling.projects ORDER BY ALL"
        ).fetchall()
    assert found == [("digits", 1797), ("spoken_words", 400), ("wine_colour", 3124)]
    assert run([scripts / "labeling", "check"], tmp_path).returncode == 0


def test_serve_takes_database_and_roots_in_the_checkout_too(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import labeling_core.__main__ as m; "
    command: list[str | Path] = [sys.executable, "-c", f"{start}sys.exit(m.main())", "serve"]
    command += ["--database", "mine.duckdb"]
    with served([*command, "--root", "root"], tmp_path) as told:
        assert json.loads(told)["database"] == str(tmp_path.resolve() / "mine.duckdb")
    lacking = run([*command, "--root", "nowhere"], tmp_path)
    assert lacking.stderr == "There is no folder nowhere: name another with --root.\n"
