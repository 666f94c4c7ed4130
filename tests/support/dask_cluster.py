"""A real Dask scheduler, workers and clients, as processes of their own on this machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import from_pypi

from labeling_core.config import PACKAGES

# Where Dask is installed scikit-learn imports it, with all that it warns of: not into the tests.
NEEDED = (
    "dask==2026.8.0", "distributed==2026.8.0", "cloudpickle", "locket", "partd", "toolz",
    "msgpack", "sortedcontainers", "tblib", "zict", "psutil", "pyyaml", "tornado", "fsspec",
    "importlib_metadata<9", "zipp<4",
)  # fmt: skip


class DaskCluster:
    """A scheduler and two workers with a thread each, and no nanny that would start them again;
    ``address`` is what LABELING_CLUSTER takes."""

    def __init__(self, folder: Path) -> None:
        packages = from_pypi.install(folder / "packages", *NEEDED)
        paths = (packages, PACKAGES, Path(__file__).parent)
        self._environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
        self._folder = folder
        self._scheduler = self._start("scheduler", "scheduler", "--port", "0", "--no-dashboard")
        self.address = f"dask://{self._listens()}"
        self.workers = [self.add_worker(number) for number in range(2)]

    def add_worker(self, number: int) -> subprocess.Popen[bytes]:
        return self._start(
            f"worker-{number}", "worker", self.address.replace("dask://", "tcp://"),
            "--nthreads", "1", "--no-nanny", "--no-dashboard",
        )  # fmt: skip

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *words, "--host", "127.0.0.1"],
                cwd=self._folder, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip

    def _listens(self) -> str:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            log = (self._folder / "scheduler.log").read_text("utf-8")
            if found := re.search(r"tcp://(127\.0\.0\.1:\d+)", log):
                return found[1]
            time.sleep(0.05)
        self._scheduler.kill()
        self._scheduler.wait()
        raise RuntimeError(f"no scheduler: {log}")

    def client(self, *words: str, cluster: str = "") -> subprocess.Popen[str]:
        """A run of dask_client.py that has been started; ``cluster`` is another one to be asked."""
        return subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("dask_client.py")), *words],
            env=self._environment | {"LABELING_CLUSTER": cluster or self.address},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    def told(self, *words: str, cluster: str = "") -> str:
        """What such a run says, of its results or in the end of what went wrong."""
        out, error = self.client(*words, cluster=cluster).communicate(timeout=600)
        return out or error.splitlines()[-1]

    def lines(self, *words: str) -> Iterator[str]:
        """The lines of a run as they come, which must end well."""
        client = self.client(*words)
        assert client.stdout is not None
        yield from client.stdout
        _, error = client.communicate(timeout=600)
        assert client.returncode == 0, error

    def kill(self, worker: int) -> None:
        """SIGKILL: no goodbye."""
        self.workers[worker].send_signal(signal.SIGKILL)
        self.workers[worker].wait()

    def close(self) -> None:
        for each in [*self.workers, self._scheduler]:
            each.kill()
            each.wait()
