"""The folders below ``<database>.files/`` that belong to the program and to no project.

Every project keeps what it computes there in a folder of its own, called like its id, that goes
with the project: no project must get one of these names.
"""

from __future__ import annotations

BACKUPS = "backups"
SIMULATIONS = "simulations"
OWN = frozenset({BACKUPS, SIMULATIONS})
