"""What the worker can do, one function a job: arrays and files in, arrays and files out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.learning import classifiers, decisions, iteration, label_quality, strategies
from labeling_core.learning.classifier_choice import choose, remember, remembered
from labeling_core.modalities import fitting

Progress = Callable[[str, float], None]


CHOICE = "choice.json"  # beside the features: what “auto” stood for in the last session
# What the last session fitted, by its folder, until it is written: its queue does not wait.
_fitted: dict[str, Any] = {}


def features(job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Turn the samples (Parquet, in the order of their positions) into the feature matrix.

    Answers whether it is ``complete`` yet, and which samples are ``broken`` for which reason.
    """
    return fitting.fit(Path(job["table"]), job, progress)


def session(job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Run one iteration; leaves scores.parquet and checks.npy in ``out``."""
    out, folder = Path(job["out"]), Path(job["folder"])
    arrays = np.load(out / "task.npz")
    test, test_codes = _test_table(job, folder)
    task = iteration.Task(
        features=np.load(folder / "features.npy", mmap_mode="r"),
        **{name: arrays[name] for name in arrays.files},
        test=test,
        test_codes=test_codes,
        classes=len(job["classes"]),
        **{name: job[name] for name in ("classifier", "strategy", "batch", "seed", "measure")},
        choice=remembered(folder / CHOICE),
    )
    outcome = iteration.run(task, progress)
    remember(outcome.choice, folder / CHOICE)
    progress("Writing the queries", 0.9)
    _write_scores(outcome, job["classes"], out / "scores.parquet")
    np.save(out / "checks.npy", outcome.checks)
    _fitted.clear()
    _fitted[job["out"]] = outcome.model
    return {
        "evaluation": outcome.evaluation._asdict(), "classifier": outcome.choice.classifier,
    }  # fmt: skip


def model(job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Leave the model of the session before as model.skops in ``out``; ``classifier`` is the one it
    answered. If this process was replaced since, the same labels and seed make the same model."""
    out, folder = Path(job["out"]), Path(job["folder"])
    fitted = _fitted.pop(job["out"], None)
    if fitted is None:
        task = np.load(out / "task.npz")
        X = np.asarray(np.load(folder / "features.npy", mmap_mode="r")[task["train"]])
        fitted = classifiers.fit(job["classifier"], X, task["train_codes"], job["seed"])
    _write_model(fitted, folder, job["classes"], out / "model.skops")
    return {}


def start(job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Put the pool in order before there is a model; leaves scores.parquet in ``out``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = Path(job["out"])
    task = np.load(out / "task.npz")
    queryable = task["queryable"]
    ranking = strategies.rank(
        job["strategy"],
        probabilities=None,
        features=np.load(Path(job["folder"]) / "features.npy", mmap_mode="r"),
        pool=task["pool"][queryable],
        labeled=task["train"],
        labels=task["train_codes"],
        batch=job["batch"],
        seed=job["seed"],
    )
    positions = np.concatenate([task["pool"][queryable][ranking.order], task["pool"][~queryable]])
    columns = {
        "place": pa.array(positions.astype(np.int32)),
        "uncertainty": pa.array(np.ones(len(positions))),
        "prediction": pa.nulls(len(positions), pa.string()),
        "queryable": pa.array(np.sort(queryable)[::-1]),
    }
    pq.write_table(pa.table(columns), out / "scores.parquet")
    return {}


def review(job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Judge every label; leaves quality.npz (see label_quality.Quality) in ``out``."""
    out = Path(job["out"])
    arrays = np.load(out / "task.npz")
    X = np.asarray(
        np.load(Path(job["folder"]) / "features.npy", mmap_mode="r")[arrays["positions"]]
    )
    codes, groups = arrays["codes"], arrays.get("groups")
    progress("Choosing the classifier", 0.0)
    chosen = choose(job["classifier"], X, codes, job["seed"], groups=groups)
    quality = label_quality.examine(
        X,
        codes,
        len(job["classes"]),
        chosen.classifier,
        job["seed"],
        lambda share: progress("Comparing labels with predictions", share),
        groups,
    )
    np.savez(out / "quality.npz", **quality._asdict())
    return {}


def final_model(job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Train on all labels; leaves model.skops, and predictions.parquet of every sample, in ``out``.

    Answers which types whoever loads it has to trust (``trusted_types``), and the weight of each
    category where the likeliest one does not decide as it is (``decision_weights``, else None).
    """
    import skops.io

    out, folder = Path(job["out"]), Path(job["folder"])
    arrays = np.load(out / "task.npz")
    progress("Training the final model", 0.1)
    features = np.load(folder / "features.npy", mmap_mode="r")
    X = np.asarray(features[arrays["positions"]])
    before = remembered(folder / CHOICE)  # the one whose accuracy was measured, if it still fits
    chosen = choose(
        job["classifier"], X, arrays["codes"], job["seed"], before, groups=arrays.get("groups")
    ).classifier
    model = classifiers.fit(chosen, X, arrays["codes"], job["seed"])
    everything = classifiers.predict_probabilities(
        model,
        features,
        len(job["classes"]),
        lambda share: progress("Predicting every sample", 0.3 + 0.5 * share),
    )
    weights = decisions.weights(job["measure"], everything[: iteration.CHECKS], arrays["codes"])
    _write_predictions(everything, weights, job["classes"], out / "predictions.parquet")
    progress("Writing the final model", 0.8)
    path = out / "model.skops"
    _write_model(model, folder, job["classes"], path)
    return {
        "trusted_types": skops.io.get_untrusted_types(file=path),
        "classifier": classifiers.in_full(job["classifier"], chosen),
        "decision_weights": None
        if weights is None
        else dict(zip(job["classes"], weights.tolist(), strict=True)),
    }


def _test_table(job: dict[str, Any], folder: Path) -> tuple[Any, Any]:
    """Features and class codes of the labeled test table, if there is one."""
    if not job["test"]:
        return None, np.zeros(0, dtype=np.intp)
    import pyarrow.parquet as pq

    labels = pq.read_table(job["test"], columns=[job["label_column"]]).column(0).to_pylist()
    codes = {name: code for code, name in enumerate(job["classes"])}
    old = {name: codes[new] for name, new in job["renamed"].items() if new in codes}
    codes = old | codes  # the table may use a category's name of before
    known = np.array([str(label) in codes for label in labels], dtype=bool)
    if not known.any():
        raise LabelingError(
            f"No row of the test table has a category of this project in “{job['label_column']}”: "
            "check its labels, or choose no test table.",
            "test_table",
        )
    X = fitting.transform_table(Path(job["test"]), folder)
    return X[known], np.array([codes[str(label)] for label in labels if str(label) in codes])


def _write_scores(outcome: iteration.Outcome, classes: list[str], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "place": pa.array(outcome.positions),
        "uncertainty": pa.array(outcome.uncertainty),
        "prediction": _names(outcome.prediction, classes),
        "queryable": pa.array(outcome.queryable),
    }
    # Of a million different numbers no dictionary is to be had: looking for one took half the time.
    pq.write_table(pa.table(columns), path, use_dictionary=["prediction"])


def _write_predictions(probabilities: Any, weights: Any, classes: list[str], path: Path) -> None:
    """The category that each sample is taken for and its probability, row by row in the order of
    the positions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    taken = decisions.weighed(probabilities, weights).argmax(axis=1)
    columns = {
        "prediction": _names(taken, classes),
        "probability": pa.array(probabilities[np.arange(len(taken)), taken]),
    }
    pq.write_table(pa.table(columns), path)


def _names(codes: Any, classes: list[str]) -> Any:
    """An array of the categories' names."""
    import pyarrow as pa

    names = pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32)), pa.array(classes, pa.string())
    )
    return names.cast(pa.string())


def _write_model(model: Any, folder: Path, classes: list[str], path: Path) -> None:
    """Save what comes before the classifier, and it, as one pipeline that predicts the
    categories' names: from the columns of a table, or from the features of a file."""
    import skops.io
    from sklearn.pipeline import Pipeline

    classifiers.name_classes(model, classes)
    steps = [*fitting.first_steps(folder), ("classifier", model)]
    skops.io.dump(Pipeline(steps), path, compression=ZIP_DEFLATED)
