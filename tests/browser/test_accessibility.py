"""axe-core on every page in every state, light and dark, on a desk and on a phone.

axe-core is a dependency of the deck's checks (tests/deck/package.json). It cannot tell what lies
behind a text in a drawing, or in a deck whose next sample is laid out behind the one in front: of
these the contrast is measured here.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from annotating import LOCAL, Annotator
from app_server import ROOT, AppServer, settings_for
from forms import Form
from playwright.sync_api import Browser, BrowserContext, Page, expect
from prepared import disputed_wines, label_wines, on_folder, workspace_of
from running import train, wait

from labeling_core.projects.sample_projects import DIGITS, SPOKEN_WORDS
from labeling_core.sessions import label_errors
from labeling_core.settings import Category
from labeling_core.simulation import simulations
from labeling_core.simulation.data_sources import wine_colour
from labeling_core.workspace import Workspace

AXE = ROOT / "tests" / "deck" / "node_modules" / "axe-core" / "axe.min.js"
QUESTIONS = Path(__file__).with_name("accessibility.js")
# What Streamlit 1.67 makes so, and no option of it changes: rule, where, why.
STREAMLITS = [
    ("list", '[data-testid="stSidebarNavItems"]', "sections of the navigation are no list items"),
    ("listitem", '[data-testid="stSidebarNav"] li', "the same, seen from the links"),
    (
        "presentation-role-conflict", '[data-testid="stFileUploaderDropzone"]',
        "the place to drop a file at has a name and the role of none; the button in it has both",
    ),
]  # fmt: skip
GROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 22, 20)"}
ALL = (
    "", "query_sampler", "session_progress", "simulation", "review", "settings", "people",
    "storage", "log",
)  # fmt: skip
LEARNING = ("label_tabular", "query_sampler", "session_progress", "review")
PAGES = {
    "without a project": (
        "", "label_tabular", "label_images", "label_sounds", "query_sampler", "session_progress",
        "review", "settings", "log",
    ),
    "empty": (
        *(f"{each}?project=fresh" for each in (*ALL, "label_tabular", "label_images")),
        "label_images?project=pictures", "label_sounds?project=sounds", "settings?new=1",
        "settings?project=pictures",
    ),
    "running": tuple(f"{each}?project=fresh" for each in LEARNING),
    "finished": (
        *(f"{each}?project=finished" for each in (*ALL, "label_tabular")),
        "label_tabular?project=decided", "review?project=disputed",
        "session_progress?project=disputed",
    ),
    "with 26 categories": tuple(f"{each}?project=letters" for each in (*LEARNING, "settings")),
}  # fmt: skip


def scripts() -> str:
    """axe-core and the questions to it. Where the deck's checks are not installed, the test is left
    out, except under CI."""
    if not AXE.exists():
        reason = "no axe-core: run tests/deck/check, which needs npm"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return "\n".join(each.read_text("utf-8") for each in (AXE, QUESTIONS))


def fill(workspace: Workspace) -> None:
    """What there is to see of work: labels, sessions, models, doubts, disagreements, roles."""
    project, _ = label_wines(workspace, "finished", 60)
    train(workspace, project)
    disputed_wines(workspace, "disputed")
    for each in (project, workspace.project("disputed")):
        label_errors.look(workspace.loop, each, LOCAL)
        wait(workspace, each)
    for name, number in (("decided", 40), ("letters", 30), ("fresh", 15)):
        label_some(workspace, name, number)
    workspace.roles.set_role("eva@example.org", "", "annotator", LOCAL)
    plan = simulations.WINES._replace(budget=20, seeds=2)
    workspace.simulations.start(wine_colour(LOCAL), plan, LOCAL)
    (simulation,) = workspace.simulations.listed(LOCAL)
    while workspace.simulations.status(simulation).state == "running":
        time.sleep(0.02)


def label_some(workspace: Workspace, project_id: str, number: int) -> None:
    """So many labels, of one category after the other."""
    project = workspace.project(project_id)
    annotator, names = Annotator(workspace, project), project.settings.names
    for at, each in enumerate(annotator.take(number)):
        category = names[at % len(names)]
        annotator.send([annotator.decision(each, "label", category=category, comment="sure")])


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a project in each state."""
    folder = tmp_path_factory.mktemp("accessibility")
    letters = tuple(Category(chr(65 + number)) for number in range(26))
    server = AppServer(folder)
    learning = {"every": 50, "probe_share": 0.2}
    overlap = {"overlap_share": 0.5, "overlap_people": 2, "every": 1_000}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_DATA_ROOTS", str(folder))
        server.make_projects([
            settings_for("finished", queries_table="finished_queries", **learning),
            settings_for("fresh", queries_table="fresh_queries", **learning),
            settings_for("disputed", queries_table="disputed_queries", **overlap),
            settings_for("decided", source="odd"),
            settings_for("letters", categories=letters, queries_table="letters_queries"),
            on_folder(folder, DIGITS, "pictures", files(DIGITS.source)),
            on_folder(folder, SPOKEN_WORDS, "sounds", files(SPOKEN_WORDS.source)),
        ])  # fmt: skip
        with workspace_of(server) as workspace:
            fill(workspace)
        server.start()
    yield server
    server.stop()


