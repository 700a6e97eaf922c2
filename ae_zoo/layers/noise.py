"""Random numbers that are fast when compiled."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import keras

from ae_zoo.typing import Tensor

Shape: TypeAlias = Tensor | Sequence[int | Tensor]


class Seed(Protocol):
    """What gives the random numbers' state: a `keras.random.SeedGenerator`, or the seed in a request."""

    def next(self) -> Tensor:
        """Returns the next state, two whole numbers."""


def uniform(shape: Shape, seed: Seed) -> Tensor:
    """Returns float32 in [0, 1) of the given shape; each call takes the seed's next state."""
    if keras.backend.backend() == "tensorflow":
        return _philox("stateless_uniform", shape, seed)
    return keras.random.uniform(shape, dtype="float32", seed=seed)


def normal(shape: Shape, seed: Seed) -> Tensor:
    """Returns float32 with mean 0 and standard deviation 1; each call takes the seed's next state."""
    if keras.backend.backend() == "tensorflow":
        return _philox("stateless_normal", shape, seed)
    return keras.random.normal(shape, dtype="float32", seed=seed)


def integers(shape: Shape, high: int, seed: Seed) -> Tensor:
    """Returns int32 from 0 to `high` - 1, all equally likely; each call takes the seed's next state."""
    drawn = keras.ops.cast(keras.ops.floor(high * uniform(shape, seed)), "int32")
    return keras.ops.minimum(drawn, high - 1)  # the product may be rounded up to `high`


def _philox(name: str, shape: Shape, seed: Seed) -> Tensor:
    """Names TensorFlow's generator: otherwise XLA takes ThreeFry on a CPU, which costs 50 times as much."""
    import tensorflow as tf

    return getattr(tf.random, name)(shape, seed=tf.cast(seed.next(), "int32"), alg="philox")
