"""Steps in one call on JAX: a loop over Keras's pure steps, compiled by XLA."""

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from ae_zoo.trainable import Trainable
from ae_zoo.training import steps
from ae_zoo.training.steps import Make, Placed, Some
from ae_zoo.typing import Array, Tensor


class Steps:
    """A program: see `steps.Program`. A step is a function of the model's state, so it is that of every equal model."""

    def __init__(self, model: Trainable, make: Make) -> None:
        self.make = make
        run = _train(model, make) if make.kind == "train" else _test(model, make)
        rows = tuple(None if each is None else jax.ShapeDtypeStruct(*each) for each in make.shapes)
        given: tuple[Any, ...] = (_state(model, make), rows)
        if make.kind == "train":
            scalar = jax.ShapeDtypeStruct((), "int32")
            order = jax.ShapeDtypeStruct((make.steps, make.size), "int32")
            given += (
                order,
                jax.ShapeDtypeStruct((make.steps,), "float32"),
                scalar,
                scalar,
                jax.ShapeDtypeStruct((), "bool"),
            )
        # Compiled ahead of its first call, so that it does not hold the model. The host's memory may be a view of a
        # variable, so only a device's is given away to the result.
        donated = () if jax.default_backend() == "cpu" else (0,)
        self._function = jax.jit(run, donate_argnums=donated).lower(*given).compile()

    def __call__(self, model: Trainable, rows: Placed, some: Some | None = None) -> dict[str, float]:
        given: tuple[Any, ...] = (_state(model, self.make), rows)
        if some is not None:
            given += (some.order, some.rates, np.int32(some.begin), np.int32(some.end), np.bool_(some.reset))
        logs, state = self._function(*given)
        for variables, values in zip(_variables(model, self.make), state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        return {name: float(value) for name, value in logs.items()}


def place(array: Array) -> Tensor:
    """Returns the array on the device."""
    return jax.device_put(array)


def room() -> int | None:
    """Returns half of the device's memory; None on the host."""
    limit = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
    return None if limit is None else limit // 2


def _train(model: Trainable, make: Make) -> Any:
    rate = None
    if make.paced:
        variable = steps.inner(model.optimizer).learning_rate
        rate = next(place for place, each in enumerate(model.optimizer.variables) if each is variable)

    def run(
        state: Any, rows: Placed, order: Tensor, rates: Tensor, begin: Tensor, end: Tensor, reset: Tensor
    ) -> tuple[dict[str, Tensor], Any]:
        *rest, metrics = state

        def step(index: Tensor, state: Any) -> Any:
            trainable, fixed, optimizer, metrics = state
            if rate is not None:
                optimizer = [rates[index] if place == rate else each for place, each in enumerate(optimizer)]
            some = order[index]
            data = tuple(None if each is None else each[some] for each in rows)
            return _like(model.train_step((trainable, fixed, optimizer, metrics), data)[1], state)

        state = [*rest, [jnp.where(reset, jnp.zeros_like(each), each) for each in metrics]]
        state = jax.lax.fori_loop(begin, end, step, state)
        return _result(model, state[-1]), state

    return run


def _test(model: Trainable, make: Make) -> Any:
    n = next(shape[0] for shape, _ in filter(None, make.shapes))
    full, rest = divmod(n, make.size)

    def run(state: list[list[Tensor]], rows: Placed) -> tuple[dict[str, Tensor], Any]:
        def step(index: Tensor, state: Any) -> Any:
            begin = index * make.size
            data = tuple(
                None if each is None else jax.lax.dynamic_slice_in_dim(each, begin, make.size) for each in rows
            )
            return _like(model.test_step(state, data)[1], state)

        state = [*state[:-1], [jnp.zeros_like(each) for each in state[-1]]]
        state = jax.lax.fori_loop(0, full, step, state)
        if rest:
            state = model.test_step(state, tuple(None if each is None else each[n - rest :] for each in rows))[1]
        return _result(model, state[-1]), state

    return run


def _like(state: Any, former: Any) -> Any:
    """Returns a state in the types and the nesting of the former one, as a loop needs it."""
    return [
        [jnp.asarray(new, old.dtype) for new, old in zip(news, olds, strict=True)]
        for news, olds in zip(state, former, strict=True)
    ]


def _result(model: Trainable, metrics: list[Tensor]) -> dict[str, Tensor]:
    with keras.StatelessScope(state_mapping=list(zip(model.metrics_variables, metrics, strict=True))):
        return model.get_metrics_result()


def _variables(model: Trainable, make: Make) -> list[list[keras.Variable]]:
    """Returns the variables in the order of Keras's state."""
    parts = [model.trainable_variables, model.non_trainable_variables, model.metrics_variables]
    if make.kind == "train":
        parts.insert(2, model.optimizer.variables)
    return parts


def _state(model: Trainable, make: Make) -> list[list[Tensor]]:
    return [[variable.value for variable in part] for part in _variables(model, make)]
