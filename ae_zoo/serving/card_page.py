"""The card of an exported version as a page with pictures."""

import os
import pathlib
import shlex

import numpy as np

from ae_zoo import plots
from ae_zoo._support import archives, versions
from ae_zoo._support.cards import Card, raw_columns, told
from ae_zoo.endpoints import Arrays
from ae_zoo.evaluation.peer import peer_of
from ae_zoo.report import page as report
from ae_zoo.schemas import Schema, schema_of
from ae_zoo.serving import card
from ae_zoo.tables import raw
from ae_zoo.tables.cells import shown
from ae_zoo.tables.frames import to_pandas
from ae_zoo.tables.schema import TableSchema
from ae_zoo.typing import Array

MOST = 15  # how many features of a row are shown
NEW = 4  # how many new rows of a table are shown


def write_page(folder: str | os.PathLike[str], path: str | os.PathLike[str]) -> pathlib.Path:
    """Writes the card as one self-contained HTML page: figures, pictures of the examples, configuration, signatures.

    Args:
        folder: folder of a model, whose newest version is shown, or of a version.
        path: file of the page; an existing file is replaced.

    Returns:
        The file of the page.

    Raises:
        NotFoundError: there is no such folder, or it has no version.
        AEZooError: files are missing or damaged, or differ from the exported ones.
        UnwritableError: the page cannot be written.
    """
    version = versions.newest(folder)
    versions.check_intact(version)
    about, examples = versions.card(version), archives.read_arrays(version / versions.EXTRA / versions.EXAMPLES)
    sections = [
        section
        for section in (
            _figures(about, examples),
            _columns(about),
            _rows(about, examples),
            _requests(version, about),
            _making(about),
        )
        if section.blocks
    ]
    for number, section in enumerate(sections, 1):
        section.number = str(number)
    name = f"{version.resolve().parent.name}, version {version.resolve().name}: {about['family']}"
    footer = ", ".join(f"{package} {number}" for package, number in about["versions"].items())
    path = pathlib.Path(path)
    report.write_page(
        path,
        name,
        about["data"]["source"] or "no description of the data",
        sections,
        footer=f"{about['made']}; {footer}",
    )
    return path


def _figures(about: Card, examples: Arrays) -> report.Section:
    section = report.Section("", "How good it is")
    figures = [[name, f"{value:.5f}"] for name, value in about["metrics"].items()]
    if about["threshold"] is not None:
        figures.append(["threshold", f"{about['threshold']:.5f}"])
    test, usual = about["data"]["test"], schema_of(about["config"]).usual
    kind = "training rows" if test and test == about["data"]["training"] else "held-out rows"
    if figures:
        of = f"on {test['rows']:,} {kind}" if test else "given by the user"
        meaning = peer_of(schema_of(about["config"])).meaning
        section.table(["", "figure"], figures, f"Figures {of}; {meaning}.")
    if "errors" in examples:
        figure = plots.errors({kind: examples["errors"]}, threshold=about["threshold"], usual=usual)
        section.picture("errors", figure, f"Reconstruction errors of the {kind}.")
    return section


def _columns(about: Card) -> report.Section:
    """Shows what the columns of a table are; nothing for other rows."""
    section = report.Section("", "What a row is")
    schema = schema_of(about["config"])
    if isinstance(schema, TableSchema):
        section.table(
            ["column", "kind", "values in the training rows"],
            [
                [name, f"{kind}, {missing} missing" if missing else kind, values]
                for name, kind, missing, values in schema.described()
            ],
            "The most frequent levels of each column, with the number of their rows, or its range.",
            words=True,
        )
    return section


def _rows(about: Card, examples: Arrays) -> report.Section:
    section = report.Section("", "What it does to rows")
    schema = schema_of(about["config"])
    if about.get("examples") == card.DRAWN:
        section.text("The export got no rows (`x_test`, `--test`), so no rows can be shown.")
        return section
    error = examples.get("score/output/error")
    notes = None if error is None else [f"{value:.4f}" for value in error]
    if _are_images(schema):
        x = examples["encode/input/x"]
        low, high = float(x.min()), float(x.max())

        def in_gray(images: Array) -> Array:
            return np.clip((images - low) / ((high - low) or 1.0), 0, 1)

        strips = {"row": in_gray(x)}
        if "reconstruct/output/reconstruction" in examples:
            strips["reconstruction"] = in_gray(examples["reconstruct/output/reconstruction"])
        section.picture(
            "rows",
            plots.strips(strips, notes=notes),
            "Example rows" + (", and the error of each row." if notes else "."),
        )
        if "generate/output/generated" in examples:
            drawn = plots.strips({"seeds 0 to 7": in_gray(examples["generate/output/generated"])})
            section.picture("generated", drawn, "New rows, by the signature `generate`.")
    elif isinstance(schema, TableSchema):
        _rows_of_table(section, schema, examples)
    elif error is not None:
        strangest = int(error.argmax())
        given, back = (
            [f"{value:.4g}" for value in np.ravel(examples[name][strangest])]
            for name in ("encode/input/x", "reconstruct/output/reconstruction")
        )
        share, names = np.ravel(examples["score/output/share"][strangest]), schema.names
        order = np.argsort(-share)[:MOST]
        section.table(
            ["feature", "value", "reconstruction", "share of the error"],
            [[names[at], given[at], back[at], f"{share[at]:.1%}"] for at in order],
            f"The strangest of the {len(error)} example rows, with an error of {error[strangest]:.4f}; features with "
            "large shares come first.",
        )
    return section


