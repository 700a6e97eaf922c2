"""`ae-zoo monitor`: whether new rows are still like those that a detector was calibrated with."""

import pathlib
import sys
from typing import TYPE_CHECKING

import click

from ae_zoo.cli.shared import PATH, Number, check_model, check_rows, check_written, load_trained
from ae_zoo.errors import AEZooError

if TYPE_CHECKING:
    from ae_zoo.detection.detector import Detector
    from ae_zoo.detection.monitor import Monitor

DRIFTED = 3  # the exit code; 1 is a bug of ours, and 2 bad input
DEFAULT = 0.01


@click.command(short_help="Tell whether new rows are still like the held-out ones.")
@click.argument("detector", type=PATH)
@click.argument("rows", type=PATH)
@click.option("--state", type=PATH, help="A file .npz, from which to go on if it is there, and which is then replaced.")
@click.option("--page", type=PATH, help="A file for the report as a page, such as drift.html.")
@click.option(
    "--false-alarm",
    type=Number(0, 1, min_open=True, max_open=True),
    help=f"The probability of ever saying that rows have changed although they have not.  [default: {DEFAULT}]",
)
def monitor(
    detector: pathlib.Path,
    rows: pathlib.Path,
    state: pathlib.Path | None,
    page: pathlib.Path | None,
    false_alarm: float | None,
) -> None:
    """Tell whether the rows in the file ROWS are still like those that a detector was calibrated with.

    DETECTOR is the file of a calibrated detector, or the folder of an exported one. ROWS is one batch, read one piece at a
    time, so it may have any size. With --state each night's rows are added to those before, and the probability of a false
    alarm is that of all nights together.

    The exit code is 0 if nothing says that the rows have changed, 3 if they have, and 2 for bad input.

    \b
    ae-zoo monitor detector.zip tonight.parquet
    ae-zoo monitor detector.zip tonight.parquet --state night.npz --page drift.html
    """
    kind = check_model(detector)
    if kind in ("model", "pca"):
        raise AEZooError(
            f"{detector} is a model; monitor needs a calibrated detector: see Detector.calibrate and save."
        )
    check_rows(rows)
    check_written(state, page, read=(detector, rows))
    from ae_zoo._support import files
    from ae_zoo.data import pieces

    for path in (state, page):
        if path is not None:
            files.writable(path)
    trained = load_trained(detector).detector
    if trained is None:
        raise AEZooError(f"{detector} holds no detector with a threshold: calibrate one before it is exported.")
    found = _monitor(trained, state, false_alarm)
    report = found.update_pieces(pieces(rows, as_they_are=trained.schema.may_miss))
    click.echo(str(report))
    if page is not None:
        click.echo(f"{report.write_page(page)}: written")
    if state is not None:
        found.save(state)
    if report.drifted:
        sys.exit(DRIFTED)


def _monitor(detector: "Detector", state: pathlib.Path | None, false_alarm: float | None) -> "Monitor":
    """Returns the monitor to go on with, or a new one."""
    if state is None or not state.exists():
        return detector.monitor(false_alarm=DEFAULT if false_alarm is None else false_alarm)
    from ae_zoo.detection.monitor import Monitor

    found = Monitor.load(state, detector)
    if false_alarm not in (None, found.false_alarm):
        raise AEZooError(
            f"{state} was begun with --false-alarm {found.false_alarm:g}, which cannot change: leave --false-alarm out, or "
            "give a new file with --state."
        )
    return found
