"""SavedModels run by TensorFlow's C library: no Python of TensorFlow, Keras or this package takes part.

It is the loader that TensorFlow Serving calls, so what runs here runs there. It starts in a second, where
`import tensorflow` takes six. The file stands alone, on NumPy and protobuf, so that a check that it makes can owe nothing to
the code that wrote the model:

    python c_api.py saved_models/digits/1 examples.npz

prints, as JSON, the largest difference of each signature's answers from those in the file. `ae-zoo check` runs that.
"""

import ctypes
import dataclasses
import difflib
import functools
import importlib.util
import json
import os
import pathlib
import re
import sys
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

BATCHES = (1, 7, 1000)  # sizes that a check tries
# TF_DataType of tensorflow/c/tf_datatype.h, for what is served here.
DTYPES = {
    1: np.dtype("float32"),
    2: np.dtype("float64"),
    3: np.dtype("int32"),
    9: np.dtype("int64"),
    10: np.dtype(bool),
}
CODES = {dtype: code for code, dtype in DTYPES.items()}


@dataclasses.dataclass(frozen=True)
class Signature:
    """What a served function takes and gives: for each name its dtype, and its shape with None for the batch.

    Attributes:
        inputs, outputs: `{name: (dtype, shape)}`.
        tensors: the graph's name of each of them.
    """

    inputs: dict[str, tuple[np.dtype, tuple[int | None, ...]]]
    outputs: dict[str, tuple[np.dtype, tuple[int | None, ...]]]
    tensors: dict[str, str]


