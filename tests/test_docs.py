"""The documents: short enough, true to the code, and everything in them that can be run is run."""

from __future__ import annotations

import csv
import importlib.util
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import api_reference
import documents
import duckdb
import numpy as np
import pytest
from annotating import LOCAL, SETTINGS, Annotator, make_source
from broken_media import photo, recorded, tone, write_all
from documents import DOCUMENTS, ROOT, Block
from picture_project import SETTINGS as FILES
from picture_project import label, read, wait
from test_layers import LAYERS

from labeling_core import config
from labeling_core.access import tokens
from labeling_core.modalities.own_descriptions import described
from labeling_core.models import final_model
from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import Project
from labeling_core.store.backups import Backups
from labeling_core.store.database import Database
from labeling_core.web import routes
from labeling_core.workspace import Workspace, close_workspaces, open_workspace

NAMES = [str(each.relative_to(ROOT)) for each in DOCUMENTS]
BLOCKS = documents.blocks()


def of(language: str) -> list[Any]:
    found = [each for each in BLOCKS if each.language == language]
    return [pytest.param(each, id=f"{each.document}-{n}") for n, each in enumerate(found)]


# What the documents say of the code


def test_the_readme_is_short_and_sets_up_twice() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150
    readme = [each.text.strip() for each in BLOCKS if each.document == "README.md"]
    for place, block in ((".venv/bin/python", 0), (r".venv\Scripts\python", 1)):
        started, tested = readme[block], readme[block + 2]
        assert re.split(" && |; ", started)[1:] == [
            f"{place} -m pip install -r requirements.txt",
            f"{place} -m streamlit run app.py",
        ]
        assert re.split(" && |; ", tested)[1:] == [
            f"{place} -m pip install -r tests/requirements.txt",
            f"{place} -m pytest",
        ]
    assert len(readme) == 4
    assert readme[2] in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    for file, anchor in documents.links(ROOT / name):
        assert file.exists(), file
        assert not anchor or anchor in documents.anchors(file), f"{file}#{anchor}"


@pytest.fixture(scope="module")
def tables(empty_database: Path) -> set[str]:
    """The tables of a database without a project, as ``schema.table``."""
    with duckdb.connect(str(empty_database), read_only=True) as file:
        found = file.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables"
        ).fetchall()
    return {name for (name,) in found}


@pytest.mark.parametrize("name", NAMES)
def test_every_file_module_function_and_table_that_is_named_exists(
    name: str, tables: set[str]
) -> None:
    reasons = {each: documents.wrong(each, tables) for each in documents.inline(ROOT / name)}
    assert {name: reason for name, reason in reasons.items() if reason} == {}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("labeling_core/nowhere.py", "no such file"),
        ("helpers.py", "no such file"),
        ("labeling.decisions.submitt", "no such module, function or table"),
        ("store.nothing", "no such module, function or table"),
        ("Queue.places", "no class has such a member"),
        ("sesions.loop", "what is it?"),
        ("other.parquet", "no module makes such a file"),
    ],
)
def test_a_name_that_is_wrong_is_found(name: str, reason: str, tables: set[str]) -> None:
    assert documents.wrong(name, tables) == reason


def test_the_rooms_are_told_in_their_order() -> None:
    told = re.search(r"## Rooms\n.*?\n(\|.*?)\n\n", _text("docs/architecture.md"), re.DOTALL)
    assert told
    rows = [re.findall(r"`([\w.]+)`", row.split("|")[1]) for row in told[1].splitlines()[2:]]
    assert [sorted(row) for row in rows] == [sorted(row) for row in LAYERS]


