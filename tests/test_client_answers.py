"""An answer is believed only if it is what was announced: any change of a right answer is refused, by both readers."""

import copy

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from ae_zoo.client import answers
from ae_zoo.client.answers import Tensor, Unlike

LIMITS = {"int32": 2**31, "int64": 2**63}


@st.composite
def right(draw, texts=True):
    """Outputs, and arrays that are as announced: with an axis of rows, none of them empty."""
    arrays, announced = {}, {}
    random = np.random.default_rng(draw(st.integers(0, 9)))
    rows = draw(st.integers(1, 4))
    for name in draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True)):
        dtype = draw(st.sampled_from(sorted(answers.DTYPES.keys() - (set() if texts else {"DT_STRING"}))))
        shape = (rows, *draw(st.lists(st.integers(1, 3), max_size=2)))
        numbers = 10 * random.normal(size=shape)
        text = dtype == "DT_STRING"
        arrays[name] = numbers.astype(str).astype(object) if text else numbers.astype(answers.DTYPES[dtype])
        announced[name] = Tensor(dtype, shape)
    return announced, arrays


def a_list(draw, value):
    """One of the lists in nested lists."""
    while isinstance(value[0], list) and draw(st.booleans()):
        value = draw(st.sampled_from(value))
    return value


def drop(draw, value, dtype):
    some = a_list(draw, value)
    del some[draw(st.integers(0, len(some) - 1))]


def add(draw, value, dtype):
    some = a_list(draw, value)
    some.insert(draw(st.integers(0, len(some))), copy.deepcopy(some[0]))


def empty(draw, value, dtype):
    a_list(draw, value).clear()


def wrap(draw, value, dtype):
    some = a_list(draw, value)
    place = draw(st.integers(0, len(some) - 1))
    some[place] = [some[place]]


def other(draw, value, dtype):
    """A value of another type, or that the type cannot hold."""
    some = value
    while isinstance(some[0], list):
        some = draw(st.sampled_from(some))
    strange = {
        "b": [0, 1, 0.5, "true"],
        "i": [True, False, 0.5, 2.0, "2", -LIMITS.get(dtype.name, 0) - 1, LIMITS.get(dtype.name), float("nan")],
        "f": [True, False, "1.5", float("nan"), float("inf"), -float("inf"), 10**400],
        "O": [True, 0, 1.5],
    }[dtype.kind]
    if dtype == "float32":
        strange = [*strange, 1e39]
    replaced = draw(st.sampled_from([*strange, None, *([] if dtype.kind == "O" else [""]), {}, {"b64": "AA=="}]))
    some[draw(st.integers(0, len(some) - 1))] = replaced


@hypothesis.given(right())
@hypothesis.settings(deadline=None, max_examples=50)
def test_a_right_answer_is_read(case):
    announced, arrays = case
    found = answers.checked(announced, {name: array.tolist() for name, array in arrays.items()}, answers.from_json)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


@hypothesis.given(st.data(), right(), st.sampled_from([drop, add, empty, wrap, other]))
@hypothesis.settings(deadline=None, max_examples=200)
def test_any_change_is_refused(data, case, change):
    announced, arrays = case
    found = {name: array.tolist() for name, array in arrays.items()}
    name = data.draw(st.sampled_from(sorted(found)))
    change(data.draw, found[name], arrays[name].dtype)
    with pytest.raises(Unlike, match=f"output '{name}' must be ") as raised:
        answers.checked(announced, found, answers.from_json)
    assert len(str(raised.value)) < 300


@hypothesis.given(right())
@hypothesis.settings(deadline=None, max_examples=20)
def test_another_set_of_outputs_is_refused(case):
    announced, arrays = case
    found = {name: array.tolist() for name, array in arrays.items()}
    for wrong in (found | {"more": [1.0]}, dict(list(found.items())[1:])):
        with pytest.raises(Unlike, match="must have the outputs"):
            answers.checked(announced, wrong, answers.from_json)


