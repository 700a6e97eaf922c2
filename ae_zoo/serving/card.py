"""The card of an exported version: what it is, what it was made from, how good it is, and how to send it requests."""

import datetime
import hashlib
import importlib.metadata
import math
import pathlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ae_zoo._support import cards
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.evaluation.health import figures
from ae_zoo.evaluation.peer import peer_of
from ae_zoo.typing import Array, Tensor

if TYPE_CHECKING:
    from ae_zoo.serving.signatures import Signature

PACKAGES = ("ae-zoo", "keras", "tensorflow", "numpy")
DRAWN = "drawn at random"  # where the examples come from if the export got no rows
# How far the answers of another runtime may differ, by the dtype that the model computes in. In half precision runtimes
# differ by what they keep in float32 between two operations.
TOLERANCES = {"float16": 2**-8, "bfloat16": 2**-5}
TOLERANCE = 1e-5  # in single precision


def make(
    model: Autoencoder, folder: pathlib.Path, x_train: Array | None, x_test: Array | None, source: str | None
) -> dict[str, object]:
    """Returns the description of a model as plain JSON values; its SavedModel must be in `folder` already."""
    weights = (*model.encoder.weights, *model.decoder.weights)  # tied kernels are in both
    written = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "model": model.family,  # what `config` belongs to
        "config": model.config.to_dict(),
        "data": {"source": source, "training": _rows(x_train), "test": _rows(x_test)},
        "parameters": sum(math.prod(weight.shape) for weight in {id(w): w for w in weights}.values()),
        "bytes": sum(path.stat().st_size for path in written),
        "files": {str(path.relative_to(folder)): _hash(path.read_bytes()) for path in written},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def tolerance(model: Autoencoder) -> float:
    """Returns how far another runtime's answers may differ from Python's, by the dtype that the model computes in."""
    return TOLERANCES.get(model.compute_dtype, TOLERANCE)


def signatures(
    served: "Mapping[str, Signature]", outputs: Mapping[str, Mapping[str, Tensor]]
) -> dict[str, cards.ServedSignature]:
    """Returns for each signature what it is for, and dtype and shape of its inputs and outputs."""
    return {
        name: {
            "about": one.endpoint.about,
            "inputs": {key: f"{dtype} {_shape((None, *shape))}" for key, (dtype, shape) in one.inputs.items()},
            "outputs": {key: f"{value.dtype.name} {_shape(value.shape)}" for key, value in outputs[name].items()},
        }
        for name, one in served.items()
    }


def metrics(model: Autoencoder, errors: Array | None, x_train: Array | None, x_test: Array | None) -> dict[str, float]:
    """Returns the mean of the test rows' `errors` `(n,)`, that of a linear model with a code of the same width, and the
    model's health.

    Both errors are on the model's scale. The linear model's is left out without training rows, or if there is no such model;
    all are left out without errors.
    """
    if errors is None or x_test is None:
        return {}
    peer = peer_of(model.schema)
    name = f"test {peer.unit.lower()}"
    found = {name: float(np.nanmean(errors, dtype="float64")), **figures(model, x_test, errors)}
    units = math.prod(model.decoder.input_shape[1:])
    if x_train is not None and units <= peer.widest(model.schema, len(x_train)):
        found[f"{peer.key} {name}"] = peer.beside(model, x_train, x_test)[1]
    return found


def _rows(rows: Array | None) -> cards.Rows | None:
    """Returns number, shape and the SHA-256 of the float32 values of rows `(n, *shape)`."""
    if rows is None:
        return None
    return {"rows": len(rows), "shape": list(rows.shape[1:]), "sha256": _hash(np.ascontiguousarray(rows, "<f4").data)}


def _hash(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()


def _shape(shape: Iterable[int | None]) -> str:
    return f"({', '.join('n' if side is None else str(side) for side in shape)})"
