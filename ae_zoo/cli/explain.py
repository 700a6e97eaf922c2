"""`ae-zoo explain`: why the strangest rows of a table are strange."""

import pathlib

import click

from ae_zoo.cli.shared import PATH, check_model, check_rows, load_trained
from ae_zoo.errors import AEZooError


@click.command(short_help="Say why the strangest rows of a table are strange.")
@click.argument("model", type=PATH)
@click.argument("table", type=PATH)
@click.option(
    "--rows", type=click.IntRange(1), default=10, show_default=True, help="How many of the strangest rows to explain."
)
@click.option("--out", type=PATH, help="A file for all rows and columns: .csv or .parquet.")
def explain(model: pathlib.Path, table: pathlib.Path, rows: int, out: pathlib.Path | None) -> None:
    """Say, for the strangest rows in the file TABLE, which cells are strange, and what the model expected there.

    MODEL is the file of a model that was trained on a table. Rows are counted from 0.

    \b
    ae-zoo explain loans.keras loans.csv --rows 5
    ae-zoo explain loans.keras loans.csv --out reasons.csv
    """
    if check_model(model) == "pca":
        raise AEZooError(f"{model} is a PCA; explain needs a network that was trained on a table.")
    check_rows(table)
    from ae_zoo.data import read_frame, writable, writer
    from ae_zoo.tables.verbs import sentences

    if out is not None and writable(out) == ".npy":
        raise AEZooError(f"{out} must end in .csv or .parquet, because the reasons are a table.")
    frame = read_frame(table)
    if frame is None:
        raise AEZooError(f"{table} must be a table, .csv or .parquet.")
    reasons = load_trained(model).model.to_model().explain(frame)
    for sentence in sentences(reasons, rows):
        click.echo(sentence)
    if out is not None:
        with writer(out) as add:
            add({str(name): cells.to_numpy() for name, cells in reasons.items()})
        click.echo(f"{out}: {len(frame):,} rows of {reasons['column'].nunique()} columns")