def test_every_environment_variable_is_told_and_no_other() -> None:
    code = [*documents.CORE.rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
    used = {each for path in code for each in _variables(path.read_text("utf-8"))}
    told = re.search(
        r"## Environment variables\n(.*?)\n\n[^|\n]", _text("docs/operations.md"), re.S
    )
    assert told and _variables(told[1]) == used
    assert config.markdown() in told[1]
    for path in DOCUMENTS:
        assert _variables(path.read_text("utf-8")) <= used


def _variables(text: str) -> set[str]:
    return set(re.findall(r"\bLABELING_[A-Z_]+\b", text))


def _text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_every_option_of_simulate_is_told() -> None:
    helped = _python("-m", "labeling_core", "simulate", "--help", cwd=ROOT)
    told = set(re.findall(r"`(--[\w-]+)`", _text("docs/command-line.md")))
    assert set(re.findall(r"--[\w-]+", helped)) - {"--help"} <= told


# What can be run


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {each.language for each in BLOCKS} == {
        "sh", "powershell", "nginx", "sql", "python", "json", "toml",
    }  # fmt: skip
    assert {each.document for each in BLOCKS if each.language == "powershell"} == {"README.md"}
    assert {each.document for each in BLOCKS if each.language == "nginx"} == {"docs/hosting.md"}
    assert {each.document for each in BLOCKS if each.language == "json"} == {"docs/protocol.md"}


def test_every_description_of_a_model_is_one(tmp_path: Path) -> None:
    found = [each for each in BLOCKS if each.language == "toml"]
    for number, each in enumerate(found):
        (tmp_path / f"{number}.toml").write_text(each.text, encoding="utf-8")
    told = [described(tmp_path / f"{number}.toml").modality for number in range(len(found))]
    assert told == ["images", "sounds"]


def _own_environment() -> dict[str, str]:
    """Without what these tests are told by those who run them."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


def _python(*words: str, cwd: Path, **more: str) -> str:
    """What a Python process with these arguments prints."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=_own_environment() | {"PYTHONPATH": str(ROOT)} | more,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def desk(sample_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands of the documents find what they name, small: the database as
    the first start makes it, with a backup, and data."""
    folder = tmp_path_factory.mktemp("desk")
    path = folder / "data" / "labeling.duckdb"
    path.parent.mkdir()
    shutil.copy(sample_database, path)
    database = Database(path)
    Backups(database).make(LOCAL)
    database.close()
    measured = [{k: v for k, v in each.items() if k != "label"} for each in _wines()]
    _write_table(folder / "new_wines.csv", measured)
    _write_table(folder / "wines.csv", [each | {"colour": each["label"]} for each in _wines()])
    told = [{"sample_id": n, "label": each["label"]} for n, each in enumerate(_wines(), start=1)]
    _write_table(folder / "labels.csv", told)
    rng, y = np.random.default_rng(0), np.arange(60) % 2
    np.savez(folder / "arrays.npz", X=rng.normal(size=(60, 3)) + y[:, None] * 4, y=y)
    for number in range(60):
        place = folder / "photos" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        photo(16, 16, seed=number % 2).rotate(number).save(place / f"{number}.png")
    write_all(folder / "recordings", SOUNDS)
    return folder


PITCHES = {f"{n}.wav": 300.0 + 2200 * (n % 2) + 10 * n for n in range(12)}
SOUNDS = {name: recorded(tone(0.3, pitch=p), 16_000, "WAV") for name, p in PITCHES.items()}


def _wines() -> list[dict[str, str]]:
    with (ROOT / "data" / "wine_colour" / "answers.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))[:60]


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _wine_model(desk: Path, workspace: Workspace) -> Project:
    with workspace.database.transaction() as cursor:
        wines = f"read_csv('{desk / 'new_wines.csv'}')"
        cursor.execute(f"CREATE TABLE main.wine AS SELECT * FROM {wines}")
    project = create_project(workspace.database, replace(SETTINGS, every=1000))
    answers = {str(n): each["label"] for n, each in enumerate(_wines(), start=1)}
    label(Annotator(workspace, project), 20, answers)
    return project


def _sound_model(desk: Path, workspace: Workspace) -> Project:
    write_all(desk / "root" / "media", SOUNDS)
    settings = replace(FILES, modality="sounds", every=1000, probe_share=0.0)
    project = create_project(workspace.database, settings)
    read(workspace, project)
    answers = {name: "ab"[pitch > 1000] for name, pitch in PITCHES.items()}
    label(Annotator(workspace, project), 8, answers)
    return project


MODELS = {
    "wine_colour_final_model.zip": _wine_model,
    "spoken_words_final_model.zip": _sound_model,
}


def _model(desk: Path, name: str) -> None:
    """Train the final model that ``predict`` is shown with, on a few samples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_DATA_ROOTS", str(desk / "root"))
        workspace = Workspace(desk / f"{name}.duckdb")
        try:
            _train(workspace, MODELS[name](desk, workspace), desk / name)
        finally:
            workspace.close()


def _train(workspace: Workspace, project: Project, path: Path) -> None:
    final_model.train(workspace.loop, project, LOCAL)
    wait(workspace, project)
    with workspace.database.read() as cursor:
        content = final_model.archive(cursor, project.project_id)
    assert content, workspace.loop.status(project)
    path.write_bytes(content)


# Commands: (what a command looks like, what is done with it). The first that fits counts.


def _core(command: str, desk: Path) -> None:
    """As it stands; a backup that is named is one that there is."""
    words = shlex.split(command)[1:]
    database = desk / "data" / "labeling.duckdb"
    if "predict" in words:
        _model(desk, words[words.index("--model") + 1])
    if "restore" in words:
        backups = desk / "data" / "labeling.duckdb.files" / "backups"
        made = min(backups.glob("*.duckdb"))
        named = desk / words[-1]
        if named.name != "BACKUP" and not named.exists():
            shutil.copy(made, named)
        words[-1] = str(named if named.exists() else made)
    if words[2] in ("label", "sample"):
        _take_samples(desk, database)
    if words[2] == "sample":
        decide = ["-m", "labeling_core", "label", *words[3:5], "--file", "decisions.csv"]
        _python(*decide, cwd=desk, LABELING_DATABASE=str(database))
    printed = _python(*words, cwd=desk, LABELING_DATABASE=str(database))
    assert printed.strip()
    if "--out" in words:
        assert (desk / words[words.index("--out") + 1]).stat().st_size


def _take_samples(desk: Path, database: Path) -> None:
    """The file of decisions that is named, on samples that are handed out."""
    on = ("-m", "labeling_core", "next", "--project", "wine_colour", "--count", "4", "--json")
    handed = json.loads(_python(*on, cwd=desk, LABELING_DATABASE=str(database)))
    labels = [
        {"sample_id": each["sample_id"], "label": ("red", "white")[number % 2]}
        for number, each in enumerate(handed)
    ]
    _write_table(desk / "decisions.csv", labels)


def _app(command: str, desk: Path) -> None:
    """Started on a free port of this machine, until the start page and its health answer."""
    given = dict(
        each.split("=")
        for each in re.findall(r"^[A-Z_=/\w.: -]*?(?=(?:\.venv/bin/)?python)", command)[0].split()
    )
    port, option = _free_port(), "--" if "labeling_core serve" in command else "--server."
    words = shlex.split(command[command.index("python") :])[1:]
    environment = _own_environment() | given | {"LABELING_DATABASE": str(desk / "app.duckdb")}
    log = desk / "app.log"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, *words, f"{option}port", str(port), f"{option}address", "127.0.0.1"],
            cwd=ROOT, env=environment, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 300
        while not _answers(f"http://127.0.0.1:{port}/_stcore/health"):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.1)
        assert _answers(f"http://127.0.0.1:{port}/")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _tests(command: str, desk: Path) -> None:
    """Run as it stands, in one process. All of them are what this test is one of: only counted on
    to be what .ci/run runs."""
    words = shlex.split(command)[1:]
    if words[:2] == ["-m", "pytest"] and (len(words) == 2 or "--windows" in words):
        assert command in (ROOT / ".ci" / "run").read_text("utf-8")
        return
    alone = ["-n", "0"] if importlib.util.find_spec("xdist") else []
    _python(*words, "-p", "no:cacheprovider", *alone, cwd=ROOT)


