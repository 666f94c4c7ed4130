"""A real S3 server (moto) on 127.0.0.1, and programs that use it, with packages that the tests' own
process must not have."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import from_pypi

from labeling_core.config import PACKAGES

S3FS = (
    "s3fs==2026.9.0", "fsspec==2026.9.0", "aiobotocore==3.10.0", "botocore==1.43.117", "aiohttp",
    "aiohappyeyeballs", "aioitertools", "aiosignal", "attrs", "frozenlist", "idna", "jmespath",
    "multidict", "propcache", "python-dateutil", "six", "typing_extensions", "urllib3", "wrapt",
    "yarl",
)  # fmt: skip
MOTO = (
    "moto==5.2.5", "boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six",
    "urllib3", "requests", "responses", "certifi", "idna", "charset-normalizer", "werkzeug",
    "xmltodict", "flask", "flask-cors", "jinja2", "markupsafe", "itsdangerous", "click", "blinker",
    "cryptography", "cffi", "pycparser", "pyyaml", "py-partiql-parser", "typing_extensions",
)  # fmt: skip
BUCKET = "pictures"


class S3Server:
    """The server with one empty BUCKET; ``environment`` has what a program needs to use it."""

    def __init__(self, folder: Path) -> None:
        self.packages = from_pypi.install(folder / "s3fs", *S3FS)
        moto = from_pypi.install(folder / "moto", *MOTO)
        self._log = folder / "moto.log"
        self._server = os.environ | {"PYTHONPATH": str(moto)}
        self._port = "0"
        self.start()
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "not told",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "LABELING_REMOTE_ROOTS": f"s3://{BUCKET}",
        }

    def start(self) -> None:
        """Start it, again on the same port; it is empty then."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", self._port]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, env=self._server, stdout=log, stderr=log)
        end = time.monotonic() + 120
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", self._said())):
            if time.monotonic() > end or self._process.poll() is not None:
                self.stop()
                raise RuntimeError(f"no S3 server: {self._said()[-2000:]}")
            time.sleep(0.05)
        self._port, self.url = found[1], found[0]
        self._ask("PUT", BUCKET)

    def _said(self) -> str:
        return self._log.read_text("utf-8")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def put(self, key: str, content: bytes) -> None:
        """Store an object, whoever asks."""
        self._ask("PUT", f"{BUCKET}/{urllib.parse.quote(key)}", content)

    def delete(self, key: str) -> None:
        self._ask("DELETE", f"{BUCKET}/{urllib.parse.quote(key)}")

    def put_folder(self, folder: Path, prefix: str) -> list[str]:
        """Store the files of a folder; their names."""
        files = sorted(each for each in folder.iterdir() if each.is_file())
        for each in files:
            self.put(f"{prefix}/{each.name}", each.read_bytes())
        return [each.name for each in files]

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """The credentials of ``environment`` are refused, as all are that it does not know."""
        self._ask("POST", "moto-api/reset-auth", b"0")
        yield
        self._ask("POST", "moto-api/reset-auth", b"inf")

    def _ask(self, method: str, path: str, content: bytes = b"") -> None:
        # What urllib would send as the kind of content is that of a form; moto wants a signature to
        # replace an object, and looks at none.
        headers = {
            "Content-Type": "application/octet-stream",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        asked = urllib.request.Request(f"{self.url}/{path}", content, headers, method=method)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            answer.read()

    def told(self, step: str, *words: str | Path, **environment: str) -> Any:
        """What a step of s3_steps.py gives, in a program of its own."""
        return steps_told(self.packages, step, *words, **(self.environment | environment))


def steps_told(packages: Path, step: str, *words: str | Path, **environment: str) -> Any:
    """What a step of s3_steps.py gives, in a program of its own that finds ``packages``."""
    steps = Path(__file__).with_name("s3_steps.py")
    done = _run(packages, [steps, step, *words], environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def command_told(packages: Path, *words: str | Path, **environment: str) -> Any:
    """What the command line answers in JSON, or its sentence, where it finds ``packages``."""
    done = _run(packages, ["-m", "labeling_core", *words, "--json"], environment)
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def _run(
    packages: Path, words: Sequence[str | Path], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    folders = (packages, PACKAGES, Path(__file__).parent)
    paths = {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    return subprocess.run(
        [sys.executable, *map(str, words)], env=os.environ | paths | environment,
        capture_output=True, encoding="utf-8", check=False, timeout=300,
    )  # fmt: skip
