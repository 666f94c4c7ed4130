"""Every page, route and use case × everybody does what the one table says."""

from __future__ import annotations

import fnmatch
import importlib
import inspect
import json
import pkgutil
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from annotating import SETTINGS, Annotator, make_source, rows
from PIL import Image
from serving import Answer, ask, serving
from streamlit.testing.v1 import AppTest

import labeling_core
from labeling_core import use_cases
from labeling_core import workspace as workspaces
from labeling_core.access import rights, tokens
from labeling_core.integrity import checks, remains, storage
from labeling_core.labeling import (
    adjudicating,
    category_changes,
    label_import,
    restoring,
    reviewing,
)
from labeling_core.labeling.label_import import How
from labeling_core.labeling.labels_at_start import NOTHING
from labeling_core.modalities.registry import MODALITIES
from labeling_core.models import final_model
from labeling_core.people import ACTIONS, EVERYWHERE, ROLES, ForbiddenError, Person, local_person
from labeling_core.projects.lifecycle import create_project
from labeling_core.sessions import label_errors
from labeling_core.sessions.label_errors import Listing
from labeling_core.simulation import data_sources, simulations
from labeling_core.sources.importing import Preview
from labeling_core.sources.label_records import Imported, LabelFile
from labeling_core.sources.sql_queries import query_table
from labeling_core.sources.uploads import Upload
from labeling_core.store import eventlog, put_back
from labeling_core.web import (
    adjudication_exchange,
    exports,
    label_exchange,
    media_links,
    messages,
    review_exchange,
    routes,
)
from labeling_core.workspace import Workspace

ROOT = Path(__file__).parents[2]
PAGES = sorted({path.stem for path in (ROOT / "pages").glob("*.py")} - {"__init__", "main"})
PEOPLE = {
    "no login": "",
    "viewer": "vera@example.org",
    "annotator": "ana@example.org",
    "admin": "adam@example.org",
    "annotator of another project": "otto@example.org",
}
ROLE = {who: who if who in ROLES else "none" for who in PEOPLE}
SECRET = "Wine of the cellar"  # the title of the project that is asked for
LOCAL = local_person("the owner")


def allowed(who: str, action: str) -> bool:
    """What the table says of somebody."""
    return ROLES.index(ROLE[who]) >= ROLES.index(ACTIONS[action])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two tables, `wine` and `other`, images, and somebody of each kind; each test
    has a copy of it."""
    home = tmp_path_factory.mktemp("team")
    folder = home / "root" / "pictures"
    folder.mkdir(parents=True)
    for number in range(8):
        Image.new("RGB", (8, 8), (number * 20, 0, 0)).save(folder / f"{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_DATA_ROOTS", str(home / "root"))
        make_team(home / "team.duckdb")
    return home


def make_team(path: Path) -> None:
    """The projects, and what everybody may do in them."""
    local = Workspace(path)
    make_source(local.database)
    create_project(local.database, replace(SETTINGS, title="wine"))
    tables = ("labels", "metadata", "queries")
    for title, source in (("other", "wine"), ("pictures", "pictures")):
        named: Any = {f"{each}_table": f"{title}_{each}" for each in tables}
        modality = "images" if title == "pictures" else "tabular"
        settings = replace(SETTINGS, title=title, source=source, modality=modality, **named)
        create_project(local.database, settings)
    use_cases.update_project(
        local, "wine", replace(local.project("wine").settings, title=SECRET), LOCAL
    )
    for project in ("wine", "pictures"):
        local.roles.set_role(PEOPLE["viewer"], project, "viewer", LOCAL)
        local.roles.set_role(PEOPLE["annotator"], project, "annotator", LOCAL)
    another = PEOPLE["annotator of another project"]
    local.roles.set_role(another, "other", "annotator", LOCAL)
    local.close()


@pytest.fixture
def workspace(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    """A hosted instance on a copy of what is prepared."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("LABELING_DATABASE", str(tmp_path / "team.duckdb"))
    monkeypatch.setenv("LABELING_DATA_ROOTS", str(tmp_path / "root"))
    monkeypatch.setenv("LABELING_ADMINS", PEOPLE["admin"].title())
    yield workspaces.open_workspace(hosted=True)
    workspaces.close_workspaces()


