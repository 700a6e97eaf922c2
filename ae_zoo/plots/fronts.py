"""Pareto fronts: error against size."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ae_zoo.plots.style import ACCENT, INK, SECOND, canvas, plain, scale
from ae_zoo.typing import Array


def front(
    sizes: Array,
    errors: Array,
    *,
    xlabel: str,
    ylabel: str,
    reference: tuple[Array, Array] | None = None,
    beside: str = "PCA",
    ax: Axes | None = None,
) -> Figure:
    """Returns models by size and error, with the Pareto front as a line and its knee, if it has one, as a star.

    An axis is logarithmic where its values span more than a factor of 5.

    Args:
        sizes: the size of each model `(n,)`, above 0.
        errors: the error of each model `(n,)`; smaller is better.
        xlabel: the label of the horizontal axis.
        ylabel: the label of the vertical axis.
        reference: sizes `(m,)` and errors `(m,)` of another method, drawn as a curve.
        beside: the name of that method.
        ax: the axes to draw into; by default those of a new figure.
    """
    figure, axes = canvas(ax, 6.4, 3.8)
    best = pareto(sizes, errors)
    axes.scatter(sizes, errors, s=22, color=ACCENT, alpha=0.45, linewidths=0, label="trials")
    axes.plot(sizes[best], errors[best], color=ACCENT, linewidth=1.4, marker="o", markersize=4, label="Pareto front")
    if reference is not None:
        axes.plot(*reference, color=SECOND, linewidth=1.4, linestyle="--", marker="s", markersize=4, label=beside)
    place = knee(sizes, errors)
    if place is not None:
        axes.scatter(sizes[place], errors[place], marker="*", s=170, color=INK, zorder=4, label="knee")
    axes.set(xlabel=xlabel, ylabel=ylabel)
    scale(axes, sizes, errors)
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return figure


def pareto(sizes: Array, errors: Array) -> Array:
    """Returns the indices `(m,)` of the Pareto front, by size: the points that no other point beats in both."""
    order = np.lexsort((errors, sizes))
    least = np.minimum.accumulate(errors[order])
    best: Array = order[np.concatenate([[True], least[1:] < least[:-1]])]
    return best


def knee(sizes: Array, errors: Array) -> int | None:
    """Returns the index of the point where the Pareto front bends most, or None where it does not bend.

    That is the point that lies furthest below the chord between the front's ends, on logarithmic axes: the rule of
    Satopää et al. 2011, "Finding a kneedle in a haystack", section 3, without its smoothing.
    """
    best = pareto(sizes, errors)
    if len(best) < 3:
        return None
    x, y = np.log(sizes[best]), np.log(np.maximum(errors[best], 1e-300))
    x, y = ((v - v.min()) / max(np.ptp(v), 1e-12) for v in (x, y))
    below = (1 - x) - y  # the chord falls from (0, 1) to (1, 0)
    place = int(np.argmax(below))
    return int(best[place]) if below[place] > 1e-9 else None
