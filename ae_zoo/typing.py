"""Names for what the verbs take and give."""

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd


class Frame(Protocol):
    """A table of another library, such as polars or Arrow, that pandas can take over."""

    def to_pandas(self) -> "pd.DataFrame":
        """As a frame of pandas."""


Rows: TypeAlias = "npt.ArrayLike | pd.DataFrame | Frame"
"""Rows in any form that `ae_zoo.frames` reads."""

Array: TypeAlias = np.ndarray
"""Rows, codes or errors as the verbs give them: float32 unless they say otherwise."""

Tensor: TypeAlias = Any
"""A tensor of the backend that Keras runs on, or a symbolic one; the backends have no type in common."""

Logs: TypeAlias = "dict[str, Any] | None"
"""What Keras hands to a callback."""
