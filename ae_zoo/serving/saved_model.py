"""Runs SavedModels with TensorFlow's own loader and session, as TensorFlow Serving does, without Keras.

This file imports only NumPy and TensorFlow, so its check does not depend on the code that wrote the model:

    python saved_model.py saved_models/digits/1 examples.npz

prints, as JSON, the largest difference between each signature's answers and those in the file. `ae-zoo check` runs this.
"""

import contextlib
import dataclasses
import difflib
import json
import os
import pathlib
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tensorflow.core.protobuf import meta_graph_pb2

BATCHES = (1, 7, 1000)  # batch sizes that a check tries

Arrays = dict[str, np.ndarray]
Kind = tuple["np.dtype[Any]", tuple[int | None, ...]]
Side = dict[str, Kind]


@dataclasses.dataclass(frozen=True)
class Signature:
    """Inputs and outputs of a served function.

    Attributes:
        inputs: `{name: (dtype, shape)}`. The dtype of texts is `object`; None in a shape is an axis of any length.
        outputs: the same for the outputs.
    """

    inputs: Side
    outputs: Side


class SavedModel:
    """A loaded SavedModel.

    Args:
        folder: folder of one version, which holds `saved_model.pb`.

    Attributes:
        signatures: inputs and outputs of each signature, by its name.

    Raises:
        FileNotFoundError: there is no SavedModel.
        ValueError: the SavedModel is damaged.
        ImportError: TensorFlow is not installed.

    Example:
        >>> SavedModel("saved_models/digits/1").run("score", {"x": rows})["error"]
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = pathlib.Path(folder)
        if not (self.folder / "saved_model.pb").is_file():
            raise FileNotFoundError(f"There is no saved_model.pb in {folder}: give the folder of one version.")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import tensorflow as tf

        # A session computes only the outputs that are asked for; the functions of tf.saved_model.load compute all.
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        level = tf.get_logger().level
        tf.get_logger().setLevel("ERROR")  # it would warn that sessions belong to TensorFlow 1
        try:
            with self._session.graph.as_default():
                found = tf.compat.v1.saved_model.load(self._session, ["serve"], str(folder)).signature_def
        except (tf.errors.OpError, OSError, ValueError, TypeError, LookupError, RuntimeError) as error:
            damaged = f"{folder} cannot be loaded; its files are damaged or missing"
            raise ValueError(f"{damaged}: {_reason(str(error))}") from None
        finally:
            tf.get_logger().setLevel(level)
        self.signatures: dict[str, Signature] = {}
        self._tensors = {}
        for name, one in sorted(found.items()):
            if not name.startswith("__"):  # those are TensorFlow's own
                sides = [dict(sorted(side.items())) for side in (one.inputs, one.outputs)]
                self._tensors[name] = [{key: self._tensor(info.name) for key, info in side.items()} for side in sides]
                self.signatures[name] = Signature(*({key: _kind(info) for key, info in side.items()} for side in sides))
        self._functions: dict[tuple[str, ...], Callable[..., list[np.ndarray]]] = {}

    def run(self, name: str, inputs: Mapping[str, npt.ArrayLike], outputs: Sequence[str] | None = None) -> Arrays:
        """Returns the outputs of a signature, by name.

        Args:
            name: name of the signature.
            inputs: an array for each input of the signature.
            outputs: names of the outputs to compute; by default all.

        Raises:
            ValueError: the signature, an input or an output is unknown, an input has another dtype or shape, or the graph
                refuses it (NaN, results beyond float32).
        """
        import tensorflow as tf

        signature = self.signatures.get(name) or _unknown("signature", name, self.signatures)
        for given in inputs.keys() - signature.inputs.keys():
            _unknown("input", given, signature.inputs)
        for missing in signature.inputs.keys() - inputs.keys():
            raise ValueError(f"The signature {name!r} needs the input {missing!r}.")
        wanted = tuple(signature.outputs if outputs is None else outputs)
        for output in wanted:
            if output not in signature.outputs:
                _unknown("output", output, signature.outputs)
        arrays = [_suited(key, inputs[key], *kind) for key, kind in signature.inputs.items()]
        function = self._functions.get((name, *wanted))
        if function is None:
            feeds, fetches = self._tensors[name]
            function = self._session.make_callable([fetches[key] for key in wanted], list(feeds.values()))
            self._functions[name, *wanted] = function
        try:
            return dict(zip(wanted, function(*arrays), strict=True))
        except tf.errors.OpError as error:
            raise ValueError(f"{self.folder} refused the request: {_reason(error.message)}") from None

    def _tensor(self, name: str) -> object:
        try:
            return self._session.graph.get_tensor_by_name(name)
        except (KeyError, ValueError):
            raise ValueError(
                f"{self.folder} is damaged: a signature names {name!r}, but the graph has no such tensor."
            ) from None


def _kind(info: "meta_graph_pb2.TensorInfo") -> Kind:
    import tensorflow as tf

    sides = (dim.size for dim in info.tensor_shape.dim)
    return np.dtype(tf.as_dtype(info.dtype).as_numpy_dtype), tuple(None if side < 0 else side for side in sides)


def _reason(message: str) -> str:
    """Returns the reason alone; the node that failed and the stack of calls do not help a caller."""
    asserted = re.search(r"assertion failed: \[(.*)\]", message)
    if asserted:
        return asserted[1]
    lines = (line.strip() for line in message.splitlines())
    around = ("Graph execution error", "Detected at node", "Node:", "[[")
    return next((line for line in lines if line and not line.startswith(around)), message).split("[[")[0].strip()


def _unknown(kind: str, name: str, known: Collection[str]) -> NoReturn:
    near = difflib.get_close_matches(name, known, 1)
    hint = f", did you mean {near[0]!r}" if near else ""
    raise ValueError(f"There is no {kind} {name!r}{hint}; there is {', '.join(sorted(known))}.")


def _suited(name: str, value: npt.ArrayLike, dtype: "np.dtype[Any]", shape: tuple[int | None, ...]) -> np.ndarray:
    if hasattr(value, "columns"):
        raise ValueError(
            f"{name} has named columns, but the model's order is not known here: give an array in that order."
        )
    array = np.asarray(value)
    if dtype.kind == "O":
        if array.dtype.kind not in "OSU":
            raise ValueError(f"{name} must hold texts; received values of type {array.dtype}.")
    elif not np.can_cast(array.dtype, dtype, "same_kind"):
        raise ValueError(f"{name} must hold numbers that fit {dtype}; received values of type {array.dtype}.")
    with np.errstate(over="ignore"):  # the graph refuses infinite values
        original, array = array, np.ascontiguousarray(array, dtype)
    if dtype.kind == "i" and not np.array_equal(original, array):
        raise ValueError(f"{name} must hold numbers that fit {dtype}; received {original.max()}.")
    if len(shape) != array.ndim or any(own not in (None, given) for own, given in zip(shape, array.shape, strict=True)):
        expected = ", ".join("n" if side is None else str(side) for side in shape)
        raise ValueError(f"{name} must be of shape ({expected}); received {array.shape}.")
    return array


def differences(run: Callable[[str, Arrays], Mapping[str, np.ndarray]], examples: Arrays) -> dict[str, float]:
    """Returns for each signature the largest difference from the known answers, over several batch sizes.

    Differences are absolute if all answers lie in [-1, 1], and otherwise shares of the largest answer.

    Args:
        run: function from the name of a signature and its inputs to its outputs.
        examples: arrays named `signature/input/name` and `signature/output/name`, with one entry for each row; arrays with
            other names are ignored.
    """
    result: dict[str, float] = {}
    for name in dict.fromkeys(key.partition("/")[0] for key in examples if "/" in key):
        for size in BATCHES:
            inputs, wanted = (
                {
                    key.removeprefix(side): rows[np.arange(size) % len(rows)]
                    for key, rows in examples.items()
                    if key.startswith(side)
                }
                for side in (f"{name}/input/", f"{name}/output/")
            )
            answers = run(name, inputs)
            for key, want in wanted.items():
                if answers[key].shape != want.shape:
                    raise ValueError(f"{name} gives {key} of shape {answers[key].shape}; expected {want.shape}.")
                found, want = _numbers(answers[key], want)
                gap = float(np.abs(found - want).max() / max(1.0, np.abs(want).max()))
                largest = result.setdefault(name, 0.0)
                result[name] = gap if not gap <= largest else largest  # a NaN counts as a difference
    return result


def _numbers(found: np.ndarray, want: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns answers as float64: dates in seconds, and other texts as 1 where they differ from those that are wanted."""
    if want.dtype.kind != "U":
        return found, want.astype("float64")
    texts = np.char.decode(found.astype(bytes), "utf-8")
    try:
        seconds = [each.astype("datetime64[s]").astype("float64") for each in (texts, want)]
    except ValueError:
        return (texts != want).astype("float64"), np.zeros(len(want))
    return seconds[0], seconds[1]


