"""What outputs for a table mean: a loss for each column, in units that compare between kinds of columns.

A number's loss is the squared error on the standardized scale (or another loss by the option `loss`), and a category's is
the cross-entropy over the entropy of its levels in the training rows. Both are 1 for a model that always says what is usual.
So a category of a thousand levels weighs as much as a boolean. A row's loss is the weighted mean over the columns that are
present.

With `loss="gaussian"` all losses are negative log-likelihoods in nats, for the variational bound: a row's loss is then the
sum over its present columns, divided by the number of columns.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from ae_zoo.errors import AEZooError
from ae_zoo.likelihoods import LIKELIHOODS, Likelihood
from ae_zoo.tables.schema import TableSchema
from ae_zoo.typing import Array, Tensor

if TYPE_CHECKING:
    from ae_zoo.config import Config

UNNAMED = -2e9  # the log-probability of other levels where a name is wanted, below that of a level that there is not
LEAST_ENTROPY = 0.05  # nats, so that a level that is nearly always there is not blown up
NUMBERS = ("mse", "absolute", "huber", "quantile", "gaussian")  # losses of numbers


class TableLikelihood(Likelihood):
    """One loss a column.

    Args:
        schema: the table's.
        number: the likelihood of numbers and dates, on the standardized scale.
    """

    def __init__(self, schema: TableSchema, number: Likelihood) -> None:
        self.schema, self.number = schema, number
        self.is_density = number.is_density  # type: ignore[misc]
        self.OPTIONS = number.OPTIONS  # type: ignore[misc]
        self.name = number.name  # type: ignore[misc]
        self.unit = "nats" if self.is_density else "of always saying what is usual"  # type: ignore[misc]
        self._entropies: dict[int, float] = {
            place: max(column.entropy, LEAST_ENTROPY) for place, column in enumerate(schema.table) if column.discrete
        }

    def build(self, model: Any, shape: tuple[int, ...] = ()) -> None:
        self._layer = layer = model.scaling
        if len(layer.numbers):  # a variance of its own for each column: what is certain of one is not of another
            self.number.build(model, shape or (len(layer.numbers),))
        few, many = ([layer.few] if layer.few else []), [[place] for place in layer.many]
        self._groups = [
            np.array(own, "int32") for own in (*few, *many)
        ]  # places of categories that `_parts` has together

    def loss(self, target: Tensor, output: Tensor) -> Tensor:
        """Returns the loss of each column `(batch, columns)`; NaN for a missing cell."""
        return self._losses(target, output, self.number.loss, in_nats=self.is_density)

    def mean(self, output: Tensor) -> Tensor:
        """Returns expected numbers, and the likeliest levels that have a name, `(batch, columns)`."""
        numbers, logs = self._parts(output)
        parts = [self.number.mean(numbers)] if len(self._layer.numbers) else []
        return self._joined([*parts, *map(likeliest, logs)])

    def draw(self, output: Tensor, uniform: Tensor) -> Tensor:
        """Returns drawn numbers and levels; other levels are never drawn, because they have no name."""
        import keras

        ops, layer = keras.ops, self._layer
        numbers, logs = self._parts(output)
        parts = [self.number.draw(numbers, ops.take(uniform, layer.numbers, axis=1))] if len(layer.numbers) else []
        places = (ops.take(uniform, own, axis=1) for own in self._groups)
        return self._joined([*parts, *map(_level_at, logs, places)])

    def probabilities(self, output: Tensor) -> Tensor:
        """Returns the probability of each level with a name `(batch, levels)`, column by column in the table's order."""
        import keras

        layer = self._layer
        found: dict[int, Tensor] = {}
        for own, each in zip(self._groups, self._parts(output)[1], strict=True):
            shares = named(each)
            found |= {place: shares[:, row] for row, place in enumerate(own)}
        levels = [found[place][:, 1 : 1 + len(layer.schema.table[place].levels)] for place in sorted(found)]
        return keras.ops.concatenate(levels, axis=1)

    def error(self, target: Tensor, output: Tensor) -> Tensor:
        """Returns squared errors on the standardized scale, and cross-entropies over the entropy; NaN for a missing cell."""
        import keras

        return self._losses(target, output, lambda target, output: keras.ops.square(target - output), in_nats=False)

    def of_row(self, loss: Tensor) -> Tensor:
        import keras

        total = keras.ops.sum(self._layer.shared(loss), axis=1)
        if self.is_density:
            return total / len(self.schema.table)
        return total / keras.ops.maximum(self._layer.counted(loss), 1e-6)  # a row without a cell has no loss

    def start(self, x: Array) -> Array:
        """Returns the output that says what is usual: the best constant for numbers, and 0 for levels."""
        found, numbers = np.zeros(self.schema.output_shape, "float32"), x[:, self._layer.numbers]
        for place, cells in enumerate(numbers.T):
            present = cells[~np.isnan(cells)]
            found[place] = self.number.start(present[:, None])[0] if len(present) else 0.0
        return found

    def _parts(self, output: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Returns numbers `(batch, numbers)`, and for each group log-probabilities of levels `(batch, columns, levels)`."""
        numbers, few, many = self._layer.split(output)
        return numbers, [*([] if few is None else [few]), *(each[:, None] for each in many)]

    def _joined(self, parts: list[Tensor]) -> Tensor:
        """Returns a number for each column `(batch, columns)`, from those of numbers and of each group."""
        import keras

        return keras.ops.take(keras.ops.concatenate(parts, axis=1), self._layer.order, axis=1)

    def _losses(self, target: Tensor, output: Tensor, number: Any, *, in_nats: bool) -> Tensor:
        import keras

        ops, layer = keras.ops, self._layer
        missing = ops.isnan(target)
        # A missing cell has a legal target, because the gradient of NaN is NaN even where it is not used.
        filled = ops.where(missing, ops.zeros_like(target), target)
        numbers, logs = self._parts(output)
        parts = [number(ops.take(filled, layer.numbers, axis=1), numbers)] if len(layer.numbers) else []
        for own, each in zip(self._groups, logs, strict=True):
            unit = 1.0 if in_nats else np.array([self._entropies[place] for place in own], "float32")
            parts.append(-_of_level(each, ops.take(filled, own, axis=1)) / unit)
        found = self._joined(parts)
        return ops.where(missing, float("nan"), found)


def _of_level(log_probability: Tensor, level: Tensor) -> Tensor:
    """Returns the log-probability of each level, `(batch, columns)`, from those of all, `(batch, columns, levels)`.

    By comparing, because ONNX and LiteRT lack the operations of a gather along an axis.
    """
    import keras

    ops = keras.ops
    chosen = ops.equal(level[:, :, None], np.arange(log_probability.shape[-1], dtype="float32"))
    return ops.sum(ops.where(chosen, log_probability, ops.zeros_like(log_probability)), axis=-1)


def likeliest(log_probability: Tensor) -> Tensor:
    """Returns the number of the likeliest level with a name `(batch, columns)`, of all `(batch, columns, levels)`.

    By comparing, because Keras's argmax on TensorFlow looks at bits, which ONNX and LiteRT cannot.
    """
    import keras

    ops = keras.ops
    number = np.arange(log_probability.shape[-1], dtype="float32")
    known = ops.where(number > 0, log_probability, UNNAMED)
    best = ops.max(known, axis=-1, keepdims=True)
    return ops.min(ops.where(ops.equal(known, best), number, float(len(number))), axis=-1)


def named(log_probability: Tensor) -> Tensor:
    """Returns the probabilities of levels, if it is one with a name; the first is 0; both `(batch, columns, levels)`."""
    import keras

    number = np.arange(log_probability.shape[-1])
    return keras.ops.softmax(keras.ops.where(number > 0, log_probability, UNNAMED), axis=-1)


def _level_at(log_probability: Tensor, uniform: Tensor) -> Tensor:
    """Returns the level with a name at each quantile `(batch, columns)`; the levels are in their order."""
    import keras

    ops = keras.ops
    below = ops.cumsum(named(log_probability), axis=-1)
    passed = ops.cast(below <= uniform[:, :, None] * below[:, :, -1:], "float32")
    return ops.sum(passed, axis=-1)


def of_table(schema: TableSchema, config: "Config") -> TableLikelihood:
    """Returns what outputs mean for a table, by the option `loss`, which is of the numbers.

    Raises:
        AEZooError: the loss is none of numbers.
    """
    if config.loss not in NUMBERS:
        raise AEZooError(
            f"loss={config.loss!r} is none for a table, whose numbers have no bounds and whose categories have a loss of "
            f"their own: give one of {', '.join(NUMBERS)}."
        )
    return TableLikelihood(schema, LIKELIHOODS[config.loss].of(config))
