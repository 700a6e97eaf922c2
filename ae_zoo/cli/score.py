"""`ae-zoo encode` and `ae-zoo score`: codes and errors of any number of rows, written to files."""

import functools
import pathlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ae_zoo._support.quiet import quiet_start
from ae_zoo.cli.shared import PATH, load_detector, load_model
from ae_zoo.errors import AEZooError

if TYPE_CHECKING:
    import numpy as np

    from ae_zoo._support.cards import Card

Columns = dict[str, "np.ndarray"]  # (n,) each

MODEL = click.option(
    "--model", type=PATH, required=True, help="A model's or detector's file, or a folder that export wrote."
)
AT_ONCE = 4096  # rows that an exported model is given at a time


@click.command()
@MODEL
@click.argument("rows", type=PATH)
@click.option("--out", type=PATH, required=True, help="File for the codes: .npy, .csv or .parquet.")
@click.option("--layer", help="A layer other than the code, such as hidden_0.")
def encode(model: pathlib.Path, rows: pathlib.Path, out: pathlib.Path, layer: str | None) -> None:
    """Write the codes of the rows in the file ROWS, some at a time.

    \b
    ae-zoo encode --model model.keras rows.parquet --out codes.npy
    """
    from ae_zoo.data import writable

    writable(out)
    if _is_exported(model):
        if layer is not None:
            raise AEZooError("An exported model serves its codes alone: leave --layer out, or give the .keras file.")
        answer = _exported(model)[0]

        def codes(x: Any) -> Any:
            return answer("encode", x, ["code"])["code"]

    else:
        detector = load_detector(model)
        loaded = detector.model if detector else load_model(model)
        codes = functools.partial(loaded.encode, layer=layer)

    def named(x: Any) -> Columns:
        found = codes(x)
        return {f"{layer or 'code'}_{index}": column for index, column in enumerate(found.reshape(len(found), -1).T)}

    n, width = 0, 0
    for piece in _through(rows, out, named):
        n, width = n + len(next(iter(piece.values()))), len(piece)
    click.echo(f"{out}: {n:,} rows of {width} codes")


@click.command()
@MODEL
@click.argument("rows", type=PATH)
@click.option("--out", type=PATH, help="File: .npy, .csv or .parquet. Default: ROWS with the ending .scores.parquet.")
@click.option("--per-feature", is_flag=True, help="The squared error of each feature too.")
def score(model: pathlib.Path, rows: pathlib.Path, out: pathlib.Path | None, per_feature: bool) -> None:
    """Write the reconstruction error of the rows in the file ROWS, some at a time; higher is stranger.

    A calibrated detector adds a column that says whether the row is flagged. An exported model is run by TensorFlow
    without Keras and without a server, which starts sooner.

    \b
    ae-zoo score --model saved_models/digits rows.parquet
    ae-zoo score --model model.keras rows.csv --out errors.csv
    """
    from ae_zoo.data import writable

    out = out or rows.with_suffix(".scores.parquet")
    writable(out)
    errors, threshold, columns = (_served_errors if _is_exported(model) else _errors)(model, per_feature)

    def named(x: Any) -> Columns:
        import numpy as np

        error, features = errors(x)
        found = {"error": error}
        if threshold is not None:
            found["flagged"] = error > np.float32(threshold)
        if features is not None:
            features = features.reshape(len(features), -1)
            names = columns or getattr(x, "columns", None)
            names = [f"feature_{index}" for index in range(features.shape[1])] if names is None else names
            found |= {f"error_{name}": column for name, column in zip(names, features.T, strict=True)}
        return found

    n, total, largest, flagged = 0, 0.0, 0.0, 0
    for piece in _through(rows, out, named):
        error = piece["error"]
        n, total, largest = n + len(error), total + float(error.sum(dtype="float64")), max(largest, float(error.max()))
        flagged += int(piece["flagged"].sum()) if threshold is not None else 0
    click.echo(f"{out}: {n:,} rows, mean error {total / n:.5f}, largest {largest:.5f}", nl=threshold is None)
    if threshold is not None:
        click.echo(f", {flagged:,} flagged")


def _through(rows: pathlib.Path, out: pathlib.Path, function: Callable[[Any], Columns]) -> Iterator[Columns]:
    """Writes and yields what a function makes of the rows, piece by piece."""
    import sys

    from ae_zoo.data import pieces, writer

    if out.exists() and rows.exists() and out.samefile(rows):
        raise AEZooError(f"{out} is the file of the rows, which would be lost; give another name with --out.")
    done = 0
    with writer(out) as add:
        for piece in pieces(rows):
            try:
                found = function(piece)
            except ValueError as error:
                raise AEZooError(f"{rows}, from row {done} on: {error}" if done else str(error)) from error
            add(found)
            yield found
            done += len(piece)
            if sys.stderr.isatty():
                click.echo(f"\r{done:,} rows", nl=False, err=True)
    if sys.stderr.isatty():
        click.echo("\r", nl=False, err=True)


def _errors(path: pathlib.Path, per_feature: bool) -> tuple[Callable[[Any], Any], float | None, Any]:
    """Of a file's model: rows to (error, error of each feature or None); the threshold; the names of the features."""
    detector = load_detector(path)
    model = detector.model if detector else load_model(path)

    def errors(x: Any) -> tuple[Any, Any]:
        if not per_feature:
            return model.reconstruction_error(x), None
        features = model.reconstruction_error(x, per_feature=True)
        return features.reshape(len(features), -1).mean(axis=1), features

    return errors, detector.threshold if detector else None, model.schema.columns


def _served_errors(path: pathlib.Path, per_feature: bool) -> tuple[Callable[[Any], Any], float | None, Any]:
    """The same of an exported model."""
    from ae_zoo.schemas import schema_of

    answer, card = _exported(path)

    def errors(x: Any) -> tuple[Any, Any]:
        found = answer("score", x, ["error", "share"] if per_feature else ["error"])
        if not per_feature:
            return found["error"], None
        share = found["share"].reshape(len(found["error"]), -1)
        return found["error"], share * found["error"][:, None] * share.shape[1]

    return errors, card["threshold"], schema_of(card["config"]).columns


def _is_exported(path: pathlib.Path) -> bool:
    from ae_zoo._support import versions

    return versions.found(path).is_dir()


def _exported(path: pathlib.Path) -> tuple[Callable[..., Columns], "Card"]:
    """What runs a signature of an exported model on rows of any number, and the model's card."""
    import numpy as np

    from ae_zoo._support import versions
    from ae_zoo.schemas import schema_of
    from ae_zoo.serving.saved_model import SavedModel, tensorflow_alone

    version = versions.newest(versions.found(path))
    versions.check_intact(version)
    try:
        with quiet_start(), tensorflow_alone():
            model = SavedModel(version)
    except ValueError as error:  # its file stands alone, and knows no error of ours
        raise AEZooError(str(error)) from error
    card = versions.card(version)
    schema = schema_of(card["config"])

    def answer(signature: str, x: Any, outputs: list[str]) -> Columns:
        if signature not in model.signatures:
            raise AEZooError(f"{version} does not serve {signature!r}; it serves {', '.join(model.signatures)}.")
        x = schema.code(x)
        try:
            parts = [
                model.run(signature, {"x": x[start : start + AT_ONCE]}, outputs) for start in range(0, len(x), AT_ONCE)
            ]
        except ValueError as error:
            raise AEZooError(str(error)) from error
        return {name: np.concatenate([part[name] for part in parts]) for name in outputs}

    return answer, card
