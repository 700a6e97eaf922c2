"""The command line. Each command imports what it needs, so `--help` loads neither Keras nor TensorFlow."""

import contextlib
import os
import pathlib
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import click

PATH = click.Path(path_type=pathlib.Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ae-zoo")
def cli() -> None:
    """Autoencoders for Keras: train, encode, score, and chapter 19 of Hands-On Machine Learning with R redone.

    \b
    ae-zoo train sparse --data rows.parquet --set code=32 --set hidden=256,64 --out model.keras
    ae-zoo score model.keras --data new.parquet --out errors.csv
    ae-zoo chapter
    """


@cli.command()
def families() -> None:
    """List the families, with the options that `train --set` takes.

    \b
    ae-zoo families
    """
    import dataclasses

    with _quiet_import():
        from ae_zoo import factory
        from ae_zoo.families import FAMILIES

    def table(rows: list[tuple[str, str, str]]) -> None:
        first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
        for a, b, c in rows:
            click.echo(f"  {a:<{first}}  {b:<{second}}  {c}".rstrip())

    def default(field: dataclasses.Field) -> str:
        value = field.default
        if value is dataclasses.MISSING:
            return ""
        return (",".join(map(str, value)) or "()") if isinstance(value, tuple) else str(value).lower()

    def options(cls: type) -> list[tuple[str, str, str]]:
        rows = []
        for field in dataclasses.fields(cls):
            choices = field.metadata["choices"]
            rows.append(
                (field.name, default(field), field.metadata["help"] + (f": {', '.join(choices)}" if choices else ""))
            )
        return rows

    from ae_zoo.config import Config

    shared = {field.name: field.default for field in dataclasses.fields(Config)}
    click.echo("Families:")
    rows, lines = [], factory.families()
    for name, cls in FAMILIES.items():
        own = [
            f"{field.name}={default(field)}"
            for field in dataclasses.fields(cls.Config)
            if field.default is not dataclasses.MISSING and field.default != shared.get(field.name)
        ]
        rows.append((name, lines[name], " ".join(own)))
    table(rows)
    click.echo("\nOptions of all families, with the default where a family has no other:")
    table(options(Config))


@cli.command()
@click.argument("family")
@click.option(
    "--data", type=PATH, help="Rows: .npy, .npz, .csv, .parquet or a folder of images. Default: the digits of MNIST."
)
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="An option of the family; may be repeated."
)
@click.option("--out", type=PATH, required=True, help="The .keras file to write.")
@click.option("--epochs", type=click.IntRange(1), help="Default: enough to show about 430,000 rows, from 8 to 100.")
@click.option("--batch-size", type=click.IntRange(1), help="Default: 256, less for few rows.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="Default: 0.008 at a batch of 256.")
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
    the error on the held-out rows beside PCA's with as many components.

    \b
    ae-zoo train undercomplete --data rows.csv --set code=8 --out model.keras
    ae-zoo train denoising --set corruption=gaussian --set corruption_amount=0.2 --out digits.keras
    """
    if out.suffix != ".keras":
        raise ValueError(f"{out} must end in .keras, the format that is written.")
    out.parent.mkdir(parents=True, exist_ok=True)  # what cannot be written is better known before the training
    texts = dict(_pair(setting) for setting in settings)
    x, columns = _rows(data)
    with _quiet_import():
        import keras  # noqa: F401 - loaded here so that TensorFlow's start-up lines stay off the terminal
    import numpy as np

    import ae_zoo
    from ae_zoo.config import unknown
    from ae_zoo.families import FAMILIES

    if family not in FAMILIES:
        raise unknown("family", family, FAMILIES)
    held_out = max(1, round(plan.pop("validation") * len(x)))
    if held_out >= len(x):
        raise ValueError(f"{len(x)} rows are too few to hold some out; give more.")
    order = np.random.default_rng(plan["seed"]).permutation(len(x))
    x_valid, x_train = x[order[:held_out]], x[order[held_out:]]
    quiet, pretrain = plan.pop("quiet"), plan.pop("pretrain")
    verbose = 0 if quiet else (1 if sys.stdout.isatty() else 2)
    options = {"columns": columns, **FAMILIES[family].Config.parse(texts)}
    model = ae_zoo.build(family, data=x_train, seed=plan["seed"], **options)
    checkpoint = plan["checkpoint"]
    if pretrain and not (checkpoint and checkpoint.exists()):
        layers = {name: plan[name] for name in ("epochs", "batch_size", "learning_rate", "minutes", "seed")}
        ae_zoo.pretrain(model, x_train, **layers, verbose=verbose)
    ae_zoo.fit(model, x_train, validation=x_valid, **plan, verbose=verbose)
    model.save(out)
    error = model.reconstruction_error(x_valid).mean()
    components = min(model.config.code, len(x_train), x_train[0].size)
    pca = ae_zoo.PCA(components, scaling=model.config.scaling).fit(x_train).reconstruction_error(x_valid).mean()
    click.echo(f"{out}: held-out MSE {error:.5f} on {held_out:,} rows; PCA with {components} components {pca:.5f}")


@cli.command()
@click.argument("model", type=PATH)
@click.option("--data", type=PATH, required=True, help="Rows: .npy, .npz, .csv, .parquet or a folder of images.")
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
    codes = _load(model).encode(x, layer)
    codes = codes.reshape(len(codes), -1)
    write(out, codes, [f"{layer or 'code'}_{index}" for index in range(codes.shape[1])])
    click.echo(f"{out}: {len(codes):,} rows of {codes.shape[1]} codes")


@cli.command()
@click.argument("model", type=PATH)
@click.option("--data", type=PATH, required=True, help="Rows: .npy, .npz, .csv, .parquet or a folder of images.")
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
        with _quiet_import():
            from ae_zoo.anomaly import Detector
        detector = Detector.load(model)
    zoo_model = detector.model if detector else _load(model)
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


@cli.command()
@click.option("--out", type=PATH, default=pathlib.Path("chapter"), show_default=True, help="Folder for the report.")
@click.option("--only", multiple=True, metavar="SECTION", help="A section such as 19.3; may be repeated.")
@click.option(
    "--data", type=PATH, help="mnist.npz or its folder; default: AE_ZOO_DATA, Keras's download, 5,000 digits."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
def chapter(out: pathlib.Path, only: tuple[str, ...], data: pathlib.Path | None, seed: int) -> None:
    """Redo chapter 19, sections 19.2 to 19.5, on real digits, and write a report.

    \b
    ae-zoo chapter
    ae-zoo chapter --only 19.3 --out sparse
    """
    with _quiet_import():
        import keras  # noqa: F401 - loaded here so that TensorFlow's start-up lines stay off the terminal
    from ae_zoo.chapter import chapter as run
    from ae_zoo.chapter import chosen
    from ae_zoo.data import load_mnist

    sections = chosen(only)
    run(load_mnist(data), out, only=sections, seed=seed)


def main() -> None:
    """Runs the command line: bad input is one sentence on the error stream and exit code 2, without a traceback."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except (ValueError, ArithmeticError, ImportError, OSError) as error:
        reason = getattr(error, "strerror", None)  # the system's own errors have a number in front
        click.echo(f"Error: {f'{error.filename}: {reason}' if reason else error}", err=True)
        sys.exit(2)


def _rows(path: pathlib.Path | None) -> tuple[Any, tuple[str, ...] | None]:
    """The rows in a file with their columns' names, or the training digits."""
    from ae_zoo.data import load_mnist, read

    if path is not None:
        table = read(path)
        return table.x, table.columns
    digits = load_mnist()
    click.echo(f"Data: {digits}")
    return digits.x_train, None


def _load(path: pathlib.Path) -> Any:
    with _quiet_import():
        from ae_zoo.factory import load
    return load(path)


def _pair(setting: str) -> tuple[str, str]:
    name, equals, value = setting.partition("=")
    if not equals:
        raise ValueError(f"--set takes NAME=VALUE, such as code=32; received {setting!r}.")
    return name.strip(), value


@contextlib.contextmanager
def _quiet_import() -> Iterator[None]:
    """Keeps what TensorFlow's C++ code writes as it starts, whatever the log level, off the error stream."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
        sys.modules["keras"].ops.zeros(())  # the search for a GPU is put off to the first operation
    finally:
        os.dup2(kept, 2)
        os.close(kept)
