"""What is paid for what is gained."""

import numpy as np
from matplotlib.axes import Axes

from ae_zoo.plots.style import ACCENT, INK, SECOND, Figure, plain, scale


def front(
    sizes: np.ndarray,
    errors: np.ndarray,
    *,
    xlabel: str,
    ylabel: str,
    reference: tuple[np.ndarray, np.ndarray] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Models by size and error, with the Pareto front as a line and its knee as a star.

    An axis that spans much is logarithmic.

    Args:
        sizes, errors: of each model `(n,)`; smaller is better in both.
        xlabel, ylabel: of the axes.
        reference: sizes and errors of PCA, drawn as a curve.
        ax: to draw into, instead of a new figure.
    """
    axes = ax if ax is not None else Figure((6.4, 3.8), layout="constrained").subplots()
    best = pareto(sizes, errors)
    axes.scatter(sizes, errors, s=22, color=ACCENT, alpha=0.45, linewidths=0, label="trials")
    axes.plot(sizes[best], errors[best], color=ACCENT, linewidth=1.4, marker="o", markersize=4, label="Pareto front")
    if reference is not None:
        axes.plot(*reference, color=SECOND, linewidth=1.4, linestyle="--", marker="s", markersize=4, label="PCA")
    bend = knee(sizes[best], errors[best])
    if bend is not None:
        place = best[bend]
        axes.scatter(sizes[place], errors[place], marker="*", s=170, color=INK, zorder=4, label="knee")
    axes.set(xlabel=xlabel, ylabel=ylabel)
    scale(axes, sizes, errors)
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return axes.figure


def pareto(sizes: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """The indices, by size, of those than which nothing is both as small and better, or smaller and as good `(m,)`."""
    order = np.lexsort((errors, sizes))
    least = np.minimum.accumulate(errors[order])
    return order[np.concatenate([[True], least[1:] < least[:-1]])]


def knee(sizes: np.ndarray, errors: np.ndarray) -> int | None:
    """Which point of a front lies furthest below the chord between its ends, on logarithmic axes; None for no bend.

    The rule of Satopää et al. 2011, "Finding a kneedle in a haystack", section 3, without its smoothing.
    """
    if len(sizes) < 3:
        return None
    x, y = np.log(sizes), np.log(np.maximum(errors, 1e-300))
    x, y = ((v - v.min()) / max(np.ptp(v), 1e-12) for v in (x, y))
    below = (1 - x) - y  # the chord falls from (0, 1) to (1, 0)
    place = int(np.argmax(below))
    return place if below[place] > 1e-9 else None
