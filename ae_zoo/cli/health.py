"""`ae-zoo health`: whether a trained model is sound."""

import pathlib

import click

from ae_zoo._support import files
from ae_zoo.cli.shared import PATH, ROWS, check_model, check_rows, check_written, load_trained, read_rows


@click.command(short_help="Say whether a trained model is sound.")
@click.argument("model", type=PATH)
@click.argument("rows", type=PATH)
@click.option("--train", type=PATH, help=f"The training rows, for overfitting and copies. {ROWS}")
@click.option("--page", type=PATH, help="A file for a page: .html.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
def health(
    model: pathlib.Path, rows: pathlib.Path, train: pathlib.Path | None, page: pathlib.Path | None, seed: int
) -> None:
    """Examine a model by rows that it was not trained on: its errors, the units of its code, and what it generates.

    MODEL is the file of a model, a PCA or a detector, or a folder that export wrote. What is not sound comes with advice.

    \b
    ae-zoo health model.keras test.csv
    ae-zoo health model.keras test.csv --train rows.csv --page health.html
    """
    check_model(model)
    check_rows(rows, train)
    check_written(page, read=(model, rows, train))
    if page is not None:
        files.writable(page)
    x, x_train = (None if path is None else read_rows(path).rows for path in (rows, train))
    examined = load_trained(model).model
    from ae_zoo.evaluation.health import health as examine

    assert x is not None
    found = examine(examined, x, x_train, seed=seed)
    click.echo(str(found))
    if page is not None:
        click.echo(f"{found.page(page)}: written")
