"""A project of pictures, read and labeled without a browser."""

from __future__ import annotations

import time
from typing import Any

from annotating import Annotator
from broken_media import encoded, photo

from labeling_core.sessions import features
from labeling_core.settings import Category, Settings
from labeling_core.workspace import Workspace

SETTINGS = Settings(
    title="Pictures",
    modality="images",
    source="media",
    categories=(Category("a"), Category("b")),
    labels_table="p_labels",
    metadata_table="p_metadata",
    queries_table="p_queries",
)


def wait(workspace: Workspace, project: Any, seconds: float = 1200.0) -> None:
    """Until nothing of the project is read or learned."""
    end = time.monotonic() + seconds
    while workspace.loop.reader.running(project.project_id) or workspace.loop.trainer.running(
        project.project_id
    ):
        assert time.monotonic() < end, workspace.loop.status(project)
        time.sleep(0.02)


def read(workspace: Workspace, project: Any) -> None:
    workspace.loop.prepare(project)
    wait(workspace, project)
    assert features.have_features(workspace.database, project), workspace.loop.status(project)


def label(ana: Annotator, count: int, answers: dict[str, str]) -> None:
    """Label by the known answers, ten at a time as a person's browser would."""
    done = 0
    while done < count:
        found = ana.send(want=min(10, count - done))["samples"]
        ana.send([
            ana.decision(each["sample_id"], "label", category=answers[each["sample_id"]])
            for each in found
        ])  # fmt: skip
        done += len(found)
        wait(ana.workspace, ana.project)


def take_all(ana: Annotator) -> list[dict[str, Any]]:
    """Everything that is handed out, piece by piece."""
    samples: list[dict[str, Any]] = []
    while more := ana.send(want=500)["samples"]:
        samples += more
    return samples


def good(count: int) -> dict[str, bytes]:
    return {f"good_{n}.png": encoded(photo(16, 16, seed=n), "PNG") for n in range(count)}