# The table


def test_the_documents_hold_the_table() -> None:
    assert rights.markdown() in (ROOT / "docs" / "teams.md").read_text("utf-8")


def test_the_table_names_every_page() -> None:
    main = (ROOT / "pages" / "main.py").read_text("utf-8")
    labeling = {each.page for each in MODALITIES.values()}
    assert labeling == set(fnmatch.filter(PAGES, "label_*"))
    assert {*re.findall(r'"(\w+)\.py"', main), *labeling} == set(PAGES)
    assert all(fnmatch.filter(PAGES, each) for each in rights.PAGES)
    named = {page for each in rights.PAGES for page in fnmatch.filter(PAGES, each)}
    assert named == set(PAGES)


def test_the_table_names_every_route() -> None:
    methods = [(each.path, (each.methods or set()) - {"HEAD"}) for each in routes.ROUTES]
    assert {f"{m} {path}" for path, of in methods for m in of} == set(rights.ROUTES)


def test_the_table_names_every_use_case() -> None:
    """A use case is what takes the person who acts."""
    found = set()
    for info in pkgutil.walk_packages(labeling_core.__path__, "labeling_core."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, each in [*vars(module).items()]:
            if getattr(each, "__module__", None) == info.name and not name.startswith("_"):
                found |= set(_acting(f"{info.name.split('.', 1)[1]}.{name}", each))
    assert found == set(rights.USE_CASES)


def _acting(name: str, thing: Any) -> Iterator[str]:
    if inspect.isclass(thing):
        for inner, each in vars(thing).items():
            if not inner.startswith("_"):
                yield from _acting(f"{name}.{inner}", each)
    elif inspect.isfunction(thing):
        annotated = inspect.signature(thing).parameters.get("by")
        if annotated is not None and annotated.annotation == "Person":
            yield name


def test_a_page_that_the_table_does_not_name_is_for_admins() -> None:
    assert rights.page_action("made_tomorrow") == "manage"


# Pages


def open_page(name: str, email: str, **query: str) -> AppTest:
    """A deep link of somebody whose login gives that e-mail."""
    at = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    at.secrets = {"auth": {"client_id": "labeling"}}
    at.user = {"is_logged_in": bool(email), "email": email, "email_verified": True}
    for page in ("home", name):  # a page has to be known before it can be switched to
        at.query_params.update(query)
        at.switch_page(f"{page}.py").run()
    return at


def everything(at: AppTest) -> str:
    """All that a page sends to the browser, in words."""
    return repr(at.main) + repr(at.sidebar) + str([each.options for each in at.selectbox])


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", PEOPLE)
def test_a_page_opens_for_those_the_table_names(workspace: Workspace, who: str, page: str) -> None:
    at = open_page(page, PEOPLE[who], project="wine")
    assert not at.exception
    shown = everything(at)
    if who == "no login":
        assert [each.label for each in at.button] == ["Sign in"]
        assert not (at.selectbox or at.info or at.warning or at.sidebar.children)
        assert "wine" not in shown.lower() and "other" not in shown
    elif who == "annotator of another project":
        assert SECRET not in shown
        assert at.selectbox(key="project-1").options == ["other"]
        told = [each.value for each in at.warning]
        assert "There is no project “wine” here: choose one below." in told
    elif allowed(who, rights.page_action(page)):
        assert not at.warning
        opened = "pictures" if page == "label_images" else "wine"  # the only project of its kind
        assert at.session_state["project"] == opened
    else:
        assert re.match("This needs the role “.*”, and yours here is", at.main.warning[0].value)
        assert len(at.main.children) == 2  # its title and that sentence


def test_a_project_that_is_not_ones_own_is_told_like_one_that_does_not_exist(
    workspace: Workspace,
) -> None:
    otto = PEOPLE["annotator of another project"]
    told = [
        open_page("session_progress", otto, project=name).warning[0].value.replace(name, "X")
        for name in ("wine", "nowhere")
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "user",
    [
        {"is_logged_in": True, "email": "adam@example.org", "email_verified": False},
        {"is_logged_in": True, "email": "adam@example.org", "email_verified": "false"},
        {"is_logged_in": False, "email": "adam@example.org"},
        {"is_logged_in": True},
        {"is_logged_in": True, "email": "*"},
        {},
    ],
)
def test_a_login_without_a_confirmed_address_is_nobodys(workspace: Workspace, user: Any) -> None:
    at = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    at.user = user
    at.run()
    assert not at.exception
    assert not at.selectbox and not at.sidebar.children


def test_a_server_that_was_hosted_stays_so_when_its_secrets_go(workspace: Workspace) -> None:
    at = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60).run()
    assert [each.label for each in at.button] == ["Sign in"]


