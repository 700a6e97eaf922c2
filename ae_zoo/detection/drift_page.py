"""A report on new rows as a page."""

import os
import pathlib
from typing import TYPE_CHECKING

import numpy as np

from ae_zoo.detection import drift_report, martingale, reference
from ae_zoo.detection.drift import Spread
from ae_zoo.plots import drift as plots
from ae_zoo.report import page
from ae_zoo.schemas import Schema
from ae_zoo.tables.cells import short_text
from ae_zoo.typing import Array

if TYPE_CHECKING:
    from ae_zoo.detection.drift_report import Report

PICTURES, TABLE, BARS = 6, 50, 12  # columns with a picture, columns in the table, levels in a picture


def write(report: "Report", path: str | os.PathLike[str]) -> pathlib.Path:
    """See `Report.write_page`."""
    path = pathlib.Path(path)
    sections = [_scores(report), *([_columns(report)] if report.changes else [])]
    promise = drift_report.promise(report.false_alarm)
    data = f"batch {report.batch}, {report.rows:,} rows; {report.total:,} rows so far"
    page.write_page(
        path, "Are the new rows still like the held-out ones?", data, sections, notes=[report.sentence, promise]
    )
    return path


def _scores(report: "Report") -> page.Section:
    section = page.Section("1", "Scores")
    promised = "" if report.promised is None else f"; {report.promised:.3g} was promised, if nothing changes"
    section.text(f"{report.flagged:,} rows are flagged, a share of {report.flagged / report.rows:.3g}{promised}.")
    keys, counts, new = report.scores
    if len(keys) or len(new):
        then, now = (martingale.scores_of(keys), counts), (martingale.scores_of(new), np.ones(len(new)))
        section.picture(
            "scores",
            plots.scores(then, now, threshold=report.threshold),
            "How strange the rows of this batch are, beside the held-out rows.",
        )
    if len(report.path) > 1:
        rows, logarithms = report.path.T
        section.picture(
            "capital",
            plots.capital(rows, logarithms, report.limit),
            "The capital of a bet that scores become larger. While nothing changes, it reaches the line with a probability "
            f"of at most {1 / report.limit:g}, however long it goes on.",
        )
    return section


def _columns(report: "Report") -> page.Section:
    section = page.Section("2", "Columns")
    names, rows = drift_report.cells_of(report.columns, TABLE)
    rest = len(report.changes) - TABLE
    section.table(
        names,
        rows,
        "How this batch differs from the held-out rows, the surest difference first"
        f"{f'; {rest:,} more columns are not shown' if rest > 0 else ''}. A distance in sd is how far the cells must be "
        "moved on average, in standard deviations; a share of the cells is how many must change their level. Of each column "
        "the cut or the level is named whose share has changed most surely.",
    )
    order = sorted(range(len(report.changes)), key=lambda index: report.changes[index].p_value)[:PICTURES]
    panels = [_panel(report.schema, index, report.before[index], report.now[index]) for index in order]
    shown = [panel for panel in panels if panel is not None]
    if shown:
        section.picture(
            "columns",
            plots.shares(shown),
            "The columns with the surest differences: the shares of the cells that are present, by level, or from one cut to "
            "the next. The cuts divide the held-out cells into twentieths; two more are at 1 and 99 %.",
        )
    return section


def _panel(schema: Schema, index: int, before: Spread, now: Spread) -> tuple[str, list[str], Array, Array] | None:
    """Returns the title of a column's picture, the names of its bars, and the shares before and now."""
    if not before.present or not now.present:
        return None
    shares = np.stack([before.counts / before.present, now.counts / now.present])
    if before.levels:
        bins = np.argsort(-np.abs(shares[0] - shares[1]), kind="stable")[:BARS]
        bins = np.sort(bins[shares[:, bins].any(axis=0)])
        names = reference.cells_of(schema, index, bins)
        shares = shares[:, bins]
    else:
        cuts = reference.cells_of(schema, index, before.cuts)
        names = [f"below {cuts[0]}", *(f"to {cut}" for cut in cuts[1:]), f"above {cuts[-1]}"]
    return short_text(reference.names_of(schema)[index]), names, shares[0], shares[1]