def files(source: str) -> list[str]:
    """The names of the first files of a sample project."""
    found = sorted(each.name for each in (ROOT / "data" / source).iterdir())
    return [each for each in found if not each.endswith((".csv", ".md", ".txt"))][:12]


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[AppServer]:
    """A server whose database has no project."""
    server = AppServer(tmp_path)
    server.make_projects([], wines=False)
    server.start()
    yield server
    server.stop()


@contextmanager
def running(server: AppServer, context: BrowserContext) -> Iterator[None]:
    """A session of the project *fresh* that goes on until this is left."""
    form = Form(context, server).open("query_sampler?project=fresh")
    form.button("Run a session now").click()
    assert server.process
    worker = 0
    while not worker:
        worker = child_of(server.process.pid, "labeling_core.sessions.worker")
    os.kill(worker, signal.SIGSTOP)
    expect(form.page.get_by_role("progressbar")).to_be_visible()
    form.page.close()
    yield
    os.kill(worker, signal.SIGCONT)


def child_of(parent: int, module: str) -> int:
    """The process of a module that ``parent`` has started; 0 while there is none."""
    children = Path(f"/proc/{parent}/task").glob("*/children")
    for child in " ".join(each.read_text("utf-8") for each in children).split():
        if module in Path(f"/proc/{child}/cmdline").read_text("utf-8"):
            return int(child)
    return 0


def findings(page: Page, name: str) -> list[str]:
    """What axe-core and the contrasts have against a page, in both widths and colours."""
    page.evaluate(scripts())
    found: dict[str, list[str]] = {}
    for scheme, width in (("light", 1280), ("light", 390), ("dark", 390), ("dark", 1280)):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.evaluate("settled", GROUND[scheme])
        # Colours apart, a page is the same in the dark.
        rules = ["color-contrast"] if scheme == "dark" else []
        for each in violations(page, [(rule, where) for rule, where, _ in STREAMLITS], rules):
            found.setdefault(f"{name}: {' | '.join(each)}", []).append(f"{width} {scheme}")
    return [f"{what} ({', '.join(where)})" for what, where in found.items()]


def violations(page: Page, theirs: list[tuple[str, str]], rules: list[str]) -> list[list[str]]:
    """Rule, element and reasons of each finding."""
    both = "async (asked) => [...(await violationsOf(...asked)), ...faintTexts()]"
    found: list[list[str]] = page.evaluate(both, [theirs, rules])
    return found


def look(form: Form, addresses: tuple[str, ...]) -> None:
    """Fail with the findings on all these pages."""
    found = []
    for each in addresses:
        form.page.emulate_media(color_scheme="light")
        form.page.set_viewport_size({"width": 1280, "height": 844})
        form.open(each)
        form.page.wait_for_load_state("networkidle")
        expect(form.page.get_by_test_id("stSkeleton")).to_have_count(0)
        waiting = form.page.locator('[data-part="empty"]', has_text="Loading samples")
        expect(waiting.or_(form.page.locator("[data-front][data-unseen]"))).to_have_count(0)
        expect(form.page.get_by_role("heading", level=1)).to_have_count(1)
        found += findings(form.page, each)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("state", ["empty", "finished", "with 26 categories"])
def test_axe_finds_nothing_on_any_page(
    server: AppServer, context: BrowserContext, state: str
) -> None:
    look(Form(context, server), PAGES[state])


OPENED = {  # address -> the buttons that open something
    "query_sampler?project=finished": ("Change the trigger",),
    "review?project=finished": ("By category",),
    "settings?project=finished": ("Rename", "Merge", "Retire", "Delete the project"),
}


def test_axe_finds_nothing_in_what_is_opened(server: AppServer, context: BrowserContext) -> None:
    form = Form(context, server)
    found = []
    for address, names in OPENED.items():
        form.open(address)
        if "By category" in names:
            form.segment("Segment", "Model against people")
        for name in names:
            with form.popover(name):
                found += findings(form.page, name)
    page = form.open("label_tabular?project=letters").page
    page.locator("[data-sample-id]").wait_for()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    found += findings(page, "Keys")
    assert not found, "\n".join(found)


def test_what_a_figure_says_under_the_mouse_is_no_faint_text(
    server: AppServer, context: BrowserContext
) -> None:
    page = Form(context, server).open("session_progress?project=finished").page
    page.evaluate(scripts())
    point = page.locator(".js-plotly-plot .scatterlayer .points path.point").first
    bar = page.locator(".js-plotly-plot .barlayer .point path").first
    expect(point).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.evaluate("settled", GROUND[scheme])
        label = page.locator(".hovertext text")
        for each in (point, bar):
            page.mouse.move(0, 0)
            expect(label).to_have_count(0)
            each.scroll_into_view_if_needed()
            each.hover(force=True)
            expect(label).not_to_have_count(0)
            assert page.evaluate("faintTexts()") == []


def test_axe_finds_nothing_while_a_session_runs(server: AppServer, context: BrowserContext) -> None:
    with running(server, context):
        look(Form(context, server), PAGES["running"])


def test_axe_finds_nothing_where_no_project_is(bare: AppServer, context: BrowserContext) -> None:
    look(Form(context, bare), PAGES["without a project"])


def test_what_is_listed_as_streamlits_is_still_there(
    server: AppServer, context: BrowserContext
) -> None:
    page = Form(context, server).open("settings?new=1").page
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_be_visible()
    page.evaluate(scripts())
    found = {rule for rule, *_ in violations(page, [], [])}
    assert found == {rule for rule, *_ in STREAMLITS}
