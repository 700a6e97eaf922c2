"""Two-dimensional codes as points."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from ae_zoo.plots.style import ACCENT, CLASS_COLOURS, INK, Figure, plain


def codes(panels: Mapping[str, np.ndarray], labels: np.ndarray, *, points: int = 3000) -> Figure:
    """Two-dimensional codes, one panel a model, coloured by label and with each label's name at its median.

    Args:
        panels: title to codes `(n, 2)`.
        labels: `(n,)`, up to ten different ones.
        points: at most so many are drawn, the first ones.
    """
    figure = Figure((4.2 * len(panels), 4.4), layout="constrained")
    for axes, (title, code) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels.items()):
        _classes(axes, code, labels, points)
        axes.set(title=title, xlabel="code 1", ylabel="code 2")
        plain(axes)
    return figure


def prior(code: np.ndarray, draws: np.ndarray, labels: np.ndarray | None = None, *, points: int = 3000) -> Figure:
    """Two-dimensional codes beside draws from the distribution that they are meant to follow, on the same axes.

    Args:
        code: `(n, 2)`.
        draws: `(m, 2)`, from the prior.
        labels: of the codes `(n,)`, up to ten different ones, for their colours.
        points: at most so many are drawn in each panel, the first ones.
    """
    figure = Figure((8.4, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    if labels is None:
        left.scatter(*code[:points].T, s=7, color=ACCENT, alpha=0.5, linewidths=0)
    else:
        _classes(left, code, labels, points)
    right.scatter(*draws[:points].T, s=7, color=INK, alpha=0.35, linewidths=0)
    for axes, title in ((left, "codes"), (right, "draws from the prior")):
        axes.set(title=title, xlabel="code 1")
        axes.set_aspect("equal")
        plain(axes)
    left.set_ylabel("code 2")
    return figure


def _classes(axes: Axes, code: np.ndarray, labels: np.ndarray, points: int) -> None:
    names = np.unique(labels)
    for name, colour in zip(names, CLASS_COLOURS, strict=False):
        rows = np.flatnonzero(labels[:points] == name)
        axes.scatter(*code[rows].T, s=7, color=colour, alpha=0.6, linewidths=0)
    for name, colour in zip(names, CLASS_COLOURS, strict=False):
        x, y = np.median(code[labels == name], axis=0)
        axes.text(
            x, y, str(name), color=_readable(colour), weight="bold", fontsize=10, ha="center", va="center",
            bbox={"boxstyle": "circle,pad=0.2", "alpha": 0.85, "linewidth": 0, "color": colour},
        )  # fmt: skip


def _readable(colour: str) -> str:
    """White on dark, ink on light: by the luminance of the colour."""
    red, green, blue = mpl.colors.to_rgb(colour)
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.6 else "white"
