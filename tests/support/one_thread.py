"""One thread for each process of a test: imported before numpy, and handed on to what is started.

Two test processes share two cores. Threads of one beside those of the other wait for each other,
and OpenMP's do so by spinning: gradient boosting then takes eight times as long.
"""

from __future__ import annotations

import os

for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{name}_NUM_THREADS", "1")
