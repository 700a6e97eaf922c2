"""`ae-zoo generate`: new rows, or a picture of them, from a trained model."""

import math
import pathlib
from typing import Any

import click

from ae_zoo.cli.shared import PATH, ROWS, digits, load_model
from ae_zoo.errors import AEZooError


@click.command()
@click.argument("model", type=PATH)
@click.option("--n", type=click.IntRange(1), default=64, show_default=True, help="How many rows.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--out", type=PATH, required=True, help="A picture, .png, or rows: .npy, .csv or .parquet.")
@click.option("--density", help="gaussian, mixture or neighbours: draw from such a density of the codes of --data. "
              "Default: the family's own prior, or gaussian where it has none.")  # fmt: skip
@click.option(
    "--data", type=PATH, help=f"For a density. {ROWS} Default: the digits of MNIST, if the rows are of their size."
)
@click.option("--label", type=click.IntRange(0), help="The class to draw, of an adversarial model that has classes.")
def generate(
    model: pathlib.Path,
    n: int,
    seed: int,
    out: pathlib.Path,
    density: str | None,
    data: pathlib.Path | None,
    label: int | None,
) -> None:
    """Draw new rows from the model in the file MODEL.

    Families with a prior (variational, adversarial) draw from it. For the others a density is fitted to the codes of
    rows that you give, best those that the model was trained on.

    \b
    ae-zoo generate variational.keras --n 100 --out samples.png
    ae-zoo generate sparse.keras --data rows.csv --density mixture --out new.csv
    """
    from ae_zoo.data import writable, write

    if out.suffix.lower() != ".png":
        writable(out)
    loaded = load_model(model)
    source, how = loaded, "its prior"
    if density is not None or "generate" not in loaded.endpoints():
        from ae_zoo.evaluation.density import Density

        source = Density(loaded, density or "gaussian").fit(_rows(loaded, data), seed=seed)
        how = repr(source)
    rows = source.generate(n, seed=seed, label=label)
    if out.suffix.lower() == ".png":
        from ae_zoo import plots
        from ae_zoo._support import files

        figure = plots.samples(rows, columns=math.ceil(math.sqrt(n)))
        with files.whole(out) as sibling:
            figure.savefig(sibling, dpi=110, bbox_inches="tight")
    else:
        write(out, rows, loaded.schema.names)
    click.echo(f"{out}: {n:,} rows from {how}")


def _rows(model: Any, path: pathlib.Path | None) -> Any:
    from ae_zoo.data import read

    if path is not None:
        return read(path).rows
    shape = model.schema.input_shape
    if math.prod(shape) != 28 * 28:
        raise AEZooError(
            "A density is fitted to the codes of rows: give --data with those that the model was trained on."
        )
    return digits().x_train.reshape(-1, *shape)
