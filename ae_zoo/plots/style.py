"""What all figures share: their class, colors and axes."""

import io
from collections.abc import Sized

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from ae_zoo.errors import AEZooError
from ae_zoo.typing import Array

# Paul Tol's "muted" scheme and black: ten hues that stay apart for color-blind readers.
CLASS_COLORS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000",
)  # fmt: skip
INK, SOFT, ACCENT, SECOND = "#222222", "#6B6B6B", "#0072B2", "#D55E00"
OTHERS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # these four and the two above are of Okabe and Ito's eight


class Figure(matplotlib.figure.Figure):
    """A figure that a notebook displays; of a matplotlib figure without pyplot it displays only the name."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", bbox_inches="tight")
        return picture.getvalue()


def canvas(ax: Axes | None, width: float, height: float) -> tuple[matplotlib.figure.Figure, Axes]:
    """Returns the figure and the axes to draw into: those of `ax`, or new ones of `width` x `height` inches."""
    if ax is None:
        figure = Figure((width, height), layout="constrained")
        return figure, figure.subplots()
    root = ax.get_figure(root=True)
    if root is None:
        raise AEZooError("ax has been removed from its figure; give axes that belong to one.")
    return root, ax


def plain(axes: Axes) -> None:
    """Removes the frame above and on the right, and makes the tick labels small."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def meaning(label: str, usual: float | None) -> str:
    """Returns the label of an axis of errors, with the error of a model that always says what is usual."""
    return label if usual is None else f"{label} ({usual:g}: always says what is usual)"


def scale(axes: Axes, x: Array, y: Array) -> None:
    """Makes an axis logarithmic where its values span more than a factor of 5; tick labels are plain numbers."""
    for which, values in (("x", x), ("y", y)):
        low, high = np.nanmin(values), np.nanmax(values)
        if high > 5 * low > 0:
            logarithmic(axes, which, low, high)


def logarithmic(axes: Axes, which: str, low: float, high: float) -> None:
    """Makes an axis, `"x"` or `"y"`, of values from `low` to `high` logarithmic; tick labels are plain numbers."""
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    subs = tuple(range(1, 10)) if high < 5 * low else (1, 2, 5) if high < 100 * low else (1,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def few(series: Sized, most: int) -> None:
    """Raises `AEZooError` if there are more series than a reader can tell apart."""
    if len(series) > most:
        raise AEZooError(f"At most {most} series can be told apart in one figure; received {len(series)}.")


def shortened(text: object, most: int, end: int = 0) -> str:
    """Returns a text on one line, of at most `most` characters; of a long one the last `end` stay."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[: most - end - 1]}…{line[len(line) - end :]}"


def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Returns the width of a text in inches; `size` is in points."""
    if not text.strip():
        return 0.0
    return float(TextPath((0, 0), text, size=size, prop=FontProperties(weight=weight)).get_extents().xmax) / 72
