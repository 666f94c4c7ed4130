"""Disasters while people label: is everything acknowledged in the tables afterwards, once?

    python tests/benchmarks/drills.py [DRILL ...] [--times 20] [--seed 0]

The real server with people who label flat out. *kills*: SIGKILL at any moment, starts included.
*full_disks*: a small file system is filled to the last bytes, and each third time the server is
killed and started on it (needs root, to mount a tmpfs). *bad_lines*: 30 % loss and 300 ms each way
by the relay of tests/browser/bad_line.py, which says how it differs from `tc netem`. *upgrades*: a
file of each schema that there ever was, killed while it is brought up to date, half as often.
*jumps*: the server's clock is set a day ahead, a day back, ten years ahead, a year back, and right.
*sleeps*: the machine sleeps until nobody waits for it any more, and wakes eight hours later (both
need Debian's package faketime).
After each disaster the files are copied as they lie and compared with what was acknowledged.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(ROOT / "tests" / "support")]

import clocks  # noqa: E402
import drilling  # noqa: E402
from upgrading import upgrades  # noqa: E402

DRILLS = {
    "kills": drilling.kills,
    "full_disks": drilling.full_disks,
    "bad_lines": drilling.bad_lines,
    "jumps": clocks.jumps,
    "sleeps": clocks.sleeps,
    "upgrades": lambda folder, times, seed: "\n".join(map(str, upgrades(folder, times // 2, seed))),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("drills", nargs="*", choices=[*DRILLS, []], default=list(DRILLS))
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name in given.drills:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = DRILLS[name](Path(folder), given.times, seed=given.seed)
        print(f"{found}; {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
