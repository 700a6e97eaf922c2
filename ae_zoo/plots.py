"""The figures: each function returns a matplotlib `Figure`. They read in print and for colour-blind readers.

Figures are made without pyplot, so nothing is left open and no window system is needed; a notebook shows them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Paul Tol's "muted" scheme and black: ten hues that stay apart for colour-blind readers.
CLASS_COLOURS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000",
)  # fmt: skip
INK, ACCENT, SECOND = "#222222", "#0072B2", "#D55E00"


def codes(panels: Mapping[str, np.ndarray], labels: np.ndarray, *, points: int = 3000) -> Figure:
    """Two-dimensional codes, one panel a model, coloured by label and with each label's name at its median.

    Args:
        panels: title to codes `(n, 2)`.
        labels: `(n,)`, up to ten different ones.
        points: at most so many are drawn, the first ones.
    """
    figure = Figure((4.2 * len(panels), 4.4), layout="constrained")
    names = np.unique(labels)
    for axes, (title, code) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels.items()):
        for name, colour in zip(names, CLASS_COLOURS, strict=False):
            rows = np.flatnonzero(labels[:points] == name)
            axes.scatter(*code[rows].T, s=7, color=colour, alpha=0.6, linewidths=0)
        for name, colour in zip(names, CLASS_COLOURS, strict=False):
            x, y = np.median(code[labels == name], axis=0)
            axes.text(
                x, y, str(name), color="white", weight="bold", fontsize=10, ha="center", va="center",
                bbox={"boxstyle": "circle,pad=0.2", "alpha": 0.85, "linewidth": 0, "color": colour},
            )  # fmt: skip
        axes.set(title=title, xlabel="code 1", ylabel="code 2")
        _plain(axes)
    return figure


def strips(rows: Mapping[str, np.ndarray], *, notes: Sequence[str] | None = None) -> Figure:
    """Images in labelled rows, such as originals above reconstructions.

    Args:
        rows: label to images `(n, height, width)` or `(n, side * side)`, equally many in each row, shown from 0 to 1.
        notes: a line above each column.
    """
    images = {label: _images(row) for label, row in rows.items()}
    columns = len(next(iter(images.values())))
    figure = Figure((1.6 + 0.8 * columns, 0.82 * len(images) + (0.35 if notes else 0.1)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.0, hspace=0.0)
    grid = figure.subplots(len(images), columns, squeeze=False)
    for cells, (label, row) in zip(grid, images.items()):
        for axes, image in zip(cells, row):
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set_color("#dddddd")
        cells[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    for axes, note in zip(grid[0], notes or ()):
        axes.set_title(note, fontsize=8)
    return figure


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
        _plain(axes)
    cells[0].set_ylabel("density")
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
    bins = np.geomspace(max(positive.min(), 1e-12), positive.max(), 80)
    colours = (ACCENT, SECOND, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
    for (label, values), colour in zip(groups.items(), colours, strict=False):
        weights = np.full(len(values), 1 / len(values))
        axes.hist(values, bins=bins, weights=weights, color=colour, alpha=0.25)
        axes.hist(values, bins=bins, weights=weights, color=colour, histtype="step", linewidth=1.4, label=label)
    if threshold is not None:
        axes.axvline(threshold, color=INK, linestyle="--", linewidth=1.3, label=f"threshold {threshold:.4f}")
    axes.set(xscale="log", xlabel="reconstruction error (mean squared error a row)", ylabel="share of the rows")
    axes.legend(frameon=False, fontsize=8)
    _plain(axes)
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
    _plain(axes)
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
    _plain(axes)
    return axes.figure


def _images(rows: Any) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.ndim == 2:
        side = round(rows.shape[1] ** 0.5)
        if side * side != rows.shape[1]:
            raise ValueError(f"Rows of {rows.shape[1]} features are no square images; give (n, height, width).")
        rows = rows.reshape(-1, side, side)
    return rows


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
