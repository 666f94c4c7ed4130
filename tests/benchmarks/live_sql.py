"""Whether SQL sessions hold up decisions: the real app with a client that polls, against without.

    python tests/benchmarks/live_sql.py [--labels 200] [--rounds 3] [--rows 3000]

One annotator decides as fast as answers come, in turns without and with a DuckDB client in a
process of its own that counts the labels each second. Prints median and 95th percentile of decision
→ stored for both, and how far behind the client was. Installs DuckDB 1.5.5 with its extension into
a temporary folder (PyPI).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(ROOT / "tests" / "support")]

from app_server import AppServer  # noqa: E402
from quack import Client, RefusedError, environment, free_ports, install  # noqa: E402
from wire_deck import Page, WireDeck  # noqa: E402

TOKEN = "a-long-random-text-for-readers"
MAKE = """
import sys
from pathlib import Path
from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import Category, Settings
from labeling_core.store.database import Database
database = Database(Path(sys.argv[1]))
listed = ", ".join(f"random() - 0.5 AS c{i}" for i in range(12))
with database.transaction() as cursor:
    cursor.execute(f"CREATE TABLE numbers AS SELECT {listed} FROM range({sys.argv[2]})")
create_project(database, Settings(
    title="numbers", source="numbers", categories=(Category("red"), Category("white")),
    labels_table="labels", metadata_table="metadata", queries_table="queries", every=10**9))
database.close()
"""


def poll(client: Client, deck: WireDeck, behind: list[float], done: threading.Event) -> None:
    """Count the labels each second; for how long the client had not seen the newest."""
    while not done.wait(1.0):
        wanted, start = len(deck.acknowledged), time.monotonic()
        while client.ask("SELECT count(*) FROM live.labels")[0][0] < wanted:
            time.sleep(0.02)
        behind.append(time.monotonic() - start)


def attached(packages: Path, port: int) -> Client:
    """A client, as soon as the server answers."""
    client = Client(packages, port, TOKEN)
    while True:
        try:
            client.attach()
            return client
        except RefusedError:
            time.sleep(0.2)


def spread(times: list[float]) -> str:
    """Median and 95th percentile, in ms."""
    low = sorted(each * 1e3 for each in times)
    return f"p50 {statistics.median(low):6.1f} ms   p95 {low[round(0.95 * (len(low) - 1))]:6.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("labels", 200), ("rounds", 3), ("rows", 3000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        packages = install(Path(folder) / "packages")
        server, port = AppServer(Path(folder)), free_ports()
        paths = environment(packages)
        subprocess.run([sys.executable, "-c", MAKE, server.path, str(given.rows)], env=paths,
                       check=True)  # fmt: skip
        server.command = [
            "env", f"PYTHONPATH={paths['PYTHONPATH']}", f"LABELING_SQL=quack:localhost:{port}",
            f"LABELING_SQL_TOKEN={TOKEN}", sys.executable, "-m", "streamlit", "run", "app.py",
        ]  # fmt: skip
        server.start()
        page = Page(server, "numbers", "ana")
        deck = WireDeck(server, page.token)
        client = attached(packages, port)
        deck.label(20)
        times: dict[bool, list[float]] = {False: [], True: []}
        behind: list[float] = []
        for number in range(2 * given.rounds):
            polled = bool(number % 2)
            beside = partial(poll, client, deck, behind) if polled else None
            times[polled] += deck.timed(given.labels, beside)
        print(f"without a client  {spread(times[False])}")
        print(f"a client polls    {spread(times[True])}")
        if behind:
            print(f"behind by         {statistics.median(behind) * 1e3:.0f} ms (median), "
                  f"{max(behind) * 1e3:.0f} ms at most; load {os.getloadavg()[0]:.1f}")  # fmt: skip
        client.close()
        page.close()
        server.stop()


if __name__ == "__main__":
    main()
