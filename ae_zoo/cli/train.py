"""`ae-zoo train`: a model of any family, from a file of rows to a `.keras` file."""

import pathlib
import sys
from typing import TYPE_CHECKING, Any

import click

from ae_zoo._support import files
from ae_zoo._support.quiet import quiet_import
from ae_zoo.cli.shared import (
    PATH,
    Number,
    check_default_labels,
    check_rows,
    choose_backend,
    columns_option,
    default_labeled,
    kinds_of,
    pair,
    read_labeled,
    rows_option,
)
from ae_zoo.errors import AEZooError

if TYPE_CHECKING:
    from ae_zoo.typing import Rows


@click.command(short_help="Train a model and write it to a file.")
@click.argument("family")
@rows_option
@click.option(
    "--labels",
    metavar="COLUMN|FILE",
    help="For a family that takes labels: a column of the data or a file, with whole "
    "numbers from 0, and -1 for none. The default digits have the column 'digit'.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="An option of the family; may be repeated."
)
@columns_option
@click.option("--out", type=PATH, required=True, help="The .keras file to write.")
@click.option("--epochs", type=click.IntRange(1), help="Default: as many as the family needs, from 8 to 100.")
@click.option("--batch-size", type=click.IntRange(1), help="Default: 256, smaller for few rows.")
@click.option(
    "--learning-rate",
    type=Number(0, min_open=True),
    help="Default: follows the family, the widths and the batch; often 0.008.",
)
@click.option("--validation", type=Number(0, 1, min_open=True, max_open=True), default=0.1, show_default=True,
              help="Share of the rows to hold out.")  # fmt: skip
@click.option("--minutes", type=Number(0, min_open=True), help="Wall-clock budget; the best model so far is kept.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--checkpoint", type=PATH, help="File for the state of the run; the same command continues from this state."
)
@click.option(
    "--backend",
    type=click.Choice(["tensorflow", "jax"]),
    help="What computes. Default: KERAS_BACKEND, or tensorflow. On a GPU jax is the faster one: pip install 'ae-zoo[jax]'.",
)
@click.option("--pretrain", is_flag=True, help="First train the layers one by one, with a budget of their own.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def train(
    family: str,
    data: pathlib.Path | None,
    labels: str | None,
    settings: tuple[str, ...],
    kinds: str | None,
    out: pathlib.Path,
    validation: float,
    checkpoint: pathlib.Path | None,
    backend: str | None,
    pretrain: bool,
    quiet: bool,
    **plan: Any,
) -> None:
    """Train a model of FAMILY and write it to a file.

    Rows in [0, 1] get a sigmoid output. Other rows are standardized, and the model keeps the scaling. A table with
    texts, dates or missing cells is taken as it is; what its columns are is guessed, and printed first. If the model's
    reconstructions mean something, the last line compares the error on the held-out rows with the error of PCA with as
    many components, or for a table of a linear network. `ae-zoo families` lists families and options.

    \b
    ae-zoo train undercomplete --data rows.csv --set code=8 --out model.keras
    ae-zoo train denoising --set corruption=gaussian --set corruption_amount=0.2 --out digits.keras
    ae-zoo train convolutional --data images/ --out images.keras
    ae-zoo train undercomplete --data loans.csv --columns zip=category,id=ignore --out loans.keras
    ae-zoo train stacked --data rows.parquet --backend jax --out model.keras
    """
    # All that can be refused without Keras is refused first.
    choose_backend(backend)
    if out.suffix != ".keras":
        raise AEZooError(f"{out} must end in .keras, the format that is written.")
    files.writable(out)
    from ae_zoo.families.configs import config_of

    config = config_of(family)
    texts = dict(pair(setting, "--set NAME=VALUE", "code=32") for setting in settings)
    of_table = {"scaling": texts.pop("scaling")} if texts.get("scaling") == "quantile" else {}  # which arrays have not
    options = config.parse(texts) | of_table
    for name in ("input_shape", "columns"):
        if name in options:
            raise AEZooError(f"{name} cannot be set: it is read from the rows of --data.")
    check_rows(data)
    if data is None:
        check_default_labels(labels)
    if kinds and data is None:
        raise AEZooError("--columns says what the columns of --data are, which is not given.")
    given = None if data is None else read_labeled(data, labels, kinds_of(kinds), options.get("scaling"))
    if given is not None and given.schema is not None:
        options.pop("scaling", None)  # which the schema has
        click.echo(f"{given.schema}\n")
    elif of_table:
        raise AEZooError("scaling='quantile' is for tables: say what a column is, such as --columns amount=number.")
    with quiet_import():
        import keras  # noqa: F401 - loaded here so that TensorFlow's start-up lines stay off the terminal
    import numpy as np

    import ae_zoo

    if given is None:
        given = default_labeled(options.get("network", config.default("network")) == "convolutional", labels)
    x, y = given.x, given.y
    held_out = max(1, round(validation * len(x)))
    if held_out >= len(x):
        raise AEZooError(f"{len(x)} rows are too few to hold some out; give more.")
    order = np.random.default_rng(plan["seed"]).permutation(len(x))
    valid, train = order[:held_out], order[held_out:]
    x_valid, x_train = given.take(valid), given.take(train)
    if given.schema is not None:
        options["schema"] = given.schema.of_rows(x_train)  # the statistics are those of the training rows
    else:
        options["columns"] = given.columns
    verbose = 0 if quiet else (1 if sys.stdout.isatty() else 2)
    model = ae_zoo.build(family, data=x_train, seed=plan["seed"], **options)
    known: Rows | tuple[Rows, Rows] = x_valid
    if y is not None:
        if model.config.target != "labels":
            remedy = "say how many there are, --set n_classes=10" if "n_classes" in config.options() else "leave it out"
            raise AEZooError(f"This {family} model takes no labels, but --labels is given: {remedy}.")
        y = model.check_y(y, model.check_rows(x))
        known = x_valid, y[valid]
    if pretrain and not (checkpoint and checkpoint.exists()):
        ae_zoo.pretrain(model, x_train, **plan, verbose=verbose)
    y_train = None if y is None else y[train]
    ae_zoo.fit(model, x_train, y_train, validation=known, checkpoint=checkpoint, **plan, verbose=verbose)
    model.save(out)
    if not model.config.reconstructs:
        click.echo(
            f"{out}: for features alone; its codes are denser than in training, so its reconstruction error says nothing"
        )
        return
    from ae_zoo.evaluation.peer import peer_of

    peer, error = peer_of(model.schema), np.nanmean(model.reconstruction_error(x_valid))
    code, linear = peer.beside(model, model.check_rows(x_train), model.check_rows(x_valid))
    click.echo(
        f"{out}: held-out {peer.unit} {error:.5f} on {held_out:,} rows; {peer.called(code)} {linear:.5f}; {peer.meaning}"
    )
