"""What a share of probes costs and buys, in numbers."""

from __future__ import annotations

from labeling_core.learning.evaluation import wilson

AHEAD = 200  # samples looked ahead
GUESS = 0.9  # accuracy assumed as long as none is known


def describe(share: float, left: int, free: int, evaluated: int, accuracy: float | None) -> str:
    """Two sentences for a ``share`` of probes (0..1).

    ``left`` samples of the project are undecided, ``free`` places kept for probes are unlabeled;
    ``evaluated`` probes are labeled already, with ``accuracy`` (0..1, None if unknown).
    """
    ahead = min(AHEAD, left)
    looked_at = f"next {ahead:,}" if left > AHEAD else f"{ahead:,} undecided"
    thing = "sample" if ahead == 1 else "samples"
    probes = min(round(share * ahead), free)
    name = f"{share:.0%}".replace("%", " %")
    if not left:
        return f"{name}: no sample is left undecided, so the share changes nothing any more."
    if not probes:
        return (
            f"{name}: every sample trains, none measures. How good the model is and when to stop "
            "cannot be told without a labeled test table."
        )
    number = evaluated + probes
    low, high = wilson(round((GUESS if accuracy is None else accuracy) * number), number)[1:]
    assumed = "" if accuracy is not None else f" (if it is about {GUESS:.0%})".replace("%", " %")
    verb = "measures" if probes == 1 else "measure"
    return (
        f"{name}: of the {looked_at} {thing} {probes:,} only {verb}, {ahead - probes:,} train. "
        f"After them accuracy{assumed} is known to about ± {50 * (high - low):.0f} points, from "
        f"{number:,} {'probe' if number == 1 else 'probes'}."
    )
