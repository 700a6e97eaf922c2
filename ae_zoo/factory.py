"""Building and loading models by the name of their family."""

import dataclasses
import json
import os
import pathlib
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from ae_zoo._support import checks, versions
from ae_zoo._support.keras_files import remember_attributes
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.config import Config
from ae_zoo.errors import AEZooError, NotFoundError, first_line
from ae_zoo.families.configs import config_of
from ae_zoo.families.table import FAMILIES
from ae_zoo.likelihoods import LIKELIHOODS
from ae_zoo.schemas import ArraySchema, Schema
from ae_zoo.tables.frames import is_table
from ae_zoo.tables.schema import TableSchema
from ae_zoo.tables.statistics import Rules
from ae_zoo.typing import Array, Rows


def build(
    family: str,
    input_shape: int | Sequence[int] | None = None,
    *,
    data: Rows | None = None,
    seed: int | None = None,
    **options: Any,
) -> Autoencoder:
    """Returns a compiled model of a family, ready to fit.

    Args:
        family: a name of `ae_zoo.list_families()`.
        input_shape: shape of one row: `784`, or `(28, 28)`.
        data: training rows `(n, *input_shape)`, instead of `input_shape`. By default, rows in [0, 1] get a sigmoid output;
            other rows are standardized and get a linear output. The default code is at most half as wide as the row, except
            in a family with wider codes. A data frame's column names are kept. A frame with texts, dates or missing cells
            gets the schema that `ae_zoo.schema(data)` guesses. Nothing is fitted to the rows yet: `ae_zoo.fit` does that, or
            `model.adapt`.
        seed: seed of the initial weights and the noise, from 0 to 2^32 - 1. It sets Keras's global seed, as
            `keras.utils.set_random_seed` does. None leaves that as it is.
        **options: fields of the family's config, such as `code=32`, `hidden=[256]`.

    Returns:
        An `Autoencoder`, compiled with Keras's defaults and Adam, for plain `model.fit(x)` or for `ae_zoo.fit`.

    Raises:
        AEZooError: a family or an option is unknown (the message has the nearest known one), or a value is not legal.

    Example:
        >>> model = ae_zoo.build("sparse", input_shape=784, code=100, sparsity=-0.1)
    """
    config = config_of(family)
    rows = None
    if data is not None:
        if input_shape is not None:
            raise AEZooError("Give input_shape or data, not both: the shape is taken from the data.")
        suited, rows = _suited(config, data, options)
        options = {**suited, **options}
        if "schema" in suited:
            options.pop("scaling", None)  # which the table's schema has
    elif input_shape is not None:
        options = {"input_shape": input_shape, **options}
    if seed is not None:
        keras.utils.set_random_seed(checks.seed(seed))
    model = FAMILIES[family].of(**options)
    if rows is not None:
        model.check_targets(rows, "data")
    compile_plainly(model)
    return model


def compile_plainly(model: Autoencoder) -> None:
    """Compiles with Keras's defaults and a new Adam, for plain `model.fit`."""
    model.compile(optimizer=keras.optimizers.Adam(name="adam"))  # TensorFlow never frees a name, and what belongs to it
    model.optimizer.build(model.trainable_variables)  # an unbuilt one warns when the model is saved and loaded


