"""`ae-zoo request`: rows answered by a model that TensorFlow Serving serves."""

import pathlib

import click

from ae_zoo.cli.shared import PATH


@click.command()
@click.argument("address")
@click.argument("model")
@click.argument("rows", type=PATH, required=False)
@click.option("--seeds", type=click.IntRange(1), help="In place of ROWS, for generate: the seeds 0, 1, ..., so many.")
@click.option("--signature", default="serving_default", show_default=True, help="What to ask for.")
@click.option("--out", type=PATH, help="File for the answers: .npy, .csv or .parquet. Default: print the first rows.")
@click.option("--timeout", type=float, default=10.0, show_default=True, help="Seconds for one request.")
def request(
    address: str,
    model: str,
    rows: pathlib.Path | None,
    seeds: int | None,
    signature: str,
    out: pathlib.Path | None,
    timeout: float,
) -> None:
    """Send the rows in the file ROWS to the served MODEL at ADDRESS, http://host:8501 or grpc://host:8500.

    \b
    ae-zoo request http://localhost:8501 digits rows.parquet --signature score --out answers.csv
    ae-zoo request http://localhost:8501 digits --signature generate --seeds 16 --out new.npy
    """
    import numpy as np

    from ae_zoo import client, data

    if (rows is None) == (seeds is None):
        raise click.UsageError("Give either the file ROWS or --seeds.")
    given = np.arange(seeds) if rows is None else data.read(rows).x
    served = client.connect(address, model, timeout=timeout)
    table = served.signatures().get(signature, {"inputs": {"x": ()}})
    found = served.predict(signature, **{next(iter(table["inputs"])): given})
    n = max(len(array) for array in found.values() if array.ndim)
    columns = {}
    for name, array in sorted(found.items(), key=lambda item: item[1].ndim):  # one number a row first
        flat = np.broadcast_to(array, (n,)).reshape(n, 1) if array.ndim == 0 else array.reshape(len(array), -1)
        flat = np.broadcast_to(flat, (n, flat.shape[1]))
        columns |= {name if flat.shape[1] == 1 else f"{name}_{i}": column for i, column in enumerate(flat.T)}
    if out is not None:
        data.write(out, np.column_stack(list(columns.values())), list(columns))
        click.echo(f"{out}: {n:,} rows of {len(columns)} columns")
        return
    click.echo("  ".join(list(columns)[:8]))
    for index in range(min(n, 5)):
        click.echo("  ".join(f"{column[index]:g}" for column in list(columns.values())[:8]))
