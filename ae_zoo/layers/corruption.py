"""Noise that is put on rows: as a function, and as a layer that does it while training."""

from typing import Any

import keras
import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError
from ae_zoo.frames import numeric
from ae_zoo.layers import noise
from ae_zoo.layers.scaling import RowLayer
from ae_zoo.schemas import Schema
from ae_zoo.typing import Array


@keras.saving.register_keras_serializable("ae_zoo")
class Corruption(keras.layers.Layer):
    """Puts fresh noise on its input at every training step, and none at inference.

    Args:
        kind: `"gaussian"`, `"dropout"`, `"masking"`, `"salt_pepper"` or `"swap"`; see `corrupt`.
        amount: standard deviation (gaussian) or share of the features (others).
        low, high: the values that pepper and salt take.
        seed: of the noise; drawn anew if not given.

    Input and output: `(batch, *features)`.
    """

    def __init__(
        self, kind: str, amount: float, low: float = 0.0, high: float = 1.0, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.kind, self.amount, self.low, self.high, self.seed = kind, amount, low, high, seed
        self.seed_generator = keras.random.SeedGenerator(seed, name="corruption")

    def call(self, x: Any, training: bool | None = None) -> Any:
        if not training:
            return x
        return KINDS[self.kind](x, self.amount, self.low, self.high, self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        own = {"kind": self.kind, "amount": self.amount, "low": self.low, "high": self.high, "seed": self.seed}
        return {**super().get_config(), **own}


def corrupt(
    x: Any, kind: str, amount: float, *, low: float = 0.0, high: float = 1.0, seed: int | None = None
) -> np.ndarray:
    """Returns corrupted rows, as the `Corruption` layer makes them in training, to evaluate a denoiser on.

    Args:
        x: rows `(n, *features)` on the scale that the model sees.
        kind: `"gaussian"` adds normal noise (Vincent et al. 2010, section 3.3); `"masking"` sets a random share of the
            features to zero and leaves the rest alone (Vincent et al. 2008, section 2.3); `"dropout"` does the same
            and divides the rest by 1 - amount; `"swap"` takes a random share from the row before; `"salt_pepper"` sets a
            random share to `low` or `high`, each with probability one half (the book's "on/off"); `"none"` returns `x`.
        amount: a standard deviation (gaussian), or the share of the features to corrupt, in [0, 1) (others).
        low: the value of pepper.
        high: the value of salt.
        seed: equal seeds give equal noise; None draws other noise at each call.

    Returns:
        The corrupted rows, float32, of the same shape.

    Raises:
        AEZooError: the kind is unknown, a number is not finite, a share is not in [0, 1), the rows hold something other
            than finite numbers, or the noise puts them beyond float32.
    """
    checks.choice("corruption", kind, ("none", *KINDS))
    x, amount, seed = numeric(x), checks.finite("amount", amount), checks.seed(seed)
    low, high = checks.finite("low", low), checks.finite("high", high)
    if kind == "none":
        return x
    if amount < 0 or (kind != "gaussian" and amount >= 1):
        legal = "at least 0, a standard deviation" if kind == "gaussian" else "in [0, 1), a share of the features"
        raise AEZooError(f"amount must be {legal}; received {amount!r}.")
    draws = keras.random.SeedGenerator(seed, name="corruption")
    noisy = KINDS[kind](keras.ops.convert_to_tensor(x), amount, low, high, draws)
    found = keras.ops.convert_to_numpy(noisy)
    if not np.isfinite(found).all():
        raise AEZooError(
            f"Noise of kind {kind!r} with amount={amount:g} puts values of x beyond float32: give a smaller one."
        )
    return found


def corrupted(x: Array, schema: Schema, layer: RowLayer, kind: str, amount: float, *, seed: int | None = None) -> Array:
    """Returns coded rows with noise, coded: noise on the model's scale, or on the coded rows where the schema has it there.

    Args:
        x: coded rows `(n, *input_shape)`.
        schema: what a row is.
        layer: the schema's layer, adapted, whose scale the noise is on.
        kind: as in `corrupt`.
        amount: as in `corrupt`.
        seed: as in `corrupt`.

    Raises:
        AEZooError: as `corrupt` raises it, or rows of the schema cannot have such noise.
    """
    schema.check_noise(kind)
    if kind == "none":
        return x
    if schema.corrupts_coded:
        noisy = schema.noise(kind, amount, "corruption")
        noisy.seed_generator = keras.random.SeedGenerator(seed, name="corruption")
        return keras.ops.convert_to_numpy(noisy(x, training=True))
    low, high = schema.extremes
    scaled = corrupt(keras.ops.convert_to_numpy(layer(x)), kind, amount, low=low, high=high, seed=seed)
    return keras.ops.convert_to_numpy(layer.invert(scaled))


def _gaussian(x: Any, amount: float, low: float, high: float, seed: Any) -> Any:
    return x + amount * keras.ops.cast(noise.normal(keras.ops.shape(x), seed), x.dtype)


def _masking(x: Any, amount: float, low: float, high: float, seed: Any) -> Any:
    return keras.ops.where(noise.uniform(keras.ops.shape(x), seed) >= amount, x, keras.ops.zeros_like(x))


def _dropout(x: Any, amount: float, low: float, high: float, seed: Any) -> Any:
    return _masking(x, amount, low, high, seed) / (1.0 - amount)


def _salt_pepper(x: Any, amount: float, low: float, high: float, seed: Any) -> Any:
    # One draw decides both: below amount / 2 pepper, from there to amount salt.
    draw = noise.uniform(keras.ops.shape(x), seed)
    extreme = keras.ops.where(draw < amount / 2, keras.ops.full_like(x, low), keras.ops.full_like(x, high))
    return keras.ops.where(draw < amount, extreme, x)


def _swap(x: Any, amount: float, low: float, high: float, seed: Any) -> Any:
    other = keras.ops.roll(x, 1, axis=0)  # the order of the rows in a batch is random
    swapped = noise.uniform(keras.ops.shape(x), seed) < amount
    # A missing cell of a table is NaN, and stands for nothing that another row could have.
    return keras.ops.where(keras.ops.logical_and(swapped, ~keras.ops.isnan(other)), other, x)


KINDS = {"gaussian": _gaussian, "dropout": _dropout, "masking": _masking, "salt_pepper": _salt_pepper, "swap": _swap}