def load(path: str | os.PathLike[str]) -> Autoencoder:
    """Returns the model in a `.keras` file, or in a folder that `ae_zoo.export` wrote; it runs no code from either.

    Args:
        path: a file; or the folder of a served model, whose newest version is loaded, or of one version; or, in a checkout,
            the name of one of the zoo's own models, such as `"digits-sparse"`. A folder does not hold an adversarial
            model's discriminators, which come back untrained: to continue a training, keep the file.

    Raises:
        NotFoundError: there is no such file.
        AEZooError: the file is damaged, or holds no model of this package, or its weights are NaN or infinite.
    """
    path = versions.found(path)
    if path.is_dir():
        version = versions.newest(path)
        card = versions.card(version)
        return load_member(version, 0, card["model"], card["config"])
    if not path.is_file():
        raise NotFoundError(f"There is no model file {path}.{versions.hint(path)}")
    if not zipfile.is_zipfile(path):
        raise AEZooError(f"{path} is not a .keras file, or is cut short; write it again with model.save.")
    with zipfile.ZipFile(path) as archive:
        if "detector.json" in archive.namelist():
            raise AEZooError(f"{path} holds a detector: load it with ae_zoo.Detector.load.")
    try:
        with zipfile.ZipFile(path) as archive:
            described = json.loads(archive.read("config.json"))
        if not isinstance(described, dict) or not isinstance(described.get("config"), dict):
            raise ValueError("its config.json does not describe a model; write the file again with model.save")
        remember_attributes()
        model = keras.saving.load_model(path)
    except Exception as error:  # Keras and h5py raise whatever comes up in a damaged file
        raise AEZooError(f"{path} cannot be loaded as a model: {first_line(error)}") from error
    if not isinstance(model, Autoencoder):
        raise AEZooError(f"{path} holds a {type(model).__name__}, not a model of ae_zoo.")
    if not all(np.isfinite(weight).all() for weight in model.get_weights() if weight.dtype.kind == "f"):
        raise AEZooError(
            f"{path} holds weights that are NaN or infinite, because its training diverged; train it again."
        )
    return model


def load_member(version: pathlib.Path, index: int, family: str, config: Mapping[str, Any]) -> Autoencoder:
    """Returns one of the models in a version that `ae_zoo.export` wrote, the first of which has the index 0.

    Raises:
        AEZooError: the version is damaged, or its weights are not those of the model.
    """
    import tensorflow as tf

    versions.check_intact(version)  # TensorFlow's reader does not notice a file that is cut short
    if family not in FAMILIES:
        raise AEZooError(
            f"{version} holds a model of the family {family!r}, which this version of ae_zoo does not have."
        )
    model = FAMILIES[family].from_config(dict(config))
    weights = {f"{versions.member(index)}{name}": weight for name, weight in model.lasting_weights.items()}
    places = {
        name: place
        for place, name in enumerate(versions.card(version)["variables"])
        if versions.member_of(name) == index
    }
    if weights.keys() != places.keys():
        raise AEZooError(
            f"{version} holds other weights than this version of ae_zoo expects: "
            f"{', '.join(sorted(weights.keys() ^ places.keys()))}."
        )
    try:
        checkpoint = tf.train.load_checkpoint(str(version / "variables" / "variables"))
        for name, place in places.items():
            value = checkpoint.get_tensor(f"{versions.WEIGHTS}/{place}/.ATTRIBUTES/VARIABLE_VALUE")
            weights[name].assign(value)
    except (KeyError, ValueError, tf.errors.OpError) as error:
        raise AEZooError(f"{version} cannot be loaded as a model: {first_line(error)}") from error
    model.scaling.adapted = True
    compile_plainly(model)
    return model


def _suited(config: type[Config], data: Rows, given: Mapping[str, Any]) -> tuple[dict[str, Any], Array]:
    """Returns the defaults that suit training rows (schema, code, loss, output), and the rows, coded."""
    if "schema" in given:
        schema = Schema.read(given["schema"])
        return schema.suited(config), schema.code(data, "data", learn=True)
    if is_table(data):
        rules = Rules(scaling=given.get("scaling", Rules.scaling))
        schema, rows = TableSchema.of(data, rules=rules, name="data")
        return {**schema.as_options(), **schema.suited(config)}, rows
    array, rows = ArraySchema.of(data, name="data")
    in_unit = rows.min() >= 0 and rows.max() <= 1
    loss = LIKELIHOODS.get(given.get("loss", ""))
    scaling = array.scaling
    if not in_unit and (loss is None or loss.legal is None):
        scaling = "minmax" if given.get("output_activation") == "sigmoid" else "standard"
    array = dataclasses.replace(array, scaling=given.get("scaling", scaling))
    suited = {**array.as_options(), **array.suited(config)}
    if not in_unit:
        suited["loss"] = config.real_loss  # also of a family whose default is for rows in [0, 1]
    return suited, rows
