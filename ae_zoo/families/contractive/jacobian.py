"""How strongly a network's output changes with its input: the squared Frobenius norm of its Jacobian, row by row.

`keras.ops` has no derivatives, so one function here has a branch for each backend.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras

from ae_zoo.layers import noise
from ae_zoo.typing import Tensor

Function: TypeAlias = Callable[[Tensor], Tensor]


def pull_back(function: Function, x: Tensor, direction: Tensor) -> Tensor:
    """Returns the gradient of the sum of `direction * function(x)` with respect to `x`, itself differentiable.

    Args:
        function: rows `(batch, *features)` to `(batch, width)`, each row independently of the others.
        x: rows `(batch, *features)`, float.
        direction: one direction for each row, `(batch, width)`.

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

        with torch.enable_grad():  # inference needs the exact norm too
            x = x if x.requires_grad else x.detach().requires_grad_()
            output = function(x)
            return torch.autograd.grad(output, x, direction.to(output.dtype), create_graph=True)[0]
    raise NotImplementedError(f"Derivatives need TensorFlow, JAX or PyTorch; Keras runs on {backend}.")


def estimate(function: Function, x: Tensor, width: int, seed: keras.random.SeedGenerator) -> Tensor:
    """Returns an unbiased estimate of each row's squared norm, `(batch,)`, from one draw for each row.

    For random signs v the mean of |v J|^2 is the sum of the squares of J, because the products of different rows of J
    cancel (Hutchinson 1990). Of all such v, signs give the least variance.

    Args:
        function: as in `pull_back`.
        x: rows `(batch, *features)`, float.
        width: width of the function's outputs `(batch, width)`.
        seed: generator of the signs.
    """
    signs = keras.ops.where(noise.uniform((keras.ops.shape(x)[0], width), seed) < 0.5, -1.0, 1.0)  # (batch, width)
    return _square_sum(pull_back(function, x, signs))


def exact(function: Function, x: Tensor, width: int) -> Tensor:
    """Returns each row's squared norm, `(batch,)`, from the gradient of every output, all in one pass.

    The arguments are those of `estimate`.
    """
    ops = keras.ops
    batch = ops.shape(x)[0]
    repeated = ops.repeat(x, width, axis=0)  # (batch * width, *features)
    one_each = ops.tile(ops.eye(width), (batch, 1))  # (batch * width, width)
    gradient = pull_back(function, repeated, one_each)  # (batch * width, *features)
    return ops.sum(ops.reshape(_square_sum(gradient), (-1, width)), axis=1)


def one_layer(code: Tensor, kernel: Tensor, activation: str) -> Tensor:
    """Returns each row's squared norm, `(batch,)`, for a single dense layer.

    The derivative h' of a sigmoid or tanh follows from its value, so the norm is the sum over units of h'^2 times the
    squared norm of the unit's weights (Rifai et al. 2011, section 3.1), which costs no more than the layer itself.

    Args:
        code: the layer's output `(batch, width)`.
        kernel: its weights `(features, width)`.
        activation: a name in `SLOPES`.
    """
    ops = keras.ops
    slope = ops.square(SLOPES[activation](ops.cast(code, "float32")))  # (batch, width)
    return ops.matmul(slope, ops.sum(ops.square(ops.cast(kernel, "float32")), axis=0))


# The derivative of an activation as a function of its value.
SLOPES: dict[str, Function] = {
    "sigmoid": lambda h: h * (1 - h),
    "tanh": lambda h: 1 - h * h,
    "linear": lambda h: keras.ops.ones_like(h),
}


class Exact(keras.layers.Layer):
    """`exact` as a layer, for a network that runs many rows: `(batch, *features)` to `(batch,)`.

    Args:
        function: as in `exact`.
        width: as in `exact`.
    """

    def __init__(self, function: Function, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function, self.width = function, width

    def call(self, x: Tensor) -> Tensor:
        return exact(self.function, x, self.width)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0],)


class OneLayer(keras.layers.Layer):
    """`one_layer` as a layer that reads the kernel at each call: codes `(batch, width)` to `(batch,)`.

    Args:
        dense: the layer whose output the codes are.
        activation: as in `one_layer`.
    """

    def __init__(self, dense: keras.layers.Dense, activation: str, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.dense, self.activation = dense, activation

    def call(self, code: Tensor) -> Tensor:
        return one_layer(code, self.dense.kernel, self.activation)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0],)


def _square_sum(gradient: Tensor) -> Tensor:
    return keras.ops.sum(
        keras.ops.square(keras.ops.cast(gradient, "float32")), axis=tuple(range(1, len(gradient.shape)))
    )
