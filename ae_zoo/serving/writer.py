"""From a trained model to a folder that TensorFlow Serving loads as it is."""

import json
import os
import pathlib
import shutil
import tempfile
from typing import Any

import numpy as np

from ae_zoo import checks, files, versions
from ae_zoo.anomaly import Detector
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.config import unknown
from ae_zoo.pca import PCA
from ae_zoo.serving import card, warmup
from ae_zoo.serving.signatures import Served, signatures

SHOWN = 8  # example rows that a version keeps
ALIAS = "serving_default"  # what a server takes where a request names no signature


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
        ValueError: a detector without a threshold, a model that has seen no rows, rows that the model does not take, or
            a version below 1.
        FileExistsError: the version is there already.
        RuntimeError: Keras runs on another backend than TensorFlow.

    Example:
        >>> ae_zoo.export(model, "saved_models/digits", x_test=digits.x_test, x_train=digits.x_train, source=str(digits))
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"A SavedModel is written by TensorFlow, and Keras runs on {keras.backend.backend()}: save the model, and "
            "export it in a process with KERAS_BACKEND=tensorflow."
        )
    threshold = None
    if isinstance(model, Detector):
        if model.threshold is None:
            raise ValueError("The detector has no threshold yet: call calibrate(x_held_out) first.")
        model, threshold = model.model, model.threshold
    is_pca = isinstance(model, PCA)
    if is_pca:
        model = model.to_model()
    if model.config.scaling != "none" and not model.scaling.adapted:
        raise ValueError("The model has not been trained: its scaling has seen no rows yet.")
    folder = pathlib.Path(folder)
    if version is not None:
        checks.count("version", version)
        if (folder / str(version)).exists():
            raise FileExistsError(f"{folder} has a version {version} already; leave the number out for the next one.")
    x_test = None if x_test is None else model.check_rows(x_test, "x_test")
    x_train = None if x_train is None else model.check_rows(x_train, "x_train")
    if x_test is not None and model.reconstructs:
        model.check_targets(x_test, "x_test")
    served = signatures(model, threshold)
    rows = _some_rows(model) if x_test is None else x_test[:SHOWN]
    examples = _examples(model, threshold, rows, served)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export.") as beside:
        made = pathlib.Path(beside) / "version"
        variables, outputs = _write(model, served, made)
        extra = made / versions.EXTRA
        extra.mkdir()
        np.savez_compressed(extra / versions.EXAMPLES, **examples)
        warmup.write(extra / warmup.NAME, folder.name, {
            name: {one.input: examples[f"{name}/input/{one.input}"][:1]} for name, one in served.items()
        })  # fmt: skip
        about = {
            "family": "pca" if is_pca else card.family(model),
            "threshold": threshold,
            **card.make(model, made, x_train, x_test, source),
            "metrics": {**card.metrics(model, x_train, x_test), **(metrics or {})},
            "signatures": card.signatures(served, outputs),
            "variables": variables,
        }
        (extra / versions.CARD).write_text(json.dumps(about, indent=2) + "\n")
        target = _place(made, folder, version)
    with files.whole(folder / versions.CARD) as sibling:
        shutil.copyfile(versions.newest(folder) / versions.EXTRA / versions.CARD, sibling)
    return target


def _write(model: Autoencoder, served: dict[str, Served], folder: pathlib.Path) -> tuple[list[str], dict[str, Any]]:
    """Writes the SavedModel; returns the paths of the weights that it keeps, and each signature's outputs."""
    import keras
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    networks = [model.encoder, model.decoder, *([model.posterior] if "encode_distribution" in served else [])]
    weights = list({weight.path: weight for network in networks for weight in network.weights}.values())
    # TensorFlow's own variables: Keras's wrappers of them would be stored a second time.
    archive.add_variable_collection(versions.WEIGHTS, [weight.value for weight in weights])
    outputs = {}
    for name, one in served.items():
        spec = tf.TensorSpec((None, *one.shape), one.dtype, name=one.input)
        function = archive.add_endpoint(name, one.function, [spec])
        outputs[name] = function.get_concrete_function().structured_outputs
    archive.write_out(str(folder), verbose=False)
    return [weight.path for weight in weights], outputs


def _place(made: pathlib.Path, folder: pathlib.Path, version: int | None) -> pathlib.Path:
    """Renames a finished version to its number, the next free one if none is given."""
    while True:
        number = version or max(versions.numbers(folder), default=0) + 1
        target = folder / str(number)
        try:
            os.rename(made, target)  # fails where a folder with something in it is there already
        except OSError:
            if not target.exists():
                raise
            if version is not None:
                raise FileExistsError(f"{folder} has a version {version} already.") from None
        else:
            return target


def _some_rows(model: Autoencoder) -> np.ndarray:
    """Rows like those that the model was trained on, where none are given: in [0, 1], or around the scaling's centre."""
    shape = (SHOWN, *model.config.input_shape)
    random = np.random.default_rng(1)
    drawn = random.random(shape, "float32")
    if model.config.scaling == "standard":
        drawn = random.standard_normal(shape, "float32")
    return np.asarray(model.scaling.invert(drawn), "float32")


def _examples(
    model: Autoencoder, threshold: float | None, rows: np.ndarray, served: dict[str, Served]
) -> dict[str, np.ndarray]:
    """Requests and Python's answers, by `signature/input/name` and `signature/output/name`.

    The answers come from the model's verbs, not from the functions that are served.
    """
    codes, seeds = model.encode(rows), np.arange(len(rows), dtype="int64")
    found: dict[str, np.ndarray] = {}
    for name, one in served.items():
        given = {"x": rows, "code": codes, "seed": seeds}[one.input]
        answers = _answers(name, model, threshold, given, one)
        for alias in (name, ALIAS) if name == next(iter(served)) else (name,):
            found[f"{alias}/input/{one.input}"] = given
            found |= {f"{alias}/output/{key}": np.asarray(value) for key, value in answers.items()}
    return found


def _answers(name: str, model: Any, threshold: float | None, given: np.ndarray, one: Served) -> dict[str, Any]:
    if name == "reconstruct":
        return {"reconstruction": model.reconstruct(given)}
    if name == "encode":
        return {"code": model.encode(given)}
    if name == "decode":
        return {"reconstruction": model.decode(given)}
    if name == "score":
        return {"error": model.reconstruction_error(given), "share": Detector(model).share(given)}
    if name == "detect":
        score = model.reconstruction_error(given)
        return {"score": score, "threshold": np.full_like(score, threshold), "flagged": score > np.float32(threshold)}
    if name == "encode_distribution":
        return dict(zip(("mean", "log_variance"), model.encode_distribution(given), strict=True))
    if name == "classify":
        return {"class": model.classify(given), "probabilities": model.class_probabilities(given)}
    if name == "generate":  # what is drawn is the signature's own affair, what becomes of it is not
        codes = np.asarray(one.function(given)["code"])
        return {"code": codes, "generated": model.decode(codes)}
    raise unknown("signature", name, ("reconstruct", "encode", "decode", "score", "detect", "classify", "generate"))
