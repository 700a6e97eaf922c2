"""What the figures share: their class, colours and axes."""

import io
from typing import Any

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from ae_zoo.errors import AEZooError

# Paul Tol's "muted" scheme and black: ten hues that stay apart for colour-blind readers.
CLASS_COLOURS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000",
)  # fmt: skip
INK, ACCENT, SECOND = "#222222", "#0072B2", "#D55E00"
OTHERS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # of Okabe and Ito's eight, as the two above


class Figure(matplotlib.figure.Figure):
    """A figure that a notebook shows by itself; without pyplot, matplotlib's own shows but its name."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", bbox_inches="tight")
        return picture.getvalue()


def plain(axes: Axes) -> None:
    """No frame above and on the right, small tick labels."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def scale(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Makes the axes of what spans much logarithmic, with plain numbers beside them."""
    for axis, set_scale, values in ((axes.xaxis, axes.set_xscale, x), (axes.yaxis, axes.set_yscale, y)):
        low, high = np.nanmin(values), np.nanmax(values)
        if high > 5 * low > 0:
            set_scale("log")
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def few(series: Any, most: int) -> None:
    """Raises `ValueError` where there are more series than looks that can be told apart."""
    if len(series) > most:
        raise AEZooError(f"At most {most} can be told apart in one figure; received {len(series)}.")