class SavedModel:
    """A loaded SavedModel.

    Args:
        folder: of one version, with `saved_model.pb` in it.

    Attributes:
        signatures: by name.

    Raises:
        FileNotFoundError: there is no SavedModel.
        ValueError: it is damaged.
        ImportError: TensorFlow is not installed.

    Example:
        >>> SavedModel("saved_models/digits/1").run("score", {"x": rows})["error"]
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = pathlib.Path(folder)
        if not (self.folder / "saved_model.pb").is_file():
            raise FileNotFoundError(f"There is no saved_model.pb in {folder}: give the folder of one version.")
        tf = _library()
        self.signatures = signatures(self.folder)
        self._graph, status, options = tf.TF_NewGraph(), tf.TF_NewStatus(), tf.TF_NewSessionOptions()
        tags = (ctypes.c_char_p * 1)(b"serve")
        self._session = tf.TF_LoadSessionFromSavedModel(
            options, None, os.fsencode(self.folder), tags, 1, self._graph, None, status
        )
        weakref.finalize(self, _release, tf, self._session, self._graph)
        try:
            _raise(tf, status, f"{folder} cannot be loaded; its files are damaged, or not all there")
        finally:
            tf.TF_DeleteSessionOptions(options)
            tf.TF_DeleteStatus(status)

    def run(self, name: str, inputs: dict[str, Any], outputs: Sequence[str] | None = None) -> dict[str, np.ndarray]:
        """The answers of a signature.

        Args:
            name: of the signature.
            inputs: an array for each of its inputs.
            outputs: those that are wanted, so that the others need not be computed; default: all.

        Raises:
            ValueError: for an unknown signature, input or output, another dtype or shape, or what the graph refuses
                (NaN, values out of range).
        """
        signature = self.signatures.get(name) or _unknown("signature", name, self.signatures)
        for given in inputs:
            if given not in signature.inputs:
                _unknown("input", given, signature.inputs)
        wanted = list(signature.outputs if outputs is None else outputs)
        for output in wanted:
            if output not in signature.outputs:
                _unknown("output", output, signature.outputs)
        arrays = []
        for key, (dtype, shape) in signature.inputs.items():
            if key not in inputs:
                raise ValueError(f"The signature {name!r} needs the input {key!r}.")
            arrays.append(_suited(key, inputs[key], dtype, shape))
        feeds = [signature.tensors[key] for key in signature.inputs]
        return dict(zip(wanted, self._run(feeds, arrays, [signature.tensors[key] for key in wanted]), strict=True))

    def _run(self, feeds: list[str], arrays: list[np.ndarray], fetches: list[str]) -> list[np.ndarray]:
        tf = _library()
        tensors = [_tensor(tf, array) for array in arrays]
        results = (ctypes.c_void_p * len(fetches))()
        status = tf.TF_NewStatus()
        try:
            tf.TF_SessionRun(
                self._session,
                None,
                self._places(tf, feeds),
                (ctypes.c_void_p * len(tensors))(*tensors),
                len(tensors),
                self._places(tf, fetches),
                results,
                len(fetches),
                None,
                0,
                None,
                status,
            )
            _raise(tf, status, f"{self.folder} refused the request")
            return [_array(tf, result) for result in results]
        finally:
            for tensor in [*tensors, *filter(None, results)]:
                tf.TF_DeleteTensor(tensor)
            tf.TF_DeleteStatus(status)

    def _places(self, tf: Any, names: list[str]) -> Any:
        places = (_Output * len(names))()
        for place, name in zip(places, names, strict=True):
            operation, _, index = name.partition(":")
            place.operation = tf.TF_GraphOperationByName(self._graph, operation.encode())
            place.index = int(index or 0)
            if not place.operation or place.index >= tf.TF_OperationNumOutputs(place.operation):
                raise ValueError(f"{self.folder} is damaged: its graph has no {name!r}, which a signature names.")
        return places


class _Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


@functools.cache
def _library() -> ctypes.CDLL:
    """TensorFlow's shared library, found without importing its Python."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    spec = importlib.util.find_spec("tensorflow")
    folder = pathlib.Path(spec.origin).parent if spec and spec.origin else None
    found = sorted(folder.glob("libtensorflow_cc*")) if folder else []
    if not found:
        raise ImportError("TensorFlow's C library is not here: run pip install tensorflow (or tensorflow-cpu).")
    tf = ctypes.CDLL(str(found[0]))
    pointer = ctypes.c_void_p
    for name, result in {
        "TF_NewGraph": pointer,
        "TF_NewStatus": pointer,
        "TF_NewSessionOptions": pointer,
        "TF_LoadSessionFromSavedModel": pointer,
        "TF_GraphOperationByName": pointer,
        "TF_AllocateTensor": pointer,
        "TF_TensorData": pointer,
        "TF_TensorByteSize": ctypes.c_size_t,
        "TF_Dim": ctypes.c_int64,
        "TF_Message": ctypes.c_char_p,
    }.items():
        getattr(tf, name).restype = result
    # Python's integers are passed as C's int unless told otherwise, which would cut addresses short.
    for name, arguments in {
        "TF_DeleteSessionOptions": [pointer],
        "TF_DeleteStatus": [pointer],
        "TF_DeleteSession": [pointer, pointer],
        "TF_DeleteGraph": [pointer],
        "TF_DeleteTensor": [pointer],
        "TF_GetCode": [pointer],
        "TF_Message": [pointer],
        "TF_GraphOperationByName": [pointer, ctypes.c_char_p],
        "TF_OperationNumOutputs": [pointer],
        "TF_AllocateTensor": [ctypes.c_int, pointer, ctypes.c_int, ctypes.c_size_t],
        "TF_TensorData": [pointer],
        "TF_TensorByteSize": [pointer],
        "TF_TensorType": [pointer],
        "TF_NumDims": [pointer],
        "TF_Dim": [pointer, ctypes.c_int],
        "TF_LoadSessionFromSavedModel": [pointer, pointer, ctypes.c_char_p, pointer, ctypes.c_int] + [pointer] * 3,
        "TF_SessionRun": [pointer] * 4
        + [ctypes.c_int]
        + [pointer] * 2
        + [ctypes.c_int, pointer, ctypes.c_int]
        + [pointer] * 2,
    }.items():
        getattr(tf, name).argtypes = arguments
    return tf


