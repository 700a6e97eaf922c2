"""`ae-zoo encode` and `ae-zoo score`: codes and errors of any number of rows, written to files."""

import pathlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import click

from ae_zoo._support.quiet import quiet_start
from ae_zoo.cli.shared import PATH, check_model, check_rows, load_trained
from ae_zoo.errors import AEZooError

if TYPE_CHECKING:
    from ae_zoo._support.cards import Card
    from ae_zoo.schemas import Schema
    from ae_zoo.typing import Array, Rows

Columns: TypeAlias = "dict[str, Array]"  # (n,) each

MODEL = click.option(
    "--model", type=PATH, required=True, help="File of a model or a detector, or a folder that export wrote."
)
NOTHING: "Mapping[str, Any]" = {"outputs": {}}
AT_ONCE = 4096  # rows that an exported model gets at a time


class _Scorer(NamedTuple):
    """What `score` asks of a model.

    Attributes:
        answers: rows to columns `(n,)` by name, `error` the first; and, where asked for, the error of each feature
            `(n, features)`.
        schema: what a row is.
    """

    answers: "Callable[[Rows], tuple[Columns, Array | None]]"
    schema: "Schema"


@click.command(short_help="Write the codes of rows.")
@MODEL
@click.argument("rows", type=PATH)
@click.option("--out", type=PATH, required=True, help="File for the codes: .npy, .csv or .parquet.")
@click.option("--layer", help="A layer other than the code, such as hidden_0.")
def encode(model: pathlib.Path, rows: pathlib.Path, out: pathlib.Path, layer: str | None) -> None:
    """Write the codes of the rows in the file ROWS, one piece of the file at a time.

    \b
    ae-zoo encode --model model.keras rows.parquet --out codes.npy
    """
    kind = _checked(model, rows, out)
    from ae_zoo.schemas import schema_of

    if kind == "folder":
        if layer is not None:
            raise AEZooError("An exported model serves its codes alone: leave --layer out, or give the .keras file.")
        answer, card = _exported(model)
        schema = schema_of(card["config"])

        def codes(x: "Rows") -> "Array":
            return answer("encode", x, ["code"])["code"]

    else:
        trained = load_trained(model).model
        schema = trained.schema

        def codes(x: "Rows") -> "Array":
            return trained.encode(x, layer)

    def named(x: "Rows") -> Columns:
        found = codes(x)
        return {f"{layer or 'code'}_{index}": column for index, column in enumerate(found.reshape(len(found), -1).T)}

    n, width = 0, 0
    for piece in _through(rows, out, named, schema):
        n, width = n + len(next(iter(piece.values()))), len(piece)
    click.echo(f"{out}: {n:,} rows of {width} codes")


@click.command(short_help="Write the reconstruction errors of rows.")
@MODEL
@click.argument("rows", type=PATH)
@click.option("--out", type=PATH, help="File: .npy, .csv or .parquet. Default: ROWS with the ending .scores.parquet.")
@click.option("--per-feature", is_flag=True, help="Write the squared error of each feature too.")
def score(model: pathlib.Path, rows: pathlib.Path, out: pathlib.Path | None, per_feature: bool) -> None:
    """Write the reconstruction error of each row in the file ROWS. A higher error means a stranger row.

    The file is read one piece at a time, so it may have any size.

    A calibrated detector adds its score, the p-value, and whether the row is flagged. TensorFlow runs an exported model
    without Keras and without a server, which starts faster.

    \b
    ae-zoo score --model saved_models/digits rows.parquet
    ae-zoo score --model model.keras rows.csv --out errors.csv
    """
    out = out or rows.with_suffix(".scores.parquet")
    kind = _checked(model, rows, out)
    from ae_zoo.frames import columns_of

    answers, schema = (_served_scorer if kind == "folder" else _scorer)(model, per_feature)

    def named(x: "Rows") -> Columns:
        found, by_feature = answers(x)
        if by_feature is not None:
            own = schema.columns or columns_of(x) or [f"feature_{index}" for index in range(by_feature.shape[1])]
            found |= {f"error_{name}": column for name, column in zip(own, by_feature.T, strict=True)}
        return found

    import numpy as np

    n, unknown, total, largest, flagged = 0, 0, 0.0, 0.0, None
    for piece in _through(rows, out, named, schema):
        error = piece["error"]
        n, unknown, total, largest = (
            n + len(error),
            unknown + int(np.isnan(error).sum()),
            total + float(np.nansum(error, dtype="float64")),
            float(np.fmax(largest, np.fmax.reduce(error))),
        )
        if "flagged" in piece:
            flagged = (flagged or 0) + int(piece["flagged"].sum())
    said = [
        f"{n:,} rows",
        f"mean error {total / (n - unknown):.5f}, largest {largest:.5f}" if n > unknown else "no error is known",
    ]
    said += [f"{unknown:,} without a cell that is present"] if unknown else []
    said += [] if flagged is None else [f"{flagged:,} flagged"]
    click.echo(f"{out}: {', '.join(said)}")


