"""How strongly a network's output changes with its input: the squared Frobenius norm of its Jacobian, row by row.

`keras.ops` has no derivatives, so the one function that takes them asks which backend is at work.
"""

from collections.abc import Callable
from typing import Any

import keras

from ae_zoo.layers import noise


def pull_back(function: Callable[[Any], Any], x: Any, direction: Any) -> Any:
    """The gradient of the sum of `direction * function(x)` with respect to `x`, itself differentiable.

    Args:
        function: rows `(batch, *features)` to `(batch, width)`, each row by itself.
        x: `(batch, *features)`, float.
        direction: `(batch, width)`.

    Returns:
        `(batch, *features)`: for each row its direction times its Jacobian.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            output = function(x)
        return tape.gradient(output, x, output_gradients=keras.ops.cast(direction, output.dtype))
    if backend == "jax":
        import jax

        output, pull = jax.vjp(function, x)
        return pull(direction.astype(output.dtype))[0]
    if backend == "torch":
        import torch

        with torch.enable_grad():  # the exact norm is asked for at inference too
            x = x if x.requires_grad else x.detach().requires_grad_()
            output = function(x)
            return torch.autograd.grad(output, x, direction.to(output.dtype), create_graph=True)[0]
    raise NotImplementedError(f"Derivatives need TensorFlow, JAX or PyTorch; Keras runs on {backend}.")


def estimate(function: Callable[[Any], Any], x: Any, width: int, seed: keras.random.SeedGenerator) -> Any:
    """An unbiased estimate of each row's squared norm `(batch,)` by one draw a row.

    For random signs v the mean of |v J|^2 is the sum of the squares of J, as the products of different rows of J cancel
    (Hutchinson 1990). Signs give it the least variance of all such v.

    Args:
        function: as of `pull_back`, with outputs `(batch, width)`.
        x: `(batch, *features)`, float.
        seed: of the signs.
    """
    signs = keras.ops.where(noise.uniform((keras.ops.shape(x)[0], width), seed) < 0.5, -1.0, 1.0)  # (batch, width)
    return _square_sum(pull_back(function, x, signs))


def exact(function: Callable[[Any], Any], x: Any, width: int) -> Any:
    """Each row's squared norm `(batch,)`: as `estimate`, with every output's own gradient, all in one pass."""
    ops = keras.ops
    batch = ops.shape(x)[0]
    repeated = ops.repeat(x, width, axis=0)  # (batch * width, *features)
    one_each = ops.tile(ops.eye(width), (batch, 1))  # (batch * width, width)
    gradient = pull_back(function, repeated, one_each)  # (batch * width, *features)
    return ops.sum(ops.reshape(_square_sum(gradient), (-1, width)), axis=1)


def one_layer(code: Any, kernel: Any, activation: str) -> Any:
    """Each row's squared norm `(batch,)` for a single dense layer, from its own output `(batch, width)`.

    The derivative of a sigmoid or tanh follows from its value h, so the norm is the sum over units of h'^2 times the
    squared norm of the unit's weights (Rifai et al. 2011, section 3.1), which costs no more than the layer itself.

    Args:
        kernel: `(features, width)`.
        activation: a name in `SLOPES`.
    """
    ops = keras.ops
    slope = ops.square(SLOPES[activation](ops.cast(code, "float32")))  # (batch, width)
    return ops.matmul(slope, ops.sum(ops.square(ops.cast(kernel, "float32")), axis=0))


# The derivative of an activation as a function of its value.
SLOPES: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda h: h * (1 - h),
    "tanh": lambda h: 1 - h * h,
    "linear": lambda h: keras.ops.ones_like(h),
}


class Exact(keras.layers.Layer):
    """`exact` as a layer, for a network that runs many rows: `(batch, *features)` to `(batch,)`.

    Args:
        function, width: as of `exact`.
    """

    def __init__(self, function: Callable[[Any], Any], width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function, self.width = function, width

    def call(self, x: Any) -> Any:
        return exact(self.function, x, self.width)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0],)


class OneLayer(keras.layers.Layer):
    """`one_layer` as a layer, which reads the kernel at each call, so that it may change: codes to `(batch,)`.

    Args:
        dense: the layer that the codes are the output of.
        activation: as of `one_layer`.
    """

    def __init__(self, dense: keras.layers.Dense, activation: str, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.dense, self.activation = dense, activation

    def call(self, code: Any) -> Any:
        return one_layer(code, self.dense.kernel, self.activation)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0],)


def _square_sum(gradient: Any) -> Any:
    return keras.ops.sum(
        keras.ops.square(keras.ops.cast(gradient, "float32")), axis=tuple(range(1, len(gradient.shape)))
    )
