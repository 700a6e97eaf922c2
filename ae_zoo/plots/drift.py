"""How new rows differ from those before."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ae_zoo.plots.style import ACCENT, INK, SECOND, Figure, plain
from ae_zoo.typing import Array

THEN, NOW = "held-out rows", "new rows"
MOST = 40  # bars of a distribution
LABELS = 12  # below the bars of a panel


def scores(before: tuple[Array, Array], now: tuple[Array, Array], *, threshold: float | None = None) -> Figure:
    """Returns the distributions of scores before and now on a logarithmic axis.

    Args:
        before: values `(n,)`, and how often each comes, `(n,)`.
        now: the same of the new rows.
        threshold: a score to mark by a line.
    """
    figure = Figure((7.5, 3.4), layout="constrained")
    axes = figure.subplots()
    every = np.concatenate([before[0], now[0]])
    low, high = max(every.min(), 1e-12), max(every.max(), 2e-12)
    bins = np.geomspace(low * 0.999, max(high, 1.01 * low) * 1.001, MOST).tolist()
    for (values, counts), color, label in ((before, ACCENT, THEN), (now, SECOND, NOW)):
        if len(values):
            weights = counts / counts.sum()
            inside = np.maximum(values, low)
            axes.hist(inside, bins=bins, weights=weights, color=color, alpha=0.25)
            axes.hist(inside, bins=bins, weights=weights, color=color, histtype="step", linewidth=1.4, label=label)
    if threshold is not None:
        axes.axvline(threshold, color=INK, linestyle="--", linewidth=1.3, label=f"threshold {threshold:.4g}")
    axes.set(xscale="log", xlabel="score of a row", ylabel="share of the rows")
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return figure


def capital(rows: Array, logarithms: Array, limit: float) -> Figure:
    """Returns the path of a martingale on a logarithmic axis.

    Args:
        rows: how many rows there had been, `(n,)`.
        logarithms: of the capital, `(n,)`.
        limit: the capital at which there is an alarm.
    """
    figure = Figure((7.5, 3.0), layout="constrained")
    axes = figure.subplots()
    powers = logarithms / np.log(10)
    axes.plot(rows, powers, color=ACCENT, linewidth=1.4)
    axes.axhline(np.log10(limit), color=SECOND, linestyle="--", linewidth=1.3, label=f"alarm at {limit:g}")
    low, high = min(-1.0, powers.min()), max(powers.max(), np.log10(limit)) * 1.1
    axes.set(xlabel="rows", ylabel="capital", ylim=(low, high), xlim=(0, max(1, rows.max())))
    ticks = axes.get_yticks()
    whole = np.unique(np.round(ticks))
    axes.set_yticks(whole, [f"{10**tick:g}" if abs(tick) < 5 else f"$10^{{{tick:.0f}}}$" for tick in whole])
    axes.set_ylim(low, high)
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return figure


def shares(panels: Sequence[tuple[str, Sequence[str], Array, Array]]) -> Figure:
    """Returns bars of shares before and now, one panel for each column, two panels in a row.

    Args:
        panels: a title, the names of the bars, and two shares for each `(n,)`.
    """
    lines = -(-len(panels) // 2)
    figure = Figure((9.0, 2.6 * lines), layout="constrained")
    cells = np.atleast_1d(figure.subplots(lines, 2, squeeze=False)).ravel()
    for axes, (title, names, before, now) in zip(cells, panels):
        _bars(axes, names, before, now)
        axes.set_title(title, fontsize=10)
    for axes in cells[len(panels) :]:
        axes.set_axis_off()
    cells[0].legend(frameon=False, fontsize=8)
    return figure


def _bars(axes: Axes, names: Sequence[str], before: Array, now: Array) -> None:
    places = np.arange(len(names))
    axes.bar(places - 0.2, before, 0.4, color=ACCENT, label=THEN)
    axes.bar(places + 0.2, now, 0.4, color=SECOND, label=NOW)
    every = -(-len(names) // LABELS)
    axes.set_xticks(places[::every], names[::every], rotation=30, ha="right", rotation_mode="anchor")
    axes.set_ylabel("share of the cells", fontsize=8)
    plain(axes)