def test_somebody_without_a_role_reads_one_sentence(workspace: Workspace) -> None:
    at = open_page("home", "Unknown@Else.org")
    assert [each.value for each in at.info] == [
        "`unknown@else.org` has no role here yet: send this address to an admin of this page."
    ]
    assert not at.selectbox


def test_a_role_that_is_gone_since_the_page_was_drawn_renames_nothing(workspace: Workspace) -> None:
    eva = "eva@example.org"
    workspace.roles.set_role(eva, EVERYWHERE, "admin", LOCAL)
    for label, chosen in {
        "Rename it": {"rename-old": "red", "rename-new": "rouge"},
        "Merge them": {"merge-old": "red", "merge-into-red": "white"},
        "Retire it": {"retire-name": "red"},
    }.items():
        at = open_page("settings", eva, project="wine")
        for key, value in chosen.items():
            at.session_state[f"category-choice-wine-{key}"] = value
        at.run()
        for key, value in chosen.items():  # AppTest forgets what is in a form
            at.session_state[f"category-choice-wine-{key}"] = value
        workspace.roles.set_role(eva, EVERYWHERE, "viewer", LOCAL)
        next(each for each in at.button if each.label == label).click().run()
        assert not at.exception
        assert "This needs the role “admin”" in at.session_state["category-refused"]
        workspace.roles.set_role(eva, EVERYWHERE, "admin", LOCAL)
    assert [each.name for each in workspace.project("wine").settings.offered] == ["red", "white"]


def test_a_role_that_is_gone_since_the_page_was_drawn_restores_nothing(
    workspace: Workspace,
) -> None:
    eva = "eva@example.org"
    workspace.roles.set_role(eva, EVERYWHERE, "admin", LOCAL)
    ana = Annotator(workspace, workspace.project("wine"), PEOPLE["annotator"])
    (sample,) = ana.take(1)
    for category in ("red", "white"):
        ana.send([ana.decision(sample, "label", category=category)])
    at = open_page("log", eva, project="wine")
    table = next(each for each in at.dataframe if "what happened" in each.value)
    at.session_state[table.proto.id.split("-", 2)[2]] = {
        "selection": {"rows": [0], "columns": [], "cells": []}
    }
    at.run()
    workspace.roles.remove_role(eva, EVERYWHERE, LOCAL)
    next(each for each in at.button if each.label == "Restore this").click().run()
    assert not at.exception
    assert rows(workspace.database, "SELECT label FROM wine_labels") == [("white",)]


def test_a_download_knows_the_tables_by_the_names_of_this_moment(workspace: Workspace) -> None:
    seen = workspace.project("wine")
    use_cases.update_project(
        workspace, "wine", replace(seen.settings, labels_table="renamed"), LOCAL
    )
    asked = exports.asked_by(seen, PEOPLE["admin"], "b", "labels", "CSV", False)
    token = exports.link(workspace.key, asked).rsplit("/", 1)[1]
    found = exports.follow(workspace, token, "b")
    assert b"".join(found.pieces).startswith(b"bottle")


# Routes


class Browser:
    """A browser without a browser: posts messages, keeps its cookie."""

    def __init__(self, port: int) -> None:
        self.port, self.cookie = port, ""

    def post(self, body: dict[str, Any], path: str = "/labeling/exchange") -> Answer:
        """Send one message."""
        answer = ask(self.port, "POST", path, body, Cookie=self.cookie)
        self.cookie = answer.headers.get("set-cookie", self.cookie).split(";")[0]
        return answer

    def get(self, url: str) -> Answer:
        """Follow a link."""
        return ask(self.port, "GET", url, Cookie=self.cookie)


@pytest.fixture
def browser(workspace: Workspace) -> Iterator[Browser]:
    with serving() as port:
        yield Browser(port)


