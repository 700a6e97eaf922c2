"""`ae-zoo search`: the best architecture for the rows in a file."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from ae_zoo._support.quiet import quiet_import
from ae_zoo.cli.shared import (
    PATH,
    Number,
    check_default_labels,
    check_rows,
    columns_option,
    default_labeled,
    kinds_of,
    pair,
    read_labeled,
    rows_option,
)
from ae_zoo.errors import AEZooError, first_line, unknown

OBJECTIVES = ("reconstruction", "denoising", "neighbors", "linear", "average_precision")
if TYPE_CHECKING:
    from ae_zoo.typing import Rows

Given: TypeAlias = "Mapping[str, object] | Sequence[Mapping[str, object]] | None"


@click.command(short_help="Search for the best architecture.")
@click.argument("families", nargs=-1, metavar="FAMILY...")
@rows_option
@click.option(
    "--labels",
    metavar="COLUMN|FILE",
    help="For objectives and families that need them: a column of the data or a file, with whole numbers. The default "
    "digits have the column 'digit'.",
)
@columns_option
@click.option(
    "--space",
    "settings",
    multiple=True,
    metavar="NAME=VALUES",
    help="What to try for an option: a range 8..64, values 16,32,64, a JSON list [[],[300]], or one value; may be repeated.",
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
    "--trials",
    type=click.IntRange(1),
    help="How many trials. Default: 20, or as many as the minutes allow, or the whole grid.",
)
@click.option("--minutes", type=Number(0, min_open=True), help="Wall-clock budget of the search.")
@click.option("--trial-minutes", type=Number(0, min_open=True), help="Wall-clock budget of each training.")
@click.option(
    "--objective",
    type=click.Choice(OBJECTIVES),
    default="reconstruction",
    show_default=True,
    help="What ranks the trials, on held-out rows: error, error under noise, accuracy of a classifier on the codes "
    "(neighbors, linear), or average precision of labeled anomalies.",
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
    "--validation", type=Number(0, 1, min_open=True, max_open=True), default=0.1, show_default=True,
    help="Share of the rows to hold out.",
)  # fmt: skip
@click.option(
    "--epochs", type=click.IntRange(1), help="Epochs of each training; with hyperband, of the longest training."
)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many seeds each finalist is trained with.",
)
@click.option(
    "--finalists", type=click.IntRange(1), default=3, show_default=True,
    help="How many of the best trials are trained with all seeds.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that share the cores.")
@click.option("--chief", metavar="HOST:PORT", help="Let other machines join at this address.")
@click.option(
    "--join", metavar="HOST:PORT", help="Work for the chief at this address; --out is the folder of its search."
)
@click.option("--seed", type=click.IntRange(1), default=1, show_default=True)
@click.option("--out", type=PATH, default=pathlib.Path("search"), show_default=True, help="Folder for the results.")
@click.option("--tensorboard", is_flag=True, help="Also write the trials for TensorBoard's HParams.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def search(
    families: tuple[str, ...],
    data: pathlib.Path | None,
    labels: str | None,
    kinds: str | None,
    settings: tuple[str, ...],
    space_file: pathlib.Path | None,
    join: str | None,
    out: pathlib.Path,
    quiet: bool,
    **options: Any,
) -> None:
    """Search for the best architecture of FAMILY, or of several families.

    Without --space the search uses the family's own ranges. Besides the family's options, --space takes depth and width (of
    the first hidden layer), learning_rate, batch_size and epochs. The main files in the folder are best.keras, best.json,
    leaderboard.csv and report.html. The folder also contains other files, such as all models. If a
    search is interrupted, the same command continues it. A table with texts, dates or missing cells is taken as it is; what
    its columns are is guessed, and printed first.

    The address of --chief has no authentication: use it only in a network that you trust. All machines share the folder.

    \b
    ae-zoo search stacked --space code=30 --minutes 10
    ae-zoo search undercomplete sparse --data rows.csv --trials 40 --workers 2
    ae-zoo search undercomplete --data loans.csv --columns zip=category,id=ignore --objective denoising
    ae-zoo search undercomplete --tuner grid --space 'hidden=[[],[300]]' --space code=50,100
    ae-zoo search stacked --minutes 60 --chief 10.0.0.5:8000 --out /shared/search
    ae-zoo search --join 10.0.0.5:8000 --out /shared/search
    """
    # All that can be refused without Keras is refused first.
    from ae_zoo.config import CORRUPTIONS
    from ae_zoo.families.configs import config_of
    from ae_zoo.schemas import ArraySchema
    from ae_zoo.tuning.space import Space

    if join is None and not families:
        raise AEZooError("Name a family to search; ae-zoo families lists them.")
    images = any(config_of(name).default("network") == "convolutional" for name in families)
    given = _space(settings, space_file)
    if options["corruption"][0] not in CORRUPTIONS:
        raise unknown("corruption", options["corruption"][0], CORRUPTIONS)
    check_rows(data)
    if data is None:
        check_default_labels(labels)
    if kinds and data is None:
        raise AEZooError("--columns says what the columns of --data are, which is not given.")
    labeled = None if data is None else read_labeled(data, labels, kinds_of(kinds))
    if families:
        shape, n = ((28, 28), 60_000) if labeled is None else (labeled.x.shape[1:], len(labeled.x))
        schema = (labeled and labeled.schema) or ArraySchema(input_shape=shape)
        Space.of(families, given, schema, n, options["tuner"] == "grid")
    if labeled is not None and labeled.schema is not None and not quiet:
        click.echo(f"{labeled.schema}\n")
    with quiet_import():
        import keras  # noqa: F401 - loaded here so that TensorFlow's start-up lines stay off the terminal
    import ae_zoo

    if join is not None:
        from ae_zoo.tuning.supervisor import join as work

        click.echo(f"Working for the chief at {join}.")
        work(out, join, options["workers"])
        return
    x, y, columns, of_table = labeled or default_labeled(images, labels)
    rows: Rows = x
    if columns is not None:
        import pandas as pd

        rows = pd.DataFrame(x, columns=list(columns))
    found = ae_zoo.search(
        list(families), rows, y, schema=of_table, space=given, directory=out, verbose=not quiet, **options
    )
    if found.stopped == "interrupted":
        raise KeyboardInterrupt


def _space(settings: tuple[str, ...], path: pathlib.Path | None) -> Given:
    """Returns the space of the options --space or --space-file; None where neither is given."""
    if path is None:
        return {name: values for name, values in map(_read, settings)} or None
    if settings:
        raise AEZooError("Give --space or --space-file, not both.")
    check_rows(path)
    try:
        space = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise AEZooError(f"{path} cannot be read as JSON: {first_line(error)}.") from error
    if isinstance(space, dict):  # JSON has no pairs, so a range is a text
        return {k: _range(v) if isinstance(v, str) and ".." in v else v for k, v in space.items()}
    if not isinstance(space, list) or not all(isinstance(one, dict) for one in space):
        raise AEZooError(f"{path} must hold an object of options, or a list of such objects.")
    return space


def _range(text: str) -> tuple[object, object]:
    low, _, high = text.partition("..")
    return _value(low.strip()), _value(high.strip())


def _read(setting: str) -> tuple[str, object]:
    """Returns an option's name, and a value, a list of values or a range."""
    usage, example = "--space NAME=VALUES", "code=16,32 or code=8..64"
    name, text = pair(setting, usage, example)
    if not text:
        raise AEZooError(f"Give {usage}, such as {example}; received {setting!r}.")
    if text.startswith("["):
        try:
            return name, json.loads(text)
        except ValueError as error:
            raise AEZooError(f"{name} cannot be read as a JSON list: {text!r}.") from error
    if ".." in text:
        return name, _range(text)
    values = [_value(part.strip()) for part in text.split(",")]
    return name, values if len(values) > 1 else values[0]


def _value(text: str) -> object:
    """Returns a number, true, false or a word; the option decides what "none" means."""
    try:
        return json.loads(text)
    except ValueError:
        return text
