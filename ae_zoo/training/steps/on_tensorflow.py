"""Steps in one call on TensorFlow: a loop in one function, compiled by XLA where that pays."""

import threading
from typing import Any

import keras
import tensorflow as tf

from ae_zoo.trainable import Trainable
from ae_zoo.training import steps
from ae_zoo.training.steps import Make, Placed, Some
from ae_zoo.typing import Array, Tensor


class Steps:
    """A program: see `steps.Program`.

    The function captures the variables of the model that it is traced with. For another model of the same make, that
    model's variables are put in their place.
    """

    def __init__(self, model: Trainable, make: Make) -> None:
        self.make = make
        self._lock = threading.Lock()
        run = _train(model, make) if make.kind == "train" else _test(model, make)
        self._function = tf.function(run, jit_compile=make.compiled, autograph=False).get_concrete_function(
            *_specs(make)
        )
        places = {id(_handle(variable)): place for place, variable in enumerate(_variables(model, make))}
        # A capture that is no variable of the model is a constant.
        self._captures = [places.get(id(capture), capture) for capture in self._function.captured_inputs]
        self._function.set_external_captures([])  # so the model can be freed

    def __call__(self, model: Trainable, rows: Placed, some: Some | None = None) -> dict[str, float]:
        given: list[Any] = [each for each in rows if each is not None]
        if some is not None:
            given += [some.order, some.rates, *map(tf.constant, (some.begin, some.end, some.reset))]
        variables = _variables(model, self.make)
        captures = [_handle(variables[each]) if isinstance(each, int) else each for each in self._captures]
        with self._lock:  # two threads may train two models of one make
            self._function.set_external_captures(captures)
            try:
                logs = self._function(*given)
            finally:
                self._function.set_external_captures([])
        return {name: float(value) for name, value in logs.items()}


def place(array: Array) -> Tensor:
    """Returns the array on the device."""
    return tf.convert_to_tensor(array)


def room() -> int | None:
    """Returns None: TensorFlow does not say what a GPU can hold."""
    return None


def _train(model: Trainable, make: Make) -> Any:
    rate = steps.inner(model.optimizer).learning_rate if make.paced else None

    def run(*given: Tensor) -> dict[str, Tensor]:
        *rows, order, rates, begin, end, reset = given
        _reset(model, reset)

        def step(index: Tensor) -> Tensor:
            if rate is not None:
                rate.assign(rates[index])
            some = order[index]
            model.train_step(_data(make, [_gather(each, some, make.size) for each in rows]))
            return index + 1

        tf.while_loop(lambda index: index < end, step, [begin], parallel_iterations=1)
        return model.get_metrics_result()

    return run


def _test(model: Trainable, make: Make) -> Any:
    n = next(shape[0] for shape, _ in filter(None, make.shapes))
    full, rest = divmod(n, make.size)

    def run(*rows: Tensor) -> dict[str, Tensor]:
        _reset(model, tf.constant(True))

        def step(index: Tensor) -> Tensor:
            begin = index * make.size
            # A slice of a fixed size, as XLA needs it; Python's own has a size that XLA does not know.
            some = [
                tf.slice(each, [begin, *[0] * (each.shape.rank - 1)], [make.size, *each.shape[1:]]) for each in rows
            ]
            model.test_step(_data(make, some))
            return index + 1

        tf.while_loop(lambda index: index < full, step, [tf.constant(0)], parallel_iterations=1)
        if rest:
            model.test_step(_data(make, [each[n - rest :] for each in rows]))
        return model.get_metrics_result()

    return run


def _specs(make: Make) -> list[tf.TensorSpec]:
    """Without XLA the number of rows and of steps does not matter."""
    free = make.kind == "train" and not make.compiled
    specs = [
        tf.TensorSpec((None if free else shape[0], *shape[1:]), dtype) for shape, dtype in filter(None, make.shapes)
    ]
    if make.kind == "test":
        return specs
    count = None if free else make.steps
    scalar = tf.TensorSpec((), tf.int32)
    return [
        *specs,
        tf.TensorSpec((count, make.size), tf.int32),
        tf.TensorSpec((count,)),
        scalar,
        scalar,
        tf.TensorSpec((), tf.bool),
    ]


def _gather(array: Tensor, rows: Tensor, size: int) -> Tensor:
    return tf.ensure_shape(tf.gather(array, rows), (size, *array.shape[1:]))


def _data(make: Make, parts: list[Tensor]) -> tuple[Tensor | None, ...]:
    """Returns what Keras's steps take: the arrays in their places, and None for those that are missing."""
    left = iter(parts)
    return tuple(None if shape is None else next(left) for shape in make.shapes)


def _reset(model: Trainable, reset: Tensor) -> None:
    """Sets the metrics to 0 if told to."""
    for variable in model.metrics_variables:
        variable.assign(keras.ops.where(reset, keras.ops.zeros_like(variable), variable))


def _variables(model: Trainable, make: Make) -> list[keras.Variable]:
    trained = model.optimizer.variables if make.kind == "train" else []
    return [*model.variables, *trained, *model.metrics_variables]


def _handle(variable: keras.Variable) -> Tensor:
    return variable.value.handle
