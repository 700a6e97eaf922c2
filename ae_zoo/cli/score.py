"""`ae-zoo encode` and `ae-zoo score`: codes and errors of rows, written to files."""

import pathlib
import zipfile

import click

from ae_zoo.cli.shared import PATH, ROWS, load_model, quiet_import


@click.command()
@click.argument("model", type=PATH)
@click.option("--data", type=PATH, required=True, help=ROWS)
@click.option("--out", type=PATH, required=True, help="File for the codes: .npy, .csv or .parquet.")
@click.option("--layer", help="A layer other than the code, such as hidden_0.")
def encode(model: pathlib.Path, data: pathlib.Path, out: pathlib.Path, layer: str | None) -> None:
    """Write the codes of rows, by the model in the file MODEL.

    \b
    ae-zoo encode model.keras --data rows.parquet --out codes.npy
    """
    from ae_zoo.data import read, write
    from ae_zoo.data.tables import writable

    writable(out)
    x = read(data).rows
    codes = load_model(model).encode(x, layer)
    codes = codes.reshape(len(codes), -1)
    write(out, codes, [f"{layer or 'code'}_{index}" for index in range(codes.shape[1])])
    click.echo(f"{out}: {len(codes):,} rows of {codes.shape[1]} codes")


@click.command()
@click.argument("model", type=PATH)
@click.option("--data", type=PATH, required=True, help=ROWS)
@click.option("--out", type=PATH, required=True, help="File for the errors: .npy, .csv or .parquet.")
@click.option("--per-feature", is_flag=True, help="The squared error of each feature too.")
def score(model: pathlib.Path, data: pathlib.Path, out: pathlib.Path, per_feature: bool) -> None:
    """Write the reconstruction error of rows; higher is stranger. MODEL is a model's file or a detector's.

    A calibrated detector adds a column that says whether the row is flagged.

    \b
    ae-zoo score model.keras --data rows.parquet --out errors.csv
    """
    import numpy as np

    from ae_zoo.data import read, write
    from ae_zoo.data.tables import writable

    writable(out)
    table = read(data)
    detector = None
    if zipfile.is_zipfile(model) and "detector.json" in zipfile.ZipFile(model).namelist():
        with quiet_import():
            from ae_zoo.anomaly import Detector
        detector = Detector.load(model)
    zoo_model = detector.model if detector else load_model(model)
    features = zoo_model.reconstruction_error(table.rows, per_feature=True) if per_feature else None
    if features is None:
        error = zoo_model.reconstruction_error(table.rows)
    else:
        features = features.reshape(len(features), -1)
        error = features.mean(axis=1)
    columns, names = [error[:, None]], ["error"]
    if detector and detector.threshold is not None:
        columns.append((error > detector.threshold)[:, None].astype("float32"))
        names.append("flagged")
    if features is not None:
        columns.append(features)
        config = getattr(zoo_model, "config", None)  # a PCA has none
        named = (
            (config and config.columns) or table.columns or [f"feature_{index}" for index in range(features.shape[1])]
        )
        names += [f"error_{name}" for name in named]
    write(out, np.concatenate(columns, axis=1), names)
    click.echo(f"{out}: {len(error):,} rows, median error {np.median(error):.5f}, largest {error.max():.5f}")
