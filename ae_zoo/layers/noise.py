"""Random numbers that are fast when compiled."""

from typing import Any

import keras


def uniform(shape: Any, seed: keras.random.SeedGenerator) -> Any:
    """float32 in [0, 1) of the given shape; each call moves the generator on."""
    if keras.backend.backend() == "tensorflow":
        return _philox("stateless_uniform", shape, seed)
    return keras.random.uniform(shape, dtype="float32", seed=seed)


def normal(shape: Any, seed: keras.random.SeedGenerator) -> Any:
    """float32 with mean 0 and standard deviation 1; each call moves the generator on."""
    if keras.backend.backend() == "tensorflow":
        return _philox("stateless_normal", shape, seed)
    return keras.random.normal(shape, dtype="float32", seed=seed)


def integers(shape: Any, high: int, seed: keras.random.SeedGenerator) -> Any:
    """int32 from 0 to `high` - 1, each as likely; each call moves the generator on."""
    drawn = keras.ops.cast(keras.ops.floor(high * uniform(shape, seed)), "int32")
    return keras.ops.minimum(drawn, high - 1)  # the product may be rounded up to `high`


def _philox(name: str, shape: Any, seed: keras.random.SeedGenerator) -> Any:
    """TensorFlow's generator by name: left to choose, XLA takes ThreeFry on a CPU, which costs 50 times as much."""
    import tensorflow as tf

    return getattr(tf.random, name)(shape, seed=tf.cast(seed.next(), "int32"), alg="philox")
