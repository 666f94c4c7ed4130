"""A login provider on 127.0.0.1, and the app set up to use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from app_server import AppServer, free_port
from playwright.sync_api import Page

PEOPLE = {
    "admin": {"email": "Admin@Example.org", "email_verified": True},
    "ana": {"email": "ana@example.org", "email_verified": True},
    "vera": {"email": "vera@example.org", "email_verified": True},
    "silent": {"email": "admin@example.org"},
    "unknown": {"email": "someone@else.org", "email_verified": True},
    "forger": {"email": "admin@example.org", "email_verified": False},
}


class LoginProvider:
    """`oidc-provider-mock` as a process: whoever types a name of PEOPLE is that person."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        claims = [
            f"--user-claims={json.dumps({'sub': name} | told)}" for name, told in PEOPLE.items()
        ]
        command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock"]
        with (folder / "provider.log").open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(self.port), *claims],
                stdout=log, stderr=log,
            )  # fmt: skip
        self._wait()

    @property
    def metadata(self) -> str:
        return f"http://127.0.0.1:{self.port}/.well-known/openid-configuration"

    def _wait(self) -> None:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(self.metadata, timeout=2):
                    return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "provider.log").read_text("utf-8")) from None
                time.sleep(0.1)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


def hosted_server(
    folder: Path, provider: LoginProvider, base: str = "", address: str = ""
) -> AppServer:
    """The app with a login; `Admin@Example.org` is its first admin. ``address`` is where browsers
    find it, if that is not the server's own."""
    server = AppServer(folder, base)
    secrets = folder / "secrets.toml"
    secrets.write_text(
        'LABELING_ADMINS = "admin@example.org"\n'
        "[auth]\n"
        f'redirect_uri = "{address or server.url}/oauth2callback"\n'
        'cookie_secret = "a text that only this test knows, of some length"\n'
        'client_id = "labeling"\n'
        'client_secret = "another"\n'
        f'server_metadata_url = "{provider.metadata}"\n',
        encoding="utf-8",
    )
    os.chmod(secrets, 0o600)
    server.command = [*server.command, "--secrets.files", str(secrets)]
    return server


def sign_in(page: Page, url: str, name: str, app: str = "") -> None:
    """From the sign-in page at ``url`` through the provider and back to the ``app``."""
    page.goto(url)
    page.get_by_role("button", name="Sign in").click(timeout=60_000)
    page.locator("input[name=sub]").fill(name)
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url(f"{app or url}/**", timeout=60_000)
