"""A label for what is the same as a labeled sample: tried dry, stored as an import, taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from annotating import LOCAL, Annotator, rows
from broken_media import encoded, photo, write_all
from picture_project import SETTINGS, read, take_all

from labeling_core import use_cases
from labeling_core.labeling import twin_labels
from labeling_core.projects import samples
from labeling_core.projects.lifecycle import create_project
from labeling_core.sessions import features
from labeling_core.settings import Project
from labeling_core.workspace import Workspace

PLACES = "SELECT sample_id, label, origin, annotator FROM p_metadata ORDER BY sample_id"


@pytest.fixture
def pairs(workspace: Workspace, media: Path) -> Any:
    """Make a project of pictures, each there three times: ``n.png n_copy.png n.bmp``."""

    def make(probe_share: float = 0.0) -> Project:
        write_all(media, {
            f"{n}{end}": encoded(photo(16, 16, seed=n), end.rpartition(".")[2].upper())
            for n in range(6) for end in (".png", "_copy.png", ".bmp")
        })  # fmt: skip
        settings = replace(SETTINGS, source=str(media), probe_share=probe_share, queries_table="")
        project = create_project(workspace.database, settings)
        read(workspace, project)
        return project

    return make


def label(workspace: Workspace, project: Project, wanted: dict[str, str | None]) -> None:
    """Decide on these samples (None: skip) and on no other."""
    ana = Annotator(workspace, project)
    ids = [each["sample_id"] for each in take_all(ana)]
    for each in ids:
        if each in wanted:
            category = wanted[each]
            ana.send([ana.decision(each, "label" if category else "skip", category=category)])
    ana.send(release=True, holding=[each for each in ids if each not in wanted])


def follow(workspace: Workspace, project: Project) -> Any:
    twins = features.same_files(workspace.database, project)
    file = twin_labels.of_twins(workspace.database, project, twins)
    return file, (project.project_id, file, twin_labels.NAME, twin_labels.HOW, LOCAL)


def test_undecided_twins_get_the_label_as_an_import_that_is_taken_back(
    workspace: Workspace, pairs: Any
) -> None:
    project = pairs()
    decided = {"0.png": "a", "1.bmp": "b", "2.png": "a", "2.bmp": "b", "3.png": None}
    label(workspace, project, decided)
    before = rows(workspace.database, PLACES)
    file, how = follow(workspace, project)
    assert {each.fields["sample_id"]: each.label for each in file.records} == {
        "0.bmp": "a", "0_copy.png": "a", "1.png": "b", "1_copy.png": "b"}  # fmt: skip
    assert file.notes == ["1 × the same has different labels here: look at them first."]
    plan = use_cases.plan_labels(workspace, project.project_id, file, twin_labels.HOW, LOCAL)
    assert plan.stored() == 4 and rows(workspace.database, PLACES) == before
    number, done = use_cases.bring_in_labels(workspace, *how)
    assert done.stored() == 4
    stored = {row[0]: row[1:] for row in rows(workspace.database, PLACES)}
    assert stored["1.png"] == ("b", "import", f"import {number}") and len(stored) == 9
    detail = rows(workspace.database, "SELECT detail FROM labeling.events WHERE kind = 'import'")
    assert json.loads(detail[0][0])["file"] == "the same files"
    assert follow(workspace, project)[0].records == []  # all that there was
    back = use_cases.take_back_import(workspace, project.project_id, number, LOCAL)
    assert back.gone == 4 and rows(workspace.database, PLACES) == before


def test_no_label_follows_from_a_sample_that_measures(workspace: Workspace, pairs: Any) -> None:
    project = pairs(probe_share=0.5)
    with workspace.database.read() as cursor:
        first = samples.read(cursor, project.project_id, range(project.probe_limit))
    probes = {each.sample_id for each in first.values()}
    assert probes and len(probes) < 18
    label(workspace, project, {f"{n}.png": "a" for n in range(6)})
    file, _ = follow(workspace, project)
    told = {each.fields["sample_id"].partition("_")[0].partition(".")[0] for each in file.records}
    assert told == {str(n) for n in range(6) if f"{n}.png" not in probes}
    assert file.notes and "measure" in file.notes[0]