def message(workspace: Workspace, who: str, project: str = "wine") -> dict[str, Any]:
    """A deck's message with a token that is signed for somebody, had they got one."""
    token = tokens.issue(workspace.key, project, PEOPLE[who])
    return {"client": f"c-{who}", "message": 1, "want": 3, "token": token}


def review_token(workspace: Workspace, who: str) -> str:
    """The same for a review of one's own labels."""
    by = Person(PEOPLE[who], ((EVERYWHERE, "annotator"),))
    return review_exchange.issue(workspace.key, "wine", by, Listing(annotator=by.name))


def media_url(browser: Browser, workspace: Workspace, who: str) -> str:
    """A link as the server made it when that person still was an annotator."""
    before = [each for each in workspace.roles.entries if each.who == PEOPLE[who]]
    workspace.roles.set_role(PEOPLE[who], "pictures", "annotator", LOCAL)
    reply = json.loads(browser.post(message(workspace, who, "pictures")).body)
    workspace.roles.remove_role(PEOPLE[who], "pictures", LOCAL)
    for each in before:
        if each.added_by == LOCAL.name:
            workspace.roles.set_role(each.who, each.project_id, each.role, LOCAL)
    return str(reply["samples"][0]["view"]["url"])


def export_url(browser: Browser, workspace: Workspace, who: str) -> str:
    """A link as the server makes it for those who may; without a login it names nobody."""
    browser.post(message(workspace, "annotator"))  # which brings the cookie
    cookie = media_links.browser_of(browser.cookie.partition("=")[2])
    wine = workspace.project("wine")
    asked = exports.asked_by(wine, PEOPLE[who], cookie, "metadata", "CSV", False)
    return f"/{exports.link(workspace.key, asked)}"


@pytest.mark.parametrize("route", rights.ROUTES)
@pytest.mark.parametrize("who", PEOPLE)
def test_a_route_serves_those_the_table_names(
    workspace: Workspace, browser: Browser, who: str, route: str
) -> None:
    method, path = route.split()
    if method == "POST":
        body = message(workspace, who)
        if path == "/labeling/review":
            body["token"] = review_token(workspace, who)
        if who == "no login":
            del body["token"]
        answer = browser.post(body, path)
    elif path.startswith(exports.ADDRESS):
        answer = browser.get(export_url(browser, workspace, who))
    elif who == "no login":
        answer = Browser(browser.port).get(media_url(browser, workspace, "annotator"))
    else:
        answer = browser.get(media_url(browser, workspace, who))
    assert answer.status == (200 if allowed(who, rights.ROUTES[route]) else 403)
    if answer.status == 403:
        assert SECRET not in answer.body.decode() and "samples" not in answer.body.decode()


def test_a_guessed_project_is_refused_in_the_same_words_whether_it_exists(
    workspace: Workspace, browser: Browser
) -> None:
    who = "annotator of another project"
    answers = [browser.post(message(workspace, who, project)) for project in ("wine", "nowhere")]
    assert [each.status for each in answers] == [403, 403]
    assert answers[0].body == answers[1].body


def test_a_role_that_is_taken_away_counts_at_once_and_the_decisions_are_kept(
    workspace: Workspace, browser: Browser
) -> None:
    body = message(workspace, "annotator")
    taken = json.loads(browser.post(body).body)["samples"][0]["sample_id"]
    body |= {"decisions": [
        {"client": "c-annotator", "seq": 1, "sample_id": taken, "action": "skip"}
    ]}  # fmt: skip
    workspace.roles.set_role(PEOPLE["annotator"], "wine", "viewer", LOCAL)
    refused = browser.post(body)
    assert (refused.status, list(json.loads(refused.body))) == (403, ["error"])
    workspace.roles.set_role(PEOPLE["annotator"], "wine", "annotator", LOCAL)
    assert json.loads(browser.post(body).body)["stored"] == {"c-annotator": 1}


def test_what_was_signed_in_local_use_is_worth_nothing_in_hosted_use(
    workspace: Workspace, browser: Browser
) -> None:
    key = tokens.read_key(workspace.database.files(), "local")
    body = message(workspace, "admin") | {"token": tokens.issue(key, "wine", PEOPLE["admin"])}
    assert browser.post(body).status == 403


