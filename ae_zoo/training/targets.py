"""What a supervised network is trained to give: the probability of each class, or numbers."""

import dataclasses
import numbers
from typing import ClassVar, Self, TypeAlias

import keras
import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError, short
from ae_zoo.frames import numeric
from ae_zoo.typing import Array, Rows


@dataclasses.dataclass(frozen=True)
class Classes:
    """Labels from 0 to `width` - 1, and -1 for a row without one."""

    name: ClassVar[str] = "classifier"
    activation: ClassVar[str] = "softmax"
    loss: ClassVar[str] = "sparse_categorical_crossentropy"  # nats
    metric: ClassVar[str] = "accuracy"

    width: int

    @classmethod
    def of(cls, y: Rows, classes: int | None) -> Self:
        """Returns the classes of labels `(n,)`: as many as are given, or all that occur, which must have no gap."""
        present = np.unique(numeric(y, "y"))
        present = present[present >= 0]
        if not present.size:
            raise AEZooError("y has no label: each of its values is below 0, and -1 means no label.")
        if classes is None and not np.array_equal(present, np.arange(len(present))):
            raise AEZooError(
                f"y must be labels from 0 without gaps; received {short([int(label) for label in present[:9]])}: give "
                "classes=10 if there are ten, or number those that occur by np.unique(y, return_inverse=True)[1]."
            )
        width = len(present) if classes is None else classes
        if width < 2:
            raise AEZooError("A classifier needs at least two classes; received one.")
        return cls(width)

    def read(self, y: Rows, name: str) -> Array:
        """Returns labels as int32 `(n,)`."""
        return checks.labels(y, self.width, name)

    def known(self, y: Array) -> Array:
        """Returns which rows have a label: bool, `(n,)`."""
        return y >= 0

    def learn(self, y: Array) -> Self:
        """Returns the same: labels have no units."""
        return self

    def scaled(self, y: Array) -> Array:
        """Returns labels as they are."""
        return y

    def finish(self, head: keras.layers.Dense) -> None:
        """Leaves a trained head as it is."""


@dataclasses.dataclass(frozen=True)
class Numbers:
    """Numbers `(n, width)`. They are learned in standard deviations from their mean; the finished head has their units."""

    name: ClassVar[str] = "regressor"
    activation: ClassVar[str] = "linear"
    loss: ClassVar[str] = "mse"
    metric: ClassVar[str] = "mae"

    width: int
    offset: Array = dataclasses.field(default_factory=lambda: np.zeros(1))
    scale: Array = dataclasses.field(default_factory=lambda: np.ones(1))

    @classmethod
    def of(cls, y: Rows, classes: int | None) -> Self:
        """Returns the task of giving numbers `(n,)` or `(n, k)`."""
        if classes is not None:
            raise AEZooError(
                "classes is for labels, which are whole numbers; y holds floating-point numbers: give y.astype(int)."
            )
        shape = numeric(y, "y").shape
        return cls(1 if len(shape) == 1 else shape[1])

    def read(self, y: Rows, name: str) -> Array:
        """Returns numbers as float32 `(n, width)`."""
        array = numeric(y, name, learn=True)
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2 or array.shape[1] != self.width:
            raise AEZooError(
                f"{name} must be numbers of shape (n,) or (n, k), k as in y; received an array of shape {array.shape}."
            )
        return array

    def known(self, y: Array) -> Array:
        """Returns that each row has its numbers: bool, `(n,)`."""
        return np.ones(len(y), bool)

    def learn(self, y: Array) -> Self:
        """Returns the task with the mean and the standard deviation of the training rows' `y` `(n, width)`."""
        exact = y.astype("float64")
        deviation = exact.std(axis=0)
        return dataclasses.replace(self, offset=exact.mean(axis=0), scale=np.where(deviation > 0, deviation, 1.0))

    def scaled(self, y: Array) -> Array:
        """Returns numbers in standard deviations from the mean."""
        return ((y - self.offset) / self.scale).astype("float32")

    def finish(self, head: keras.layers.Dense) -> None:
        """Changes a trained head from standard deviations to the units of `y`."""
        kernel, bias = head.get_weights()
        head.set_weights([kernel * self.scale, bias * self.scale + self.offset])


Task: TypeAlias = Classes | Numbers


def task_of(y: Rows, classes: int | None) -> Task:
    """Returns what `y` asks for: `Classes` for whole numbers, `Numbers` for floating-point ones.

    Raises:
        AEZooError: `y` holds something else, or labels with gaps where `classes` is None.
    """
    array = np.asarray(y)
    if array.dtype == object and array.size:  # as in a table with nullable columns
        for kind, name in ((numbers.Integral, "int64"), (numbers.Real, "float64")):
            if all(isinstance(value, kind) for value in array.flat):
                return TASKS[np.dtype(name).kind].of(y, classes)
    if array.dtype.kind not in TASKS:
        raise AEZooError(
            f"y must be labels, as whole numbers from 0, or floating-point numbers; received values of type {array.dtype}: "
            "number classes with names by names, y = np.unique(y, return_inverse=True)."
        )
    return TASKS[array.dtype.kind].of(y, classes)


TASKS: dict[str, type[Classes] | type[Numbers]] = {**dict.fromkeys("iub", Classes), "f": Numbers}  # by NumPy's kinds
