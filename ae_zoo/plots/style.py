"""What the figures share: colours and plain axes."""

import io

import matplotlib.figure
from matplotlib.axes import Axes

# Paul Tol's "muted" scheme and black: ten hues that stay apart for colour-blind readers.
CLASS_COLOURS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000",
)  # fmt: skip
INK, ACCENT, SECOND = "#222222", "#0072B2", "#D55E00"


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
