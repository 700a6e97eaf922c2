"""`ae-zoo detect`: from a file of rows to the strange ones, with reasons."""

import pathlib
import sys

import click

from ae_zoo._support import files
from ae_zoo._support.quiet import quiet_import
from ae_zoo.cli.shared import PATH, ROWS, Number, check_rows, check_written, kinds_of, pair, read_labeled, read_rows
from ae_zoo.errors import AEZooError


@click.command(short_help="Find strange rows, and say why they are strange.")
@click.argument("data", type=PATH)
@click.option("--new", type=PATH, help="Rows to judge; the rows of DATA are then what is ordinary. " + ROWS)
@click.option("--rate", type=Number(0, 1, min_open=True, max_open=True), default=0.01, show_default=True,
              help="Share of ordinary rows that may be flagged.")  # fmt: skip
@click.option(
    "--rows", type=click.IntRange(1), default=10, show_default=True, help="How many of the strangest to show."
)
@click.option("--out", type=PATH, help="A file for the scores of all rows: .csv or .parquet.")
@click.option("--save", type=PATH, help="A file for the detector, for ae-zoo score, monitor and export.")
@click.option("--family", help="Of the networks. Default: denoising, with options that suit detection.")
@click.option("--members", type=click.IntRange(1), default=1, show_default=True, help="Number of networks.")
@click.option("--by", metavar="COLUMN", help="A column whose values have a threshold each.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="An option of the family; may be repeated."
)
@click.option("--columns", "kinds", metavar="NAME=KIND,...", help="What columns of a table are, if the guess is wrong.")
@click.option("--epochs", type=click.IntRange(1), help="Default: as many as the family needs.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
def detect(
    data: pathlib.Path,
    new: pathlib.Path | None,
    rate: float,
    rows: int,
    out: pathlib.Path | None,
    save: pathlib.Path | None,
    family: str | None,
    members: int,
    by: str | None,
    settings: tuple[str, ...],
    kinds: str | None,
    epochs: int | None,
    seed: int,
) -> None:
    """Find the strange rows in the file DATA, and say for each which of its cells are strange.

    Without --new, each row of DATA is scored by networks that were trained without it. The strangest are shown, whether they
    are strange enough or not. With --new, the new rows are flagged: of ordinary ones at most the share --rate.

    \b
    ae-zoo detect machines.parquet
    ae-zoo detect machines.parquet --new today.parquet --rate 0.001 --out today.csv --save machines.zip
    ae-zoo detect loans.csv --columns id=ignore --new new.csv --by country
    """
    check_rows(data, new)
    check_written(out, save, read=(data, new))
    from ae_zoo.families.configs import config_of

    options = config_of(family or "denoising").parse(
        dict(pair(setting, "--set NAME=VALUE", "code=32") for setting in settings)
    )
    from ae_zoo.data import writable, writer

    if out is not None and writable(out) == ".npy":
        raise AEZooError(f"{out} must end in .csv or .parquet, because the scores are a table.")
    if save is not None:
        files.writable(save)
    given = read_labeled(data, None, kinds_of(kinds), options.get("scaling"))
    judged = None if new is None else read_rows(new).rows
    with quiet_import():
        from ae_zoo.detection.detect import detect as of_rows
        from ae_zoo.tables.verbs import sentence
    import numpy as np
    import pandas as pd

    x = given.x
    if given.schema is not None:
        options.pop("scaling", None)
        options["schema"] = given.schema
        click.echo(f"{given.schema}\n")
    elif given.columns is not None:
        options["columns"] = given.columns
    detector = of_rows(
        x,
        family,
        false_alarm_rate=rate,
        held_out=0 if judged is None else 0.2,
        members=members,
        by=by,
        seed=seed,
        verbose=1 if sys.stdout.isatty() else 0,
        fit={} if epochs is None else {"epochs": epochs},
        **options,
    )
    click.echo(f"{detector.promise()}.")
    if save is not None:
        detector.save(save)
        click.echo(f"{save}: the detector")
    shown = x if judged is None else judged
    found = detector.columns(judged) if judged is not None else {"score": np.asarray(detector.out_of_fold)}
    score = np.nan_to_num(found["score"], nan=-np.inf)
    chosen = np.argsort(-score, kind="stable")[:rows]
    if judged is not None:
        click.echo(f"{int(found['flagged'].sum()):,} of {len(score):,} rows are flagged.")
        chosen = chosen[found["flagged"][chosen]]
    if len(chosen):
        reasons = detector.explain(shown.iloc[chosen] if isinstance(shown, pd.DataFrame) else shown[chosen], top=3)
        for place, row in enumerate(chosen):
            _, _, why = sentence(reasons.loc[[place]]).partition(": ")
            click.echo(f"row {row}, score {score[row]:.2f}: {why}")
    if out is not None:
        with writer(out) as add:
            add({"row": np.arange(len(score)), **found})
        click.echo(f"{out}: {len(score):,} rows")
