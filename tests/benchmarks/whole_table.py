"""All that people wait for, on one machine: each script that measures a part of it, in turn.

    python tests/benchmarks/whole_table.py [--quick]

Takes about half an hour with nothing else on the machine, and 8 GB of memory; ``--quick``, to see
that everything runs, a few minutes at sizes that mean nothing. What each line is, and its aim, the
scripts say.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
RUNS = (
    ("deck_latency.py", "--only pools --presses 200", "--only pools --presses 8"),
    ("deck_latency.py", "--only digits --presses 100", "--only digits --presses 4"),
    ("scale.py", "1000 10000 100000 1000000", "1000"),
    ("scale.py", "10000000 --only make,features,session,memory", "1000 --only make"),
    ("scale.py", "100000 --only session,predict --columns 16", "1000 --only session --columns 16"),
    ("scale.py", "100000 --only session,predict --columns 256", ""),
    ("scale.py", "100000 --only session,predict --columns 1024", ""),
    ("pages.py", "", "--rows 2000 --events 2000 --times 1"),
    ("many_files.py", "", "--pictures 200 --recordings 100"),
    ("load.py", "--people 20 --labels 500 --kills 0 --rows 20000",
     "--people 2 --labels 10 --kills 0 --rows 1000"),
    ("load.py", "--people 100 --labels 150 --kills 0 --rows 20000", ""),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="at sizes that mean nothing")
    quick = parser.parse_args().quick
    failed = 0
    for script, whole, small in RUNS:
        if quick and not small:
            continue
        given = small if quick else whole
        print(f"\n== {script} {given}", flush=True)
        began = time.perf_counter()
        command = [sys.executable, str(HERE / script), *given.split()]
        failed += subprocess.run(command, check=False).returncode != 0
        print(f"   {time.perf_counter() - began:.0f} s", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
