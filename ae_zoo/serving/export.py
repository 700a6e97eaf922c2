"""From a trained model to a folder that TensorFlow Serving loads as it is."""

import errno
import functools
import json
import os
import pathlib
import shutil
from typing import Any

import numpy as np

from ae_zoo._support import checks, files, versions
from ae_zoo._support.quiet import quiet_log
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.endpoints import Endpoints
from ae_zoo.errors import AEZooError, AlreadyThereError, first_line
from ae_zoo.evaluation.detector import Detector
from ae_zoo.evaluation.pca import PCA
from ae_zoo.serving import card, examples, formats, warmup

ERRORS = 2000  # of the test rows' that a version keeps, evenly by rank: for the picture on its page


def export(
    model: Autoencoder | Detector | PCA,
    folder: str | os.PathLike,
    *,
    version: int | None = None,
    x_test: Any = None,
    x_train: Any = None,
    source: str | None = None,
    metrics: dict[str, float] | None = None,
) -> pathlib.Path:
    """Writes a model as the next version in `folder`, the folder of a served model such as `saved_models/digits`.

    The version appears whole or not at all, so that a server which watches the folder never sees half of it, and two
    processes that export at once get two numbers. It holds every verb of the model as a signature, with its scaling (and
    a detector's threshold) inside; example rows with Python's answers, for `ae-zoo check`; warm-up requests; and a card
    that says what it is, of which `folder` gets a copy.

    Args:
        model: a trained model, a calibrated `Detector`, or a fitted `PCA`.
        folder: its last part is the name that requests use.
        version: default: one more than the newest.
        x_test: held-out rows `(n, *input_shape)`: the card gets the model's error on them, and its examples.
        x_train: the rows that the model was trained on: the card gets their hash and the error of PCA fitted to them.
        source: what the rows are, in words.
        metrics: further figures for the card, by name.

    Returns:
        The folder of the version.

    Raises:
        ValueError: a detector without a threshold, a model that has seen no rows, rows that the model does not take, a
            version below 1, or a Keras that runs on another backend than TensorFlow.
        FileExistsError: the version is there already.

    Example:
        >>> ae_zoo.export(model, "saved_models/digits", x_test=digits.x_test, x_train=digits.x_train, source=str(digits))
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise AEZooError(
            f"A SavedModel is written by TensorFlow, and Keras runs on {keras.backend.backend()}: save the model, and "
            "export it in a process with KERAS_BACKEND=tensorflow."
        )
    if not isinstance(model, Autoencoder | Detector | PCA):
        raise AEZooError(f"model must be a model of ae_zoo, a Detector or a PCA; received a {type(model).__name__}.")
    served, network = model.endpoints(), model.to_model()
    folder = pathlib.Path(folder)
    if versions.is_version(folder):
        raise AEZooError(f"{folder} is a version; give the folder of the model, {folder.parent}.")
    metrics = {name: checks.finite(name, value) for name, value in (metrics or {}).items()}
    if version is not None:
        versions.checked_number(version)
        if (folder / str(version)).exists():
            raise AlreadyThereError(f"{folder} has a version {version} already; leave the number out for the next one.")
    x_test = None if x_test is None else network.check_rows(x_test, "x_test")
    x_train = None if x_train is None else network.check_rows(x_train, "x_train")
    rows = examples.some_rows(network) if x_test is None else x_test[: examples.SHOWN]
    kept = examples.make(served, rows)
    if folder.suffix in formats.FORMATS:
        if version is not None or x_train is not None or source is not None or metrics:
            raise AEZooError(
                f"{folder.name} is a single file, without a version and a card: leave out version, x_train, source and "
                "metrics, or export to a folder."
            )
        formats.write(served, kept, folder)
        return folder
    if folder.is_file():
        raise AEZooError(f"{folder} is a file; give the folder of a served model.")
    errors = network.reconstruction_error(x_test) if x_test is not None and "score" in served else None
    with files.beside(folder, folder) as beside:
        made = beside / "version"
        variables, outputs = _write(network, served, made)
        extra = made / versions.EXTRA
        extra.mkdir()
        np.savez_compressed(extra / versions.EXAMPLES, **kept, **_by_rank(errors))
        warmup.write(extra / warmup.NAME, folder.resolve().name, {
            name: {one.input: kept[f"{name}/input/{one.input}"][:1]} for name, one in served.items()
        })  # fmt: skip
        about = {
            "family": model.family,
            "threshold": model.threshold,
            **card.make(network, made, x_train, x_test, source),
            "examples": "drawn at random" if x_test is None else "rows of x_test",
            "metrics": {**card.metrics(network, errors, x_train, x_test), **metrics},
            "signatures": card.signatures(served, outputs),
            "variables": variables,
        }
        (extra / versions.CARD).write_text(json.dumps(versions.sealed(about), indent=2) + "\n")
        target = _place(made, folder, version)
    _copy_card(folder)
    return target


def _copy_card(folder: pathlib.Path) -> None:
    """Puts the newest version's card beside the versions, also where another process exports at the same time."""
    copied = None
    while (newest := versions.newest(folder)) != copied:
        written = newest / versions.EXTRA / versions.CARD
        if written.is_file():  # not where somebody else's version is the newest
            with files.whole(folder / versions.CARD) as sibling:
                shutil.copyfile(written, sibling)
        copied = newest


def _by_rank(errors: np.ndarray | None) -> dict[str, np.ndarray]:
    """Some of the errors, evenly by rank, under the name by which the examples' file holds them."""
    if errors is None:
        return {}
    return {"errors": np.quantile(errors, np.linspace(0, 1, min(len(errors), ERRORS))).astype("float32")}


def _write(model: Autoencoder, served: Endpoints, folder: pathlib.Path) -> tuple[list[str], dict[str, Any]]:
    """Writes the SavedModel; returns the names of the weights that it keeps, and each signature's outputs."""
    import keras
    import tensorflow as tf

    from ae_zoo.serving.signatures import guarded

    archive = keras.export.ExportArchive()
    weights = model.lasting_weights
    # TensorFlow's own variables: Keras's wrappers of them would be stored a second time.
    archive.add_variable_collection(versions.WEIGHTS, [weight.value for weight in weights.values()])
    outputs = {}
    for name, one in served.items():
        spec = tf.TensorSpec((None, *one.shape), one.dtype, name=one.input)
        function = archive.add_endpoint(name, functools.partial(guarded, one), [spec])
        outputs[name] = function.get_concrete_function().structured_outputs
    try:
        with quiet_log("Assets written"):
            archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:  # the disk is full, say; TensorFlow has errors of its own for that
        raise OSError(first_line(error).rpartition("; ")[2]) from error
    return list(weights), outputs


def _place(made: pathlib.Path, folder: pathlib.Path, version: int | None) -> pathlib.Path:
    """Renames a finished version to its number, the next free one if none is given."""
    while True:
        number = version or versions.next_number(folder)
        target = folder / str(number)
        try:
            os.rename(made, target)  # fails where a file, or a folder with something in it, is there already
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            if version is not None:
                raise AlreadyThereError(f"{folder} has a version {version} already.") from None
        else:
            return target
