"""What a batch of new rows says: whether they are still like the held-out ones, and where they differ."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ae_zoo.detection import reference
from ae_zoo.detection.drift import Change, Spread
from ae_zoo.schemas import Schema
from ae_zoo.tables.cells import short_text
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 10  # columns in a table of text


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What a batch of new rows says. Printing it shows a table and a sentence.

    Attributes:
        batch: the batch's number, from 1.
        total: rows so far, those of this batch among them.
        flagged: how many rows of this batch are above the threshold.
        promised: the share of ordinary rows that may be flagged, or None for a threshold of the user's own.
        p_values: of this batch's scores `(n,)` among the held-out ones and all that came before; uniform as long as nothing
            changes; NaN for a row without a score.
        martingale: the capital now, which is 1 at the beginning.
        highest: the largest capital so far.
        limit: the capital at which the scores are said to have changed.
        alarm_row: the row, counted from 1 over all batches, at which it reached the limit; None as long as it has not.
        false_alarm: the probability that a monitor ever says that rows have changed although they have not, at most.
        schema: what a row is.
        before, now: how the cells of each column are spread, in the held-out rows and in this batch.
        changes: how each column has changed.
        drifts: which columns have changed too much for chance, bool `(columns,)`.
        others: cells that are no level of their column, the three most frequent with their counts, by column.
        path: rows and the logarithm of the capital, `(points, 2)`.
        threshold: the detector's.
        scores: the held-out scores, how often each comes, and the new ones, as whole numbers (see `martingale.keys_of`).
    """

    batch: int
    total: int
    flagged: int
    promised: float | None
    p_values: Array
    martingale: float
    highest: float
    limit: float
    alarm_row: int | None
    false_alarm: float
    schema: Schema
    before: tuple[Spread, ...]
    now: tuple[Spread, ...]
    changes: tuple[Change, ...]
    drifts: Array
    others: Mapping[str, tuple[tuple[str, int], ...]]
    path: Array
    threshold: float | None
    scores: tuple[Array, Array, Array]

    @property
    def rows(self) -> int:
        """How many rows this batch has."""
        return len(self.p_values)

    @property
    def drifted(self) -> bool:
        """Whether the scores have changed in this or an earlier batch, or a column in this one."""
        return self.alarm_row is not None or bool(self.drifts.any())

    @functools.cached_property
    def columns(self) -> "pd.DataFrame":
        """How each column has changed, the surest change first.

        `distance` is the Wasserstein distance in standard deviations of the held-out cells, or for levels the share of the
        cells that must change their level (`unit` says which); `missing_before` and `missing` are shares; `p_value` is the
        column's own, at most a with a probability of at most a if it has not changed; `drifted` says whether it is too small
        for chance, with the number of columns and batches in mind; `change` is the cut or level that has changed most;
        `others` are cells that the training rows do not have, or too rarely.
        """
        import pandas as pd

        names = reference.names_of(self.schema)
        found = pd.DataFrame(
            {
                "column": np.array(names, object),
                "distance": [change.distance for change in self.changes],
                "unit": ["share" if spread.levels else "sd" for spread in self.before],
                "missing_before": [spread.missing_share for spread in self.before],
                "missing": [spread.missing_share for spread in self.now],
                "p_value": [change.p_value for change in self.changes],
                "drifted": self.drifts,
                "change": reference.sentences(self.schema, self.before, self.changes),
                "others": [_counted(self.others.get(name, ())) for name in names],
            }
        )
        return found.sort_values(["p_value", "distance"], ascending=[True, False], ignore_index=True, kind="stable")

    @property
    def sentence(self) -> str:
        """Whether the rows have changed, in a sentence."""
        columns = self.columns
        drifted = [repr(name) for name in columns["column"][columns["drifted"]]]
        parts = []
        if self.alarm_row is not None:
            parts.append(f"the scores have become larger, which was certain enough at row {self.alarm_row:,}")
        if drifted:
            many = f" and {len(drifted) - 5} more" if len(drifted) > 5 else ""
            parts.append(f"{', '.join(drifted[:5])}{many} {'is' if len(drifted) == 1 else 'are'} spread differently")
        if not parts:
            return "Nothing says that these rows differ from the held-out ones."
        found = "; and ".join(parts)
        return f"These rows differ from the held-out ones: {found}."

    def __str__(self) -> str:
        promised = "" if self.promised is None else f", where {self.promised:.3g} was promised"
        lines = [
            f"Batch {self.batch}: {self.rows:,} rows, {self.total:,} so far",
            f"Flagged: {self.flagged:,}, a share of {self.flagged / self.rows:.3g}{promised}",
            f"Scores: a capital of {self.martingale:.3g}, highest so far {self.highest:.3g}; {self.limit:g} is an alarm",
            "",
            *_aligned(self.columns),
            "",
            self.sentence,
            promise(self.false_alarm),
        ]
        return "\n".join(lines)

    __repr__ = __str__

    def write_page(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Writes the report as one self-contained HTML page, with pictures of the scores, the capital and the columns.

        Returns:
            The file of the page.

        Raises:
            UnwritableError: the page cannot be written.
        """
        from ae_zoo.detection.drift_page import write

        return write(self, path)


def promise(false_alarm: float) -> str:
    """Returns what a monitor promises, in a sentence."""
    return f"While nothing changes, the probability that this monitor ever says otherwise is at most {false_alarm:g}."


def cells_of(columns: "pd.DataFrame", many: int) -> tuple[list[str], list[list[str]]]:
    """Returns the names and the cells of a table of the first columns, as they are to be read."""
    holes = columns[["missing_before", "missing"]].to_numpy().any()
    others = (columns["others"] != "").any()
    names = ["column", "distance", *(["missing"] if holes else []), "p-value", "", "what has changed most"]
    rows = [
        [
            short_text(str(one.column)),
            f"{one.distance:.2f} sd" if one.unit == "sd" else f"{one.distance:.1%} of the cells",
            *([f"{one.missing_before:.1%} -> {one.missing:.1%}"] if holes else []),
            f"{one.p_value:.2g}",
            "drifted" if one.drifted else "",
            str(one.change),
            *([str(one.others)] if others else []),
        ]
        for one in columns.head(many).itertuples()
    ]
    return [*names, *(["of no level"] if others else [])], rows


def _aligned(columns: "pd.DataFrame") -> list[str]:
    names, rows = cells_of(columns, SHOWN)
    widths = [max(map(len, cells)) for cells in zip(names, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (names, *rows)
    ]
    rest = len(columns) - SHOWN
    return [*lines, f"and {rest:,} more columns"] if rest > 0 else lines


def _counted(found: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{short_text(text)} ({count:,})" for text, count in found)
