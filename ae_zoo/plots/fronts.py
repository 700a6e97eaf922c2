"""What is paid for what is gained."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from ae_zoo.plots.style import ACCENT, INK, SECOND, Figure, plain


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
    _scale(axes, sizes, errors)
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
    """
    axes = ax if ax is not None else Figure((6.4, 3.6), layout="constrained").subplots()
    looks = zip((ACCENT, SECOND, INK, "#009E73", "#CC79A7"), "oDsv^", ("-", "-", "--", "-", "-"))
    for (name, values), (colour, marker, style) in zip(series.items(), looks, strict=False):
        axes.plot(x, values, color=colour, marker=marker, markersize=5, linestyle=style, linewidth=1.4, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    _scale(axes, np.asarray(x), np.concatenate([np.asarray(values) for values in series.values()]))
    if len(x) <= 8:
        axes.set_xticks(x, [f"{value:g}" for value in x])
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return axes.figure


def _scale(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Makes the axes of what spans much logarithmic, with plain numbers beside them."""
    for axis, scale, values in ((axes.xaxis, axes.set_xscale, x), (axes.yaxis, axes.set_yscale, y)):
        if values.max() > 5 * values.min() > 0:
            scale("log")
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if values.max() < 100 * values.min() else (1,)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


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
