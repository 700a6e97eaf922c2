"""What is known of a table after one pass over its cells, in bounded memory; the summaries of its pieces can be merged.

However a table is cut into pieces, and in whatever order they are merged, the kinds, counts, levels, bounds and quantiles are
the same; means and standard deviations are the same up to rounding in float64.
"""

import dataclasses
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from ae_zoo.errors import AEZooError, AEZooWarning, unknown
from ae_zoo.tables import cells as read
from ae_zoo.tables import guess
from ae_zoo.tables.columns import KINDS, Column, Kind
from ae_zoo.tables.statistics import Dates, Levels, Numbers, Rules

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, eq=False)
class Summary:
    """The cells of a column as what they may be: as numbers, as dates, and as levels; None where a cell is none.

    Attributes:
        name: the column's name.
        kind: what the column is said to be; None if that is to be guessed.
        rows: how many cells there are, present or missing.
        forms: of the cells, for the guess.
        numbers, dates, levels: the statistics of the present cells.
    """

    name: str
    kind: Kind | None
    rows: int
    forms: guess.Forms
    numbers: Numbers | None
    dates: Dates | None
    levels: Levels | None

    @classmethod
    def of(cls, cells: "pd.Series[Any]", name: str, kind: Kind | None = None, first_row: int = 0) -> Self:
        """Returns the summary of cells.

        Args:
            cells: some or all of the column.
            name: of the column.
            kind: what it is said to be.
            first_row: the number of the first row, for messages.

        Raises:
            AEZooError: a cell is not of the kind that is said, or an infinite number.
        """
        forms: guess.Forms = {} if kind else guess.forms_of(cells, name)
        if set(forms) == {"text"}:
            return cls(name, kind, len(cells), *guess.of_texts(cells, name))
        form: str | None = kind or (next(iter(forms)) if len(forms) == 1 else None)
        numbers, dates, levels = None, None, None
        if not kind and not any(count for count, _ in forms.values()):  # no cell speaks against anything
            numbers, dates, levels = Numbers.of(np.zeros(0)), Dates.of(np.zeros(0), None), Levels({})
        if form in ("number", "integer"):
            found = read.floats(cells, name, first_row)
            numbers = Numbers.of(found[~np.isnan(found)])
        elif form == "date":
            dates = Dates.of(*read.days(cells, name, first_row=first_row))
        elif form in ("boolean", "category"):
            levels = Levels.of(cells, name)
        return cls(name, kind, len(cells), forms, numbers, dates, levels)

    def merge(self, other: Self) -> Self:
        """Returns the summary of the cells of both, which are of one column.

        Raises:
            AEZooError: they are dates in different time zones.
        """
        forms = dict(self.forms)
        for form, (count, example) in other.forms.items():
            before, first = forms.get(form, (0, None))
            forms[form] = (before + count, first if before else example)
        return dataclasses.replace(
            self,
            rows=self.rows + other.rows,
            forms=forms,
            numbers=self.numbers and other.numbers and self.numbers.merge(other.numbers),
            dates=self.dates and other.dates and self.dates.merge(other.dates, self.name),
            levels=self.levels and other.levels and self.levels.merge(other.levels),
        )

    def column(self, rules: Rules) -> Column:
        """Returns the column: its kind, said or guessed, and its statistics.

        Raises:
            AEZooError: it is an identifier or free text, holds things of several kinds, or is not of the kind that is said.
        """
        kind = self.kind or guess.kind_of(self)
        if kind == "date" and self.dates is not None:
            return self.dates.days.column(self.name, kind, self.rows, rules, self.dates.zone)
        if kind in ("number", "integer") and self.numbers is not None:
            return self.numbers.column(self.name, kind, self.rows, rules)
        levels = self.levels or (self.numbers and self.numbers.levels())
        assert levels is not None
        return levels.column(self.name, kind, self.rows, rules)


@dataclasses.dataclass(frozen=True, eq=False)
class TableSummary:
    """The summaries of a table's columns, by name."""

    columns: dict[str, Summary]

    @classmethod
    def of(cls, frame: "pd.DataFrame", kinds: Mapping[str, str], first_row: int = 0) -> Self:
        """Returns the summary of a frame.

        Args:
            frame: some or all rows of the table.
            kinds: what columns are said to be, or `"ignore"` for a column to leave out, by name.
            first_row: the number of the first row, for messages.

        Raises:
            AEZooError: a name or a kind is unknown, or a cell is not of the kind that is said.
        """
        for name, kind in kinds.items():
            if name not in frame.columns:
                raise unknown("column", name, frame.columns)
            if kind not in (*KINDS, "ignore"):
                raise unknown("kind of a column", kind, (*KINDS, "ignore"))
        wanted = [name for name in frame.columns if kinds.get(name) != "ignore"]
        if not wanted:
            raise AEZooError("The table has no columns to learn from.")
        said = cast("Mapping[str, Kind]", kinds)
        return cls({name: Summary.of(frame[name], name, said.get(name), first_row) for name in wanted})

    def merge(self, other: Self) -> Self:
        """Returns the summary of the rows of both.

        Raises:
            AEZooError: they have different columns.
        """
        different = self.columns.keys() ^ other.columns.keys()
        if different:
            raise AEZooError(
                f"All pieces of a table must have the same columns; {min(different)!r} is in some of them alone."
            )
        return type(self)({name: one.merge(other.columns[name]) for name, one in self.columns.items()})

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return next(iter(self.columns.values())).rows

    def table(self, rules: Rules) -> tuple[Column, ...]:
        """Returns the columns; warns of one that has no cell.

        Raises:
            AEZooError: as `Summary.column` raises it.
        """
        found = tuple(one.column(rules) for one in self.columns.values())
        empty = [each.name for each in found if each.missing == 1]
        if empty:
            warnings.warn(
                f"The column {empty[0]!r} has no cell that is present, so the model learns nothing of it: leave it out, or "
                f"give {empty[0]}='ignore'.",
                AEZooWarning,
                stacklevel=4,
            )
        return found


def summarize(pieces: Iterable["pd.DataFrame"], kinds: Mapping[str, str], name: str) -> TableSummary:
    """Returns the summary of a table that comes in pieces.

    Args:
        pieces: frames with rows of the table.
        kinds: what columns are said to be, or `"ignore"`, by name.
        name: the table's name in messages.

    Raises:
        AEZooError: there are no rows, or as `TableSummary.of` and `merge` raise it.
    """
    total: TableSummary | None = None
    for piece in pieces:
        found = TableSummary.of(piece, kinds, total.rows if total else 0)
        total = total.merge(found) if total else found
    if total is None or not total.rows:
        raise AEZooError(f"{name} has no rows.")
    return total
