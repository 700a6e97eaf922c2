"""One file for other runtimes: ONNX, and LiteRT (which was TensorFlow Lite) for phones and small devices.

Such a file holds one function, from raw rows `x` to everything that the SavedModel's signatures say of rows, in one go.
It has no checks inside: its runtimes know no assertion. Keras writes both; each is run by its own runtime before it appears
under its name, and compared with Python.
"""

import os
import pathlib
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from ae_zoo._support import files
from ae_zoo.endpoints import Endpoints
from ae_zoo.errors import AEZooError, MissingExtraError
from ae_zoo.serving import saved_model

FORMATS = {".onnx": "onnx", ".tflite": "litert"}  # Keras's names of them
TOLERANCE = 1e-5  # that of the SavedModel's check

Run = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]


def write(served: Endpoints, examples: dict[str, np.ndarray], path: pathlib.Path) -> float:
    """Writes the file, if its own runtime answers as Python did.

    Args:
        served: what the model can do.
        examples: of them, with Python's answers.
        path: ends in `.onnx` or `.tflite`; a file that is there already is replaced.

    Returns:
        The largest difference from Python's answers, over batches of 1, 7 and 1,000 rows.

    Raises:
        ValueError: an answer differs by more than 1e-5.
        ImportError: what writes the format or runs it is not installed.
    """
    kind = FORMATS[path.suffix]
    _check_installed(kind)
    of_rows = {name: one for name, one in served.items() if one.input == "x"}
    rows = keras.Input(next(iter(of_rows.values())).shape, name="x")
    network = keras.Model(rows, _Verbs(of_rows)(rows))
    network(examples[f"{next(iter(of_rows))}/input/x"])  # Keras writes ONNX of models that have run only
    with files.whole(path) as sibling:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "In the future `np.object`", FutureWarning
            )  # raised by Keras's copy of tf2onnx
            network.export(str(sibling), format=kind, verbose=False)
        difference = _difference(RUNTIMES[kind](sibling), of_rows, examples)
        if not difference <= TOLERANCE:
            raise AEZooError(
                f"{path.name} was not written: its answers differ from Python's by up to {difference:.1e}, more than "
                f"{TOLERANCE:g}."
            )
    return difference


class _Verbs(keras.layers.Layer):
    """All that the signatures say of rows, as one layer, so that it is part of a model's graph."""

    def __init__(self, served: Endpoints) -> None:
        super().__init__()
        self.served = served

    def call(self, x: Any) -> dict[str, Any]:
        return {name: value for one in self.served.values() for name, value in one.function(x).items()}


def _difference(run: Run, served: Endpoints, examples: dict[str, np.ndarray]) -> float:
    outputs = {
        key.rpartition("/")[2]: value
        for name in served
        for key, value in examples.items()
        if key.startswith(f"{name}/output/")
    }
    x = examples[f"{next(iter(served))}/input/x"]
    wanted = {"all/input/x": x, **{f"all/output/{name}": value for name, value in outputs.items()}}
    return saved_model.differences(lambda _, inputs: run(inputs), wanted)["all"]


def _onnx(path: pathlib.Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs), strict=True))


def _litert(path: pathlib.Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(os.fspath(path)).get_signature_runner()
    return lambda inputs: runner(**inputs)


RUNTIMES: dict[str, Callable[[pathlib.Path], Run]] = {"onnx": _onnx, "litert": _litert}


def _check_installed(kind: str) -> None:
    """Before the long work: what Keras says of a missing library comes late, and names other packages."""
    try:
        if kind == "onnx":
            import onnxruntime  # noqa: F401 - only asked whether it is there
            import tf2onnx.tfonnx  # noqa: F401 - the same
        else:
            import ai_edge_litert.interpreter  # noqa: F401 - the same
    except ImportError:
        raise MissingExtraError(f"This format needs libraries of its own: run pip install 'ae-zoo[{kind}]'.") from None
