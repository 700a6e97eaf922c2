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
        shapes: shape and type of each array of rows; None for one that is missing.
        size: rows in a step.
        steps: number of steps in an epoch's order. Of a test 0: it takes the rows one after another.
        paced: whether each step is given its learning rate.
        compiled: whether XLA compiles the loop.
    """

    kind: Kind
    shapes: tuple[tuple[tuple[int, ...], str] | None, ...]
    size: int
    steps: int = 0
    paced: bool = False
    compiled: bool = True


class Program(Protocol):
    """A compiled loop over a model's steps."""

    def __call__(
        self,
        model: Trainable,
        rows: Placed,
        order: Tensor = None,
        rates: Tensor = None,
        begin: int = 0,
        end: int = 0,
        reset: bool = True,
    ) -> dict[str, float]:
        """Runs steps on a model, in place, and returns its metrics.

        Args:
            model: of the make that the program was compiled for.
            rows: on the device, from `place`.
            order: indices of the rows of each step `(steps, size)`, on the device; a test needs none.
            rates: learning rate of each step `(steps,)`, on the device; unused if the program is not paced.
            begin, end: which of the steps to run.
            reset: whether the metrics begin anew.
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


def learning_rate(optimizer: keras.optimizers.Optimizer) -> keras.Variable:
    """Returns the variable that holds an optimizer's learning rate, also within Keras's optimizer for half precision."""
    return getattr(optimizer, "inner_optimizer", optimizer).learning_rate


def shapes_of(rows: Sequence[Array | Tensor | None]) -> tuple[tuple[tuple[int, ...], str] | None, ...]:
    """Returns what `Make.shapes` holds."""
    return tuple(
        None if each is None else (tuple(each.shape), keras.backend.standardize_dtype(each.dtype)) for each in rows
    )


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
    """Returns what models share that have equal steps: their class, their config and their variables' shapes.

    None if no config tells what a step does: of an optimizer that the caller gave, or a model that was changed by hand.
    """
    own_methods = any(callable(value) and name in _STEPS for name, value in vars(model).items())
    if own_methods or (make.kind == "train" and not make.paced):
        return None
    optimizer = without_names(keras.optimizers.serialize(model.optimizer)) if make.kind == "train" else None
    _drop(optimizer, "learning_rate")
    config = {name: value for name, value in model.get_config().items() if name != "name"}
    variables = [(tuple(v.shape), str(v.dtype), v.trainable) for v in model.variables]
    told = json.dumps([config, optimizer, variables, model.dtype_policy.name], sort_keys=True, default=repr)
    return keras.backend.backend(), type(model), make, told


_STEPS = ("call", "compute_loss", "compute_metrics", "loss_parts", "row_loss", "target", "test_step", "train_step")


def without_names(value: Any) -> Any:
    """Returns a serialized optimizer without names, because Keras numbers them within a process."""
    if isinstance(value, dict):
        return {key: without_names(part) for key, part in value.items() if key != "name"}
    return value


def _drop(value: Any, name: str) -> None:
    """Removes a key from nested dictionaries."""
    if isinstance(value, dict):
        value.pop(name, None)
        for part in value.values():
            _drop(part, name)
