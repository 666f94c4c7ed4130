"""Hosted use in a real browser, with a login provider on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from app_server import AppServer, settings_for
from login_provider import LoginProvider, hosted_server, sign_in
from playwright.sync_api import Browser, BrowserContext, Page, expect

PROJECT = "cellar"
LINKS = "a:not([href='#stMain'])"  # all but Streamlit's own jump to the content


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("hosted")
    provider = LoginProvider(folder)
    server = hosted_server(folder, provider)
    server.make_projects([settings_for(PROJECT)])
    server.start()
    yield server
    server.stop()
    provider.stop()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Page]:
    """A tab of a browser that has never been here."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def give_role(page: Page, server: AppServer, who: str, role: str) -> None:
    """As the admin, on the People page; a role that is given twice is still that role."""
    page.goto(f"{server.url}/people")
    page.get_by_label("E-mail or domain", exact=True).fill(who, timeout=60_000)
    page.get_by_label("Role", exact=True).click()
    page.get_by_role("option", name=role).click()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text(who, exact=True).first).to_be_visible()


@pytest.mark.parametrize("path", ["", "settings", f"label_tabular?project={PROJECT}", "people"])
def test_without_a_login_there_is_one_button_and_nothing_else(
    server: AppServer, new_page: Page, path: str
) -> None:
    frames: list[str] = []
    new_page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda data: frames.append(str(data))),
    )
    new_page.goto(f"{server.url}/{path}")
    expect(new_page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(new_page.get_by_role("button")).to_have_count(1)
    expect(new_page.locator(LINKS)).to_have_count(0)
    expect(new_page.get_by_role("dialog")).to_have_count(0)
    assert frames
    assert not any(name in frame for frame in frames for name in (PROJECT, "Wine colour"))


def test_an_annotators_decision_carries_the_email_of_the_login(
    server: AppServer, browser: Browser, new_page: Page
) -> None:
    admin = browser.new_context().new_page()
    sign_in(admin, server.url, "admin")
    expect(admin.get_by_text("admin@example.org")).to_be_visible()
    give_role(admin, server, "ana@example.org", "annotator")
    admin.context.close()

    sign_in(new_page, server.url, "ana")
    expect(new_page.get_by_role("link", name="Start labeling").first).to_be_visible()
    expect(new_page.get_by_role("link", name="Settings")).to_have_count(0)
    new_page.goto(f"{server.url}/label_tabular?project={PROJECT}")
    new_page.locator("[data-sample-id]").wait_for(timeout=60_000)
    expect(new_page.get_by_label("Your name")).to_have_count(0)
    new_page.keyboard.press("w")
    expect(new_page.locator('[data-count="labeled"]')).to_have_text("1")
    expect(new_page.locator('[data-state="saved"]:not([data-failing])')).to_be_visible()
    with server.tables() as connection:
        rows = connection.execute(f"SELECT annotator, label FROM {PROJECT}_metadata").fetchall()
    assert rows == [("ana@example.org", "white")]


def test_a_viewer_reads_a_sentence_on_pages_that_are_not_for_viewers(
    server: AppServer, browser: Browser, new_page: Page
) -> None:
    admin = browser.new_context().new_page()
    sign_in(admin, server.url, "admin")
    expect(admin.get_by_text("admin@example.org")).to_be_visible()
    give_role(admin, server, "vera@example.org", "viewer")
    admin.context.close()

    sign_in(new_page, server.url, "vera")
    expect(new_page.get_by_role("heading", name=PROJECT)).to_be_visible()
    for page in ("settings", "label_tabular", "query_sampler", "people"):
        new_page.goto(f"{server.url}/{page}?project={PROJECT}")
        expect(new_page.get_by_text("This needs the role")).to_be_visible()
        expect(new_page.get_by_text("and yours here is “viewer”")).to_be_visible()
        expect(new_page.locator("[data-sample-id]")).to_have_count(0)
    new_page.goto(f"{server.url}/session_progress?project={PROJECT}")
    expect(new_page.get_by_text("Labels per category")).to_be_visible()
    expect(new_page.get_by_role("button", name="Metadata")).to_have_count(0)


def test_a_link_leads_to_its_page_through_the_login(server: AppServer, new_page: Page) -> None:
    new_page.goto(f"{server.url}/session_progress?project={PROJECT}")
    new_page.get_by_role("button", name="Sign in").click(timeout=60_000)
    new_page.locator("input[name=sub]").fill("admin")
    new_page.get_by_role("button", name="Authorize").click()
    new_page.wait_for_url(f"{server.url}/session_progress?project={PROJECT}", timeout=60_000)
    expect(new_page.get_by_text(f"Project: {PROJECT}")).to_be_visible()
    assert "labeling_wanted" not in {each["name"] for each in new_page.context.cookies()}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("unknown", "someone@else.org has no role here yet"),
        ("forger", "Your login comes without a confirmed e-mail address"),
        ("silent", "Your login comes without a confirmed e-mail address"),
    ],
)
def test_who_has_no_role_reads_one_sentence_and_can_sign_out(
    server: AppServer, new_page: Page, name: str, told: str
) -> None:
    sign_in(new_page, server.url, name)
    for path in ("", "settings", f"session_progress?project={PROJECT}"):
        new_page.goto(f"{server.url}/{path}")
        expect(new_page.get_by_role("main")).to_contain_text(told)
        expect(new_page.get_by_text(PROJECT)).to_have_count(0)
        expect(new_page.locator(LINKS)).to_have_count(0)
    new_page.get_by_role("button", name="Sign out").click()
    new_page.get_by_role("button", name="End Session").click(timeout=60_000)
    new_page.goto(server.url)
    expect(new_page.get_by_role("button", name="Sign in")).to_be_visible()


def test_what_was_copied_before_signing_out_is_worth_nothing_afterwards(
    server: AppServer, browser: Browser, new_page: Page
) -> None:
    sign_in(new_page, server.url, "admin")
    new_page.goto(f"{server.url}/label_tabular?project={PROJECT}")
    with new_page.expect_request("**/labeling/exchange") as sent:
        new_page.locator("[data-sample-id]").wait_for(timeout=60_000)
    body, token = sent.value.post_data, sent.value.all_headers()["x-labeling-token"]
    cookies = new_page.context.cookies()
    other, thief = browser.new_context(), browser.new_context()
    sign_in(other.new_page(), server.url, "admin")
    thief.add_cookies(cookies)  # type: ignore[arg-type]

    def status(context: BrowserContext) -> int:
        return context.request.post(
            f"{server.url}/labeling/exchange", data=body, headers={"x-labeling-token": token}
        ).status

    assert (status(thief), status(other)) == (200, 200)
    left_open = thief.new_page()
    left_open.goto(server.url)
    expect(left_open.get_by_role("heading", name=PROJECT)).to_be_visible()

    new_page.get_by_role("button", name="Sign out").click()
    new_page.get_by_role("button", name="End Session").wait_for(timeout=60_000)
    assert (status(thief), status(new_page.context), status(other)) == (403, 403, 200)
    left_open.keyboard.press("r")  # runs the page again, unless it has seen by itself what happened
    expect(left_open.get_by_role("button", name="Sign in")).to_be_visible()
    copied = thief.new_page()
    copied.goto(server.url)
    expect(copied.get_by_role("button", name="Sign in")).to_be_visible()
    stays = other.new_page()
    stays.goto(server.url)
    expect(stays.get_by_role("heading", name=PROJECT)).to_be_visible()
    for each in (other, thief):
        each.close()