def _benchmark(command: str, desk: Path) -> None:
    """They take minutes to hours and want other programs: what the script imports at its beginning
    has to be here, and it has to know each option."""
    words = shlex.split(command[command.index("tests/") :])
    script = ROOT / words[0]
    loaded = f"import runpy; runpy.run_path({str(script)!r}, run_name='benchmark')"
    _python("-c", loaded, cwd=ROOT, PYTHONPATH=f"{ROOT}{os.pathsep}{script.parent}")
    for option in (each for each in words[1:] if each.startswith("--")):
        assert option[2:] in script.read_text("utf-8"), f"{words[0]} has no {option}"


def _requirements(command: str, desk: Path) -> None:
    """Needs the package registry: the files that are named have to be there, and what is installed
    by name is in the requirements or in what the benchmarks ask for."""
    words = shlex.split(command)
    for file in [b for a, b in itertools.pairwise(words) if a == "-r"]:
        assert (ROOT / file).exists()
    asked = _text("requirements.txt") + _text("tests/requirements.txt")
    asked += "\n".join(each.read_text("utf-8") for each in (ROOT / "tests/benchmarks").glob("*.py"))
    named = [] if "-r" in words else words[words.index("install") + 1 :]
    named = [each for each in named if not each.startswith("--")]
    assert [each for each in named if each not in asked + "pip-audit"] == []


