"""The bar from efficient to not efficient, by hand and from real sessions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from annotating import rows
from running import wait

from labeling_core.learning import stopping
from labeling_core.progress import efficiency
from labeling_core.progress.efficiency import Draw


def draw(asked, pool, std=0.2, number=20, size=1000):
    return Draw(number, asked, size, pool, std)


@pytest.mark.parametrize(
    ("found", "labels", "expected"),
    [
        (draw(0.9, 0.3), 100, "efficient"),
        (draw(0.35, 0.3), 100, "doubtful"),
        (draw(0.2, 0.3), 100, "doubtful"),
        (draw(0.09, 0.01), 100, "certain"),
        (draw(0.35, 0.3), 9, "early"),
        (draw(0.05, 0.04), 9, "early"),
        (draw(0.9, 0.3), 9, "efficient"),
        (draw(0.5, 0.5, size=20), 100, "doubtful"),
    ],
)
def test_the_state_follows_from_the_batch_and_the_pool(found, labels, expected):
    state, share = efficiency.state(found, "margin", 2, labels)
    assert state == expected
    thirds = {"certain": (0, 1 / 3), "doubtful": (1 / 3, 2 / 3), "efficient": (2 / 3, 1)}
    if expected == "early":
        assert share is None
    else:
        low, high = thirds[expected]
        assert low <= share <= high


@pytest.mark.parametrize("strategy", ["auto", "margin", "confidence", "entropy", "random"])
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_certainty_means_the_same_for_every_score(strategy, classes):
    score = efficiency.STRATEGIES[strategy].score
    for top, expected in ((0.97, "certain"), (0.9, "efficient")):
        p = np.zeros((20, classes))
        p[:, :2] = top, 1 - top
        asked = float(score(p).mean())
        found = efficiency.state(draw(asked, 0.001, std=0.01), strategy, classes, 1000)
        assert found[0] == expected


def test_five_in_a_hundred_random_draws_pass_for_uncertain_ones():
    rng = np.random.default_rng(0)
    pool = rng.beta(1, 3, 3_000)
    scores = [
        efficiency.z_score(efficiency.measure(rng.permutation(pool), 20)) for _ in range(2_000)
    ]
    assert np.mean(np.array(scores) > efficiency.SIGNIFICANT) == pytest.approx(0.05, abs=0.02)


def test_a_pool_that_ends_gives_no_warning():
    assert efficiency.measure(np.zeros(0), 20).pool == 0
    assert efficiency.z_score(efficiency.measure(np.full(5, 0.3), 20)) == 0


@pytest.mark.parametrize(
    ("values", "numbers", "expected"),
    [
        ([0.3, 0.1, 0.105, 0.1, 0.104], [100] * 5, True),
        ([0.1, 0.105, 0.1], [100] * 3, False),
        ([0.1, 0.12, 0.12, 0.12], [100] * 4, False),
        ([0.1, 0.1, 0.1, 0.1], [100, 100, 100, 5], False),
        ([None, 0.1, 0.1, 0.1], [100] * 4, False),
    ],
)
def test_at_rest_is_three_moves_below_a_hundredth(values, numbers, expected):
    assert efficiency.at_rest(values, numbers) is expected


def test_the_deck_is_told_after_each_session_and_not_before(workspace, make_project, annotator):
    project = make_project(rows=600, every=20)
    ana = annotator(project)
    assert ana.send()["learning"]["halting"] is None
    for _ in range(5):
        ana.label_truly(20)
        wait(workspace, project)
    told = ana.send()["learning"]["halting"]
    assert told["state"] == "certain"
    assert told["word"] == "May be stopped"
    assert "contradictions moved less than 0.01 for 3 sessions" in told["text"]
    stored = rows(
        workspace.database, "SELECT asked, pool, asked_uncertainty >= 0, pool_spread >= 0 FROM "
        "labeling.sessions ORDER BY session_id"
    )  # fmt: skip
    assert {each[0] for each in stored} == {20}
    assert all(each[2:] == (True, True) for each in stored)
    # 60 places are kept for probes; a tenth of the 100 labels were probes already.
    assert stored[-1][1] == 600 - 60 - 90
    workspace.open_projects.forget(project.project_id)
    assert ana.send()["learning"]["halting"] == told


@pytest.mark.parametrize(
    ("verdict", "word"),
    [("go on", "Efficient"), ("unknown", "May be stopped"), ("stop", "May be stopped")],
)
def test_the_deck_does_not_say_stop_where_session_progress_says_go_on(verdict, word):
    advice = stopping.Advice(verdict, "", ["About 44 more labels for +1 point."], None)
    resting = efficiency.Halting("efficient", 0.9, "contradictions and AUC")
    told = efficiency.describe(resting, advice)
    assert told["word"] == word
    assert "ontradictions and AUC moved less than 0.01 for 3 sessions" in told["text"]
    assert ("+1 point" in told["text"]) == (verdict == "go on")
    assert efficiency.describe(resting._replace(resting=""), advice)["word"] == "Efficient"


def test_a_measure_that_cannot_be_told_yet_holds_the_deck_back():
    advice = stopping.Advice("unknown", "", ["Macro-F1 takes 5 probes."], None)
    resting = efficiency.Halting("efficient", 0.9, "contradictions")
    told = efficiency.describe(resting, advice, "macro_f1")
    assert told["word"] == "Efficient" and told["text"].endswith("But: Macro-F1 takes 5 probes.")
    assert efficiency.describe(resting, advice)["word"] == "May be stopped"


def test_sessions_of_an_older_version_tell_nothing(workspace, make_project, annotator):
    project = make_project(every=20)
    ana = annotator(project)
    ana.label_truly(20)
    wait(workspace, project)
    with workspace.database.transaction() as cursor:
        cursor.execute("UPDATE labeling.sessions SET asked = NULL, pool = NULL")
    workspace.open_projects.forget(project.project_id)
    assert ana.send()["learning"]["halting"] is None


def test_no_bar_without_active_learning(workspace, make_project, annotator):
    project = make_project()
    off = project._replace(settings=replace(project.settings, queries_table=""))
    assert workspace.loop.advice(off) is None
