"""One session, one figure: wherever an accuracy is told, it is the same."""

from __future__ import annotations

import json
import re

import pytest
from annotating import LOCAL
from running import run_session, train

from labeling_core.learning.evaluation import wilson
from labeling_core.models import model_card
from labeling_core.progress import learning_curve, session_words
from labeling_core.web import exports


def figures(text):
    return re.findall(r"accuracy (\S+%(?: – \S+%)?)", text)


def test_line_deck_tile_card_and_download_tell_the_same_accuracy(
    workspace, make_project, annotator
):
    project = make_project(rows=300, every=1000, probe_share=0.3)
    ana = annotator(project)
    labeled = 0
    for count in (40, 30, 30):
        # Some labels are wrong, so that the figure moves with every probe.
        samples = ana.send(want=count)["samples"]
        labeled += len(samples)
        ana.send(
            [
                ana.decision(each["sample_id"], "label", category=wrong_at_times(each))
                for each in samples
            ]
        )
        if labeled == 40:
            run_session(workspace, project)
    queue = workspace.queue(project)
    with workspace.database.read() as cursor:
        then = learning_curve.sessions(cursor, project)
        today = learning_curve.sessions(cursor, project, queue)
        summary = learning_curve.summary(cursor, project, queue)
    table = b"".join(exports.export(workspace, project, "sessions", "CSV", LOCAL).pieces).decode()
    last = learning_curve.last_measured(today)
    assert last.evaluated > then[-1].evaluated  # probes labeled since then measure too
    right = session_words.told(last.accuracy, last.low, last.high)
    assert right != session_words.told(then[-1].accuracy, then[-1].low, then[-1].high)
    line = workspace.loop.status(project).text
    deck = ana.send(want=1)["learning"]["text"]
    assert figures(line) == figures(deck) == [right]
    assert summary.measured == last
    header, row = (line.split(",") for line in table.splitlines())
    assert float(row[header.index("accuracy")]) == last.accuracy
    assert session_words.session_row(last)["accuracy"] == round(last.accuracy, 3)
    train(workspace, project)
    with workspace.database.read() as cursor:
        card = cursor.execute("SELECT card FROM labeling.final_models").fetchone()[0]
    assert f"\n\n{right} (95 % interval" in model_card.to_markdown(json.loads(card))


def wrong_at_times(sample):
    acidity = next(float(text) for name, text, _ in sample["view"]["fields"] if name == "acidity")
    right = "white" if acidity > 5 else "red"
    wrong = {"white": "red", "red": "white"}[right]
    return wrong if int(sample["sample_id"]) % 7 == 0 else right


@pytest.mark.parametrize(
    ("correct", "probes", "one", "line"),
    [
        (5, 5, "57% – 100%", "accuracy 57% – 100% (5 of 5 probes right)"),
        (1, 1, "21% – 100%", "accuracy 21% – 100% (1 of 1 probe right)"),
        (30, 40, "60% – 86%", "accuracy 60% – 86% (30 of 40 probes right)"),
        (45, 50, "90.0%", "accuracy 90.0% (78.6% – 95.7%) on 50 probes"),
    ],
)
def test_an_accuracy_on_few_probes_is_told_as_its_interval(correct, probes, one, line):
    session = measured(correct, probes)
    assert session_words.told(session.accuracy, session.low, session.high) == one
    assert session_words.score(session) == line


def test_how_far_probabilities_hold_true_is_told_where_enough_probes_measure_it():
    few, many = measured(30, 40), measured(45, 50)._replace(calibration_error=0.0423)
    assert "from 50 measured samples on" in session_words.explain_calibration(few)
    assert "differ by 4.2 points" in session_words.explain_calibration(many)
    assert session_words.session_row(many)["calibration error"] == 0.042
    assert session_words.explain_calibration(few._replace(kind="test table")) == ""


def measured(correct, probes):
    share = wilson(correct, probes)
    return learning_curve.Session(
        1, "DONE", "ana", 0.0, 1.0, 20, "logistic_regression", "auto", "probes", probes,
        share.share, share.low, share.high, None, None, 0, None, None, "accuracy", *share,
    )  # fmt: skip
