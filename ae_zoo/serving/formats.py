"""One file for other runtimes: ONNX, and LiteRT (formerly TensorFlow Lite) for phones and small devices.

Such a file holds one function. It takes rows `x` in the data's units and returns all outputs that the SavedModel's signatures
have for rows, except those that take several passes. It has no checks inside, because its runtimes have no assertions. Keras
writes the file; its own runtime must give the same answers as Python before the file appears under its name.
"""

import os
import pathlib
import warnings
from collections.abc import Callable
from typing import Literal

import keras

from ae_zoo._support import files
from ae_zoo.endpoints import Arrays, Endpoints, Tensors
from ae_zoo.errors import AEZooError, MissingExtraError
from ae_zoo.serving import saved_model
from ae_zoo.typing import Tensor

Kind = Literal["onnx", "litert"]
FORMATS: dict[str, Kind] = {".onnx": "onnx", ".tflite": "litert"}  # with Keras's names

Run = Callable[[Arrays], Arrays]


def write(served: Endpoints, examples: Arrays, path: pathlib.Path, tolerance: float) -> float:
    """Writes the file, if its own runtime gives the same answers as Python.

    Args:
        served: the model's endpoints.
        examples: requests and Python's answers; see `ae_zoo.serving.examples`.
        path: file that ends in `.onnx` or `.tflite`; an existing file is replaced.
        tolerance: largest difference that is accepted, in shares of the largest answer where answers go beyond 1.

    Returns:
        The largest difference from Python's answers, over batches of 1, 7 and 1,000 rows.

    Raises:
        AEZooError: an answer differs by more than the tolerance.
        MissingExtraError: a library that writes the format or runs it is not installed.
    """
    kind = FORMATS[path.suffix]
    _check_installed(kind)
    of_rows = {name: one for name, one in served.items() if one.input == "x" and one.one_pass}
    rows = keras.Input(next(iter(of_rows.values())).shape, name="x")
    network = keras.Model(rows, _Verbs(of_rows)(rows))
    network(examples[f"{next(iter(of_rows))}/input/x"])  # Keras writes ONNX only for models that have run
    with files.whole(path) as sibling:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "In the future `np.object`", FutureWarning
            )  # raised by Keras's copy of tf2onnx
            network.export(str(sibling), format=kind, verbose=False)
        difference = _difference(RUNTIMES[kind](sibling), of_rows, examples)
        if not difference <= tolerance:
            raise AEZooError(
                f"{path.name} was not written: its answers differ from Python's by up to {difference:.1e}, more than "
                f"{tolerance:g}."
            )
    return difference


class _Verbs(keras.layers.Layer):
    """All signatures that take rows, as one layer, so that they become part of a model's graph."""

    def __init__(self, served: Endpoints) -> None:
        super().__init__()
        self.served = served

    def call(self, x: Tensor) -> Tensors:
        return {name: value for one in self.served.values() for name, value in one.function(x).items()}


def _difference(run: Run, served: Endpoints, examples: Arrays) -> float:
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


RUNTIMES: dict[Kind, Callable[[pathlib.Path], Run]] = {"onnx": _onnx, "litert": _litert}


def _check_installed(kind: Kind) -> None:
    """Raises `MissingExtraError` before the long work; Keras's own error comes late and names other packages."""
    try:
        if kind == "onnx":
            import onnxruntime  # noqa: F401 - imported only to see whether it is there
            import tf2onnx.tfonnx  # noqa: F401 - the same
        else:
            import ai_edge_litert.interpreter  # noqa: F401 - the same
    except ImportError:
        raise MissingExtraError(
            f"This format needs libraries that are not installed: run pip install 'ae-zoo[{kind}]'."
        ) from None
