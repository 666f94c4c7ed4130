"""The learning curves of a simulation as a figure (plotly)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from labeling_core.simulation.summary import BASELINE, Curve, band

# Okabe and Ito's colours for colour-blind eyes; the baseline is grey, on light and dark alike.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_GREY = "#7F7F7F"


def learning_curves(
    curves: Sequence[Curve], measure: str, interval: bool, titles: Mapping[str, str]
) -> go.Figure:
    """Mean curves with bands (see simulation_summary.band) against the number of labels.

    ``measure`` names the vertical axis. It begins where curves that have found their feet lie,
    so that a first model worse than all others does not press the rest together.
    """
    figure = go.Figure()
    colours = iter(_COLOURS * len(curves))
    for curve in curves:
        plain = curve.strategy == BASELINE
        _add(figure, curve, interval, titles, _GREY if plain else next(colours), plain)
    figure.update_layout(
        xaxis_title="labels", yaxis_title=measure, height=380, hovermode="x unified",
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_yaxes(range=_range(curves), tickformat=".1~%" if measure != "AUC" else ".3~f")
    return figure


def _add(
    figure: go.Figure, curve: Curve, interval: bool, titles: Mapping[str, str], colour: str,
    dashed: bool,
) -> None:  # fmt: skip
    half = band(curve, interval)
    low, high = np.clip(curve.mean - half, 0, 1), np.clip(curve.mean + half, 0, 1)
    figure.add_scatter(
        x=[*curve.n_labels, *reversed(curve.n_labels)], y=[*high, *low[::-1]], fill="toself",
        fillcolor=_transparent(colour), line={"width": 0}, hoverinfo="skip", showlegend=False,
        legendgroup=curve.strategy, mode="lines",
    )  # fmt: skip
    figure.add_scatter(
        x=curve.n_labels, y=curve.mean, mode="lines", legendgroup=curve.strategy,
        name=titles.get(curve.strategy, curve.strategy), customdata=half,
        line={"color": colour, "width": 2, "dash": "dash" if dashed else "solid"},
        hovertemplate="%{y:.4f} ± %{customdata:.4f}",
    )  # fmt: skip


def _transparent(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.18)"


def _range(curves: Sequence[Curve]) -> list[float] | None:
    """From the lowest value in the later four fifths of the curves up to the highest of all."""
    if not curves:
        return None
    low = min(float(each.mean[len(each.mean) // 5 :].min()) for each in curves)
    high = max(float(each.mean.max()) for each in curves)
    room = max(high - low, 0.005) * 0.1
    return [low - room, min(high + room, 1.0 + room / 2)]
