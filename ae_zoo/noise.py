"""Random numbers that are fast when compiled, and the four kinds of corruption made of them."""

from typing import Any

import keras
import numpy as np

from ae_zoo.config import unknown


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


def corrupt(
    x: Any, kind: str, amount: float, *, low: float = 0.0, high: float = 1.0, seed: int | None = None
) -> np.ndarray:
    """Corrupts rows as the `Corruption` layer does while training, to evaluate a denoiser on.

    Args:
        x: rows `(n, *features)` on the scale that the model sees.
        kind: `"gaussian"` adds normal noise (Vincent et al. 2010, section 3.3); `"masking"` sets a random share of the
            features to zero and leaves the rest alone (Vincent et al. 2008, section 2.3); `"dropout"` does the same
            and divides the rest by 1 - amount; `"salt_pepper"` sets a random share to `low` or `high`, each with
            probability one half (the book's "on/off"); `"none"` returns `x`.
        amount: standard deviation (gaussian) or share of the features, in [0, 1) (others).
        low, high: the values of pepper and salt.
        seed: equal seeds give equal noise.

    Returns:
        The corrupted rows, float32, of the same shape.

    Raises:
        ValueError: for an unknown kind, or a share that is not in [0, 1).
    """
    x = np.asarray(x, "float32")
    if kind == "none":
        return x
    if kind not in KINDS:
        raise unknown("corruption", kind, ["none", *KINDS])
    if amount < 0 or (kind != "gaussian" and amount >= 1):
        legal = "at least 0, a standard deviation" if kind == "gaussian" else "in [0, 1), a share of the features"
        raise ValueError(f"amount must be {legal}; received {amount!r}.")
    noisy = KINDS[kind](keras.ops.convert_to_tensor(x), amount, low, high, keras.random.SeedGenerator(seed))
    return keras.ops.convert_to_numpy(noisy)


def _gaussian(x: Any, amount: float, low: float, high: float, seed: Any) -> Any:
    return x + amount * keras.ops.cast(normal(keras.ops.shape(x), seed), x.dtype)


def _masking(x: Any, amount: float, low: float, high: float, seed: Any) -> Any:
    return keras.ops.where(uniform(keras.ops.shape(x), seed) >= amount, x, keras.ops.zeros_like(x))


def _dropout(x: Any, amount: float, low: float, high: float, seed: Any) -> Any:
    return _masking(x, amount, low, high, seed) / (1.0 - amount)


def _salt_pepper(x: Any, amount: float, low: float, high: float, seed: Any) -> Any:
    # One draw decides both: below amount / 2 pepper, from there to amount salt.
    draw = uniform(keras.ops.shape(x), seed)
    extreme = keras.ops.where(draw < amount / 2, keras.ops.full_like(x, low), keras.ops.full_like(x, high))
    return keras.ops.where(draw < amount, extreme, x)


KINDS = {"gaussian": _gaussian, "dropout": _dropout, "masking": _masking, "salt_pepper": _salt_pepper}
