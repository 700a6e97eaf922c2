"""Building and loading models by the name of their family."""

import dataclasses
import os
import pathlib
import zipfile
from collections.abc import Mapping
from typing import Any

import keras

from ae_zoo import checks
from ae_zoo._support import versions
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError, NotFoundError, first_line, unknown
from ae_zoo.families import FAMILIES


def build(family: str, input_shape: Any = None, *, data: Any = None, seed: int | None = None, **options: Any) -> Any:
    """A compiled model of a family, ready to fit.

    Args:
        family: a name of `ae_zoo.list_families()`.
        input_shape: of one row: `784`, or `(28, 28)`.
        data: training rows `(n, *input_shape)`, instead of `input_shape`. Where the options do not say otherwise, rows
            in [0, 1] get a sigmoid output; others are standardised and get a linear output. The default code is at most
            half as wide as the row, except of a family whose codes are meant to be wider. A data frame's column names
            are kept. Nothing is fitted to the rows yet: `ae_zoo.fit` does that, or `model.adapt`.
        seed: of the initial weights and of the noise. It sets Keras's global seed, as `keras.utils.set_random_seed`.
        **options: fields of the family's config, such as `code=32`, `hidden=[256]`.

    Returns:
        An `Autoencoder`, compiled with Keras's defaults and Adam, for plain `model.fit(x)` or for `ae_zoo.fit`.

    Raises:
        ValueError: for an unknown family or option (with the nearest known one), or an illegal value.

    Example:
        >>> model = ae_zoo.build("sparse", input_shape=784, code=100, sparsity=-0.1)
    """
    if family not in FAMILIES:
        raise unknown("family", family, FAMILIES)
    cls = FAMILIES[family]
    if data is not None:
        if input_shape is not None:
            raise AEZooError("Give input_shape or data, not both: the shape is read off the data.")
        options = {**_suited(cls, data, options), **options}
    elif input_shape is not None:
        options = {"input_shape": input_shape, **options}
    if seed is not None:
        keras.utils.set_random_seed(seed)
    model = cls(**options)
    if data is not None:
        model.check_targets(checks.numeric(data, "data"), "data")
    compile_plainly(model)
    return model


def compile_plainly(model: Autoencoder) -> None:
    """Compiles with Keras's defaults and a new Adam, for plain `model.fit`."""
    model.compile(optimizer=keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)  # an unbuilt one warns when the model is saved and loaded


def load(path: str | os.PathLike) -> Autoencoder:
    """The model in a `.keras` file, or in the folder that `ae_zoo.export` wrote; no code from either is run.

    Args:
        path: a file; the folder of a served model, whose newest version is taken, or of a version; or the name of one of
            the zoo's own in a checkout, such as `"digits-sparse"`. A folder holds all but an adversarial
            model's discriminators, which come back untrained: to train on, keep the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or holds no model of this package.
    """
    path = versions.found(path)
    if path.is_dir():
        return _exported(versions.newest(path))
    if not path.is_file():
        raise NotFoundError(f"There is no model file {path}.")
    if not zipfile.is_zipfile(path):
        raise AEZooError(f"{path} is not a .keras file, or is cut short; write it again with model.save.")
    with zipfile.ZipFile(path) as archive:
        if "detector.json" in archive.namelist():
            raise AEZooError(f"{path} holds a detector: load it with ae_zoo.Detector.load.")
    try:
        model = keras.saving.load_model(path)
    except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise AEZooError(f"{path} cannot be loaded as a model: {first_line(error)}") from error
    if not isinstance(model, Autoencoder):
        raise AEZooError(f"{path} holds a {type(model).__name__}, not a model of ae_zoo.")
    return model


def _exported(version: pathlib.Path) -> Autoencoder:
    import tensorflow as tf

    versions.check_intact(version)  # TensorFlow's reader lets a file that is cut short pass
    card = versions.card(version)
    if card["model"] not in FAMILIES:
        raise AEZooError(f"{version} holds a {card['model']!r}, of which this version of ae_zoo does not know.")
    model = FAMILIES[card["model"]].from_config(card["config"])
    weights = model.lasting_weights
    if weights.keys() != set(card["variables"]):
        raise AEZooError(
            f"{version} holds other weights than this version of ae_zoo expects: "
            f"{', '.join(sorted(weights.keys() ^ set(card['variables'])))}."
        )
    try:
        checkpoint = tf.train.load_checkpoint(str(version / "variables" / "variables"))
        for index, path in enumerate(card["variables"]):
            value = checkpoint.get_tensor(f"{versions.WEIGHTS}/{index}/.ATTRIBUTES/VARIABLE_VALUE")
            weights[path].assign(value)
    except (KeyError, ValueError, tf.errors.OpError) as error:
        raise AEZooError(f"{version} cannot be loaded as a model: {first_line(error)}") from error
    model.scaling.adapted = True
    compile_plainly(model)
    return model


def list_families() -> dict[str, str]:
    """The name of each family, and what it is in one line."""
    return {name: (cls.__doc__ or "").strip().splitlines()[0] for name, cls in FAMILIES.items()}


def _suited(cls: type[Autoencoder], data: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of the rows, and the code, scaling and output that suit them and the options given."""
    names = getattr(data, "columns", None)
    data = checks.numeric(data, "data")
    options: dict[str, Any] = {"input_shape": data.shape[1:]}
    if names is not None:
        options["columns"] = tuple(map(str, names))
    default = next(field.default for field in dataclasses.fields(cls.Config) if field.name == "code")
    options["code"] = default if cls.overcomplete else min(default, max(1, data[0].size // 2))
    output = given.get("output_activation")
    if (data.min() < 0 or data.max() > 1) and given.get("loss") != "bce":
        options["scaling"] = "minmax" if output == "sigmoid" else "standard"
        if "loss" not in given:
            options["loss"] = "mse"  # also of a family whose default is for rows in [0, 1]
    if given.get("scaling", options.get("scaling")) == "standard":
        options["output_activation"] = "linear"
    return options
