"""`ae-zoo compare`: whether rows need an autoencoder to find the strange ones among them."""

import pathlib

import click

from ae_zoo._support.quiet import quiet_import
from ae_zoo.cli.shared import PATH, check_rows, kinds_of, read_labeled


@click.command(short_help="Say whether rows need an autoencoder.")
@click.argument("rows", type=PATH)
@click.option(
    "--labels",
    metavar="COLUMN|FILE",
    help="1 for a strange row and 0 for another one: a column of ROWS, or a file. Default: strange rows are made up.",
)
@click.option(
    "--columns",
    "kinds",
    metavar="NAME=KIND,...",
    help="What columns of a table are, if the guess is wrong: number, integer, boolean, category, date or ignore.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
def compare(rows: pathlib.Path, labels: str | None, kinds: str | None, seed: int) -> None:
    """Compare an autoencoder with PCA, nearest neighbors, an isolation forest and ECOD on the rows of a file.

    Half of the ordinary rows train each of them, and the others test it. The last line says which one to take.

    \b
    ae-zoo compare rows.csv
    ae-zoo compare sensors.csv --labels broken
    ae-zoo compare loans.csv --columns zip=category,id=ignore
    """
    check_rows(rows)
    given = read_labeled(rows, labels, kinds_of(kinds))
    with quiet_import():
        from ae_zoo.detection.compare import compare as compared
    options = {"schema": given.schema} if kinds else {}  # a guess is made from the training rows
    click.echo(str(compared(given.x, given.y, seed=seed, verbose=0, **options)))
