"""`ae-zoo train`: a model of any family, from a file of rows to a `.keras` file."""

import pathlib
import sys
from typing import Any

import click

from ae_zoo._support import files
from ae_zoo._support.quiet import quiet_import
from ae_zoo.cli.shared import PATH, default_rows, rows, rows_option
from ae_zoo.errors import AEZooError


@click.command()
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
@click.option("--out", type=PATH, required=True, help="The .keras file to write.")
@click.option("--epochs", type=click.IntRange(1), help="Default: as many as the family needs, from 8 to 100.")
@click.option("--batch-size", type=click.IntRange(1), help="Default: 256, less for few rows.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="Default: the family's, 0.008 in most.")
@click.option("--validation", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.1, show_default=True,
              help="Share of the rows to hold out.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Wall-clock budget; the best so far is kept.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--checkpoint", type=PATH, help="File for the run's state; the same command goes on from there.")
@click.option("--pretrain", is_flag=True, help="Train the layers one by one first, within a budget of its own.")
@click.option("--quiet", is_flag=True, help="No progress.")
def train(family: str, data: pathlib.Path | None, settings: tuple[str, ...], out: pathlib.Path, **plan: Any) -> None:
    """Train a model of FAMILY and write it to a file.

    Rows in [0, 1] get a sigmoid output; others are standardised, which the model remembers. The last line printed sets
    the error on the held-out rows beside PCA's with as many components, where the model is one that reconstructs.
    `ae-zoo families` lists families and options.

    \b
    ae-zoo train undercomplete --data rows.csv --set code=8 --out model.keras
    ae-zoo train denoising --set corruption=gaussian --set corruption_amount=0.2 --out digits.keras
    ae-zoo train convolutional --data images/ --out images.keras
    """
    if out.suffix != ".keras":
        raise AEZooError(f"{out} must end in .keras, the format that is written.")
    files.writable(out)  # what cannot be written is better known before the training
    from ae_zoo.families.configs import config_of

    config = config_of(family)  # a typo is told before anything slow
    options = config.parse(dict(_pair(setting) for setting in settings))
    labels = plan.pop("labels")
    x, y, columns = (None, None, None) if data is None else rows(data, labels)
    with quiet_import():
        import keras  # noqa: F401 - loaded here so that TensorFlow's start-up lines stay off the terminal
    import numpy as np

    import ae_zoo

    if x is None:
        x, y = default_rows(options.get("network", config.default("network")) == "convolutional", labels)
    held_out = max(1, round(plan.pop("validation") * len(x)))
    if held_out >= len(x):
        raise AEZooError(f"{len(x)} rows are too few to hold some out; give more.")
    order = np.random.default_rng(plan["seed"]).permutation(len(x))
    valid, train = order[:held_out], order[held_out:]
    x_valid, x_train = x[valid], x[train]
    quiet, pretrain = plan.pop("quiet"), plan.pop("pretrain")
    verbose = 0 if quiet else (1 if sys.stdout.isatty() else 2)
    model = ae_zoo.build(family, data=x_train, seed=plan["seed"], **{"columns": columns, **options})
    validation: Any = x_valid
    if y is not None:
        if model.config.target != "labels":
            remedy = "say how many there are, --set n_classes=10" if "n_classes" in config.options() else "leave it out"
            raise AEZooError(f"This {family} model takes no labels, which --labels gives: {remedy}.")
        y = model.check_y(y, x)
        validation = x_valid, y[valid]
    checkpoint = plan["checkpoint"]
    if pretrain and not (checkpoint and checkpoint.exists()):
        layers = {name: plan[name] for name in ("epochs", "batch_size", "learning_rate", "minutes", "seed")}
        ae_zoo.pretrain(model, x_train, **layers, verbose=verbose)
    ae_zoo.fit(model, x_train, None if y is None else y[train], validation=validation, **plan, verbose=verbose)
    model.save(out)
    if not model.config.reconstructs:
        click.echo(
            f"{out}: for features alone; its codes are denser than in training, so that no error is worth giving"
        )
        return
    click.echo(f"{out}: held-out MSE {model.reconstruction_error(x_valid).mean():.5f} on {held_out:,} rows; ", nl=False)
    click.echo(_beside_pca(model, x_train, x_valid))


def _beside_pca(model: Any, x_train: Any, x_valid: Any) -> str:
    """The error of PCA with as many components as the code has units, in words."""
    import ae_zoo

    units, features = model.encode(x_valid[:1]).size, x_train[0].size
    if units >= features:
        return f"PCA loses nothing with the code's {units:,} units: a row has only {features:,} features"
    components = min(units, len(x_train))
    pca = ae_zoo.PCA(components, scaling=model.config.scaling).fit(x_train)
    return f"PCA with {components} components {pca.reconstruction_error(x_valid).mean():.5f}"


def _pair(setting: str) -> tuple[str, str]:
    name, equals, value = setting.partition("=")
    if not equals:
        raise AEZooError(f"--set takes NAME=VALUE, such as code=32; received {setting!r}.")
    return name.strip(), value
