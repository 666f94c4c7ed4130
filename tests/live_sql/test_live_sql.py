"""Live SQL for real: the app, DuckDB clients in processes of their own, decisions coming in."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import documents
import pytest
from annotating import LOCAL
from hidden_packages import hide
from quack import ROOT, Client, RefusedError, environment, free_ports, install
from streamlit.testing.v1 import AppTest

sys.path.append(str(ROOT / "tests" / "browser"))

from app_server import AppServer
from wire_deck import Page, WireDeck

from labeling_core.config import SQL
from labeling_core.errors import LabelingError
from labeling_core.live_sql import service
from labeling_core.live_sql.service import LiveSql
from labeling_core.modalities.child_program import ChildProgram
from labeling_core.store.database import Database
from labeling_core.workspace import close_workspaces, open_workspace

pytestmark = pytest.mark.posix
READER, ADMIN = "a-long-random-text-for-readers", "a-long-random-text-for-admins"
NOTHING = ["LABELING_SQL", "LABELING_SQL_TOKEN", "LABELING_SQL_ADMIN_TOKEN"]
Connect = Callable[..., Client]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("packages"))


class Served(AppServer):
    """The app with live SQL, on DuckDB 1.5.5; its database is made by its first start."""

    def __init__(self, folder: Path, packages: Path) -> None:
        super().__init__(folder)
        self.sql = free_ports()
        paths = environment(packages)["PYTHONPATH"]
        self.command = [
            "env", f"PYTHONPATH={paths}", f"LABELING_SQL=quack:localhost:{self.sql}",
            f"LABELING_SQL_TOKEN={READER}", f"LABELING_SQL_ADMIN_TOKEN={ADMIN}",
            f"TMPDIR={folder}", sys.executable, "-m", "streamlit", "run", "app.py",
        ]  # fmt: skip


@pytest.fixture(scope="module")
def server(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    started = Served(tmp_path_factory.mktemp("served"), packages)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def connect(packages: Path, server: Served) -> Iterator[Connect]:
    """Make clients; attached, unless somebody else is to do it."""
    made: list[Client] = []

    def make(token: str = READER, attached: bool = True) -> Client:
        made.append(Client(packages, server.sql + (token == ADMIN), token))
        if attached:
            until(lambda: attach(made[-1]))
        return made[-1]

    yield make
    for each in made:
        each.close()


def until(reached: Callable[[], object], seconds: float = 400.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


def attach(client: Client) -> bool:
    """Whether the server lets a client in; it may be starting."""
    try:
        client.attach()
    except RefusedError as error:
        # Nobody listens yet, or it is not ready for the first one.
        assert any(each in str(error) for each in ("Could not connect", "Failed to send")), error
        return False
    return True


def labels(client: Client) -> int:
    return int(client.ask("SELECT count(*) FROM live.wine_colour_labels")[0][0])


def test_an_attached_client_counts_the_labels_while_they_come_in(
    server: Served, connect: Connect
) -> None:
    client = connect()
    before = labels(client)
    page = Page(server, "wine_colour", "ana")
    deck = WireDeck(server, page.token)
    seen = [before]
    for goal in (10, 20, 30, 40):
        labeling = threading.Thread(target=deck.label, args=(goal,))
        labeling.start()
        until(lambda goal=goal: seen.append(labels(client)) or seen[-1] == before + goal)
        labeling.join()
    assert seen == sorted(seen)
    told = client.ask("SELECT sample_id, label FROM live.wine_colour_metadata ORDER BY label_id")
    assert [(a, b) for a, b in told[before:]] == list(deck.acknowledged.items())
    assert not deck.refused
    page.close()
    deck.close()
    # A session has run: its queries are there, and soon without what was decided since.
    asked = "SELECT sample_id FROM live.wine_colour_queries WHERE session_id > 0"
    until(lambda: (rows := client.ask(asked)) and not {s for (s,) in rows} & {*deck.acknowledged})


READS = "SELECT count(*) FROM wine_colour_labels"
INTERNAL = "SELECT count(*) FROM labeling.events"
WRITES = "DELETE FROM wine_colour_labels"
FILE = "SELECT * FROM read_text('/etc/hostname')"
MAY = {"": (), "wrong": (), READER: (READS,), ADMIN: (READS, INTERNAL)}


@pytest.mark.parametrize("what", [READS, INTERNAL, WRITES, FILE])
@pytest.mark.parametrize("token", MAY)
def test_everybody_may_what_their_token_says(connect: Connect, token: str, what: str) -> None:
    client = connect(token, attached=token in (READER, ADMIN))
    if token not in (READER, ADMIN):
        connect(READER)  # the server is there
        with pytest.raises(RefusedError, match=r"Authentication failed|authentication token"):
            client.attach()
    elif what in MAY[token]:
        assert len(client.at_server(what)) == 1
    else:
        with pytest.raises(RefusedError):
            client.at_server(what)


@pytest.fixture(scope="module")
def attacker(packages: Path, server: Served) -> Iterator[Client]:
    client = Client(packages, server.sql, READER)
    until(lambda: attach(client))
    yield client
    client.close()


def attacks(folder: str = "FOLDER") -> list[str]:
    """What a reader might try, sent to the server letter by letter."""
    return [
        f"SELECT * FROM read_csv('{folder}/deck.duckdb')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_blob('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        f"SELECT * FROM '{folder}/deck.duckdb'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        f"COPY (SELECT 1) TO '{folder}/stolen.csv'",
        "COPY wine_colour_labels FROM '/etc/hostname'",
        f"ATTACH '{folder}/deck.duckdb' AS other",
        f"ATTACH '{folder}/stolen.duckdb' AS other",
        "ATTACH ':memory:' AS other",
        "ATTACH 'quack:localhost:1' AS other",
        f"EXPORT DATABASE '{folder}/stolen'",
        "INSTALL spatial", "LOAD json", "PRAGMA database_list", "CALL pragma_database_size()",
        "SET threads = 8", "SET lock_configuration = false", "RESET enable_external_access",
        "SET GLOBAL quack_authorization_function = 'quack_nop_authorization'",
        "USE labeling",
        "DELETE FROM wine_colour_labels", "UPDATE wine_colour_labels SET label = 'x'",
        "INSERT INTO wine_colour_labels (label) VALUES ('x')", "DROP VIEW wine_colour_labels",
        "CREATE TABLE mine (i INTEGER)", "CREATE TEMP TABLE mine (i INTEGER)",
        "CREATE OR REPLACE VIEW wine_colour_labels AS SELECT 1 AS label",
        "CREATE OR REPLACE MACRO gate.reads(session, query) AS true",
        "SELECT 1; DROP VIEW wine_colour_labels",
        "WITH x AS (SELECT 1) INSERT INTO wine_colour_labels (label) SELECT 'x' FROM x",
        "SELECT * FROM quack_serve('quack:localhost:29999', token = 'mine')",
        "SELECT * FROM QUACK_SERVE('quack:localhost:29999', token = 'mine')",
        'SELECT * FROM "quack_serve"(\'quack:localhost:29999\', token = \'mine\')',
        "DESCRIBE SELECT * FROM quack_stop('quack:localhost:1')",
        "SELECT (SELECT count(*) FROM quack_server_list())",
        "WITH x AS (FROM quack_active_connections()) FROM x",
        "SELECT * FROM wine_colour_labels WHERE EXISTS (FROM quack_active_connections())",
        "SELECT * FROM quack_query('quack:localhost:1', 'SELECT 1', token = 'mine')",
        "SELECT * FROM quack_query_by_name('live', 'SELECT 1')",
        "SELECT * FROM query('SELECT 1')", "SELECT * FROM query_table('wine_colour_labels')",
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
        "SELECT * FROM enable_logging('Quack')", "SELECT * FROM enable_profiling()",
        "SELECT * FROM checkpoint()", "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM duckdb_settings()", "SELECT * FROM duckdb_functions()",
        "SELECT * FROM labeling.events", "SELECT * FROM labeling.projects",
        "SELECT getenv('LABELING_SQL_ADMIN_TOKEN')", "PREPARE p AS SELECT 1", "EXECUTE p", "BEGIN",
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(len(attacks())), ids=lambda n: attacks()[n][:60])
def test_a_reader_is_refused_all_but_reading(server: Served, attacker: Client, number: int) -> None:
    with pytest.raises(RefusedError):
        attacker.at_server(attacks(str(server.folder))[number])
    assert not list(server.folder.glob("stolen*"))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO live.wine_colour_labels SELECT * FROM live.wine_colour_labels",
        "INSERT INTO live.wine_colour_labels (label) VALUES ('x')",
        "CREATE TABLE live.mine AS SELECT 1 AS i", "DROP VIEW live.wine_colour_labels",
        "DELETE FROM live.wine_colour_labels", "SELECT * FROM live.labeling.events",
    ],
)  # fmt: skip
def test_a_reader_cannot_write_by_the_protocol_either(attacker: Client, statement: str) -> None:
    """Rows that a client inserts come as messages that ask for no authorization."""
    before = labels(attacker)
    with pytest.raises(RefusedError):
        attacker.ask(statement)
    assert labels(attacker) == before


def test_readers_are_shown_output_tables_and_nothing_else(attacker: Client) -> None:
    rows = attacker.at_server(
        "SELECT DISTINCT table_schema, table_name FROM information_schema.tables "
        "WHERE table_catalog <> 'system'"
    )
    projects = ("digits", "spoken_words", "wine_colour")
    kinds = ("labels", "metadata", "queries")
    assert {tuple(each) for each in rows} == {("main", f"{a}_{b}") for a in projects for b in kinds}


def test_admins_see_internal_tables_without_models_and_browsers(connect: Connect) -> None:
    admin = connect(ADMIN)
    assert admin.ask("SELECT count(*) FROM live.labeling.projects") == [[3]]
    assert admin.ask("SELECT card FROM live.labeling.models LIMIT 0") == []
    for hidden in ("SELECT model FROM live.labeling.models", "FROM live.labeling.names"):
        with pytest.raises(RefusedError):
            admin.ask(hidden)


def test_what_is_too_large_is_refused_and_the_others_go_on(connect: Connect) -> None:
    client, other = connect(), connect()
    for statement in (
        "SELECT count(*) FROM (SELECT DISTINCT range, md5(range::VARCHAR) FROM range(30000000))",
        "SELECT string_agg(repeat('x', 100000), '') FROM range(100000)",
    ):
        with pytest.raises(RefusedError, match=r"[Mm]emory|allocate"):
            client.at_server(statement)
    assert labels(other) == labels(client)


def test_the_example_of_the_documents(server: Served, connect: Connect) -> None:
    (block,) = (each for each in documents.blocks() if "ATTACH 'quack:" in each.text
                and each.language == "sql")  # fmt: skip
    client = connect(attached=False)
    connect()
    text = block.text.replace(":9494", f":{server.sql}").replace(
        "a-long-random-text'", f"{READER}'"
    )
    answers = [client.ask(each) for each in text.split(";\n") if each.strip()]
    assert answers[2] == [[sum(number for _, number in answers[3])]]


def children(server: Served) -> list[int]:
    """The process ids of the programs that answer SQL."""
    assert server.process
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            told = (each / "cmdline").read_bytes()
            parent = int((each / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if b"live_sql.gate" in told and parent == server.process.pid:
            found.append(int(each.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_programs_that_end_are_started_again_and_end_with_the_app(
    packages: Path, tmp_path: Path
) -> None:
    server = Served(tmp_path, packages)
    server.start()
    until(lambda: len(children(server)) == 2)
    client = Client(packages, server.sql, READER)
    until(lambda: attach(client))
    before = children(server)
    for each in before:
        os.kill(each, 9)
    until(lambda: attach(client))
    assert labels(client) == 0
    until(lambda: len(children(server)) == 2)
    after = children(server)
    assert not set(before) & set(after)
    server.kill()
    until(lambda: not any(Path(f"/proc/{each}").exists() for each in after))
    assert not list(tmp_path.glob("labeling-sql-*"))  # copies of the tables
    client.close()


# Without the extension


def test_where_the_extension_is_missing_one_sentence_says_so(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = ("duckdb_extension_quack", "duckdb_extension_httpfs")
    hide(tmp_path / "hiding", monkeypatch, *packages)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LABELING_SQL", f"quack:localhost:{free_ports()}")
    monkeypatch.setenv("LABELING_SQL_TOKEN", READER)
    live = LiveSql(database)
    live.start()
    until(lambda: live.gates[0].trouble)
    live.close()
    (told,) = live.told(LOCAL)
    assert "has no extension “quack” here: install it with" in told.trouble
    assert told.trouble.count(". ") == 0


@pytest.mark.parametrize(
    ("set_to", "sentence"),
    [
        (("quack:localhost:9494", "", ""), "neither LABELING_SQL_TOKEN nor"),
        (("quack:localhost:9494", "short", ""), "LABELING_SQL_TOKEN is too short"),
        (("quack:localhost:9494", READER, "short"), "LABELING_SQL_ADMIN_TOKEN is too short"),
        (("quack:localhost:9494", READER, READER), "are the same"),
        (("localhost:9494", READER, ""), "set it to an address such as"),
    ],
)
def test_what_cannot_be_is_told_and_labeling_goes_on(
    set_to: tuple[str, ...], sentence: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in zip(NOTHING, set_to, strict=True):
        monkeypatch.setenv(name, text)
    with pytest.raises(LabelingError, match=sentence) as told:
        service.asked()
    assert "short”" not in str(told.value)  # no secret is repeated
    live = LiveSql(database)
    live.start()
    assert live.trouble == str(told.value)
    assert live.told(LOCAL) == []
    live.close()


def test_the_storage_page_tells_admins(app_database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELING_SQL", "quack:localhost:9494")
    monkeypatch.setenv("LABELING_SQL_TOKEN", "short")
    try:
        at = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
        for page in ("home", "storage"):
            at.switch_page(f"{page}.py").run()
        assert [each.value for each in at.header][-1] == "Live SQL"
        assert "LABELING_SQL_TOKEN is too short" in at.warning[-1].value
        live = open_workspace().live_sql
        monkeypatch.setenv("LABELING_SQL_TOKEN", READER)
        live.gates, live.trouble = service.asked(), ""
        live.gates[0]._child = ChildProgram("labeling_core.live_sql.gate")
        at.run()
        assert at.code[-1].value.endswith("ATTACH 'quack:localhost:9494' AS live;")
        assert READER not in at.code[-1].value
        live.gates[0].end()
    finally:
        close_workspaces()


def test_nothing_listens_unless_it_is_asked_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NOTHING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LABELING_SQL_TOKEN", READER)
    assert service.asked() == []
    monkeypatch.setenv("LABELING_SQL", "quack:localhost:9494")
    (gate,) = service.asked()
    assert (gate.address, gate.internal) == (SQL.get(), False)
