"""nginx on 127.0.0.1 in front of the app, with the configuration of docs/hosting.md."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from app_server import ROOT, free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
# What the whole file needs around it, to be run by anybody in a folder of its own.
AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{site}
    server {{
        listen 127.0.0.1:{beside};
        return 418;
    }}
}}
"""
CERTIFICATE = (
    "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
    "-keyout labels.key -out labels.pem"
)


def require() -> None:
    """Leave the test out where there is no nginx; under CI there has to be one."""
    if NGINX is None:
        reason = "no `nginx` on the PATH: the tests of the proxy need one"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def documented() -> str:
    """The configuration as docs/hosting.md shows it."""
    text = (ROOT / "docs" / "hosting.md").read_text("utf-8")
    found = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


def changed(text: str, before: str, after: str) -> str:
    assert before in text, before
    return text.replace(before, after)


class Proxy:
    """nginx below ``path`` ("" or "/labeling") for an app on ``port``; ``strips`` takes the path
    away, ``tls`` comes with a certificate that it has signed itself."""

    def __init__(
        self, folder: Path, port: int, path: str, strips: bool, tls: bool, buffers: bool
    ) -> None:
        folder.mkdir()
        self.path, self.port, self.folder, self.tls = path, free_port(), folder, tls
        site = changed(documented(), "127.0.0.1:8501", f"127.0.0.1:{port}{'/' if strips else ''}")
        site = changed(site, "location /labeling/", f"location {path}/")
        listens = f"listen 127.0.0.1:{self.port}{' ssl' if tls else ''}"
        site = changed(site, "listen 443 ssl", listens)
        if tls:
            self._make_certificate()
        site = re.sub(r"/etc/ssl/labels", f"{folder}/labels", site)
        if not tls:
            site = re.sub(r" *ssl_certificate.*\n", "", site)
        if not buffers:
            off = "proxy_buffering off;\n        proxy_request_buffering off;\n        "
            site = changed(site, "proxy_http_version", f"{off}proxy_http_version")
        configuration = folder / "nginx.conf"
        configuration.write_text(
            AROUND.format(folder=folder, site=site, beside=free_port()), encoding="utf-8"
        )
        with (folder / "nginx.out").open("w") as log:
            assert NGINX
            self.process = subprocess.Popen(
                [NGINX, "-c", str(configuration), "-e", str(folder / "nginx.log")],
                stdout=log, stderr=log,
            )  # fmt: skip
        self._wait()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{self.path}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def _make_certificate(self) -> None:
        subprocess.run(
            ["openssl", *CERTIFICATE.split()],
            cwd=self.folder, check=True, capture_output=True,
        )  # fmt: skip

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 2).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(
                        (self.folder / "nginx.out").read_text(encoding="utf-8")
                    ) from None
                time.sleep(0.05)
