"""Colors of points by classes, levels, numbers or dates, with the key that explains them."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgba_array
from matplotlib.dates import AutoDateFormatter, AutoDateLocator
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from ae_zoo.errors import AEZooError, unknown
from ae_zoo.plots.style import CLASS_COLORS, Figure, width_of
from ae_zoo.tables import cells as read
from ae_zoo.tables.columns import KINDS
from ae_zoo.tables.guess import kind_of
from ae_zoo.tables.summary import Summary
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

MOST = len(CLASS_COLORS)  # levels that have a color each
KEPT = 8  # levels that have a color each where there are more
OTHER, MISSING = "#999999", "#CCCCCC"


@dataclasses.dataclass(frozen=True)
class Coloring:
    """The colors of points, and what they mean.

    Attributes:
        title: the name of the labels, or an empty text.
        kind: of the labels: a kind of column.
        colors: of each point `(n, 4)`.
        key: names and their colors: of levels, of the other levels, and of missing cells.
        place: the place of each point in `key` `(n,)`; None for numbers and dates.
        scale: the colors of numbers and dates; None for levels.
        extend: at which ends values go beyond the scale, in matplotlib's words.
    """

    title: str
    kind: str
    colors: Array
    key: tuple[tuple[str, str], ...]
    place: Array | None = None
    scale: ScalarMappable | None = None
    extend: str = "neither"

    @property
    def fits_points(self) -> bool:
        """Whether the key is of classes with names so few and short that they can stand among the points."""
        short = len(self.key) <= MOST and all(len(name) <= 2 for name, _ in self.key)
        return self.scale is None and not self.title and short

    def explain(self, figure: Figure, axes: Sequence[Axes]) -> None:
        """Adds a legend of names, and a color bar of numbers or dates beside the axes."""
        if self.key:
            dots = [Line2D([], [], marker="o", linestyle="", markersize=5, color=color) for _, color in self.key]
            names = [read.short_text(name) for name, _ in self.key]
            legend = figure.legend(dots, names, loc="outside right upper", frameon=False, fontsize=8, title_fontsize=8)
            legend.set_title(self.title if self.scale is None else "")
            for text in (legend.get_title(), *legend.get_texts()):
                text.set_parse_math(False)
            _widen(
                figure, 0.3 + max(width_of(text.get_text(), 8) for text in (legend.get_title(), *legend.get_texts()))
            )
        if self.scale is None:
            return
        _widen(figure, 0.9)
        bar = figure.colorbar(self.scale, ax=axes, extend=self.extend, fraction=0.05, pad=0.02)
        bar.set_label(self.title, fontsize=8, parse_math=False)
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=8)
        if self.kind == "date":
            bar.locator = AutoDateLocator(maxticks=8)
            bar.formatter = AutoDateFormatter(bar.locator)
        elif self.kind == "integer":
            bar.locator = MaxNLocator(8, integer=True)
        bar.update_ticks()


def _widen(figure: Figure, inches: float) -> None:
    figure.set_figwidth(figure.get_figwidth() + inches)


def coloring(labels: "ArrayLike | pd.Series[Any]", kind: str | None) -> Coloring:
    """Returns the colors of labels `(n,)`: see `ae_zoo.plots.codes`.

    Raises:
        AEZooError: the kind is unknown, a label is not of it, or all labels are missing.
    """
    import pandas as pd

    cells = labels if isinstance(labels, pd.Series) else pd.Series(np.ravel(np.asarray(labels)))
    name = "labels" if cells.name is None else str(cells.name)
    if kind is not None and kind not in KINDS:
        raise unknown("kind of labels", kind, KINDS)
    found = kind or ("category" if cells.name is None and cells.nunique() <= MOST else _kind(cells, name))
    if cells.isna().all():
        raise AEZooError(f"The labels {name!r} are all missing: give a column with a cell that is present.")
    title = "" if cells.name is None else read.short_text(name)
    if found in ("category", "boolean"):
        return _of_levels(cells, found, name, title)
    values = read.days(cells, name)[0] if found == "date" else read.floats(cells, name)
    return _of_numbers(values, found, title)


def _kind(cells: "pd.Series[Any]", name: str) -> str:
    """Returns what labels are, by the rules of `ae_zoo.schema`."""
    try:
        return kind_of(Summary.of(cells, name))
    except AEZooError:  # names of rows, for example, which a network cannot learn, but a picture can show
        return "category"


def _of_numbers(values: Array, kind: str, title: str) -> Coloring:
    """Returns the colors of numbers. If one in a hundred spans half of the range, it has the color of the nearest end."""
    missing = np.isnan(values)
    low, high = np.nanmin(values), np.nanmax(values)
    inner_low, inner_high = np.nanquantile(values, (0.01, 0.99))
    if 0 < inner_high - inner_low < (high - low) / 2:
        below, above = low < inner_low, high > inner_high
        extend = "both" if below and above else "min" if below else "max"
        low, high = inner_low, inner_high
    else:
        extend = "neither"
    scale = ScalarMappable(Normalize(low, high), "viridis")
    colors = scale.to_rgba(np.where(missing, low, values))
    colors[missing] = to_rgba_array(MISSING)
    key = (("missing", MISSING),) if missing.any() else ()
    return Coloring(title, kind, colors, key, scale=scale, extend=extend)


def _of_levels(cells: "pd.Series[Any]", kind: str, name: str, title: str) -> Coloring:
    """Returns the colors of levels: each of ten has one; of more, the eight most frequent ones have."""
    import pandas as pd

    words = pd.Series(read.texts(cells, kind, name))
    counts = words.value_counts()
    if isinstance(cells.dtype, pd.CategoricalDtype):
        order = list(read.texts(pd.Series(cells.cat.categories), kind, name))
    else:
        are_numbers = pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype)
        order = sorted(counts.index, key=float if are_numbers else str)
    kept = counts.index if len(counts) <= MOST else counts.index[:KEPT]
    order = [word for word in order if word in kept]
    key = list(zip(order, CLASS_COLORS))
    place = pd.Index(order, dtype=object).get_indexer(pd.Index(words, dtype=object))  # -1 for another level
    missing = words.isna().to_numpy()
    for rows, rest, color in (
        ((place < 0) & ~missing, f"{len(counts) - len(order):,} other levels", OTHER),
        (missing, "missing", MISSING),
    ):
        if rows.any():
            place[rows] = len(key)
            key.append((rest, color))
    return Coloring(title, kind, to_rgba_array([color for _, color in key])[place], tuple(key), place)