def _checked(command: str, desk: Path) -> None:
    """Run by the check that every change passes, over all of the tree: not here once more."""
    assert command in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


def _packages(command: str, desk: Path) -> None:
    """Needs root and the network: .ci/run does it, with the same package."""
    package = command.split()[-1]
    assert re.search(rf"apt-get install .*{package}", (ROOT / ".ci" / "run").read_text("utf-8"))


def _worker(command: str, desk: Path) -> None:
    """Started by the server, which every test of sessions/ does: it has to be there."""
    assert importlib.util.find_spec(shlex.split(command)[2])


def _file(command: str, desk: Path) -> None:
    """Runs all tests, this one too: it has to be there, and be a program."""
    assert os.access(ROOT / command.split()[-1], os.X_OK)


def _environment(command: str, desk: Path) -> None:
    """Makes an environment and enters it; needs nothing of this program."""


KINDS: list[tuple[str, Callable[[str, Path], None]]] = [
    (r"python -m labeling_core\.sessions\.worker MODULE …", _worker),
    (r"python -m labeling_core serve.*", _app),
    (r"python -m labeling_core .*", _core),
    (r"([A-Z_]+=\S+ )*(\.venv/bin/)?python -m streamlit run app\.py", _app),
    (r"(\.venv/bin/)?python -m pytest( .*)?", _tests),
    (r"(PYTHONPATH=\S+ )?(peers/bin/)?python tests/benchmarks/\w+\.py.*", _benchmark),
    (r"((\.venv/bin/)?python -m |peers/bin/)?pip install .*", _requirements),
    (r"pip-audit -r requirements\.txt", _requirements),
    (r"ruff check \.|ruff format --check \.|mypy", _checked),
    (r"apt-get install [\w-]+", _packages),
    (r"bash \.ci/run|tests/deck/check", _file),
    (r"python3? -m venv [\w.]+|\. \.venv/bin/activate", _environment),
]
COMMANDS = list(dict.fromkeys(part for each in documents.commands() for part in each.split(" && ")))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[:90])
def test_every_command_runs(command: str, desk: Path) -> None:
    kind = next((do for form, do in KINDS if re.fullmatch(form, command)), None)
    assert kind, "a command of a kind that is not known: say in KINDS how it is tested"
    kind(command, desk)


