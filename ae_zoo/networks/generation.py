"""New rows as a served verb: one row for each seed, whatever other seeds a server puts into its batch."""

from typing import Protocol

import keras
import numpy as np

from ae_zoo.endpoints import Arrays, Endpoint, Tensors
from ae_zoo.errors import AEZooError
from ae_zoo.layers import noise
from ae_zoo.layers.noise import Seed
from ae_zoo.schemas import Schema
from ae_zoo.typing import Array, Tensor


class Drawing(Protocol):
    """A model with a prior of its own."""

    def drawn_codes(self, n: int, seed: Seed) -> Tensor:
        """Returns codes `(n, code)` from the prior, as a tensor."""

    @property
    def schema(self) -> Schema:
        """What a row is."""

    def decoded(self, code: Array, batch_size: int = 1024, uniform: Array | None = None) -> Array:
        """Returns coded rows of codes: the means, or draws by random numbers."""

    def rows_of(self, code: Tensor, uniform: Tensor | None = None) -> Tensor:
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

    def of_one(seed: Tensor) -> Tensors:
        own = RequestSeed(seed)
        code = model.drawn_codes(1, own)[0]
        if not model.schema.draws:
            return {"code": code}
        return {"code": code, "uniform": noise.uniform(model.schema.target_shape, own)}

    def verb(seed: Array) -> Arrays:
        found = keras.ops.map(of_one, keras.ops.convert_to_tensor(seed))
        drawn = {name: np.asarray(keras.ops.convert_to_numpy(part)) for name, part in found.items()}
        return {"code": drawn["code"], "generated": model.decoded(drawn["code"], uniform=drawn.get("uniform"))}

    def function(seed: Tensor) -> Tensors:
        drawn = keras.ops.map(of_one, seed)
        return {"code": drawn["code"], "generated": model.rows_of(drawn["code"], drawn.get("uniform"))}

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