# The second transport: a message as component state


@pytest.mark.parametrize("who", ["admin", "annotator of another project", "no login"])
def test_a_forged_component_message_is_answered_for_nobody_else(
    workspace: Workspace, who: str
) -> None:
    at = open_page("label_tabular", PEOPLE["annotator"], project="wine")
    key = next(iter(at.session_state["deck_tokens"]))
    for forged in (message(workspace, who), message(workspace, who, "other")):
        at.session_state[key] = {"message": forged}
        at.run()
        assert not at.exception
        assert f"{key}-reply" not in at.session_state


def test_the_own_component_message_is_answered(workspace: Workspace) -> None:
    at = open_page("label_tabular", PEOPLE["annotator"], project="wine")
    key = next(iter(at.session_state["deck_tokens"]))
    at.session_state[key] = {"message": message(workspace, "annotator")}
    at.run()
    assert len(at.session_state[f"{key}-reply"][1]["samples"]) == 3
    assert PEOPLE["annotator"] in key


# Use cases


def each_use_case(workspace: Workspace) -> dict[str, Callable[[Person], object]]:
    """Each use case, on the project `wine`."""
    wine = workspace.project("wine")
    named: Any = {f"{each}_table": f"new_{each}" for each in ("labels", "metadata", "queries")}
    asked = messages.parse({"client": "c", "want": 1})
    events = eventlog.Filter("wine")
    labels = LabelFile("table", [Imported(1, {"bottle": "1"}, "red")])
    simulation = simulations.Simulation(
        "none", "none", "", "somebody", "2026-01-01", "", [], simulations.WINES
    )

    def log(read: Callable[..., object], *values: Any) -> object:
        with workspace.database.read() as cursor:
            return read(cursor, *values)

    return {
        "labeling.adjudicating.disputes": lambda by: adjudicating.disputes(
            workspace.open_projects, wine, by
        ),
        "labeling.adjudicating.submit": lambda by: adjudicating.submit(
            workspace.open_projects, wine.project_id, by, []
        ),
        "web.adjudication_exchange.answer": lambda by: adjudication_exchange.answer(
            workspace, "wine", by, asked
        ),
        "integrity.checks.look": lambda by: checks.look(Path("nothing.duckdb"), by),
        "integrity.checks.look_open": lambda by: checks.look_open(workspace.database, by),
        "integrity.checks.mend_open": lambda by: checks.mend_open(
            workspace.database, workspace.backups, by
        ),
        "integrity.checks.mend": lambda by: checks.mend(Path("nothing.duckdb"), by),
        "integrity.remains.drop": lambda by: remains.drop(
            workspace.database, workspace.backups, "none", False, by
        ),
        "integrity.remains.forget": lambda by: remains.forget(
            workspace.loop, workspace.roles, "other" if by.may("manage") else "wine", by
        ),
        "integrity.remains.forget_and_drop": lambda by: remains.forget_and_drop(
            workspace.loop, workspace.roles, workspace.backups, "pictures", False, by
        ),
        "integrity.storage.clear": lambda by: storage.clear(
            workspace.loop, storage.RENDITIONS, "wine", by
        ),
        "integrity.storage.look": lambda by: storage.look(workspace.database, by),
        "store.backups.Backups.make": lambda by: workspace.backups.make(by),
        "store.put_back.restore": lambda by: put_back.restore(Path("none"), Path("nothing"), by),
        "labeling.category_changes.merge": lambda by: category_changes.merge(
            workspace.open_projects, "wine", "no", "red", by
        ),
        "use_cases.merge_category": lambda by: use_cases.merge_category(
            workspace, "wine", "no", "red", by
        ),
        "labeling.category_changes.offer": lambda by: category_changes.offer(
            workspace.open_projects, "wine", "red", by
        ),
        "use_cases.offer_category": lambda by: use_cases.offer_category(
            workspace, "wine", "red", by
        ),
        "labeling.category_changes.rename": lambda by: category_changes.rename(
            workspace.open_projects, "wine", "no", "yes", by
        ),
        "use_cases.rename_category": lambda by: use_cases.rename_category(
            workspace, "wine", "no", "yes", by
        ),
        "labeling.category_changes.retire": lambda by: category_changes.retire(
            workspace.open_projects, "wine", "red", True, by
        ),
        "use_cases.retire_category": lambda by: use_cases.retire_category(
            workspace, "wine", "red", True, by
        ),
        "store.eventlog.annotators": lambda by: log(eventlog.annotators, "wine", by),
        "store.eventlog.count": lambda by: log(eventlog.count, events, by),
        "store.eventlog.export": lambda by: log(eventlog.export, events, by),
        "store.eventlog.read": lambda by: log(eventlog.read, events, by, 0, 10),
        "models.final_model.train": lambda by: final_model.train(workspace.loop, wine, by),
        "sessions.label_errors.look": lambda by: label_errors.look(workspace.loop, wine, by),
        "sessions.label_errors.scope": lambda by: label_errors.scope(by, "wine"),
        "labeling.label_import.bring_in": lambda by: label_import.bring_in(
            workspace.open_projects, "wine", labels, "labels.csv", How(), by
        ),
        "labeling.label_import.plan": lambda by: label_import.plan(
            workspace.open_projects, "wine", labels, How(), by
        ),
        "labeling.label_import.take_back": lambda by: label_import.take_back(
            workspace.open_projects, "wine", 9, by
        ),
        "use_cases.bring_in_labels": lambda by: use_cases.bring_in_labels(
            workspace, "wine", labels, "labels.csv", How(), by
        ),
        "use_cases.plan_at_start": lambda by: use_cases.plan_at_start(
            workspace, replace(wine.settings, title="New", **named), None, by, NOTHING
        ),
        "use_cases.plan_labels": lambda by: use_cases.plan_labels(
            workspace, "wine", labels, How(), by
        ),
        "use_cases.take_back_import": lambda by: use_cases.take_back_import(
            workspace, "wine", 9, by
        ),
        "labeling.restoring.restore": lambda by: restoring.restore(
            workspace.open_projects, wine, 1, by
        ),
        "web.review_exchange.answer": lambda by: review_exchange.answer(
            workspace, "wine", by, Listing(annotator=by.name), asked
        ),
        "web.review_exchange.issue": lambda by: review_exchange.issue(
            workspace.key, "wine", by, Listing(annotator=by.name)
        ),
        "labeling.reviewing.submit": lambda by: reviewing.submit(
            workspace.open_projects, wine.project_id, by, []
        ),
        "simulation.data_sources.folder": lambda by: data_sources.folder(
            workspace.database, "pictures", by
        ),
        "simulation.data_sources.project": lambda by: data_sources.project(
            workspace.database, wine, by
        ),
        "simulation.data_sources.table": lambda by: data_sources.table(
            workspace.database, "wine", "cask", by
        ),
        "simulation.data_sources.upload": lambda by: data_sources.upload(
            Path("none"), "none.csv", "label", {}, by
        ),
        "simulation.data_sources.wine_colour": data_sources.wine_colour,
        "simulation.simulations.Simulations.delete": lambda by: workspace.simulations.delete(
            simulation, by
        ),
        "simulation.simulations.Simulations.listed": lambda by: workspace.simulations.listed(by),
        "simulation.simulations.Simulations.start": lambda by: workspace.simulations.start(
            data_sources.wine_colour(LOCAL), simulation.plan._replace(seeds=0), by
        ),
        "simulation.simulations.Simulations.stop": lambda by: workspace.simulations.stop(
            simulation, by
        ),
        "live_sql.service.LiveSql.told": lambda by: workspace.live_sql.told(by),
        "web.label_exchange.answer": lambda by: label_exchange.answer(workspace, "wine", by, asked),
        "use_cases.export_final_model": lambda by: use_cases.export_final_model(
            workspace, wine, by
        ),
        "use_cases.export_model": lambda by: use_cases.export_model(workspace, wine, by),
        "use_cases.export_predictions": lambda by: use_cases.export_predictions(
            workspace, wine, "CSV", by
        ),
        "web.exports.export": lambda by: [
            b"".join(exports.export(workspace, wine, what, "CSV", by).pieces)
            for what in ("metadata", "history", "DuckDB file", "Label Studio")
        ],
        "web.exports.listed": lambda by: exports.listed(wine, by) != [],
        "use_cases.read_files": lambda by: use_cases.read_files(workspace, wine, by),
        "use_cases.run_session": lambda by: use_cases.run_session(
            workspace, wine, by, "logistic_regression", "auto"
        ),
        "use_cases.stop_reading": lambda by: use_cases.stop_reading(workspace, wine, by),
        "use_cases.visible_projects": lambda by: (
            "wine" in use_cases.visible_projects(workspace, by)
        ),
        "access.roles.Roles.remove_role": lambda by: workspace.roles.remove_role(
            "x@y.org", EVERYWHERE, by
        ),
        "access.roles.Roles.set_role": lambda by: workspace.roles.set_role(
            "x@y.org", "wine", "viewer", by
        ),
        "use_cases.add_rows": lambda by: use_cases.add_rows(
            workspace,
            wine,
            Upload(
                Path("none"),
                Preview("no", "csv", (("nothing", "BIGINT"),), (), 1, ()),
            ),
            by,
        ),
        "sources.sql_queries.query_table": lambda by: query_table(workspace.database, "SELECT", by),
        "use_cases.create_from_upload": lambda by: use_cases.create_from_upload(
            workspace, replace(wine.settings, title="New", **named), None, by
        ),
        "use_cases.create_project": lambda by: use_cases.create_project(
            workspace, replace(wine.settings, title="New", **named), by
        ),
        "use_cases.delete_project": lambda by: use_cases.delete_project(workspace, "wine", by),
        "use_cases.delete_with_tables": lambda by: use_cases.delete_with_tables(
            workspace, "wine", False, by
        ),
        "use_cases.refresh_source": lambda by: use_cases.refresh_source(workspace, wine, by),
        "use_cases.update_project": lambda by: use_cases.update_project(
            workspace, "wine", replace(wine.settings, every=7), by
        ),
    }


