"""`ae-zoo export`, `check`, `card` and `serving-config`: models for TensorFlow Serving, and what is known of them."""

import pathlib
import re
import sys

import click

from ae_zoo._support.quiet import quiet_import, quiet_start
from ae_zoo.cli.shared import PATH, ROWS, load_detector, load_model
from ae_zoo.errors import AEZooError, NotFoundError


@click.command()
@click.argument("model", type=PATH)
@click.argument("folder", type=PATH)
@click.option("--version", type=click.IntRange(1, 2**63 - 1), help="Default: one more than the newest.")
@click.option("--test", type=PATH, help=f"Held-out rows, for the card's figures and its examples. {ROWS}")
@click.option("--train", type=PATH, help="The rows that the model was trained on, for their hash and PCA's figure.")
@click.option("--calibrate", type=PATH, help="Held-out ordinary rows: serve a detector with a threshold from them.")
@click.option(
    "--false-alarm-rate", type=float, help="With --calibrate: share of ordinary rows beyond it. Default: 0.01."
)
@click.option("--source", help="What the rows are, in words. Default: the name of the file of --train.")
def export(
    model: pathlib.Path,
    folder: pathlib.Path,
    version: int | None,
    test: pathlib.Path | None,
    train: pathlib.Path | None,
    calibrate: pathlib.Path | None,
    false_alarm_rate: float | None,
    source: str | None,
) -> None:
    """Write the model in the file MODEL as the next version in FOLDER, for TensorFlow Serving.

    MODEL is a model's .keras file, or a calibrated detector's, which is served with its threshold. The last part of FOLDER
    is the name that requests use. A FOLDER that ends in .onnx or .tflite is one file, for ONNX Runtime or LiteRT.

    \b
    ae-zoo export model.keras saved_models/digits --test new.parquet --train rows.parquet
    ae-zoo export model.keras saved_models/digits --calibrate ordinary.parquet
    ae-zoo export model.keras digits.onnx
    """
    from ae_zoo._support import versions
    from ae_zoo.data import read

    if false_alarm_rate is not None and calibrate is None:
        raise click.UsageError("--false-alarm-rate is of the rows of --calibrate: give both.")
    x_test, x_train = (None if path is None else read(path) for path in (test, train))
    loaded = load_detector(model) or load_model(model)
    if calibrate is not None:
        from ae_zoo.evaluation.detector import Detector

        rate = {} if false_alarm_rate is None else {"false_alarm_rate": false_alarm_rate}
        loaded = Detector(getattr(loaded, "model", loaded)).calibrate(read(calibrate).rows, **rate)
    with quiet_import():
        from ae_zoo.serving.export import export as write
        from ae_zoo.serving.formats import FORMATS
    rows = {"x_test": x_test and x_test.rows, "x_train": x_train and x_train.rows}
    if folder.suffix in FORMATS:
        with quiet_start():
            write(loaded, folder, version=version, source=source, **rows)
        click.echo(f"{folder}: written; its runtime answers as Python did, to 1e-5")
        return
    target = write(loaded, folder, version=version, source=source or (x_train and x_train.source), **rows)
    click.echo(versions.described(target))
    click.echo(f"{target}: written; ae-zoo check {folder} compares its answers with Python's")


@click.command()
@click.argument("folder", type=PATH)
@click.option(
    "--tolerance", type=click.FloatRange(0), default=1e-5, show_default=True, help="How far answers may differ."
)
@click.option("--openvino", is_flag=True, help="Ask OpenVINO too (pip install 'ae-zoo[openvino]').")
def check(folder: pathlib.Path, tolerance: float, openvino: bool) -> None:
    """Compare an exported model's answers with Python's.

    TensorFlow's own loader runs every signature on the example rows that were exported with the model, in a process without
    Keras and this package. Exits with 1 where an answer differs.

    \b
    ae-zoo check saved_models/digits      the newest version
    ae-zoo check saved_models/digits/3
    """
    from ae_zoo.serving.parity import check as compare

    found = compare(folder, tolerance, openvino=openvino)
    click.echo(f"{found.version}: largest difference from Python's answers, batches of 1, 7 and 1,000")
    click.echo(str(found))
    if not found.passed:
        sys.exit(1)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="The whole card, as it is written.")
@click.option("--html", type=PATH, help="Write a page with pictures to this file instead.")
def card(folder: pathlib.Path, as_json: bool, html: pathlib.Path | None) -> None:
    """Print what is known of an exported model: configuration, data, figures, signatures.

    \b
    ae-zoo card saved_models/digits
    ae-zoo card saved_models/digits --html card.html
    """
    import json

    from ae_zoo._support import versions

    if html is not None:
        from ae_zoo.serving import write_page

        click.echo(f"{write_page(folder, html)}: written")
        return
    version = versions.newest(folder)
    click.echo(json.dumps(versions.card(version), indent=2) if as_json else versions.described(version))


@click.command("serving-config")
@click.argument("folder", type=PATH)
@click.option(
    "--label", "labels", multiple=True, metavar="MODEL:LABEL=VERSION", help="A version's label; may be repeated."
)
@click.option("--base", default="/models", show_default=True, help="Where the server finds FOLDER.")
def serving_config(folder: pathlib.Path, labels: tuple[str, ...], base: str) -> None:
    """Write FOLDER/models.config, which tells TensorFlow Serving of all models in FOLDER.

    Without labels the newest version of each model is served, and every newer one when it appears.

    \b
    ae-zoo serving-config saved_models --label digits:stable=1 --label digits:canary=2
    """
    from ae_zoo.serving import write_config

    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.")
    named: dict[str, dict[str, int]] = {}
    for text in labels:
        parts = re.fullmatch(r"([^:]+):([^=]+)=(\d+)", text)
        if parts is None:
            raise AEZooError(f"--label takes MODEL:LABEL=VERSION, such as digits:stable=1; received {text!r}.")
        named.setdefault(parts[1], {})[parts[2]] = int(parts[3])
    click.echo(f"{write_config(folder, named, base=base)}: written")