def checked(folder: str, file: str) -> dict[str, float]:
    """Returns the `differences` of the SavedModel in a folder from the examples in a file; both must have one model."""
    model = SavedModel(folder)
    with np.load(file, allow_pickle=False) as arrays:
        examples = dict(arrays)
    exported = {name for name in examples if "/" in name}
    served = {
        f"{name}/{side}/{key}"
        for name, one in model.signatures.items()
        for side, keys in (("input", one.inputs), ("output", one.outputs))
        for key in keys
    }
    if exported != served:
        raise ValueError(
            f"{folder} is not as it was exported; it lacks or adds {', '.join(sorted(exported ^ served))}."
        )
    return differences(model.run, examples)


@contextlib.contextmanager
def tensorflow_alone() -> Iterator[None]:
    """Lets TensorFlow start without Keras and JAX, which it imports if it can, and which double the time.

    Only for processes of this package: after such a start, `from tensorflow.keras import ...` fails.
    """
    barred = {"keras", "jax"} - sys.modules.keys()
    sys.modules.update(dict.fromkeys(barred))  # type: ignore[arg-type] # an import of None fails
    try:
        yield
    finally:
        for name in barred:
            del sys.modules[name]


def main() -> None:
    """Prints the differences, or the reason why they cannot be computed."""
    with tensorflow_alone():
        try:
            result: dict[str, object] = {"differences": checked(*sys.argv[1:])}
        except (ValueError, OSError, ImportError) as error:
            result = {"error": str(error)}
    print(json.dumps({**result, "imported": sorted({"keras", "ae_zoo"} & sys.modules.keys())}))


if __name__ == "__main__":
    main()
