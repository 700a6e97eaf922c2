"""`ae-zoo request`: sends rows to a model that TensorFlow Serving serves."""

import pathlib

import click

from ae_zoo._support.quiet import quiet_start
from ae_zoo.cli.shared import PATH, check_rows
from ae_zoo.errors import AEZooError


@click.command(short_help="Send rows to a model on a server.")
@click.argument("address")
@click.argument("model")
@click.argument("rows", type=PATH, required=False)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    help="For the signature generate, instead of ROWS: how many seeds (0, 1, 2, ...) to send.",
)
@click.option("--signature", default="serving_default", show_default=True, help="The signature to call.")
@click.option("--out", type=PATH, help="File for the answers: .npy, .csv or .parquet. Default: print the first rows.")
@click.option("--version", type=click.IntRange(1), help="Default: the newest version.")
@click.option("--label", help="A version's label instead of its number.")
@click.option("--card", type=PATH, help="The model's folder. Its card puts a table's columns in the model's order.")
@click.option("--as-is", is_flag=True, help="Send a table's columns in their order in the file.")
@click.option(
    "--timeout", type=float, default=10.0, show_default=True, help="Seconds for one whole request, including retries."
)
def request(
    address: str,
    model: str,
    rows: pathlib.Path | None,
    seeds: int | None,
    signature: str,
    out: pathlib.Path | None,
    version: int | None,
    label: str | None,
    card: pathlib.Path | None,
    as_is: bool,
    timeout: float,
) -> None:
    """Send the rows in the file ROWS to the served MODEL at ADDRESS (http://host:8501 or grpc://host:8500).

    \b
    ae-zoo request http://localhost:8501 machines rows.parquet --card saved_models/machines --signature score --out errors.csv
    ae-zoo request http://localhost:8501 digits --signature generate --seeds 16 --out new.npy
    """
    import numpy as np

    from ae_zoo import client, data
    from ae_zoo._support import versions
    from ae_zoo.schemas import Schema, schema_of

    if (rows is None) == (seeds is None):
        raise click.UsageError("Give either the file ROWS or --seeds.")
    if out is not None and rows is not None and out.exists() and rows.exists() and out.samefile(rows):
        raise AEZooError(f"{out} is the file of the rows, which would be lost; give another name with --out.")
    check_rows(rows)
    schema = None if card is None else schema_of(versions.card(versions.newest(card))["config"])
    columns: tuple[str, ...] | Schema | None = None if schema is None else schema.columns
    given: object = np.arange(seeds or 0)
    if rows is not None and schema is not None and schema.may_miss:
        frame = data.read_frame(rows)
        if frame is None:
            raise AEZooError(f"{rows} must be a table, .csv or .parquet, as the model's rows are.")
        given, columns = frame, schema
    elif rows is not None:
        table = data.read(rows)
        if table.columns is not None and card is None and not as_is:
            raise AEZooError(
                f"The server does not know the names of columns: give the model's folder as --card, or give --as-is if "
                f"{rows} has the columns of the training rows in the same order."
            )
        given = table.x if as_is or columns is None else table.rows
    with quiet_start():  # gRPC's classes import TensorFlow
        served = client.connect(address, model, version, label, timeout=timeout, columns=columns)
    with served:
        known = served.signatures()
        inputs = known[signature]["inputs"] if signature in known else {}
        name = next(iter(inputs), "x") if len(inputs) < 2 else "x"  # a table has several
        found = served.predict(signature, **{name: given})
    n = max((len(array) for array in found.values() if array.ndim), default=1)
    answers: dict[str, np.ndarray] = {}
    for name, array in sorted(
        found.items(), key=lambda item: (item[1].ndim, item[0])
    ):  # outputs with one number for each row come first
        flat = np.broadcast_to(array, (n,)).reshape(n, 1) if array.ndim == 0 else array.reshape(len(array), -1)
        flat = np.broadcast_to(flat, (n, flat.shape[1]))
        answers |= {name if flat.shape[1] == 1 else f"{name}_{i}": column for i, column in enumerate(flat.T)}
    if out is not None:
        with data.writer(out) as add:
            add(answers)
        click.echo(f"{out}: {n:,} rows of {len(answers)} columns")
        return
    click.echo("  ".join(list(answers)[:8]))
    for index in range(min(n, 5)):
        shown = (column[index] for column in list(answers.values())[:8])
        click.echo("  ".join(value if isinstance(value, str) else f"{value:g}" for value in shown))
