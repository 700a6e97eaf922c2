"""Distributions, dot plots and curves."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ae_zoo.errors import AEZooError
from ae_zoo.plots.style import ACCENT, INK, OTHERS, SECOND, Figure, canvas, few, logarithmic, meaning, plain, scale
from ae_zoo.typing import Array


def activations(panels: Mapping[str, Array], *, targets: Mapping[str, float] | None = None) -> Figure:
    """Returns histograms of code activations, one panel for each model, with the mean marked.

    Args:
        panels: from a title to activations of any shape.
        targets: from a title to the target of the mean, which is marked too.
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


def activity(panels: Mapping[str, Array], *, label: str, threshold: float | None = None) -> Figure:
    """Returns the activity of the code units, sorted from the largest to the smallest, one line for each model.

    Args:
        panels: from a model's name to one value for each unit `(units,)`, such as the share of rows that use the unit.
        label: the label of the values' axis.
        threshold: the value below which a unit counts as idle; it is drawn as a line, and the axis is logarithmic.
    """
    figure = Figure((6.0, 3.2), layout="constrained")
    axes = figure.subplots()
    for (name, values), color, marker in zip(panels.items(), (ACCENT, SECOND, INK), "oDs", strict=False):
        values = np.sort(np.ravel(values))[::-1]
        (line,) = axes.plot(np.arange(1, len(values) + 1), values, color=color, linewidth=1, label=name)
        if len(values) <= 100:
            line.set(marker=marker, markersize=4)
    if threshold is not None:
        axes.axhline(threshold, color=INK, linestyle="--", linewidth=1, label=f"threshold {threshold:g}")
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="code units, the most active first", ylabel=label, ylim=(0 if threshold is None else None, None))
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return figure


def errors(
    groups: Mapping[str, Array],
    *,
    threshold: float | None = None,
    usual: float | None = None,
    ax: Axes | None = None,
) -> matplotlib.figure.Figure:
    """Returns the distributions of reconstruction errors on a logarithmic axis.

    Args:
        groups: from a label to the errors of rows `(n,)`; at most six labels. Rows whose error is NaN are left out.
        threshold: an error to mark by a line.
        usual: the error of a model that always says what is usual, `model.schema.usual`, which is marked; None for none.
        ax: the axes to draw into; by default those of a new figure.

    Raises:
        AEZooError: there are more than six groups, or one has no errors.
    """
    few(groups, 6)
    groups = {label: _known(label, values) for label, values in groups.items()}
    figure, axes = canvas(ax, 7.5, 3.6)
    positive = np.concatenate([*groups.values()])
    bins = np.geomspace(
        max(positive.min(), 1e-12), positive.max(), int(np.clip(2 * len(positive) ** 0.5, 12, 80))
    ).tolist()
    colors = (ACCENT, SECOND, *OTHERS)
    for (label, values), color in zip(groups.items(), colors, strict=False):
        weights = np.full(len(values), 1 / len(values))
        axes.hist(values, bins=bins, weights=weights, color=color, alpha=0.25)
        axes.hist(values, bins=bins, weights=weights, color=color, histtype="step", linewidth=1.4, label=label)
    if threshold is not None:
        axes.axvline(threshold, color=INK, linestyle="--", linewidth=1.3, label=f"threshold {threshold:.4f}")
    if usual is not None:
        axes.axvline(usual, color=INK, linestyle=":", linewidth=1.3)
    ends = [bins[0], bins[-1], threshold or bins[0], usual or bins[0]]
    logarithmic(axes, "x", min(ends), max(ends))
    axes.set(xlabel=meaning("reconstruction error of a row", usual), ylabel="share of the rows")
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return figure


def comparison(names: Sequence[str], values: Mapping[str, Sequence[float | None]], *, label: str) -> Figure:
    """Returns a dot plot: one line for each name, one dot for each series.

    Args:
        names: the names of the lines `(n,)`, from top to bottom.
        values: from a series to its values `(n,)`; None leaves a dot out.
        label: the label of the values' axis.
    """
    figure = Figure((7.0, 0.9 + 0.45 * len(names)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(names))[::-1]
    for (series, points), color, marker in zip(values.items(), (ACCENT, SECOND, "#777777"), "oDs", strict=False):
        shown = np.array([(p, y) for p, y in zip(points, places) if p is not None]).reshape(-1, 2)
        axes.scatter(shown[:, 0], shown[:, 1], color=color, marker=marker, s=50, label=series, zorder=3)
    axes.set(xlabel=label, yticks=places, yticklabels=names, xlim=(0, None))
    axes.grid(axis="y", color="#eeeeee")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    plain(axes)
    return figure


def learning_curves(
    history: Mapping[str, Sequence[float]], *, usual: float | None = None, ax: Axes | None = None
) -> matplotlib.figure.Figure:
    """Returns each metric by epoch; a metric of the held-out rows is dashed.

    The axis of the values is logarithmic if they span more than a factor of 5.

    Args:
        history: from a metric's name to its value in each epoch: `TrainingResult.history`, or Keras's.
        usual: the loss of a model that always says what is usual, which is marked: 1 for a table with the default loss.
        ax: the axes to draw into; by default those of a new figure.
    """
    figure, axes = canvas(ax, 6.0, 3.4)
    trained = [name for name in history if not name.startswith("val_")]
    for name, color in zip(trained, mpl.color_sequences["tab10"], strict=False):
        epochs = np.arange(1, len(history[name]) + 1)
        axes.plot(epochs, history[name], color=color, label=name)
        if f"val_{name}" in history:
            axes.plot(epochs, history[f"val_{name}"], color=color, linestyle="--", label=f"{name}, held out")
    if usual is not None:
        axes.axhline(usual, color=INK, linestyle=":", linewidth=1.3)
    shown = np.concatenate([[] if usual is None else [usual], *history.values()])
    if shown.max() > 5 * shown.min() > 0:
        logarithmic(axes, "y", shown.min(), shown.max())
    axes.set(xlabel="epoch", ylabel=meaning("loss", usual))
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return figure


def lines(
    x: Sequence[float], series: Mapping[str, Sequence[float]], *, xlabel: str, ylabel: str, ax: Axes | None = None
) -> matplotlib.figure.Figure:
    """Returns one line for each series, such as errors over code sizes.

    An axis is logarithmic where its values span more than a factor of 5.

    Args:
        x: the values that were tried `(n,)`.
        series: from a name to the results `(n,)`; at most seven names.
        xlabel: the label of the horizontal axis.
        ylabel: the label of the vertical axis.
        ax: the axes to draw into; by default those of a new figure.

    Raises:
        AEZooError: there are more than seven series.
    """
    few(series, 7)
    figure, axes = canvas(ax, 6.4, 3.6)
    looks = zip((ACCENT, SECOND, INK, *OTHERS), "oDsv^<>", ("-", "-", "--", "-", "-", "-", "-"))
    for (name, values), (color, marker, style) in zip(series.items(), looks, strict=False):
        axes.plot(x, values, color=color, marker=marker, markersize=5, linestyle=style, linewidth=1.4, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    scale(axes, np.asarray(x), np.concatenate([np.asarray(values) for values in series.values()]))
    if len(x) <= 8:
        axes.set_xticks(x, [f"{value:g}" for value in x])
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return figure


def _known(label: str, errors: Array) -> Array:
    """Returns errors `(n,)` without those that are unknown, NaN."""
    errors = np.ravel(errors)
    known: Array = errors[~np.isnan(errors)]
    if not len(known):
        raise AEZooError(
            f"The group {label!r} has no errors to show: give at least one row with a cell that is present."
        )
    return known