@hypothesis.given(st.data(), right(texts=False), st.booleans())
@hypothesis.settings(deadline=None, max_examples=100)
def test_a_changed_tensor_is_refused(data, case, as_bytes):
    pytest.importorskip("tensorflow_serving")
    from tensorflow.core.framework import tensor_pb2, types_pb2

    from ae_zoo.client.grpc import FIELDS, GrpcClient

    announced, arrays = case
    found = {}
    for name, array in arrays.items():
        tensor = found[name] = tensor_pb2.TensorProto(dtype=types_pb2.DataType.Value(announced[name].dtype))
        for size in array.shape:
            tensor.tensor_shape.dim.add(size=size)
        if as_bytes:
            tensor.tensor_content = array.tobytes()
        else:
            getattr(tensor, FIELDS[array.dtype.name]).extend(array.ravel().tolist())
    read = answers.checked(announced, found, GrpcClient._read)
    assert all(np.array_equal(read[name], array) for name, array in arrays.items())

    name = data.draw(st.sampled_from(sorted(found)))
    tensor, dtype = found[name], arrays[name].dtype
    values = getattr(tensor, FIELDS[dtype.name])
    change = data.draw(st.sampled_from(["type", "no type", "axis", "size", "fewer", "more", "bad"]))
    if change == "type":
        kinds = types_pb2.DataType.values()
        tensor.dtype = data.draw(st.sampled_from([kind for kind in kinds if kind != tensor.dtype]))
    elif change == "no type":
        tensor.dtype = 12345
    elif change == "axis":
        tensor.tensor_shape.dim.add(size=1)
    elif change == "size":
        tensor.tensor_shape.dim[0].size += data.draw(st.sampled_from([-1, 1, -10, 2**40]))
    elif change == "fewer":  # whose rest TensorFlow would fill with the last
        if as_bytes:
            tensor.tensor_content = tensor.tensor_content[:-1]
        else:
            del values[-1]
    elif change == "more":
        if as_bytes:
            tensor.tensor_content += b"\0"
        else:
            values.append(values[0])
    elif dtype.kind == "f":
        bad = np.full_like(arrays[name], data.draw(st.sampled_from([np.nan, np.inf, -np.inf])))
        tensor.tensor_content = bad.tobytes()
    else:  # bytes that are no truth value, or no whole number of numbers
        tensor.tensor_content = b"\2" * (arrays[name].size if dtype == "bool" else 1)
    with pytest.raises(Unlike, match=f"output '{name}' must be "):
        answers.checked(announced, found, GrpcClient._read)


def test_what_is_received_is_said():
    for value, message in (
        ([[1.0, 2.0]], r"received 1 in place of 2 on axis 0"),
        ([[1.0], [2.0]], r"received 1 in place of 3 on axis 1"),
        ([[1.0, 2.0, 3.0], 4.0], r"received 4.0 on axis 1, where a list should be"),
        ([[1.0, 2.0, None], [1.0, 2.0, 3.0]], r"received the value null"),
        ([[1.0, 2.0, float("nan")], [1.0, 2.0, 3.0]], r"received nan in 1 of its 6 values"),
    ):
        with pytest.raises(Unlike, match=r"output 'code' must be float32 of shape \(2, 3\); " + message):
            answers.checked({"code": Tensor("DT_FLOAT", (2, 3))}, {"code": value}, answers.from_json)


def test_a_long_answer_fits_its_limit():
    """The server writes doubles, each list on a line of its own."""
    row = ",\n            ".join(["-1.2345678901234567e-308"] * 7)
    text = "[\n" + ",\n".join([f"        [{row}\n        ]"] * 10_000) + "]"
    limit = answers.largest_json({"a": Tensor("DT_DOUBLE", (10_000, 7))})
    assert len(text) < limit < 4 * len(text)
