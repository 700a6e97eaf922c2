"""New rows as a served verb: one row for each seed, whatever other seeds a server puts into its batch."""

from typing import Protocol

import keras
import numpy as np

from ae_zoo.endpoints import Arrays, Endpoint, Tensors
from ae_zoo.errors import AEZooError
from ae_zoo.layers.noise import Seed
from ae_zoo.typing import Array, Tensor


class Drawing(Protocol):
    """A model with a prior of its own."""

    def drawn_codes(self, n: int, seed: Seed) -> Tensor:
        """Returns codes `(n, code)` from the prior, as a tensor."""

    def decoded(self, code: Array) -> Array:
        """Returns coded rows of codes."""

    def rows_of(self, code: Tensor) -> Tensor:
        """Does the same with tensors."""


class RequestSeed(keras.random.SeedGenerator):
    """A seed generator whose state is in a request, and in no variable: each call of `next` is the next draw of the seed."""

    def __init__(self, seed: Tensor) -> None:  # without Keras's own, which makes a variable
        self.seed, self.draws = seed, 0

    def next(self, ordered: bool = True) -> Tensor:
        """Returns a pair whose lower halves, which the generator takes, differ for all seeds of 64 bits."""
        self.draws += 1
        wide = keras.backend.standardize_dtype(self.seed.dtype) == "int64"  # JAX has 32 bits
        upper = self.seed // 2**32 if wide else 0
        pair = keras.ops.stack([self.seed, self.draws + 1_000_003 * upper + 0 * self.seed])
        return pair if wide else keras.ops.cast(pair, "uint32")


def drawing(model: Drawing) -> Endpoint:
    """Returns the endpoint `generate` of a model with a prior."""

    def codes(seed: Tensor) -> Tensor:
        return keras.ops.map(lambda one: model.drawn_codes(1, RequestSeed(one))[0], seed)

    def verb(seed: Array) -> Arrays:
        code = np.asarray(keras.ops.convert_to_numpy(codes(keras.ops.convert_to_tensor(seed))))
        return {"code": code, "generated": model.decoded(code)}

    def function(seed: Tensor) -> Tensors:
        code = codes(seed)
        return {"code": code, "generated": model.rows_of(code)}

    return Endpoint(
        input="seed",
        shape=(),
        verb=verb,
        function=function,
        about="a new row for each seed, and its code; equal seeds give equal rows",
    )


def refuse_label(label: int | None) -> None:
    """Raises `AEZooError` if `label` is given; for models that have no classes to draw rows of."""
    if label is not None:
        raise AEZooError(
            "Only an adversarial model can draw rows of one class, and from its own prior; leave label (--label) out."
        )
