"""`ae-zoo search`: the best architecture for the rows in a file."""

import json
import pathlib
from typing import Any

import click

from ae_zoo._support.quiet import quiet_import
from ae_zoo.cli.shared import PATH, default_rows, rows, rows_option
from ae_zoo.errors import AEZooError


@click.command()
@click.argument("families", nargs=-1, metavar="FAMILY...")
@rows_option
@click.option(
    "--labels",
    metavar="COLUMN|FILE",
    help="For objectives and families that need them: a column of the data or a file, with whole numbers. The default "
    "digits have the column 'digit'.",
)
@click.option(
    "--space",
    "settings",
    multiple=True,
    metavar="NAME=VALUES",
    help="What to try for an option: a range 8..64, values 16,32,64, a JSON list [[],[300]], or one value. May be repeated.",
)
@click.option(
    "--space-file",
    type=PATH,
    help='A JSON file: an object of options (a range is "8..64"), or a list of whole combinations.',
)
@click.option(
    "--tuner", type=click.Choice(["random", "grid", "bayesian", "hyperband"]), default="random", show_default=True
)
@click.option(
    "--trials", type=click.IntRange(1), help="How many. Default: 20, or as many as the minutes allow, or the grid."
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Wall-clock budget of the search.")
@click.option("--trial-minutes", type=click.FloatRange(0, min_open=True), help="Of each training.")
@click.option(
    "--objective",
    type=click.Choice(["reconstruction", "denoising", "neighbors", "linear", "average_precision"]),
    default="reconstruction",
    show_default=True,
    help="What ranks, on held-out rows: clean error, error under noise, accuracy of a classifier on the codes, or "
    "average precision of labeled anomalies.",
)
@click.option(
    "--corruption",
    nargs=2,
    type=(str, float),
    default=("masking", 0.3),
    show_default="masking 0.3",
    metavar="KIND AMOUNT",
    help="The noise of --objective denoising.",
)
@click.option(
    "--validation", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.1, show_default=True,
    help="Share of the rows to hold out.",
)  # fmt: skip
@click.option("--epochs", type=click.IntRange(1), help="Of each training; the longest of hyperband.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="With which finalists are trained.")
@click.option("--finalists", type=click.IntRange(1), default=3, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that share the cores.")
@click.option("--chief", metavar="HOST:PORT", help="Let other machines join at this address.")
@click.option("--join", metavar="HOST:PORT", help="Work for the search in --out, of the chief at this address.")
@click.option("--seed", type=click.IntRange(1), default=1, show_default=True)
@click.option("--out", type=PATH, default=pathlib.Path("search"), show_default=True, help="Folder for all of it.")
@click.option("--tensorboard", is_flag=True, help="Write the trials for TensorBoard's HParams too.")
@click.option("--quiet", is_flag=True, help="No progress.")
def search(
    families: tuple[str, ...],
    data: pathlib.Path | None,
    labels: str | None,
    settings: tuple[str, ...],
    space_file: pathlib.Path | None,
    join: str | None,
    out: pathlib.Path,
    quiet: bool,
    **options: Any,
) -> None:
    """Search for the best architecture of FAMILY, or of several.

    What is tried follows from the family; --space narrows it. Beside the family's options there are depth and width (of
    the first hidden layer), learning_rate, batch_size and epochs. The folder gets best.keras, best.json, leaderboard.csv,
    report.html and search.log. The same command goes on where an earlier one was broken off.

    The address of --chief has no authentication: bind it in a network that you trust, and share the folder.

    \b
    ae-zoo search stacked --space code=30 --minutes 10
    ae-zoo search undercomplete sparse --data rows.csv --trials 40 --workers 2
    ae-zoo search undercomplete --tuner grid --space 'hidden=[[],[300]]' --space code=50,100
    ae-zoo search stacked --minutes 60 --chief 10.0.0.5:8000 --out /shared/search
    ae-zoo search --join 10.0.0.5:8000 --out /shared/search
    """
    from ae_zoo.families.configs import config_of

    if join is None and not families:
        raise AEZooError("Name a family to search; ae-zoo families lists them.")
    for name in families:
        config_of(name)  # a typo is told before anything slow
    with quiet_import():
        import keras  # noqa: F401 - loaded here so that TensorFlow's start-up lines stay off the terminal
    import ae_zoo

    if join is not None:
        from ae_zoo.tuning.supervisor import join as work

        click.echo(f"Working for the chief at {join}.")
        work(out, join, options["workers"])
        return
    images = any(config_of(name).default("network") == "convolutional" for name in families)
    if data is None:
        x, y = default_rows(images, labels)
    else:
        x, y, columns = rows(data, labels)
        if columns is not None:
            import pandas as pd

            x = pd.DataFrame(x, columns=list(columns))
    try:
        found = ae_zoo.search(
            list(families), x, y, space=_space(settings, space_file), directory=out, verbose=not quiet, **options
        )
    except RuntimeError as error:
        raise AEZooError(str(error)) from error
    if found.stopped == "interrupted":
        raise KeyboardInterrupt


def _space(settings: tuple[str, ...], path: pathlib.Path | None) -> Any:
    if path is None:
        return {name: values for name, values in map(_read, settings)} or None
    if settings:
        raise AEZooError("Give --space or --space-file, not both.")
    try:
        space = json.loads(path.read_text())
    except ValueError as error:
        raise AEZooError(f"{path} cannot be read as JSON: {error}.") from error
    if isinstance(space, dict):  # JSON has no pairs, so a range is a text
        return {k: _range(v) if isinstance(v, str) and ".." in v else v for k, v in space.items()}
    return space


def _range(text: str) -> tuple[Any, Any]:
    low, _, high = text.partition("..")
    return _value(low.strip()), _value(high.strip())


def _read(setting: str) -> tuple[str, Any]:
    """An option's name, and a value, a list of values or a range."""
    name, equals, text = setting.partition("=")
    name, text = name.strip(), text.strip()
    if not equals or not text:
        raise AEZooError(f"--space takes NAME=VALUES, such as code=16,32 or code=8..64; received {setting!r}.")
    if text.startswith("["):
        try:
            return name, json.loads(text)
        except ValueError as error:
            raise AEZooError(f"{name} cannot be read as a JSON list: {text!r}.") from error
    if ".." in text:
        return name, _range(text)
    values = [_value(part.strip()) for part in text.split(",")]
    return name, values if len(values) > 1 else values[0]


def _value(text: str) -> Any:
    """A number, true, false or a word; "none" is what the option takes it for."""
    try:
        return json.loads(text)
    except ValueError:
        return text
