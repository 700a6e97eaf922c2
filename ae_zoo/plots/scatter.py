"""Two-dimensional codes as points."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from ae_zoo.plots.style import ACCENT, CLASS_COLORS, INK, Figure, plain
from ae_zoo.typing import Array


def codes(panels: Mapping[str, Array], labels: Array, *, points: int = 3000) -> Figure:
    """Returns two-dimensional codes as points, one panel for each model, with each label written at its median.

    Args:
        panels: from a title to codes `(n, 2)`.
        labels: a label for each code `(n,)`, at most ten different ones; each has its color.
        points: the number of codes to draw in each panel; the first ones are taken.
    """
    figure = Figure((4.2 * len(panels), 4.4), layout="constrained")
    for axes, (title, code) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels.items()):
        _classes(axes, code, labels, points)
        axes.set(title=title, xlabel="code 1", ylabel="code 2")
        plain(axes)
    return figure


def prior(code: Array, draws: Array, labels: Array | None = None, *, points: int = 3000) -> Figure:
    """Returns two-dimensional codes beside draws from the prior that they should follow, on equal axes.

    Args:
        code: codes `(n, 2)`.
        draws: draws from the prior `(m, 2)`.
        labels: a label for each code `(n,)`, at most ten different ones; each has its color. None draws all codes alike.
        points: the number of points to draw in each panel; the first ones are taken.
    """
    figure = Figure((8.4, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    if labels is None:
        left.scatter(code[:points, 0], code[:points, 1], s=7, color=ACCENT, alpha=0.5, linewidths=0)
    else:
        _classes(left, code, labels, points)
    right.scatter(draws[:points, 0], draws[:points, 1], s=7, color=INK, alpha=0.35, linewidths=0)
    for axes, title in ((left, "codes"), (right, "draws from the prior")):
        axes.set(title=title, xlabel="code 1")
        axes.set_aspect("equal")
        plain(axes)
    left.set_ylabel("code 2")
    return figure


def _classes(axes: Axes, code: Array, labels: Array, points: int) -> None:
    names = np.unique(labels)
    for name, color in zip(names, CLASS_COLORS, strict=False):
        rows = np.flatnonzero(labels[:points] == name)
        axes.scatter(code[rows, 0], code[rows, 1], s=7, color=color, alpha=0.6, linewidths=0)
    for name, color in zip(names, CLASS_COLORS, strict=False):
        x, y = np.median(code[labels == name], axis=0)
        axes.text(
            x, y, str(name), color=_readable(color), weight="bold", fontsize=10, ha="center", va="center",
            bbox={"boxstyle": "circle,pad=0.2", "alpha": 0.85, "linewidth": 0, "color": color},
        )  # fmt: skip


def _readable(color: str) -> str:
    """Returns the color of text on a background: white on a dark one, ink on a light one."""
    red, green, blue = mpl.colors.to_rgb(color)
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.6 else "white"
