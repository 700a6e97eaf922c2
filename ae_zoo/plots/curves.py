"""Distributions, dots and curves."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ae_zoo.plots.style import ACCENT, INK, OTHERS, SECOND, Figure, few, plain, scale


def activations(panels: Mapping[str, np.ndarray], *, targets: Mapping[str, float] | None = None) -> Figure:
    """Histograms of code activations, one panel a model, with the mean marked.

    Args:
        panels: title to activations of any shape.
        targets: title to the wanted mean, marked too.
    """
    figure = Figure((3.0 * len(panels), 2.9), layout="constrained")
    cells = np.atleast_1d(figure.subplots(1, len(panels), sharex=True))
    for axes, (title, values) in zip(cells, panels.items()):
        values = np.ravel(values)
        axes.hist(values, bins=60, density=True, color=ACCENT, alpha=0.75)
        axes.axvline(values.mean(), color=INK, linewidth=1.5, label=f"mean {values.mean():+.3f}")
        if targets and title in targets:
            axes.axvline(
                targets[title], color=SECOND, linewidth=1.5, linestyle="--", label=f"target {targets[title]:+g}"
            )
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("activation")
        axes.set_ylim(0, axes.get_ylim()[1] * 1.3)  # room for the legend
        axes.legend(frameon=False, fontsize=8, loc="upper right", handlelength=1.2)
        plain(axes)
    cells[0].set_ylabel("density")
    return figure


def activity(panels: Mapping[str, np.ndarray], *, label: str, threshold: float | None = None) -> Figure:
    """A figure for each code unit, sorted from the most active to the least, one line a model.

    Args:
        panels: name to a value a unit `(units,)`, such as the variance of its mean, or the share of rows that use it.
        label: of the values' axis.
        threshold: a line below which a unit counts as idle, on a logarithmic axis.
    """
    figure = Figure((6.0, 3.2), layout="constrained")
    axes = figure.subplots()
    for (name, values), colour, marker in zip(panels.items(), (ACCENT, SECOND, INK), "oDs", strict=False):
        values = np.sort(np.ravel(values))[::-1]
        dots = {"marker": marker, "markersize": 4} if len(values) <= 100 else {}
        axes.plot(np.arange(1, len(values) + 1), values, color=colour, linewidth=1, label=name, **dots)
    if threshold is not None:
        axes.axhline(threshold, color=INK, linestyle="--", linewidth=1, label=f"threshold {threshold:g}")
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="code units, the most active first", ylabel=label, ylim=(0 if threshold is None else None, None))
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return figure


def errors(groups: Mapping[str, np.ndarray], *, threshold: float | None = None, ax: Axes | None = None) -> Figure:
    """Distributions of reconstruction errors on a logarithmic axis, with the threshold marked.

    Args:
        groups: label to errors `(n,)`.
        threshold: drawn where given.
        ax: to draw into, instead of a new figure.
    """
    axes = ax if ax is not None else Figure((7.5, 3.6), layout="constrained").subplots()
    positive = np.concatenate([np.ravel(values) for values in groups.values()])
    bins = np.geomspace(max(positive.min(), 1e-12), positive.max(), int(np.clip(2 * len(positive) ** 0.5, 12, 80)))
    few(groups, 6)
    colours = (ACCENT, SECOND, *OTHERS)
    for (label, values), colour in zip(groups.items(), colours, strict=False):
        weights = np.full(len(values), 1 / len(values))
        axes.hist(values, bins=bins, weights=weights, color=colour, alpha=0.25)
        axes.hist(values, bins=bins, weights=weights, color=colour, histtype="step", linewidth=1.4, label=label)
    if threshold is not None:
        axes.axvline(threshold, color=INK, linestyle="--", linewidth=1.3, label=f"threshold {threshold:.4f}")
    axes.set(xscale="log", xlabel="reconstruction error (mean squared error a row)", ylabel="share of the rows")
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return axes.figure


def comparison(names: Sequence[str], values: Mapping[str, Sequence[float | None]], *, label: str) -> Figure:
    """A dot for each model on one line a name: smaller is further left. None leaves a dot out."""
    figure = Figure((7.0, 0.9 + 0.45 * len(names)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(names))[::-1]
    for (series, points), colour, marker in zip(values.items(), (ACCENT, SECOND, "#777777"), "oDs", strict=False):
        shown = [(p, y) for p, y in zip(points, places) if p is not None]
        axes.scatter(*zip(*shown), color=colour, marker=marker, s=50, label=series, zorder=3)
    axes.set(xlabel=label, yticks=places, yticklabels=names, xlim=(0, None))
    axes.grid(axis="y", color="#eeeeee")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    plain(axes)
    return figure


def learning_curves(history: Mapping[str, Sequence[float]], *, ax: Axes | None = None) -> Figure:
    """Each metric by epoch; validation dashed. `history` is `TrainingResult.history`, or Keras's."""
    axes = ax if ax is not None else Figure((6.0, 3.4), layout="constrained").subplots()
    trained = [name for name in history if not name.startswith("val_")]
    for name, colour in zip(trained, mpl.color_sequences["tab10"], strict=False):
        epochs = np.arange(1, len(history[name]) + 1)
        axes.plot(epochs, history[name], color=colour, label=name)
        if f"val_{name}" in history:
            axes.plot(epochs, history[f"val_{name}"], color=colour, linestyle="--", label=f"{name}, held out")
    axes.set(xlabel="epoch", yscale="log")
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return axes.figure


def lines(
    x: Sequence[float], series: Mapping[str, Sequence[float]], *, xlabel: str, ylabel: str, ax: Axes | None = None
) -> Figure:
    """A line a series over the values that were tried, such as errors over code sizes.

    An axis that spans much is logarithmic.

    Args:
        x: what was tried `(n,)`.
        series: name to what came of it `(n,)`.
        xlabel, ylabel: of the axes.
        ax: to draw into, instead of a new figure.

    Raises:
        ValueError: more than seven series.
    """
    axes = ax if ax is not None else Figure((6.4, 3.6), layout="constrained").subplots()
    few(series, 7)
    looks = zip((ACCENT, SECOND, INK, *OTHERS), "oDsv^<>", ("-", "-", "--", "-", "-", "-", "-"))
    for (name, values), (colour, marker, style) in zip(series.items(), looks, strict=False):
        axes.plot(x, values, color=colour, marker=marker, markersize=5, linestyle=style, linewidth=1.4, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    scale(axes, np.asarray(x), np.concatenate([np.asarray(values) for values in series.values()]))
    if len(x) <= 8:
        axes.set_xticks(x, [f"{value:g}" for value in x])
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return axes.figure
