"""`ae-zoo export`, `check`, `card` and `serving-config`: models for TensorFlow Serving, and what is known about them."""

import pathlib
import re
import sys

import click

from ae_zoo._support.quiet import quiet_start
from ae_zoo.cli.shared import PATH, ROWS, Number, check_model, check_rows, load_trained, read_rows
from ae_zoo.errors import AEZooError, NotFoundError


@click.command(short_help="Write a model for TensorFlow Serving.")
@click.argument("model", type=PATH)
@click.argument("folder", type=PATH)
@click.option(
    "--version", type=click.IntRange(1, 2**63 - 1), help="Number of the version. Default: one more than the newest."
)
@click.option("--test", type=PATH, help=f"Held-out rows, for the results and the pictures on the card. {ROWS}")
@click.option("--train", type=PATH, help="The rows that the model was trained on, for their hash and PCA's error.")
@click.option(
    "--calibrate",
    type=PATH,
    help="Held-out ordinary rows: the model is served as a detector, and these rows set its threshold. Without --test, "
    "the results and the examples on the card come from these rows too.",
)
@click.option(
    "--false-alarm-rate",
    type=float,
    help="With --calibrate: share of ordinary rows that may be flagged. Default: 0.01.",
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

    MODEL is the file of a model, a PCA or a calibrated detector; a detector is served with its threshold. The last part
    of FOLDER is the name that requests use. If FOLDER ends in .onnx or .tflite, one file is written, for ONNX Runtime
    or LiteRT.

    \b
    ae-zoo export model.keras saved_models/digits --test new.parquet --train rows.parquet
    ae-zoo export model.keras saved_models/digits --calibrate ordinary.parquet
    ae-zoo export model.keras digits.onnx
    """
    if false_alarm_rate is not None and calibrate is None:
        raise click.UsageError("--false-alarm-rate is about the rows of --calibrate: give both.")
    check_model(model)
    check_rows(test, train, calibrate)
    from ae_zoo._support import versions

    held_out, known, ordinary = (None if path is None else read_rows(path) for path in (test, train, calibrate))
    trained = load_trained(model)
    served = trained.detector or trained.model
    if ordinary is not None:
        from ae_zoo.detection.detector import Detector

        detector = Detector(trained.model)
        if false_alarm_rate is None:
            served = detector.calibrate(ordinary.rows)
        else:
            served = detector.calibrate(ordinary.rows, false_alarm_rate)
        held_out = held_out or ordinary
    from ae_zoo.serving.export import export as write
    from ae_zoo.serving.formats import FORMATS

    x_test, x_train = (None if table is None else table.rows for table in (held_out, known))
    if folder.suffix in FORMATS:
        with quiet_start():
            write(served, folder, version=version, source=source, x_test=x_test, x_train=x_train)
        click.echo(f"{folder}: written; its runtime gives the same answers as Python")
        return
    source = source or (None if known is None else known.source)
    target = write(served, folder, version=version, source=source, x_test=x_test, x_train=x_train)
    click.echo(versions.described(target))
    click.echo(f"{target}: written; ae-zoo check {folder} compares its answers with Python's")


@click.command(short_help="Compare an exported model with Python.")
@click.argument("folder", type=PATH)
@click.option(
    "--tolerance",
    type=Number(0),
    help="How far answers may differ. Default: 1e-5, or a larger value in half precision.",
)
@click.option("--openvino", is_flag=True, help="Also run the model in OpenVINO (pip install 'ae-zoo[openvino]').")
def check(folder: pathlib.Path, tolerance: float | None, openvino: bool) -> None:
    """Compare an exported model's answers with Python's.

    TensorFlow's own loader runs every signature on the example rows that were exported with the model, in a process that
    loads neither Keras nor this package. The exit code is 1 if an answer differs.

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


@click.command(short_help="Print what is known about an exported model.")
@click.argument("folder", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print the whole card as JSON.")
@click.option("--html", type=PATH, help="Write a page with pictures to this file instead.")
def card(folder: pathlib.Path, as_json: bool, html: pathlib.Path | None) -> None:
    """Print what is known about an exported model: configuration, data, results, signatures.

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


@click.command("serving-config", short_help="Write the server's list of models.")
@click.argument("folder", type=PATH)
@click.option(
    "--label", "labels", multiple=True, metavar="MODEL:LABEL=VERSION", help="A version's label; may be repeated."
)
@click.option("--base", default="/models", show_default=True, help="Where the server finds FOLDER.")
def serving_config(folder: pathlib.Path, labels: tuple[str, ...], base: str) -> None:
    """Write FOLDER/models.config, which lists all models in FOLDER for TensorFlow Serving.

    Without labels the server loads the newest version of each model, and each newer version when it appears.

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