@pytest.mark.parametrize("block", of("sql"))
def test_every_query_runs_on_the_file_itself(block: Block, desk: Path, tmp_path: Path) -> None:
    if "quack:" in block.text:
        return  # tests/live_sql/test_live_sql.py runs it, beside the app
    name = "labeling" if "labeling.labeling." in block.text else "wines"
    copy = tmp_path / f"{name}.duckdb"
    shutil.copy(desk / "data" / "labeling.duckdb", copy)
    with duckdb.connect(str(copy), read_only=True) as file:
        for statement in block.text.split(";\n"):
            if statement.strip():
                file.execute(statement).fetchall()


@pytest.mark.parametrize("block", of("python"))
def test_every_piece_of_python_runs(block: Block, desk: Path) -> None:
    _python("-W", "error", "-c", block.text, cwd=desk)


def test_the_notebook_runs_from_top_to_bottom(desk: Path) -> None:
    notebook = json.loads((ROOT / "docs" / "notebook.ipynb").read_text("utf-8"))
    cells = ["".join(each["source"]) for each in notebook["cells"] if each["cell_type"] == "code"]
    printed = _python("-W", "error", "-c", "\n".join(cells), cwd=desk)
    assert printed.count(" labels: ") == 4
    assert float(re.findall(r"right: ([\d.]+)%", printed)[0]) > 90
    assert (desk / "wine_labels.csv").exists()
    assert (desk / "metadata.parquet").exists()


def test_the_reference_tells_the_docstrings_of_today() -> None:
    assert api_reference.FILE.read_text("utf-8") == api_reference.reference(), (
        "write it anew with python tests/support/api_reference.py"
    )


# The exchange as docs/protocol.md tells it


@pytest.fixture
def wine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """The process's workspace, with one small project called wine."""
    monkeypatch.setenv("LABELING_DATABASE", str(tmp_path / "wine.duckdb"))
    made = Database(tmp_path / "wine.duckdb")
    make_source(made, 50)
    create_project(made, SETTINGS)
    made.close()
    yield open_workspace(hosted=False)
    close_workspaces()


def test_the_exchange_is_as_it_is_told(wine: Workspace) -> None:
    message, reply = (json.loads(each.text) for each in BLOCKS if each.language == "json")
    message["token"] = tokens.issue(wine.key, "wine", "ana")
    first = _post(message | {"message": 1, "decisions": [], "holding": [], "want": 2})
    shown, next_one = (each["sample_id"] for each in first["samples"])
    message["decisions"][0]["sample_id"] = shown
    message |= {"holding": [next_one], "screen": next_one}
    found = _post(message)
    assert _form(found) == _form(reply)
    for name in (
        "message",
        "stored",
        "refused",
        "counts",
        "finished",
        "waiting",
        "drop",
        "learning",
    ):
        assert found[name] == reply[name], name
    _tables_name_every_field(message, reply)


def _post(message: dict[str, Any]) -> dict[str, Any]:
    response = routes.respond(json.dumps(message).encode())
    assert response.status_code == 200, response.body
    return dict(json.loads(bytes(response.body)))


def _form(value: Any) -> Any:
    """Keys and kinds of values; of a list, its first entry; of cells, only that there are three."""
    if isinstance(value, dict):
        return {key: _form(each) for key, each in value.items() if key != "categories"} | (
            {"categories": type(value["categories"]).__name__} if "categories" in value else {}
        )
    if isinstance(value, list):
        return [_form(each) for each in value[:1]]
    return type(value).__name__


def _tables_name_every_field(message: dict[str, Any], reply: dict[str, Any]) -> None:
    told = set(re.findall(r"`([a-z_]+)`", documents.prose(ROOT / "docs" / "protocol.md")))
    assert {*message, *message["decisions"][0], *reply, *reply["counts"]} - told <= {
        "labeled", "skipped", "total", "several",
    }  # fmt: skip
