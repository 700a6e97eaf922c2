"""`ae-zoo generate`: new rows, or a picture of them, from a trained model."""

import math
import pathlib
from typing import TYPE_CHECKING, Protocol, cast

import click

from ae_zoo._support import files
from ae_zoo.cli.shared import PATH, ROWS, check_model, check_rows, digits, load_trained
from ae_zoo.errors import AEZooError

if TYPE_CHECKING:
    from ae_zoo.evaluation.reconstructor import Reconstructor
    from ae_zoo.typing import Array, Rows

PICTURE = ".png"
DENSITIES = ("gaussian", "mixture", "neighbors")  # of `ae_zoo.Density`, which loads Keras


class _Source(Protocol):
    """A density, or a model with a prior."""

    def generate(self, n: int, *, label: int | None = None, seed: int | None = None) -> "Array":
        """Returns `n` new rows `(n, *input_shape)`."""


@click.command(short_help="Draw new rows from a model.")
@click.argument("model", type=PATH)
@click.option("--n", type=click.IntRange(1), default=64, show_default=True, help="How many rows.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--out", type=PATH, required=True, help="File for the new rows: a picture (.png), or rows (.npy, .csv or .parquet)."
)
@click.option("--density", type=click.Choice(DENSITIES), help="Fit this density to the codes of --data and draw from it. "
              "Default: the family's own prior; gaussian if the family has no prior.")  # fmt: skip
@click.option(
    "--data",
    type=PATH,
    help=f"The density is fitted to the codes of these rows. {ROWS} Default: the digits of MNIST, if the model's rows "
    "have the size of these digits.",
)
@click.option(
    "--label", type=click.IntRange(0), help="The class of all new rows, for an adversarial model that has classes."
)
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

    Families with a prior (variational, adversarial) draw from it. For other families a density is fitted to the codes of
    the rows of --data: give the training rows.

    \b
    ae-zoo generate variational.keras --n 100 --out samples.png
    ae-zoo generate sparse.keras --data rows.csv --density mixture --out new.csv
    """
    check_model(model)
    check_rows(data)
    from ae_zoo.data import write, writer  # which loads pandas
    from ae_zoo.data.writing import FORMATS

    suffix = out.suffix.lower()
    if suffix not in (PICTURE, *FORMATS):
        raise AEZooError(f"{out} must end in .png for a picture, or in .npy, .csv or .parquet for rows.")
    files.writable(out)
    trained = load_trained(model).model
    if density is None and "generate" in trained.endpoints():
        if data is not None:
            raise AEZooError(
                f"{model} draws from its own prior, for which --data is not used: leave --data out, or give "
                "--density gaussian."
            )
        source, how = cast(_Source, trained), "its prior"
    else:
        from ae_zoo.evaluation.density import Density, Kind

        source = Density(trained, cast("Kind", density or "gaussian")).fit(_rows(trained, data), seed=seed)
        how = repr(source)
    import numpy as np

    rows = source.generate(n, seed=seed, label=label)
    if suffix == PICTURE:
        from ae_zoo import plots

        figure = plots.samples(rows, columns=math.ceil(math.sqrt(n)))
        with files.whole(out) as sibling:
            figure.savefig(sibling, dpi=110, bbox_inches="tight")
    elif isinstance(rows, np.ndarray):
        write(out, rows, trained.schema.names)
    else:  # of a table
        with writer(out) as add:
            add({str(name): cells.to_numpy() for name, cells in rows.items()})
    click.echo(f"{out}: {n:,} rows from {how}")


def _rows(model: "Reconstructor", path: pathlib.Path | None) -> "Rows":
    from ae_zoo.data import read, read_frame

    if path is not None:
        frame = read_frame(path) if model.schema.may_miss else None
        return read(path).rows if frame is None else frame
    shape = model.schema.input_shape
    if math.prod(shape) != 28 * 28:
        raise AEZooError(
            "A density is fitted to the codes of rows: give the rows that the model was trained on as --data."
        )
    return digits().x_train.reshape(-1, *shape)
