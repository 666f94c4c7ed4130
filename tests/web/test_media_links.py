"""Media over HTTP: what a browser gets, and what it gets not."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from annotating import LOCAL, Annotator
from broken_media import encoded, photo, tone, wave, write_all
from itsdangerous.encoding import base64_encode
from picture_project import SETTINGS
from PIL import Image
from serving import Answer, ask, serving

from labeling_core import use_cases
from labeling_core.access import tokens
from labeling_core.modalities import sound_pictures
from labeling_core.projects import lifecycle
from labeling_core.web import media_links, routes
from labeling_core.workspace import Workspace


class Site(NamedTuple):
    """The routes on a port of this machine, and what they serve."""

    port: int
    workspace: Workspace
    folder: Path

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return ask(self.port, method, path, body, **headers)

    def project(self, **changes: Any) -> lifecycle.Project:
        return lifecycle.create_project(self.workspace.database, SETTINGS.__class__(
            **{**SETTINGS.__dict__, **changes}
        ))  # fmt: skip

    def browser(self, project: lifecycle.Project, name: str = "ana") -> tuple[str, dict[str, Any]]:
        """A first exchange of a new browser: its cookie, and the views it was given by path."""
        token = tokens.issue(self.workspace.key, project.project_id, name)
        body = Annotator(self.workspace, project, name).raw(token=token, want=50)
        answer = self.ask("POST", "/labeling/exchange", body)
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie
        reply = json.loads(answer.body)
        return cookie.split(";")[0], {s["sample_id"]: s["view"] for s in reply["samples"]}


@pytest.fixture
def site(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("LABELING_DATA_ROOTS", str(tmp_path / "root"))
    monkeypatch.setattr(routes, "open_workspace", lambda: workspace)
    folder = tmp_path / "root" / "media"
    folder.mkdir(parents=True)
    with serving() as port:
        yield Site(port, workspace, folder)


def one_image(site: Site) -> tuple[str, dict[str, Any]]:
    write_all(site.folder, {"a.png": encoded(photo(), "PNG")})
    cookie, views = site.browser(site.project())
    return cookie, views["a.png"]


def test_an_image_is_served_scaled_with_its_size_told_beforehand(site: Site) -> None:
    write_all(site.folder, {
        "big.jpg": encoded(photo(3000, 1500), "JPEG"), "small.png": encoded(photo(8, 8), "PNG")
    })  # fmt: skip
    cookie, views = site.browser(site.project())
    assert (views["big.jpg"]["width"], views["big.jpg"]["height"]) == (1920, 960)
    assert not views["big.jpg"]["pixelated"] and views["small.png"]["pixelated"]
    facts = dict(views["big.jpg"]["facts"])
    assert facts["name"] == "big.jpg" and facts["pixels"] == "3000×1500"
    for name, view in views.items():
        answer = site.ask("GET", view["url"], Cookie=cookie)
        image = Image.open(io.BytesIO(answer.body))
        assert answer.status == 200 and image.size == (view["width"], view["height"]), name
        assert answer.headers["content-type"] == f"image/{(image.format or '').lower()}"


def test_a_response_is_private_cacheable_and_harmless(site: Site) -> None:
    cookie, view = one_image(site)
    headers = site.ask("GET", view["url"], Cookie=cookie).headers
    assert headers["cache-control"].startswith("private, max-age=")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("sandbox")
    again = site.ask("GET", view["url"], Cookie=cookie, If_None_Match=headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_a_link_stays_the_same_for_hours_until_the_file_changes(site: Site) -> None:
    write_all(site.folder, {"a.png": encoded(photo(), "PNG")})
    project = site.project()

    def link() -> str:
        viewer = media_links.Viewer(
            site.workspace.key, project, site.workspace.database.path.parent, "ana", "b"
        )
        return viewer.link("image", "a.png")

    first = link()
    assert first == link()
    write_all(site.folder, {"a.png": encoded(photo(seed=5), "PNG")})
    assert first != link()


def test_a_sound_is_served_with_ranges_and_its_picture(site: Site) -> None:
    write_all(site.folder, {"a.wav": wave(2), "b.aiff": _aiff()})
    cookie, views = site.browser(site.project(modality="sounds"))
    view = views["a.wav"]
    assert view["seconds"] == 2
    part = site.ask("GET", view["url"], Cookie=cookie, Range="bytes=100-199")
    assert (part.status, len(part.body)) == (206, 100)
    assert part.headers["content-range"].startswith("bytes 100-199/")
    assert part.headers["content-type"] == "audio/wav"
    assert part.body == (site.folder / "a.wav").read_bytes()[100:200]
    picture = site.ask("GET", view["picture"], Cookie=cookie)
    assert Image.open(io.BytesIO(picture.body)).size == sound_pictures.SHOWN_SIZE
    assert picture.headers["content-type"] == "image/png"
    converted = site.ask("GET", views["b.aiff"]["url"], Cookie=cookie)
    assert converted.headers["content-type"] == "audio/flac" and converted.body[:4] == b"fLaC"


def _aiff() -> bytes:
    from broken_media import recorded

    return recorded(tone(0.3), 16_000, "AIFF")


def test_a_link_is_useless_in_another_browser_and_without_one(site: Site) -> None:
    write_all(site.folder, {f"{n}.png": encoded(photo(seed=n), "PNG") for n in range(40)})
    project = site.project()
    cookie, views = site.browser(project)
    other, others = site.browser(project, "ben")
    mine, theirs = next(iter(views.values()))["url"], next(iter(others.values()))["url"]
    assert cookie != other
    assert site.ask("GET", mine, Cookie=cookie).status == 200
    for url, sent in ((mine, other), (theirs, cookie), (mine, ""), (mine, "labeling_browser=")):
        answer = site.ask("GET", url, Cookie=sent)
        assert answer.status == 403 and b"another browser" in answer.body
        assert answer.headers["content-type"].startswith("text/plain")


def test_a_cookie_that_is_there_is_kept(site: Site) -> None:
    write_all(site.folder, {"a.png": encoded(photo(), "PNG")})
    project = site.project()
    cookie, _ = site.browser(project)
    token = tokens.issue(site.workspace.key, project.project_id, "ana")
    body = Annotator(site.workspace, project).raw(token=token, want=5)
    assert "set-cookie" not in site.ask("POST", "/labeling/exchange", body, Cookie=cookie).headers
    for bad in ("labeling_browser=x", "labeling_browser=" + "é" * 16):
        answer = site.ask("POST", "/labeling/exchange", body, Cookie=bad.encode().decode("latin-1"))
        assert "set-cookie" in answer.headers


def test_an_altered_link_reads_nothing(site: Site) -> None:
    cookie, view = one_image(site)
    write_all(site.folder.parent, {"secret.png": encoded(photo(), "PNG")})
    link = view["url"].removeprefix(media_links.ADDRESS)
    body, _, signature = link.rpartition(".")
    values = tokens.unseal(site.workspace.key, "media", link)
    for at, value in ((4, "../secret.png"), (0, "other"), (3, "audio"), (6, 9e9), (2, "")):
        forged = [*values[:at], value, *values[at + 1 :]]
        text = base64_encode(json.dumps(forged)).decode()
        assert (
            site.ask("GET", f"{media_links.ADDRESS}{text}.{signature}", Cookie=cookie).status == 403
        )
    for wrong in ("x", "x.y", f"{body}.", f".{signature}", f"{body}.{signature[::-1]}", "%00.%ff"):
        assert site.ask("GET", media_links.ADDRESS + wrong, Cookie=cookie).status == 403
    token = tokens.issue(site.workspace.key, "pictures", "ana")
    assert site.ask("GET", media_links.ADDRESS + token, Cookie=cookie).status == 403


def test_a_link_is_no_token_for_decisions(site: Site) -> None:
    _, view = one_image(site)
    token = view["url"].removeprefix(media_links.ADDRESS)
    assert site.ask("POST", "/labeling/exchange", {"client": "c", "token": token}).status == 403


def test_a_link_ends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    before = time.time()
    cookie, view = one_image(site)
    link = media_links.read_link(
        site.workspace.key,
        view["url"].removeprefix(media_links.ADDRESS),
        media_links.browser_of(cookie.split("=")[1]),
    )
    assert link.expires - before >= media_links.WINDOW
    assert link.expires - time.time() <= 2 * media_links.WINDOW
    over = tokens.seal(site.workspace.key, "media", list(link._replace(expires=time.time() - 1)))
    answer = site.ask("GET", media_links.ADDRESS + over, Cookie=cookie)
    assert answer.status == 403 and b"over" in answer.body


def test_even_a_signed_link_never_leaves_the_folder(site: Site) -> None:
    cookie, view = one_image(site)
    write_all(site.folder.parent, {"secret.png": encoded(photo(), "PNG")})
    (site.folder / "out.png").symlink_to(site.folder.parent / "secret.png")
    browser = media_links.browser_of(cookie.split("=")[1])
    link = media_links.read_link(
        site.workspace.key, view["url"].removeprefix(media_links.ADDRESS), browser
    )
    for path in ("../secret.png", "out.png", str(site.folder.parent / "secret.png"), "gone.png"):
        forged = tokens.seal(site.workspace.key, "media", list(link._replace(sample_id=path)))
        answer = site.ask("GET", media_links.ADDRESS + forged, Cookie=cookie)
        assert answer.status == 404 and answer.body.endswith(b".")


def test_what_poses_as_an_image_never_reaches_the_browser_as_such(site: Site) -> None:
    write_all(site.folder, {"a.png": encoded(photo(), "PNG")})
    project = site.project()
    cookie, views = site.browser(project)
    write_all(site.folder, {"a.png": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"})
    answer = site.ask("GET", views["a.png"]["url"], Cookie=cookie)
    assert answer.status == 404 and b"SVG" in answer.body and b"<" not in answer.body
    assert answer.headers["cache-control"] == "no-store"


def test_a_file_gone_or_cut_since_it_was_listed_does_not_break_the_exchange(site: Site) -> None:
    png = encoded(photo(), "PNG")
    write_all(site.folder, {name: png for name in ("a.png", "b.png", "c.png", "d.png")})
    project = site.project()
    (site.folder / "a.png").unlink()
    write_all(site.folder, {"b.png": png[:20], "c.png": png[: len(png) // 2]})
    cookie, views = site.browser(project)
    assert "broken" in views["a.png"] and "broken" in views["b.png"]
    assert site.ask("GET", views["c.png"]["url"], Cookie=cookie).status == 404
    assert site.ask("GET", views["d.png"]["url"], Cookie=cookie).status == 200


def test_a_deleted_projects_links_end(site: Site) -> None:
    cookie, view = one_image(site)
    use_cases.delete_project(site.workspace, "pictures", LOCAL)
    assert site.ask("GET", view["url"], Cookie=cookie).status == 404
