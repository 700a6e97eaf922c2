"""The card of an exported version as a page with pictures."""

import os
import pathlib
from typing import Any

import numpy as np

from ae_zoo import plots
from ae_zoo._support import files, versions
from ae_zoo.report import page as report

MOST = 15  # features of a table's row that are shown


def write_page(folder: str | os.PathLike, path: str | os.PathLike) -> pathlib.Path:
    """Writes the card as one self-contained HTML page: figures, pictures of the examples, configuration, signatures.

    Args:
        folder: of a model, whose newest version is taken, or of a version.
        path: of the page; one that is there already is replaced.

    Raises:
        FileNotFoundError: there is no such folder, or no version in it.
        ValueError: files are missing, damaged or not those that were exported.
    """
    version = versions.newest(folder)
    versions.check_intact(version)
    about, examples = versions.card(version), files.read_arrays(version / versions.EXTRA / versions.EXAMPLES)
    sections = [
        section
        for section in (_figures(about, examples), _rows(about, examples), _requests(version, about), _making(about))
        if section.blocks
    ]
    for number, section in enumerate(sections, 1):
        section.number = str(number)
    name = f"{version.resolve().parent.name}, version {version.resolve().name}: {about['family']}"
    footer = ", ".join(f"{package} {number}" for package, number in about["versions"].items())
    path = pathlib.Path(path)
    report.write_page(path, name, about["data"]["source"] or "not said", sections, footer=f"{about['made']}; {footer}")
    return path


def _figures(about: dict[str, Any], examples: dict[str, np.ndarray]) -> report.Section:
    section = report.Section("", "How good it is")
    figures = [[name, f"{value:.5f}"] for name, value in about["metrics"].items()]
    if about["threshold"] is not None:
        figures.append(["threshold", f"{about['threshold']:.5f}"])
    test = about["data"]["test"]
    if figures:
        of = f"on {test['rows']:,} held-out rows" if test else "as they were given"
        section.table(["", "figure"], figures, f"Figures {of}; mse is the mean squared error on the model's scale.")
    if "errors" in examples:
        figure = plots.errors({"held-out rows": examples["errors"]}, threshold=about["threshold"])
        section.picture("errors", figure, "Reconstruction errors of the held-out rows.")
    return section


def _rows(about: dict[str, Any], examples: dict[str, np.ndarray]) -> report.Section:
    section = report.Section("", "What it does to rows")
    x, error = examples["encode/input/x"], examples.get("score/output/error")
    notes = None if error is None else [f"{value:.4f}" for value in error]
    if _are_images(x.shape[1:], versions.columns(about)):
        low, high = float(x.min()), float(x.max())

        def shown(images: np.ndarray) -> np.ndarray:
            return np.clip((images - low) / ((high - low) or 1.0), 0, 1)

        strips = {"row": shown(x)}
        if "reconstruct/output/reconstruction" in examples:
            strips["reconstruction"] = shown(examples["reconstruct/output/reconstruction"])
        section.picture(
            "rows", plots.strips(strips, notes=notes), "Example rows" + (", and the error of each." * bool(notes))
        )
        if "generate/output/generated" in examples:
            drawn = plots.strips({"seeds 0 to 7": shown(examples["generate/output/generated"])})
            section.picture("generated", drawn, "New rows, by the signature `generate`.")
    elif error is not None:
        strangest = int(error.argmax())
        given, back, share = (
            np.ravel(examples[key][strangest])
            for key in ("encode/input/x", "reconstruct/output/reconstruction", "score/output/share")
        )
        names = versions.columns(about) or [str(place) for place in range(len(given))]
        order = np.argsort(-share)[:MOST]
        section.table(
            ["feature", "value", "reconstruction", "share of the error"],
            [[names[at], f"{given[at]:.4g}", f"{back[at]:.4g}", f"{share[at]:.1%}"] for at in order],
            f"The strangest of the {len(x)} example rows, of error {error[strangest]:.4f}: the features with most of it.",
        )
    return section


def _requests(version: pathlib.Path, about: dict[str, Any]) -> report.Section:
    section = report.Section("", "How to ask it")
    rows = [
        [name, *(", ".join(f"{key} {kind}" for key, kind in one[side].items()) for side in ("inputs", "outputs"))]
        for name, one in about["signatures"].items()
    ]
    for row, one in zip(rows, about["signatures"].values()):
        row.append(one["about"])
    section.table(["signature", "takes", "gives", "which is"], rows, "Signatures; n is any number of rows.", words=True)
    name = version.resolve().parent.name
    section.text(f"`ae-zoo request http://localhost:8501 {name} rows.csv --signature {rows[0][0]}`")
    return section


def _making(about: dict[str, Any]) -> report.Section:
    section = report.Section("", "What it was made from")
    kinds = [(kind, about["data"][kind]) for kind in ("training", "test") if about["data"][kind]]
    if kinds:
        section.table(
            ["rows", "number", "SHA-256 of their float32 values"],
            [[kind, f"{rows['rows']:,}", rows["sha256"]] for kind, rows in kinds],
            "Data.",
            words=True,
        )
    options = {name: value for name, value in about["config"].items() if name != "columns"}
    section.table(
        ["option", "value"],
        [[name, ", ".join(map(str, value)) if isinstance(value, list) else value] for name, value in options.items()],
        f"Configuration: {about['parameters']:,} weights, {about['bytes'] / 1e6:.2f} MB.",
        words=True,
    )
    return section


def _are_images(shape: tuple[int, ...], columns: Any) -> bool:
    if len(shape) == 1:  # flat squares, as MNIST's
        return columns is None and shape[0] >= 64 and round(shape[0] ** 0.5) ** 2 == shape[0]
    return len(shape) == 2 or (len(shape) == 3 and shape[-1] in (1, 3))
