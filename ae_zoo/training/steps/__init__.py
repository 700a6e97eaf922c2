"""Many of Keras's own steps in one compiled call. A program is compiled once, and then runs on every model of equal make.

What a program is made for is its `Make`. Programs are kept within the process, because a search, a cross-validation or a
notebook trains many models of one make.
"""

import collections
import dataclasses
import json
import threading
from collections.abc import Hashable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import keras

from ae_zoo.errors import AEZooError
from ae_zoo.trainable import Trainable
from ae_zoo.typing import Array, Tensor

KEPT = 16  # programs, of a few megabytes each
Kind: TypeAlias = Literal["train", "test"]
Placed: TypeAlias = tuple[Tensor | None, ...]  # x, y and weights on the device; what is missing at the end is left out


@dataclasses.dataclass(frozen=True)
class Make:
    """What a program is compiled for, besides the model.

    Attributes:
        kind: whether the steps train, or measure.
        shapes: shape and type of each array of rows; None for one that is missing. Without XLA a training program is for any
            number of rows, which is 0 here.
        size: rows in a step.
        steps: number of steps in an epoch's order; 0 if any, and of a test, which takes the rows one after another.
        paced: whether each step is given its learning rate.
        compiled: whether XLA compiles the loop.
    """

    kind: Kind
    shapes: tuple[tuple[tuple[int, ...], str] | None, ...]
    size: int
    steps: int = 0
    paced: bool = False
    compiled: bool = True


@dataclasses.dataclass(frozen=True)
class Some:
    """Some steps of an epoch.

    Attributes:
        order: indices of the rows of each step `(steps, size)`, on the device.
        rates: learning rate of each step `(steps,)`, on the device; unused if the program is not paced.
        begin, end: which of the steps.
        reset: whether the metrics begin anew.
    """

    order: Tensor
    rates: Tensor
    begin: int
    end: int
    reset: bool


class Program(Protocol):
    """A compiled loop over a model's steps."""

    def __call__(self, model: Trainable, rows: Placed, some: Some | None = None) -> dict[str, float]:
        """Runs steps on a model, in place, and returns its metrics.

        Args:
            model: of the make that the program was compiled for.
            rows: on the device, from `place`.
            some: which steps of a training; a test takes all rows.
        """


def program(model: Trainable, make: Make) -> Program:
    """Returns the program of this make for a model, and for all like it: from those that are kept, or compiled now."""
    key = _key(model, make)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    made: Program = _backend().Steps(model, make)
    with _lock:
        if key is not None:
            _kept[key] = made
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return made


def place(array: Array) -> Tensor:
    """Returns an array on the device on which the steps run."""
    return _backend().place(array)


def room() -> int | None:
    """Returns how many bytes of rows the device can hold beside a training; None if that is the host's memory."""
    return _backend().room()


def inner(optimizer: keras.optimizers.Optimizer) -> Any:
    """Returns the optimizer itself, from within Keras's for half precision."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def shapes_of(rows: Sequence[Array | Tensor | None]) -> tuple[tuple[tuple[int, ...], str] | None, ...]:
    """Returns what `Make.shapes` holds."""
    return tuple(
        None if each is None else (tuple(each.shape), keras.backend.standardize_dtype(each.dtype)) for each in rows
    )


def of_any_length(
    shapes: tuple[tuple[tuple[int, ...], str] | None, ...],
) -> tuple[tuple[tuple[int, ...], str] | None, ...]:
    """Returns shapes with 0 in the place of the number of rows."""
    return tuple(None if each is None else ((0, *each[0][1:]), each[1]) for each in shapes)


_kept: collections.OrderedDict[Hashable, Program] = collections.OrderedDict()
_lock = threading.Lock()


def _backend() -> Any:
    name = keras.backend.backend()
    if name == "tensorflow":
        from ae_zoo.training.steps import on_tensorflow

        return on_tensorflow
    if name == "jax":
        from ae_zoo.training.steps import on_jax

        return on_jax
    raise AEZooError(
        f"ae_zoo.fit trains on TensorFlow and JAX, and Keras runs on {name}: set KERAS_BACKEND=jax before importing keras."
    )


def _key(model: Trainable, make: Make) -> Hashable:
    """Returns what models share that have equal steps: classes, configs, and the shapes of their variables.

    The layers' present configs count, not only the model's, because an option of a layer can be changed by hand.

    None if no config tells what a step does: of an optimizer that the caller gave, or where a method was replaced.
    """
    parts = [model, model.likelihood, model.schema]
    own_methods = any(callable(value) and name in _STEPS for part in parts for name, value in vars(part).items())
    if own_methods or (make.kind == "train" and not make.paced):
        return None
    optimizer = keras.optimizers.serialize(model.optimizer) if make.kind == "train" else None
    _drop(optimizer, "learning_rate")
    layers = [layer for network in model.networks for layer in network.layers]
    variables = [(tuple(v.shape), str(v.dtype), v.trainable) for v in model.variables]
    configs = [{**part.get_config(), "name": ""} for part in (model, *layers)]
    told_by = [configs, [_plain(part) for part in parts], without_names(optimizer), variables, model.dtype_policy.name]
    try:
        told = json.dumps(told_by, sort_keys=True)
    except TypeError:  # a config that is not plain
        return None
    return keras.backend.backend(), (*map(type, parts), *map(type, layers)), make, told


def _plain(part: object) -> dict[str, Any]:
    """Returns the numbers and words among an object's public attributes, but for what a run changes."""
    return {
        name: value
        for name, value in vars(part).items()
        if isinstance(value, bool | int | float | str)
        and not name.startswith("_")
        and name not in ("name", "stop_training")
    }


_STEPS = (
    "call",
    "compute_loss",
    "error",
    "loss",
    "mean",
    "compute_metrics",
    "loss_parts",
    "row_loss",
    "target",
    "test_step",
    "train_step",
)


def without_names(value: Any) -> Any:
    """Returns a serialized optimizer without names, because Keras numbers them within a process."""
    if isinstance(value, dict):
        return {key: without_names(part) for key, part in value.items() if key != "name"}
    if isinstance(value, list | tuple):
        return [without_names(part) for part in value]
    return value


def _drop(value: Any, name: str) -> None:
    """Removes a key from nested dictionaries."""
    if isinstance(value, dict):
        value.pop(name, None)
        for part in value.values():
            _drop(part, name)
