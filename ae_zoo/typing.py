"""Names for the types that the verbs take and return."""

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, Union

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd


class Frame(Protocol):
    """A table of another library, such as polars or Arrow, that can be converted to pandas."""

    def to_pandas(self) -> "pd.DataFrame":
        """Returns it as a frame of pandas."""


Rows: TypeAlias = Union[npt.ArrayLike, "pd.DataFrame", Frame]
"""Rows in any form that `ae_zoo.frames` reads: an array, nested lists, or a table."""

Array: TypeAlias = np.ndarray
"""Rows, codes or errors as the verbs return them: float32 unless the verb says otherwise."""

Tensor: TypeAlias = Any
"""A tensor of the backend that Keras uses, or a symbolic one; the backends have no common type."""

Logs: TypeAlias = dict[str, Any] | None
"""The metrics that Keras passes to a callback."""
