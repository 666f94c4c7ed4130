"""Active-learning labeling on DuckDB: everything that does not need a web page.

``import labeling_core as lc`` is for notebooks and scripts: ``lc.open`` opens a database,
``lc.Error`` is what everything raises, with one sentence for people.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# What a notebook finds here, loaded when it is asked for: a script that only needs one module of
# the core does not pay for all.
_FOR_NOTEBOOKS = {
    "open": ("labeling_core.notebook.opened", "open_database"),
    "Labeling": ("labeling_core.notebook.opened", "Labeling"),
    "LabelingProject": ("labeling_core.notebook.project", "LabelingProject"),
    "Error": ("labeling_core.errors", "LabelingError"),
}


def __getattr__(name: str) -> Any:
    if name not in _FOR_NOTEBOOKS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _FOR_NOTEBOOKS[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_FOR_NOTEBOOKS})
