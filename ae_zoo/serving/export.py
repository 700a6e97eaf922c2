"""Exports a trained model to a folder that TensorFlow Serving loads directly."""

import errno
import json
import os
import pathlib
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ae_zoo._support import checks, files, versions
from ae_zoo._support.quiet import quiet_log
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.endpoints import Tensors
from ae_zoo.errors import AEZooError, AEZooWarning, AlreadyThereError, first_line
from ae_zoo.evaluation.reconstructor import Servable
from ae_zoo.serving import card, examples, formats, warmup
from ae_zoo.typing import Array, Rows

if TYPE_CHECKING:
    from ae_zoo.serving.signatures import Signature

ERRORS = 2000  # how many errors of test rows a version keeps, evenly by rank, for the picture on its page


def export(
    model: Servable,
    folder: str | os.PathLike[str],
    *,
    version: int | None = None,
    x_test: "Rows | None" = None,
    x_train: "Rows | None" = None,
    source: str | None = None,
    metrics: dict[str, float] | None = None,
) -> pathlib.Path:
    """Writes a model as the next version in `folder`, the folder of a served model such as `saved_models/digits`.

    The version appears whole or not at all, so a server that watches the folder never sees half of it. Two processes that
    export at the same time get two numbers. The version holds every verb of the model as a signature, with the scaling (and
    a detector's threshold) inside; example rows with Python's answers, for `ae-zoo check`; warm-up requests; and a card
    that describes it. `folder` gets a copy of the newest card.

    Args:
        model: a trained model, a calibrated `Detector`, or a fitted `PCA`.
        folder: folder of the served model; its last part is the name that requests use. A path that ends in `.onnx` or
            `.tflite` is one file instead, without a version and a card.
        version: number of the version; by default one more than the newest.
        x_test: held-out rows `(n, *input_shape)`. The card gets the model's error on them, and the examples are the first
            of them. Without them the examples are random rows, and the card has no figures. A warning is given if they
            are the same rows as `x_train`.
        x_train: training rows `(n, *input_shape)`. The card gets their hash and the error of PCA fitted to them.
        source: description of the rows, in words.
        metrics: more figures for the card, by name.

    Returns:
        The folder of the version, or the file.

    Raises:
        AEZooError: the detector has no threshold, the model has seen no training rows or does not take these rows, the
            version is below 1, or Keras runs on another backend than TensorFlow.
        AlreadyThereError: the version exists already.
        UnwritableError: the system refuses to write there, or the disk is full.
        MissingExtraError: a library that writes or runs `.onnx` or `.tflite` is not installed.

    Example:
        >>> ae_zoo.export(model, "saved_models/digits", x_test=digits.x_test, x_train=digits.x_train, source=str(digits))
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise AEZooError(
            f"A SavedModel is written by TensorFlow, and Keras runs on {keras.backend.backend()}: save the model, and "
            "export it in a process with KERAS_BACKEND=tensorflow."
        )
    from ae_zoo.serving import signatures  # which loads TensorFlow

    if not isinstance(model, Servable):
        raise AEZooError(f"model must be a model of ae_zoo, a Detector or a PCA; received a {type(model).__name__}.")
    served, network = model.endpoints(), model.to_model()
    folder = files.as_path("folder", folder)
    if versions.is_version(folder):
        raise AEZooError(f"{folder} is a version; give the folder of the model, {folder.parent}.")
    metrics = {name: checks.finite(name, value) for name, value in (metrics or {}).items()}
    if version is not None:
        versions.checked_number(version)
        if (folder / str(version)).exists():
            raise AlreadyThereError(
                f"{folder} has a version {version} already; leave the number out to get the next one."
            )
    x_test = None if x_test is None else network.check_rows(x_test, "x_test")
    x_train = None if x_train is None else network.check_rows(x_train, "x_train")
    if x_train is not None and x_test is not None and np.array_equal(x_train, x_test):
        warnings.warn(
            "x_test and x_train are the same rows, so the card's figures are of training rows: give held-out rows as x_test.",
            AEZooWarning,
            stacklevel=2,
        )
    if x_test is None:
        rows = examples.some_rows(network)
    else:
        rows = x_test[np.flatnonzero(network.schema.known(x_test))[: examples.SHOWN]]
    if not len(rows):
        raise AEZooError("x_test has no row with a cell that is present, of a column that counts: give other rows.")
    if folder.suffix in formats.FORMATS:
        if version is not None or x_train is not None or source is not None or metrics:
            raise AEZooError(
                f"{folder.name} is a single file, without a version and a card: leave out version, training rows, source "
                "and metrics, or export to a folder."
            )
        plain = {name: signatures.Signature(one) for name, one in served.items()}
        formats.write(served, examples.make(plain, rows), folder, card.tolerance(network))
        return folder
    if folder.is_file():
        raise AEZooError(f"{folder} is a file; give the folder of a served model.")
    given = signatures.of(served, network.schema)
    kept = examples.make(given, rows)
    errors = network.reconstruction_error(x_test) if x_test is not None and "score" in served else None
    with files.beside(folder, folder) as beside:
        made = beside / "version"
        variables, outputs = _write(model.members(), given, made)
        extra = made / versions.EXTRA
        extra.mkdir()
        model.keep(extra)
        arrays: dict[str, Any] = kept | _by_rank(errors)  # NumPy's own keywords are among the types that it declares
        np.savez_compressed(extra / versions.EXAMPLES, **arrays)
        warmup.write(extra / warmup.NAME, folder.resolve().name, {
            name: {key: kept[f"{name}/input/{key}"][:1] for key in one.inputs} for name, one in given.items()
        })  # fmt: skip
        about = {
            "family": model.family,
            "threshold": model.threshold,
            **card.make(network, made, x_train, x_test, source),
            "examples": card.DRAWN if x_test is None else "rows of x_test",
            "tolerance": card.tolerance(network),
            "metrics": {**card.metrics(network, errors, x_train, x_test), **metrics},
            "signatures": card.signatures(given, outputs),
            "variables": variables,
        }
        (extra / versions.CARD).write_text(json.dumps(versions.sealed(about), indent=2) + "\n")
        target = _place(made, folder, version)
    _copy_card(folder)
    return target


def _copy_card(folder: pathlib.Path) -> None:
    """Copies the newest version's card to the model's folder, also while another process exports."""
    copied = None
    while (newest := versions.newest(folder)) != copied:
        written = newest / versions.EXTRA / versions.CARD
        if written.is_file():  # a version that was not written by us has no card
            with files.whole(folder / versions.CARD) as sibling:
                shutil.copyfile(written, sibling)
        copied = newest


def _by_rank(errors: Array | None) -> dict[str, Array]:
    """Returns some of the errors that are known, evenly by rank, under their name in the file of examples."""
    if errors is None:
        return {}
    known = errors[~np.isnan(errors)]
    return {"errors": np.quantile(known, np.linspace(0, 1, min(len(known), ERRORS))).astype("float32")}


def _write(
    members: tuple[Autoencoder, ...], served: "dict[str, Signature]", folder: pathlib.Path
) -> tuple[list[str], dict[str, Tensors]]:
    """Writes the SavedModel. Returns the names of the weights that it keeps, and the outputs of each signature."""
    import keras
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    weights = {
        f"{versions.member(index)}{name}": weight
        for index, one in enumerate(members)
        for name, weight in one.lasting_weights.items()
    }
    # TensorFlow's own variables, because Keras's wrappers of them would be stored a second time.
    archive.add_variable_collection(versions.WEIGHTS, [weight.value for weight in weights.values()])
    outputs = {}
    for name, one in served.items():
        specs = [tf.TensorSpec((None, *shape), dtype, name=key) for key, (dtype, shape) in one.inputs.items()]
        function = archive.add_endpoint(name, one.function, specs)
        outputs[name] = function.get_concrete_function().structured_outputs
    try:
        with quiet_log("Assets written"):
            archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:  # TensorFlow's own kind of error, for a full disk for example
        raise OSError(first_line(error).rpartition("; ")[2]) from error
    return list(weights), outputs


def _place(made: pathlib.Path, folder: pathlib.Path, version: int | None) -> pathlib.Path:
    """Renames a finished version to its number, or to the next free number if `version` is None."""
    while True:
        number = version or versions.next_number(folder)
        target = folder / str(number)
        try:
            os.rename(made, target)  # fails if there is a file already, or a folder that is not empty
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            if version is not None:
                raise AlreadyThereError(f"{folder} has a version {version} already.") from None
        else:
            return target