def _checked(model: pathlib.Path, rows: pathlib.Path, out: pathlib.Path) -> str:
    """Returns the kind of the model; raises `AEZooError` for what can be refused without Keras."""
    kind = check_model(model)
    check_rows(rows)
    from ae_zoo.data import writable  # which loads pandas

    writable(out)
    if out.exists() and out.samefile(rows):
        raise AEZooError(f"{out} is the file of the rows, which would be lost; give another name with --out.")
    return kind


def _through(
    rows: pathlib.Path, out: pathlib.Path, function: "Callable[[Rows], Columns]", schema: "Schema"
) -> Iterator[Columns]:
    """Applies a function to the rows piece by piece; writes and yields each result."""
    from ae_zoo.data import pieces, writer

    done = 0
    with writer(out) as add:
        for piece in pieces(rows, as_they_are=schema.may_miss):
            try:
                found = function(piece)
            except ValueError as error:
                place = f"{rows}, from row {done} on" if done else str(rows)
                raise AEZooError(f"{place}: {error}") from error
            add(found)
            yield found
            done += len(piece)
            if sys.stderr.isatty():
                click.echo(f"\r{done:,} rows", nl=False, err=True)
        if not done:
            raise AEZooError(f"{rows} has no rows.")
    if sys.stderr.isatty():
        click.echo("\r", nl=False, err=True)


def _scorer(path: pathlib.Path, per_feature: bool) -> _Scorer:
    """Returns the scorer of a file's model."""
    model, detector = load_trained(path)

    def answers(x: "Rows") -> "tuple[Columns, Array | None]":
        by_feature = model.reconstruction_error(x, per_feature=True) if per_feature else None
        flat = None if by_feature is None else by_feature.reshape(len(by_feature), -1)
        mean = flat is None or model.schema.may_miss
        found = {"error": model.reconstruction_error(x) if mean else flat.mean(axis=1)}  # type: ignore[union-attr]
        return found | (detector.columns(x) if detector else {}), flat

    return _Scorer(answers, model.schema)


def _served_scorer(path: pathlib.Path, per_feature: bool) -> _Scorer:
    """Returns the scorer of an exported model."""
    from ae_zoo.schemas import schema_of

    answer, card = _exported(path)

    kept = [
        name for name in ("score", "p_value", "flagged") if name in card["signatures"].get("detect", NOTHING)["outputs"]
    ]

    def answers(x: "Rows") -> "tuple[Columns, Array | None]":
        found = answer("score", x, ["error", "share"] if per_feature else ["error"])
        columns = {"error": found["error"]} | (answer("detect", x, kept) if kept else {})
        if not per_feature:
            return columns, None
        share = found["share"].reshape(len(found["error"]), -1)
        return columns, schema_of(card["config"]).errors(share, found["error"], x)

    return _Scorer(answers, schema_of(card["config"]))


def _exported(path: pathlib.Path) -> "tuple[Callable[[str, Rows, list[str]], Columns], Card]":
    """Returns a function that runs a signature of an exported model on any number of rows, and the model's card."""
    import numpy as np

    from ae_zoo._support import versions
    from ae_zoo.schemas import schema_of
    from ae_zoo.serving.saved_model import SavedModel, tensorflow_alone

    version = versions.newest(path)
    versions.check_intact(version)
    try:
        with quiet_start(), tensorflow_alone():
            model = SavedModel(version)
    except ValueError as error:  # the file saved_model.py stands alone, so it does not know our errors
        raise AEZooError(str(error)) from error
    card = versions.card(version)
    schema = schema_of(card["config"])

    def answer(signature: str, x: "Rows", outputs: list[str]) -> Columns:
        if signature not in model.signatures:
            raise AEZooError(f"{version} does not serve {signature!r}; it serves {', '.join(model.signatures)}.")
        coded = schema.code(x)
        inputs = schema.served(coded)
        try:
            parts = [
                model.run(signature, {key: value[start : start + AT_ONCE] for key, value in inputs.items()}, outputs)
                for start in range(0, len(coded), AT_ONCE)
            ]
        except ValueError as error:
            raise AEZooError(str(error)) from error
        return {name: np.concatenate([part[name] for part in parts]) for name in outputs}

    return answer, card