def _release(tf: Any, session: Any, graph: Any) -> None:
    status = tf.TF_NewStatus()
    if session:  # none, where loading failed
        tf.TF_DeleteSession(session, status)
    tf.TF_DeleteGraph(graph)
    tf.TF_DeleteStatus(status)


def _raise(tf: Any, status: Any, what: str) -> None:
    if tf.TF_GetCode(status):
        # The node that failed and the stack of calls follow the reason; nobody who asks can do anything with them.
        reason = tf.TF_Message(status).decode(errors="replace").strip().splitlines()[0].split("[[")[0].strip()
        asserted = re.search(r"assertion failed: \[(.*)\]", reason)
        reason = asserted[1] if asserted else reason
        raise ValueError(f"{what}: {reason}")


def _unknown(kind: str, name: str, known: Any) -> Any:
    near = difflib.get_close_matches(name, known, 1)
    hint = f", did you mean {near[0]!r}" if near else ""
    raise ValueError(f"There is no {kind} {name!r}{hint}; there is {', '.join(sorted(known))}.")


def _suited(name: str, value: Any, dtype: np.dtype, shape: tuple[int | None, ...]) -> np.ndarray:
    if hasattr(value, "columns"):
        raise ValueError(f"{name} has named columns, which are not known here: give an array, in the model's order.")
    array = np.asarray(value)
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise ValueError(f"{name} must hold numbers that fit {dtype}; received values of type {array.dtype}.")
    with np.errstate(over="ignore"):  # what becomes infinite is refused by the graph
        original, array = array, np.ascontiguousarray(array, dtype)
    if dtype.kind == "i" and not np.array_equal(original, array):
        raise ValueError(f"{name} must hold numbers that fit {dtype}; received {original.max()}.")
    if array.ndim != len(shape) or any(
        own is not None and own != given for own, given in zip(shape, array.shape, strict=True)
    ):
        expected = ", ".join("n" if side is None else str(side) for side in shape)
        raise ValueError(f"{name} must be of shape ({expected}); received {array.shape}.")
    return array


def _tensor(tf: Any, array: np.ndarray) -> Any:
    shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    tensor = tf.TF_AllocateTensor(CODES[array.dtype], shape, array.ndim, array.nbytes)
    ctypes.memmove(tf.TF_TensorData(tensor), array.ctypes.data, array.nbytes)
    return tensor


def _array(tf: Any, tensor: Any) -> np.ndarray:
    shape = [tf.TF_Dim(tensor, axis) for axis in range(tf.TF_NumDims(tensor))]
    array = np.empty(shape, DTYPES[tf.TF_TensorType(tensor)])
    ctypes.memmove(array.ctypes.data, tf.TF_TensorData(tensor), array.nbytes)
    return array


def signatures(folder: str | os.PathLike) -> dict[str, Signature]:
    """What the SavedModel in a folder serves, by the few fields of its file that say so."""
    from google.protobuf.message import DecodeError

    content = (pathlib.Path(folder) / "saved_model.pb").read_bytes()
    found = {}
    try:
        entries = _saved_model().FromString(content).graphs[0].signatures
    except (DecodeError, IndexError):
        raise ValueError(f"{folder} cannot be loaded; its saved_model.pb is damaged.") from None
    for entry in entries:
        if entry.key.startswith("__"):  # TensorFlow's own
            continue
        sides = []
        tensors = {}
        for side in (entry.value.inputs, entry.value.outputs):
            side = sorted(side, key=lambda item: item.key)
            sides.append({
                item.key: (
                    _dtype(item.value.dtype, item.key),
                    tuple(None if dim.size < 0 else dim.size for dim in item.value.shape.dims),
                )
                for item in side
            })  # fmt: skip
            tensors |= {item.key: item.value.name for item in side}
        found[entry.key] = Signature(*sides, tensors)
    return found


def _dtype(code: int, name: str) -> np.dtype:
    if code not in DTYPES:
        raise ValueError(f"{name!r} is of a type that is not served here, number {code} of TensorFlow's.")
    return DTYPES[code]


