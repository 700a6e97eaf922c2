"""New rows as a served verb: a row for each seed, the same whatever other seeds a server puts in its batch."""

from typing import Any, Protocol

import keras
import numpy as np

from ae_zoo.endpoints import Endpoint, RequestSeed
from ae_zoo.errors import AEZooError


class Drawing(Protocol):
    """A model with a prior of its own."""

    def drawn_codes(self, n: int, seed: Any) -> Any:
        """Codes `(n, code)` from the prior, as a tensor."""

    def decode(self, code: np.ndarray) -> np.ndarray:
        """Rows of codes, in the data's units."""

    def rows_of(self, code: Any) -> Any:
        """The same of tensors."""


def drawing(model: Drawing) -> Endpoint:
    """The endpoint `generate` of a model with a prior."""

    def codes(seed: Any) -> Any:
        return keras.ops.map(lambda one: model.drawn_codes(1, RequestSeed(one))[0], seed)

    def verb(seed: np.ndarray) -> dict[str, np.ndarray]:
        code = np.asarray(keras.ops.convert_to_numpy(codes(keras.ops.convert_to_tensor(seed))))
        return {"code": code, "generated": model.decode(code)}

    def function(seed: Any) -> dict[str, Any]:
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
    """Raises `AEZooError` where a label is given to a model that draws rows of no class."""
    if label is not None:
        raise AEZooError(
            "Only an adversarial model can draw rows of one class, and from its own prior; leave label (--label) out."
        )