def _rows_of_table(section: report.Section, schema: TableSchema, examples: Arrays) -> None:
    """Shows the strangest example row, and some new ones, in the table's own words."""
    keys = raw.keys(schema.columns)

    def coded(side: str) -> Array:
        cells = {name: examples[f"{side}/{key}"] for name, key in keys.items()}
        return schema.code(to_pandas(cells, "the examples"))

    if "score/output/error" in examples:
        error, x, back = examples["score/output/error"], coded("score/input"), coded("reconstruct/output")
        strangest = int(error.argmax())
        errors = schema.errors(examples["score/output/share"], error, x)[strangest]
        seen, said = (schema.rows(rows[[strangest]]).iloc[0] for rows in (x, back))
        order = np.argsort(-np.nan_to_num(errors), kind="stable")[:MOST]
        section.table(
            ["column", "seen", "reconstruction", "error"],
            [
                [
                    schema.columns[at],
                    shown(seen.iloc[at]),
                    shown(said.iloc[at]),
                    "" if np.isnan(errors[at]) else f"{errors[at]:.2f}",
                ]
                for at in order
            ],
            f"The strangest of the {len(error)} example rows, with an error of {error[strangest]:.4f}; columns with large "
            "errors come first.",
        )
    if any(name.startswith("generate/output/") for name in examples):
        drawn = schema.rows(coded("generate/output"))[:NEW]
        section.table(
            ["column", *(f"seed {seed}" for seed in drawn.index)],
            [[name, *map(shown, drawn[name])] for name in schema.columns],
            "New rows, by the signature `generate`.",
            words=True,
        )


def _requests(version: pathlib.Path, about: Card) -> report.Section:
    section = report.Section("", "How to send requests")
    known = raw_columns(about)
    rows = [
        [name, told(one["inputs"], known), told(one["outputs"], known)] for name, one in about["signatures"].items()
    ]
    for row, one in zip(rows, about["signatures"].values()):
        row.append(one["about"])
    section.table(["signature", "input", "output", "meaning"], rows, "Signatures; n is any number of rows.", words=True)
    if known:
        section.table(
            ["column", "input"],
            [[column, f"{key} {known[key]}"] for column, key in raw.keys(schema_of(about["config"]).names).items()],
            "The columns' names and types on the server. An empty text or NaN is a missing cell; a date is a text such as "
            "2026-01-31 or 2026-01-31T12:00:00.",
            words=True,
        )
    name = version.resolve().parent.name
    columns = schema_of(about["config"]).columns
    card_of = "" if columns is None else f" --card {shlex.quote(str(version.parent))}"
    section.text(f"`ae-zoo request http://localhost:8501 {name} rows.csv{card_of} --signature {rows[0][0]}`")
    return section


def _making(about: Card) -> report.Section:
    section = report.Section("", "What it was made from")
    data = about["data"]
    kinds = [(kind, rows) for kind, rows in (("training", data["training"]), ("test", data["test"])) if rows]
    if kinds:
        section.table(
            ["rows", "number", "SHA-256 of their float32 values"],
            [[kind, f"{rows['rows']:,}", rows["sha256"]] for kind, rows in kinds],
            "Data.",
            words=True,
        )
    hidden = ("schema", "columns")
    options = {name: value for name, value in about["config"].items() if name not in hidden}
    options |= {
        "input_shape": list(schema_of(about["config"]).input_shape),
        "scaling": schema_of(about["config"]).scaling,
    }
    section.table(
        ["option", "value"],
        [[name, ", ".join(map(str, value)) if isinstance(value, list) else value] for name, value in options.items()],
        f"Configuration: {about['parameters']:,} weights, {about['bytes'] / 1e6:.2f} MB.",
        words=True,
    )
    return section


def _are_images(schema: Schema) -> bool:
    shape = schema.input_shape
    if len(shape) == 1:  # flattened square images, such as MNIST's
        return schema.columns is None and shape[0] >= 64 and round(shape[0] ** 0.5) ** 2 == shape[0]
    return len(shape) == 2 or (len(shape) == 3 and shape[-1] in (1, 3))
