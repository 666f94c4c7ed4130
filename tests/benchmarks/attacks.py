"""Twenty people label while strangers attack: how long a decision takes with and without.

    python tests/benchmarks/attacks.py [--people 20] [--labels 60]

The server and the load of load.py, with no session running; then the same once more while a process
of its own runs every attack of tests/support/attacks.py one after the other, over and over. Whether
the server is well is asked all the while. Attackers, clients and server share the cores.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "benchmarks")]

import health_watch  # noqa: E402
import load  # noqa: E402
from attacks import ATTACKS  # noqa: E402

ATTACK = "attack"  # the first argument of the process that attacks


def attack(port: int) -> None:
    """Everything, over and over, until this process is ended."""
    while True:
        for each in ATTACKS.values():
            each(port)


def measure(people: int, labels: int, attacked: bool) -> float:
    """Print what one round brings; its p95 in ms."""
    with tempfile.TemporaryDirectory() as folder:
        server = load.make(Path(folder), 20_000)
        server.start()
        pages, decks = load.sit_down(server, "idle", people)
        command = [sys.executable, __file__, ATTACK, str(server.port)]
        stranger = subprocess.Popen(command) if attacked else None
        with health_watch.watching(server.port) as health:
            rate, middle, high = load.figures(decks, load.label(decks, labels))
        if stranger:
            stranger.kill()
            stranger.wait()
        lost, doubled = load.check(server, "idle", decks)
        print(
            f"{'attacked' if attacked else 'calm':9} {rate:6.0f} decisions/s   p50 {middle:4.0f} ms"
            f"   p95 {high:4.0f} ms   health at most {max(health)[0] * 1e3:.0f} ms"
            f"   {lost} lost, {doubled} doubled",
            flush=True,
        )
        for page in pages:
            page.close()
        server.stop()
    return high


def main() -> None:
    if sys.argv[1:2] == [ATTACK]:
        attack(int(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--labels", type=int, default=60)
    given = parser.parse_args()
    calm = measure(given.people, given.labels, attacked=False)
    attacked = measure(given.people, given.labels, attacked=True)
    print(f"p95 under attack: {attacked / calm:.2f} of p95 without")


if __name__ == "__main__":
    main()