@pytest.mark.parametrize("name", rights.USE_CASES)
def test_a_use_case_works_for_those_the_table_names(workspace: Workspace, name: str) -> None:
    last = sorted(PEOPLE, key=lambda who: who == "admin")  # who may delete it does so in the end
    for who in last:
        by = workspace.roles.person(PEOPLE[who]) if PEOPLE[who] else Person("")
        assert given(each_use_case(workspace)[name], by) == allowed(who, rights.USE_CASES[name]), (
            who
        )


def given(what: Callable[[Person], object], by: Person) -> bool:
    """Whether something was done or shown; another mistake than the missing role is no refusal."""
    try:
        return what(by) is not False
    except ForbiddenError:
        return False
    except labeling_core.errors.LabelingError:
        return True


def test_a_viewer_may_download_how_the_sessions_went_and_nothing_else(workspace: Workspace) -> None:
    vera, wine = workspace.roles.person(PEOPLE["viewer"]), workspace.project("wine")
    everything = exports.listed(wine, LOCAL)
    assert exports.listed(wine, vera) == ["sessions"]
    assert b"".join(exports.export(workspace, wine, "sessions", "CSV", vera).pieces)
    for what in {*everything} - {"sessions"}:
        with pytest.raises(ForbiddenError):
            exports.export(workspace, wine, what, "CSV", vera)


def test_the_link_of_a_download_is_good_in_one_browser_for_a_while_and_unaltered(
    workspace: Workspace,
) -> None:
    asked = exports.asked_by(
        workspace.project("wine"), PEOPLE["admin"], "b", "labels", "CSV", False
    )
    whole = exports.link(workspace.key, asked).rsplit("/", 1)[1]
    over = exports.link(workspace.key, asked._replace(expires=0.0)).rsplit("/", 1)[1]
    for token, browser in ((whole, "other"), (whole, ""), (over, "b"), (whole[1:], "b")):
        with pytest.raises(labeling_core.errors.LabelingError):
            exports.follow(workspace, token, browser)
    nowhere = exports.link(
        workspace.key, asked._replace(project_id="nowhere", annotator=PEOPLE["viewer"])
    ).rsplit("/", 1)[1]
    with pytest.raises(ForbiddenError):
        exports.follow(workspace, nowhere, "b")
    assert b"".join(exports.follow(workspace, whole, "b").pieces).startswith(b"bottle")
