"""Two-dimensional codes as points."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ae_zoo.errors import AEZooError
from ae_zoo.plots.coloring import Coloring, coloring
from ae_zoo.plots.style import ACCENT, INK, Figure, plain
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd


def codes(
    panels: Mapping[str, Array], labels: "ArrayLike | pd.Series[Any]", *, kind: str | None = None, points: int = 3000
) -> Figure:
    """Returns two-dimensional codes as points, one panel for each model, colored by labels or by a column of a table.

    Classes and levels have a color each; of more than ten, the most frequent eight have. Numbers and dates have a color bar.
    Classes without a name for all, such as digits in an array, are written at the medians of their points; others stand in a
    legend.

    Args:
        panels: from a title to codes `(n, 2)`.
        labels: a label for each code `(n,)`, such as `frame["city"]`; missing ones are gray.
        kind: what the labels are: `"category"`, `"boolean"`, `"integer"`, `"number"` or `"date"`. By default a column is
            what `ae_zoo.schema` takes it for, and an array of at most ten different labels has classes.
        points: the number of codes to draw in each panel; the first ones are taken.

    Raises:
        AEZooError: the codes are not two-dimensional, there is not a label for each, or a label is not of the kind.
    """
    shown = {title: _plane(code, title) for title, code in panels.items()}
    colored = coloring(labels, kind)
    figure = Figure((4.2 * len(panels), 4.4), layout="constrained")
    places = np.atleast_1d(figure.subplots(1, len(panels)))
    for axes, (title, code) in zip(places, shown.items()):
        _draw(axes, code, colored, points)
        axes.set(title=title, xlabel="code 1", ylabel="code 2")
        plain(axes)
    if not colored.fits_points:
        colored.explain(figure, list(places))
    return figure


def prior(
    code: Array,
    draws: Array,
    labels: "ArrayLike | pd.Series[Any] | None" = None,
    *,
    kind: str | None = None,
    points: int = 3000,
) -> Figure:
    """Returns two-dimensional codes beside draws from the prior that they should follow, on equal axes.

    Args:
        code: codes `(n, 2)`.
        draws: draws from the prior `(m, 2)`.
        labels: a label for each code `(n,)`, by which it is colored as in `codes`. None draws all codes alike.
        kind: what the labels are: see `codes`.
        points: the number of points to draw in each panel; the first ones are taken.

    Raises:
        AEZooError: the codes or draws are not two-dimensional, there is not a label for each code, or a label is not of the
            kind.
    """
    code, draws = _plane(code, "code"), _plane(draws, "draws")
    figure = Figure((8.4, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    if labels is None:
        _points(left, code[:points], color=ACCENT, alpha=0.5)
    else:
        colored = coloring(labels, kind)
        _draw(left, code, colored, points)
        if not colored.fits_points:
            colored.explain(figure, [left, right])
    _points(right, draws[:points], color=INK, alpha=0.35)
    for axes, title in ((left, "codes"), (right, "draws from the prior")):
        axes.set(title=title, xlabel="code 1")
        axes.set_aspect("equal")
        plain(axes)
    left.set_ylabel("code 2")
    return figure


def _plane(code: Array, name: str) -> Array:
    code = np.asarray(code)
    if code.ndim != 2 or code.shape[1] != 2:
        raise AEZooError(
            f"Points in a plane need codes of shape (n, 2); {name!r} has the shape {code.shape}: build the model with "
            "code=2, or give ae_zoo.PCA(2).fit(code).encode(code)."
        )
    return code


def _draw(axes: Axes, code: Array, colored: Coloring, points: int) -> None:
    if len(colored.colors) != len(code):
        raise AEZooError(
            f"There must be a label for each of the {len(code):,} codes; received {len(colored.colors):,}."
        )
    _points(axes, code[:points], color=colored.colors[:points], alpha=0.6)
    for place, (name, color) in enumerate(colored.key if colored.fits_points else ()):
        x, y = np.median(code[colored.place == place], axis=0)
        axes.text(
            x, y, name, color=_readable(color), weight="bold", fontsize=10, ha="center", va="center",
            bbox={"boxstyle": "circle,pad=0.2", "alpha": 0.85, "linewidth": 0, "color": color},
        )  # fmt: skip


def _points(axes: Axes, code: Array, *, color: Any, alpha: float) -> None:
    """Draws points, larger ones if there are few."""
    size = float(np.clip(6000 / max(1, len(code)), 7, 25))
    axes.scatter(code[:, 0], code[:, 1], s=size, color=color, alpha=alpha, linewidths=0)


def _readable(color: str) -> str:
    """Returns the color of text on a background: white on a dark one, ink on a light one."""
    red, green, blue = mpl.colors.to_rgb(color)
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.6 else "white"
