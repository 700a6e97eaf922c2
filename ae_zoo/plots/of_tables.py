"""Tables: cells beside what a model makes of them, why a row is strange, and which columns have large errors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ae_zoo.errors import AEZooError
from ae_zoo.plots.style import ACCENT, INK, SECOND, SOFT, Figure, canvas, meaning, plain, shortened, width_of
from ae_zoo.tables.cells import shown
from ae_zoo.tables.frames import to_pandas
from ae_zoo.typing import Array, Rows

if TYPE_CHECKING:
    import pandas as pd

SIZE = 9  # of the words, in points
LINE, GAP, EDGE, BAR = 0.25, 0.2, 0.12, 2.2  # inches: a line, space between columns, the margin, the longest bar
CELL, NAME, LONG, END = 28, 40, 44, 8  # characters of a cell, a name, and what was expected; of the end of these two
USUAL, FULL = 1.0, 4.0  # the errors at which the shade begins, and at which it is full
RARE = 0.05  # the largest p-value of a rare error


def cells(seen: Rows, reconstruction: Rows, error: Array, *, rows: int = 3, most: int = 30) -> Figure:
    """Returns cells of a table beside their reconstructions and errors, one line for each column of the table.

    Cells whose error is above 1, that of always saying what is usual, are shaded: the larger the error, the darker.

    Args:
        seen: rows of the table.
        reconstruction: `model.reconstruct(seen)`.
        error: `model.reconstruction_error(seen, per_feature=True)`, `(n, columns)`.
        rows: the number of rows to show; the first ones are taken.
        most: the number of columns to show; if the table has more, those with the largest errors are taken.

    Raises:
        AEZooError: the rows are no tables, or the errors are not those of their cells.
    """
    back = to_pandas(reconstruction, "reconstruction")
    given = to_pandas(seen, "seen")[list(back.columns)]
    if np.shape(error) != back.shape or len(given) != len(back):
        raise AEZooError(
            f"error must be a number for each cell, {back.shape}, from model.reconstruction_error(seen, per_feature=True); "
            f"received the shape {np.shape(error)} for {len(given)} rows."
        )
    given, back, error = given[:rows], back[:rows], np.asarray(error)[:rows]
    places = np.sort(np.argsort(-np.nan_to_num(error).max(axis=0), kind="stable")[:most])
    sheet = _Sheet()
    sheet.column("column", [*back.columns[places]], most=NAME, end=END, weight="bold")
    for row, index in enumerate(given.index):
        left = sheet.right
        sheet.column("seen", [shown(cell) for cell in given.iloc[row, places]], row=f"row {index}")
        sheet.column("reconstruction", [shown(cell) for cell in back.iloc[row, places]])
        sheet.column("error", [_number(value) for value in error[row, places]], right=True)
        sheet.shade(left, error[row, places])
    left_out = error.shape[1] - len(places)
    more = f"; {left_out} more columns have smaller errors" if left_out else ""
    return sheet.finished(f"shaded: an error above 1, that of always saying what is usual{more}")


def explanation(explained: "pd.DataFrame", *, position: int | None = None, most: int = 15) -> Figure:
    """Returns why a row of a table is strange: its columns by their errors, with what is seen and what was expected.

    A bar is orange if at most one held-out cell in twenty of this column has such an error. The line marks 1, the error of
    always saying what is usual.

    Args:
        explained: what `model.explain(frame)` returned.
        position: the position of the row in the frame, from 0; by default the first one.
        most: the number of columns to show, those with the largest errors.

    Raises:
        AEZooError: there is no such row.
    """
    position = explained.index[0] if position is None else position
    if position not in explained.index:
        raise AEZooError(f"There is no row at position {position}; the last one is {explained.index.max()}.")
    some = explained.loc[[position]][:most]
    sheet = _Sheet()
    sheet.column("column", [*some["column"]], most=NAME, end=END, weight="bold", row=f"row {some['row'].iloc[0]}")
    sheet.column("seen", [*some["seen"]], most=NAME)
    sheet.column("expected", [*some["expected"]], most=LONG, end=END)
    error, p_value = some["error"].to_numpy("float64"), some["p_value"].to_numpy("float64")
    sheet.column("error", [_number(value) for value in error], right=True)
    sheet.bars(error, p_value <= RARE)
    sheet.column("how rare", [f"1 in {1 / p:,.0f}" if p < 0.5 else "" for p in p_value])
    return sheet.finished(
        "dotted: the error of always saying what is usual; orange: at most 1 in 20 held-out cells is as strange"
    )


def column_errors(
    error: Array, names: Sequence[str], *, usual: float | None = 1.0, most: int = 30, ax: Axes | None = None
) -> matplotlib.figure.Figure:
    """Returns the mean error of each column as bars, the largest above; columns without any error are left out.

    Args:
        error: `model.reconstruction_error(frame, per_feature=True)`, `(n, columns)`; NaN for missing cells.
        names: the columns' names `(columns,)`: `model.schema.names`.
        usual: the error of a model that always says what is usual, which is marked; None for none.
        most: the number of columns to show, those with the largest errors.
        ax: the axes to draw into; by default those of a new figure.

    Raises:
        AEZooError: there is not a name for each column, or no error.
    """
    error = np.asarray(error)
    if error.ndim != 2 or error.shape[1] != len(names):
        raise AEZooError(f"error must have the shape (n, {len(names)}), one for each name; received {error.shape}.")
    present = ~np.isnan(error)
    known = np.flatnonzero(present.any(axis=0))
    if not len(known):
        raise AEZooError("error holds no number: give at least one row with a cell that is present.")
    means = np.where(present, error, 0).sum(axis=0)[known] / present.sum(axis=0)[known]
    order = np.argsort(-means, kind="stable")[:most]
    figure, axes = canvas(ax, 7.0, 0.9 + 0.24 * len(order))
    places = np.arange(len(order))
    bars = axes.barh(places, means[order], height=0.7, color=ACCENT)
    axes.bar_label(bars, [_number(value) for value in means[order]], padding=3, fontsize=8, backgroundcolor="white")
    if usual is not None:
        axes.axvline(usual, color=INK, linestyle=":", linewidth=1.3)
    axes.set_yticks(places, [shortened(names[known[place]], NAME, END) for place in order], parse_math=False)
    axes.set(ylim=(len(order) - 0.4, -0.6), xlabel=meaning("mean error", usual))
    axes.margins(x=0.1)
    plain(axes)
    return figure


class _Sheet:
    """Columns of words side by side; a unit of its axes is an inch."""

    def __init__(self) -> None:
        self._figure = Figure((1, 1))
        self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self.right, self._lines = EDGE, 0

    def column(
        self,
        title: str,
        words: Sequence[str],
        *,
        most: int = CELL,
        end: int = 0,
        weight: str = "normal",
        right: bool = False,
        row: str = "",
    ) -> None:
        """Adds a column of words; `row` is a title over several columns, which begins here."""
        words = [shortened(word, most, end) for word in words]
        width = max(width_of(title, SIZE), *(width_of(word, SIZE, weight) for word in words))
        x, align = (self.right + width, "right") if right else (self.right, "left")
        self._word(self.right, 0, shortened(row, CELL), weight="bold")
        self._word(x, 1, title, ha=align, color=SOFT)
        for line, word in enumerate(words, 2):
            color = SOFT if word == "missing" else INK
            self._word(x, line, word, ha=align, weight=weight, color=color)
        self._lines = 2 + len(words)
        self.right += width + GAP

    def shade(self, left: float, error: Array) -> None:
        """Shades the columns from `left` to the last one, where the error `(lines,)` is large."""
        for line, value in enumerate(np.nan_to_num(error), 2):
            if value > USUAL:
                alpha = 0.12 + 0.5 * min(1.0, (value - USUAL) / (FULL - USUAL))
                x, width = left - GAP / 3, self.right - left - GAP / 3
                self._axes.add_patch(Rectangle((x, line * LINE), width, LINE, color=SECOND, alpha=alpha, linewidth=0))
        self.right += GAP

    def bars(self, error: Array, rare: Array) -> None:
        """Adds bars of errors `(lines,)`, orange where they are rare."""
        inch = BAR / max(USUAL, np.nan_to_num(error).max())
        for line, (value, is_rare) in enumerate(zip(np.nan_to_num(error), rare), 2):
            where, size = (self.right, (line + 0.2) * LINE), (value * inch, 0.6 * LINE)
            self._axes.add_patch(Rectangle(where, *size, color=SECOND if is_rare else ACCENT, linewidth=0))
        at = self.right + USUAL * inch
        self._axes.plot([at, at], [2 * LINE, self._lines * LINE], color=INK, linestyle=":", linewidth=1.3)
        self.right += BAR + GAP

    def finished(self, note: str) -> Figure:
        """Returns the figure, with a note below."""
        self._word(EDGE, self._lines + 0.2, note, color=SOFT, size=SIZE - 1)
        width = max(self.right - GAP, EDGE + width_of(note, SIZE - 1)) + EDGE
        height = (self._lines + 1.4) * LINE
        for line in range(2, self._lines + 1):
            self._axes.plot([EDGE, width - EDGE], [line * LINE] * 2, color="#DDDDDD", linewidth=0.5, zorder=0)
        self._axes.set(xlim=(0, width), ylim=(height, 0))
        self._figure.set_size_inches(width, height)
        return self._figure

    def _word(self, x: float, line: float, word: str, *, color: str = INK, size: float = SIZE, **style: Any) -> None:
        y = (line + 0.5) * LINE
        self._axes.text(x, y, word, color=color, size=size, va="center", parse_math=False, **style)


def _number(value: float) -> str:
    if np.isnan(value):
        return ""
    value = max(0.0, float(value))  # a cross-entropy may be rounded to -0
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}" if value < 1e6 else f"{value:.1e}"
