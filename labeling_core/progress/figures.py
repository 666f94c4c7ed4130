"""Figures for people who would rather look than read (plotly)."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from labeling_core.learning.measures import MEASURES
from labeling_core.learning.stopping import Forecast
from labeling_core.progress.learning_curve import Session
from labeling_core.settings import Category

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
PALE = ["#eff6fc", "#8fc1e3"]  # the lightest and the darkest under black numbers
MOST_BARS = 60  # of categories; more cannot be told apart


def curve(sessions: Sequence[Session], measure: str, by_labels: bool) -> go.Figure:
    """The scores of finished sessions by ``measure`` (of MEASURES) with their 95 % intervals, their
    accuracy where that is another one, and AUC, by session or labels."""
    done = [each for each in sessions if each.accuracy is not None]
    name = MEASURES[measure]
    figure = _figure("labels when the session began" if by_labels else "session_id", f"{name}, AUC")
    x = [each.labels if by_labels else each.session_id for each in done]
    _add_scores(figure, [(at, each) for at, each in zip(x, done, strict=True)
                         if each.measure == measure], name)  # fmt: skip
    if measure != "accuracy":
        figure.add_scatter(
            x=x, y=[each.accuracy for each in done], mode="lines", name="accuracy",
            line={"color": "gray", "width": 1}, hovertemplate="accuracy %{y:.1%}<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=x, y=[each.auc for each in done], mode="lines+markers", name="AUC",
        line={"color": ORANGE, "dash": "dot"}, hovertemplate="AUC %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(tickformat=".1~%")
    return _whole_numbers(figure, x)


def _add_scores(figure: go.Figure, points: Sequence[tuple[int, Session]], name: str) -> None:
    done = [each for _, each in points]
    figure.add_scatter(
        x=[at for at, _ in points], y=[each.score for each in done], mode="lines+markers",
        name=f"{name}, 95 % interval",
        line_color=BLUE,
        error_y={
            "type": "data", "symmetric": False, "thickness": 1.2, "width": 5,
            "array": [(each.score_high or 0) - (each.score or 0) for each in done],
            "arrayminus": [(each.score or 0) - (each.score_low or 0) for each in done],
        },
        customdata=[(each.score_low, each.score_high, each.evaluated, each.kind) for each in done],
        hovertemplate="%{y:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%}), "
        "%{customdata[2]} samples, %{customdata[3]}<extra></extra>",
    )  # fmt: skip


def forecast(sessions: Sequence[Session], found: Forecast) -> go.Figure:
    """The curve fitted to the scores of ``sessions``, and where it is going, with its band."""
    figure = _figure("labels", MEASURES[sessions[-1].measure])
    here = found.past - 1
    figure.add_scatter(
        x=np.concatenate([found.labels, found.labels[::-1]]), showlegend=False, mode="lines",
        y=np.concatenate([found.high, found.low[::-1]]), fill="toself", line_width=0,
        fillcolor="rgba(0, 114, 178, 0.18)", hoverinfo="skip",
    )  # fmt: skip
    for part, dash in ((slice(0, found.past), "solid"), (slice(here, None), "dash")):
        figure.add_scatter(
            x=found.labels[part], y=found.score[part], mode="lines",
            line={"color": BLUE, "dash": dash}, name="fit, forecast",
            showlegend=dash == "solid",
            customdata=np.column_stack([found.low[part], found.high[part]]),
            hovertemplate="%{x:.0f} labels: %{y:.1%} "
            "(%{customdata[0]:.1%} to %{customdata[1]:.1%})<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[each.labels for each in sessions], y=[each.score for each in sessions],
        name="measured", mode="markers", marker={"color": ORANGE, "size": 7}, cliponaxis=False,
        hovertemplate="%{x} labels: %{y:.1%}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=float(found.labels[here]), line={"width": 1, "dash": "dot", "color": "gray"})
    # Above the plot, however many lines it takes on a narrow screen: the curve is at the top.
    figure.update_layout(legend={"yanchor": "bottom", "y": 1.02}, margin_t=50)
    lowest = min(float(found.low.min()), *(each.score or 0.0 for each in sessions))
    figure.update_yaxes(tickformat=".1~%", range=[max(lowest - 0.02, 0), found.high.max() + 0.01])
    return figure


def contradictions(sessions: Sequence[Session]) -> go.Figure:
    """Share of predictions that changed from one session's model to the next."""
    done = [each for each in sessions if each.contradictions is not None]
    figure = _figure("session_id", "predictions that changed")
    x = [each.session_id for each in done]
    figure.add_scatter(
        x=x, y=[each.contradictions for each in done], mode="lines+markers", line_color=GREEN,
        customdata=[each.compared for each in done], name="contradictions",
        hovertemplate="%{y:.1%} of %{customdata} compared<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return _whole_numbers(figure, x)


def labels_by_category(
    counts: Sequence[tuple[str, int]], categories: Sequence[Category]
) -> go.Figure:
    """A bar per category; of more than MOST_BARS, those with most labels."""
    colors = {each.name: each.color for each in categories}
    shown = list(counts)
    if len(shown) > MOST_BARS:
        shown = sorted(shown, key=lambda each: -each[1])[:MOST_BARS]
    numbers = [number for _, number in shown]
    left = len(counts) - len(shown)
    title = f"labels ({left:,} categories with fewer are not drawn)" if left else "labels"
    figure = _figure(title, "")
    figure.add_bar(
        x=numbers, y=[_text(name) for name, _ in shown], orientation="h", text=numbers,
        textposition="outside", cliponaxis=False,
        marker_color=[colors.get(name) for name, _ in shown],
        hovertemplate="%{y}: %{x}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(height=max(320, 90 + 22 * len(shown)))
    figure.update_xaxes(range=[0, 1.15 * max([*numbers, 1])])
    figure.update_yaxes(autorange="reversed", type="category", dtick=1)  # each bar is named
    return figure


def labels_over_time(points: Sequence[tuple[str, float, int]], zone: ZoneInfo) -> go.Figure:
    """Labels so far against the time in ``zone``, a line per annotator."""
    figure = _figure(f"time ({zone.key})", "labels")
    for who in dict.fromkeys(annotator for annotator, _, _ in points):
        own = [(moment, number) for annotator, moment, number in points if annotator == who]
        figure.add_scatter(
            x=[datetime.fromtimestamp(moment, zone).replace(tzinfo=None) for moment, _ in own],
            y=[number for _, number in own],
            mode="lines+markers" if len(own) < 30 else "lines",
            line_shape="hv",
            name=_text(who),
            hovertemplate="%{fullData.name}: %{y} labels, %{x|%Y-%m-%d %H:%M}<extra></extra>",
        )
    # Times with fractions of a second, of somebody quick, are long: level, or they meet the legend.
    figure.update_xaxes(nticks=4, tickangle=0)
    # Below the plot, where it may take as many lines as there are people.
    figure.update_layout(showlegend=True, legend={"yanchor": "top", "y": -0.25})
    return figure


def uncertainty(edges: NDArray[np.float64], counts: Sequence[int]) -> go.Figure:
    """Histogram of the pool's uncertainty."""
    figure = _figure("uncertainty (0: the model is sure, 1: it cannot tell)", "samples")
    figure.add_bar(
        x=(edges[:-1] + edges[1:]) / 2, y=list(counts), width=np.diff(edges), marker_color=BLUE,
        hovertemplate="around %{x:.2f}: %{y} samples<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1])
    figure.update_layout(bargap=0.02)
    return figure


def confusion(
    table: NDArray[np.integer], names: Sequence[str], rows: str, columns: str
) -> go.Figure:
    """Heat map of how often one person's category (row) met another's (column)."""
    rows, columns, shown = _text(rows), _text(columns), [_text(each) for each in names]
    figure = _figure(columns, rows)
    figure.add_heatmap(
        z=table, x=shown, y=shown, colorscale=PALE, showscale=False, xgap=2, ygap=2,
        texttemplate="%{z}" if len(names) <= 20 else "", textfont_color="black",
        hovertemplate=f"{rows}: %{{y}}<br>{columns}: %{{x}}<br>%{{z}} samples<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="category", autorange="reversed")
    return figure


def _text(written: str) -> str:
    """What somebody wrote, so that plotly takes it for no markup and no place of a value."""
    return html.escape(written, quote=False).replace("%{", "%\u2060{")


def _figure(x: str, y: str) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        xaxis_title=x, yaxis_title=y, height=320, margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.12}, hovermode="closest",
    )  # fmt: skip
    return figure


def _whole_numbers(figure: go.Figure, x: Sequence[int]) -> go.Figure:
    """Session numbers and label counts have no halves."""
    if len(set(x)) < 12:
        figure.update_xaxes(tickvals=sorted(set(x)))
    return figure
