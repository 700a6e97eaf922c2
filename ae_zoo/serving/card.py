"""The card of an exported version: what it is, what it was made from, how good it is, and how to ask it."""

import datetime
import hashlib
import importlib.metadata
import math
import pathlib
from typing import Any

import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.endpoints import Endpoints
from ae_zoo.evaluation.pca import PCA

PACKAGES = ("ae-zoo", "keras", "tensorflow", "numpy")


def make(
    model: Autoencoder, folder: pathlib.Path, x_train: np.ndarray | None, x_test: np.ndarray | None, source: str | None
) -> dict[str, Any]:
    """What there is to say of a model whose SavedModel lies in `folder` already, as plain JSON values."""
    weights = (*model.encoder.weights, *model.decoder.weights)  # some of them the same, where kernels are tied
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


def signatures(served: Endpoints, outputs: dict[str, Any]) -> dict[str, Any]:
    """The table of signatures: what each is for, and dtype and shape of what it takes and gives."""
    return {
        name: {
            "about": one.about,
            "inputs": {one.input: f"{one.dtype} {_shape((None, *one.shape))}"},
            "outputs": {key: f"{value.dtype.name} {_shape(value.shape)}" for key, value in outputs[name].items()},
        }
        for name, one in served.items()
    }


def metrics(
    model: Autoencoder, errors: np.ndarray | None, x_train: np.ndarray | None, x_test: np.ndarray | None
) -> dict[str, float]:
    """Mean of the test rows' `errors`, on the model's scale, and PCA's with as many components as the code has units."""
    if errors is None:
        return {}
    found = {"test mse": float(errors.mean(dtype="float64"))}
    units = int(np.prod(model.decoder.input_shape[1:]))
    if x_train is not None and units <= min(len(x_train), x_train[0].size):
        pca = PCA(units, scaling=model.config.scaling).fit(x_train)
        found["pca test mse"] = float(pca.reconstruction_error(x_test).mean(dtype="float64"))
    return found


def _rows(rows: np.ndarray | None) -> dict[str, Any] | None:
    """How many rows, and the SHA-256 of their float32 values."""
    if rows is None:
        return None
    return {"rows": len(rows), "shape": list(rows.shape[1:]), "sha256": _hash(np.ascontiguousarray(rows, "<f4").data)}


def _hash(content: Any) -> str:
    return hashlib.sha256(content).hexdigest()


def _shape(shape: Any) -> str:
    return f"({', '.join('n' if side is None else str(side) for side in shape)})"