def write_alone(folder: str | os.PathLike, name: str, target: str | os.PathLike) -> None:
    """Makes of the folder `target` the same model with a signature as `serving_default`, for readers that see no other."""
    content = (pathlib.Path(folder) / "saved_model.pb").read_bytes()
    model = _saved_model().FromString(content)  # what is not declared in it stays
    entries = {entry.key: entry.value for entry in model.graphs[0].signatures}
    entries["serving_default"].CopyFrom(entries[name])
    (pathlib.Path(target) / "saved_model.pb").write_bytes(model.SerializeToString())
    (pathlib.Path(target) / "variables").symlink_to((pathlib.Path(folder) / "variables").resolve())


@functools.cache
def _saved_model() -> Any:
    """The class of a message with parts of TensorFlow's saved_model.proto and meta_graph.proto.

    They are declared here, as the whole comes with TensorFlow's Python alone.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    kinds = {"int": field.TYPE_INT64, "text": field.TYPE_STRING}
    file = descriptor_pb2.FileDescriptorProto(name="ae_zoo_signatures.proto", package="ae_zoo", syntax="proto3")
    for message, fields in {
        "Dim": [("size", 1, "int", False)],
        "Shape": [("dims", 2, "Dim", True)],
        "Tensor": [("name", 1, "text", False), ("dtype", 2, "int", False), ("shape", 3, "Shape", False)],
        "Item": [("key", 1, "text", False), ("value", 2, "Tensor", False)],
        "Signature": [("inputs", 1, "Item", True), ("outputs", 2, "Item", True)],
        "Entry": [("key", 1, "text", False), ("value", 2, "Signature", False)],
        "Graph": [("signatures", 5, "Entry", True)],
        "SavedModel": [("graphs", 2, "Graph", True)],
    }.items():
        declared = file.message_type.add(name=message)
        for name, number, kind, many in fields:
            declared.field.add(
                name=name,
                number=number,
                label=field.LABEL_REPEATED if many else field.LABEL_OPTIONAL,
                type=kinds.get(kind, field.TYPE_MESSAGE),
                type_name=None if kind in kinds else f".ae_zoo.{kind}",
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("ae_zoo.SavedModel"))


def differences(model: SavedModel, examples: dict[str, np.ndarray]) -> dict[str, float]:
    """For each signature, the largest difference from the known answers, over several batch sizes.

    Differences are absolute where answers are within 1, and in shares of the largest answer where they are not.

    Args:
        model: the loaded one.
        examples: arrays named `signature/input/name` and `signature/output/name`.
    """
    result = {}
    for name, signature in model.signatures.items():
        largest = 0.0
        for size in BATCHES:
            inputs, wanted = (
                {key: _repeated(examples[f"{name}/{side}/{key}"], size) for key in keys}
                for side, keys in (("input", signature.inputs), ("output", signature.outputs))
            )
            answers = model.run(name, inputs)
            for key, want in wanted.items():
                if answers[key].shape != want.shape:
                    raise ValueError(f"{name} gives {key} of shape {answers[key].shape}; expected {want.shape}.")
                want = want.astype("float64")
                gap = np.abs(answers[key] - want).max() / max(1.0, np.abs(want).max())
                largest = float(gap) if not gap <= largest else largest  # a NaN counts as a difference
        result[name] = largest
    return result


def _repeated(array: np.ndarray, size: int) -> np.ndarray:
    return array[np.arange(size) % len(array)]


def main() -> None:
    """Prints the differences, or in their place the reason why there are none."""
    try:
        with np.load(sys.argv[2], allow_pickle=False) as arrays:
            examples = dict(arrays)
        result: dict[str, Any] = {"differences": differences(SavedModel(sys.argv[1]), examples)}
    except KeyError as error:
        result = {"error": f"There are no example rows for {error}."}
    except (ValueError, OSError, ImportError) as error:
        result = {"error": str(error)}
    print(json.dumps({**result, "imported": sorted({"tensorflow", "keras", "ae_zoo"} & set(sys.modules))}))


if __name__ == "__main__":
    main()
