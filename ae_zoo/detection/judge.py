"""How well scores tell strange rows from ordinary ones, and how sure that is.

The area under the ROC curve is the probability that a strange row has a higher score than an ordinary one; equal scores
count half. Its standard error, and that of a difference between two methods on the same rows, are those of DeLong et al.
1988: the area is a mean over strange rows and a mean over ordinary rows, and both have a spread.
"""

import dataclasses
from typing import Self

import numpy as np

from ae_zoo.typing import Array


@dataclasses.dataclass(frozen=True)
class Area:
    """The area under the ROC curve, a mean over kinds of strange rows.

    Attributes:
        of_ordinary: the share of the strange rows with higher scores than each ordinary row, `(n,)`.
        of_strange: the share of the ordinary rows with lower scores than each strange row, `(kinds, m)`.
    """

    of_ordinary: Array
    of_strange: Array

    @classmethod
    def of(cls, ordinary: Array, strange: Array) -> Self:
        """Returns it for the scores of ordinary rows `(n,)` and of strange rows `(kinds, m)`."""
        sorted_ordinary, sorted_strange = np.sort(ordinary), np.sort(strange, axis=1)
        above = np.mean([1 - _below(kind, ordinary) for kind in sorted_strange], axis=0)
        return cls(above, _below(sorted_ordinary, strange))

    @property
    def value(self) -> float:
        """The area."""
        return float(self.of_strange.mean())

    @property
    def error(self) -> float:
        """Its standard error."""
        return _error(self.of_ordinary, self.of_strange)

    def error_of_difference(self, other: "Area") -> float:
        """Returns the standard error of the difference to another method's area on the same rows."""
        return _error(self.of_ordinary - other.of_ordinary, self.of_strange - other.of_strange)


def _below(ordered: Array, values: Array) -> Array:
    """Returns the share of sorted values below each of `values`; equal ones count half."""
    left, right = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return (left + right) / (2 * len(ordered))


def _error(of_ordinary: Array, of_strange: Array) -> float:
    # The rows of the kinds belong together: the first of each kind is made from the same row.
    of_strange = of_strange.mean(axis=0)
    return float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in (of_ordinary, of_strange))))
