"""The first layer of an encoder of tables, from coded rows to the networks and back; and the noise on coded rows."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from ae_zoo.frames import columns_of
from ae_zoo.layers import corruption, noise
from ae_zoo.layers.ranks import ranks
from ae_zoo.layers.scaling import RowLayer
from ae_zoo.tables.losses import likeliest
from ae_zoo.tables.scale import Bent
from ae_zoo.tables.schema import TableSchema
from ae_zoo.typing import Array, Tensor

KEPT = 1000  # held-out errors of a column that are kept, so that a rarity of 1 in 1,000 can be told
USUAL = 0.9  # share of the held-out cells in a number's usual range
YEAR = 365.2425
# A date's cycles: the period in days, and how many days the training rows must span for it.
CYCLES = ((1.0, 2.0), (7.0, 21.0), (YEAR, 2 * YEAR))
FAR = -1e9  # the logit of a level that there is not


@keras.saving.register_keras_serializable("ae_zoo")
class TableLayer(RowLayer):
    """From coded rows `(batch, columns)` to what the encoder sees, and from what the decoder returns to coded rows.

    The encoder sees, in this order: numbers and dates, standardized (or on the scale that their knots bend, see `Column`), 0
    where one is missing, and at most half a range beyond the training rows; the cycles of dates; one-hot levels; a vector for
    the level of a category of many levels; and for each column whether its cell is missing. It does not see a column that is
    the same in all training rows, for which it would have learned nothing.

    The decoder returns numbers and dates on the standardized scale, then for each category of few levels a logit a level (the
    other levels first), then for each category of many levels a vector, whose products with the levels' vectors are the
    logits. To all logits the logarithms of the levels' frequencies are added: an output of 0 means what is usual.

    Args:
        schema: the table's schema as plain values.
    """

    def __init__(self, schema: "TableSchema | Mapping[str, Any]", **kwargs: Any) -> None:
        table = TableSchema.read(schema)
        assert isinstance(table, TableSchema)
        # A layer that is not trainable has no trainable weights, and the vectors of levels are.
        super().__init__(**{"trainable": True, **kwargs})
        self.schema = table
        columns = table.table
        self.numbers = np.array([place for place, each in enumerate(columns) if not each.discrete], "int32")
        self.few = [place for place, each in enumerate(columns) if each.discrete and not each.has_vectors]
        self.many = [place for place, each in enumerate(columns) if each.has_vectors]
        order = [*self.numbers, *self.few, *self.many]
        self.discrete = np.array([*self.few, *self.many], "int32")
        self.order = np.argsort(order).astype("int32")  # from the groups to the columns
        own = [columns[place] for place in self.numbers]
        self.center, self.scale, self.low, self.high = (
            np.array([getattr(column, name) for column in own], "float32")
            for name in ("center", "scale", "low", "high")
        )
        self.whole = np.array([column.kind == "integer" for column in own])
        self.bent = self.unbent = None
        if any(column.knots for column in own):
            knots = [column.knots or (column.center, column.center + column.scale) for column in own]
            scores = [column.scores or (0, 1) for column in own]
            self.bent, self.unbent = Bent(knots, scores, "float32"), Bent(scores, knots, "float32")
        self.weight = table.weights.astype("float32")
        # What the encoder sees.
        self.told = np.array([place for place, each in enumerate(columns) if not each.constant], "int32")
        told = set(self.told)
        self.varied = np.array([row for row, place in enumerate(self.numbers) if place in told], "int32")
        bounds = [column.scaled(np.array([column.low, column.high])) for column in own if not column.constant]
        low, high = np.array(bounds, "float32").reshape(-1, 2).T  # (2, varied)
        self.least, self.most = low - (high - low) / 2, high + (high - low) / 2
        self.cycles = [
            (place, period)
            for place in self.numbers
            for period, span in CYCLES
            if columns[place].kind == "date" and columns[place].high - columns[place].low >= span
        ]
        classes = [1 + len(columns[place].levels) for place in self.few]
        seen = [place for place in self.few if place in told]
        self.owner = np.repeat(np.array(seen, "int32"), [1 + len(columns[place].levels) for place in seen])
        self.level = np.array([level for place in seen for level in range(1 + len(columns[place].levels))], "float32")
        self.logits = sum(classes)
        # Logits of categories of few levels as (few, most levels): the places of each, the last for a level that is not.
        most, ends = max(classes, default=1), np.cumsum([0, *classes])
        self.places = np.full((len(classes), most), ends[-1], "int32")
        self.priors = np.full((len(classes), most), FAR, "float32")
        for row, count in enumerate(classes):
            self.places[row, :count] = np.arange(ends[row], ends[row] + count)
            self.priors[row, :count] = np.log(columns[self.few[row]].probabilities)

    def coded(self, x: Any) -> Any:
        """Returns a frame, coded, and anything else as it is."""
        return x if columns_of(x) is None else self.schema.code(x)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the vectors of levels, and the place for held-out errors."""
        self.vectors = [
            self.add_weight(
                shape=(1 + len(column.levels), column.width),
                initializer=keras.initializers.RandomNormal(stddev=column.width**-0.5),
                name=f"levels_{place}",
            )
            for place, column in ((place, self.schema.table[place]) for place in self.many)
        ]
        columns, fixed = len(self.schema.table), {"initializer": "zeros", "trainable": False}
        self.errors = self.add_weight(shape=(columns, KEPT), name="errors", **fixed)
        self.counts = self.add_weight(shape=(columns,), name="counts", **fixed)

    def call(self, x: Tensor) -> Tensor:
        ops = keras.ops
        missing = ops.isnan(x)
        present = ops.where(missing, ops.zeros_like(x), x)
        parts = [self._seen(x)]
        for place, period in self.cycles:
            angle = (2 * math.pi / period) * ops.mod(present[:, place : place + 1], period)
            gone = missing[:, place : place + 1]
            parts += [ops.where(gone, ops.zeros_like(angle), wave(angle)) for wave in (ops.sin, ops.cos)]
        if len(self.owner):
            # A missing cell equals no level, so all of its numbers are 0.
            parts.append(ops.cast(ops.equal(ops.take(x, self.owner, axis=1), self.level), "float32"))
        for place, vectors in zip(self.many, self.vectors, strict=True):
            found = ops.take(vectors, ops.cast(present[:, place], "int32"), axis=0)
            parts.append(ops.where(missing[:, place : place + 1], ops.zeros_like(found), found))
        parts.append(ops.cast(ops.take(missing, self.told, axis=1), "float32"))
        return ops.concatenate(parts, axis=1)

    def target(self, x: Tensor) -> Tensor:
        """Returns what the decoder must tell `(batch, columns)`: standardized numbers, levels, and NaN for missing cells."""
        ops = keras.ops
        x = ops.convert_to_tensor(x)
        numbers = self._scaled(x)
        levels = ops.take(x, self.discrete, axis=1)
        return ops.take(ops.concatenate([numbers, levels], axis=1), self.order, axis=1)

    def line(self) -> tuple[Array, Array]:
        """Returns offsets and scales `(columns,)`; a scale is NaN where there is no line or no weight."""
        offset, scale = np.zeros(len(self.weight), "float32"), np.full(len(self.weight), np.nan, "float32")
        bent = np.array([bool(self.schema.table[place].knots) for place in self.numbers], bool)
        offset[self.numbers], scale[self.numbers] = self.center, np.where(bent, np.float32(np.nan), self.scale)
        return offset, np.where(self.weight > 0, scale, np.float32(np.nan))

    def invert(self, target: Tensor) -> Tensor:
        """Returns coded rows for targets: numbers within the training rows' bounds, whole where the column's are."""
        ops = keras.ops
        columns = self.schema.table
        parts = []
        if len(self.numbers):
            numbers = self._bounded(ops.take(target, self.numbers, axis=1))
            parts.append(ops.where(self.whole, ops.round(numbers), numbers))
        if len(self.discrete):
            most = np.array([len(columns[place].levels) for place in self.discrete], "float32")
            parts.append(ops.minimum(ops.take(target, self.discrete, axis=1), most))
        return ops.take(ops.concatenate(parts, axis=1), self.order, axis=1)

    def expected(self, output: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Returns what is expected of each cell, each part `(batch, columns)`.

        They are the expected cells, coded; the probability of a level that is expected, and 1 for a number; and the ends of
        the range around a number in which nine in ten held-out cells are, coded, the level itself for a category.
        """
        ops = keras.ops
        numbers, few, many = self.split(output)
        logs = ([] if few is None else [few]) + [each[:, None] for each in many]
        levels = [likeliest(each) for each in logs]
        shares = [ops.exp(_of_named(each)) for each in logs]
        spread = ops.sqrt(ops.take(self.errors, np.array([round(USUAL * KEPT)]), axis=1)[:, 0])
        spread = ops.take(spread, self.numbers, axis=0)
        middle, low, high = (self._bounded(numbers + side * spread) for side in (0, -1, 1))
        inside = ops.logical_and(self.whole, ops.ceil(low) <= ops.floor(high))  # whole numbers that lie in the range
        low, high = ops.where(inside, ops.ceil(low), low), ops.where(inside, ops.floor(high), high)
        parts = [[middle, *levels], [ops.ones_like(numbers), *shares], [low, *levels], [high, *levels]]
        return tuple(ops.take(ops.concatenate(part, axis=1), self.order, axis=1) for part in parts)

    def split(self, output: Tensor) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        """Returns the parts of outputs `(batch, ...)`.

        They are numbers `(batch, numbers)`, log-probabilities of few levels `(batch, columns, levels)`, or None, and the
        log-probabilities `(batch, levels)` of each category of many levels.
        """
        ops = keras.ops
        first, second = len(self.numbers), len(self.numbers) + self.logits
        few = None
        if self.few:
            padded = ops.concatenate([output[:, first:second], ops.zeros_like(output[:, :1])], axis=1)
            few = ops.log_softmax(ops.take(padded, self.places, axis=1) + self.priors, axis=-1)
        many, begin = [], second
        for place, vectors in zip(self.many, self.vectors, strict=True):
            column = self.schema.table[place]
            end = begin + column.width
            logits = ops.matmul(output[:, begin:end], ops.transpose(vectors)) + np.log(column.probabilities).astype(
                "float32"
            )
            many.append(ops.log_softmax(logits, axis=-1))
            begin = end
        return output[:, :first], few, many

    def by_row(self, error: Tensor) -> Tensor:
        """Returns the weighted mean of the errors of present cells `(batch,)`; NaN for a row that has none."""
        return keras.ops.sum(self.shared(error), axis=1) / self.counted(error)

    def counted(self, error: Tensor) -> Tensor:
        """Returns the weights of each row's present cells, added up, `(batch,)`; a missing cell's error is NaN."""
        ops = keras.ops
        return ops.sum(ops.where(ops.isnan(error), ops.zeros_like(error), ops.zeros_like(error) + self.weight), axis=1)

    def shared(self, error: Tensor) -> Tensor:
        """Returns what each cell adds to its row's error: nothing where it is missing."""
        ops = keras.ops
        return self.weight * ops.where(ops.isnan(error), ops.zeros_like(error), error)

    def keep_errors(self, found: Array) -> None:
        """Keeps the held-out errors `(m, columns)` of each column, as `KEPT` quantiles, and their number.

        They are rounded up, to 12 bits, so that errors that are equal but for rounding are equal.
        """
        kept = np.zeros((len(self.schema.table), KEPT), "float32")
        present = ~np.isnan(found)
        for place in np.flatnonzero(present.any(axis=0)):
            kept[place] = np.quantile(found[present[:, place], place], np.linspace(0, 1, KEPT), method="higher")
        mantissa, exponent = np.frexp(kept)
        self.errors.assign(np.ldexp(np.ceil(mantissa * 2**12) / 2**12, exponent))
        self.counts.assign(present.sum(axis=0))

    def p_value(self, error: Tensor) -> Tensor:
        """Returns the share of held-out cells of the same column with at least this error, `(batch, columns)` both.

        The cell counts among them, as in a conformal p-value (Vovk et al. 2005, section 2.2). Between two kept errors the
        share goes over evenly, from above, so that rounding does not change it by a step. It is NaN for a missing cell, and
        where no held-out cells are known.
        """
        ops = keras.ops
        kept = ops.reshape(self.errors, (-1,))
        first = np.arange(len(self.schema.table), dtype="int32") * KEPT
        below = ranks(kept, first, KEPT, error)
        places = first + ops.maximum(below - 1, 0), first + ops.minimum(below, KEPT - 1)
        last, next_ = (ops.take(kept, place, axis=0) for place in places)
        gap = next_ - last
        part = ops.where(gap > 0, (error - last) / ops.where(gap > 0, gap, ops.ones_like(gap)), ops.ones_like(gap))
        before, after = (ops.cast(KEPT - rank, "float32") for rank in (ranks(kept, first, KEPT, last), below))
        above = ops.where(below == 0, float(KEPT), ops.where(below == KEPT, 0.0, before + part * (after - before)))
        known = ops.logical_and(self.counts > 0, ops.logical_not(ops.isnan(error)))
        return ops.where(known, (above / KEPT * self.counts + 1) / (self.counts + 1), float("nan"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "schema": self.schema.to_dict()}

    def _bounded(self, numbers: Tensor) -> Tensor:
        """Returns numbers, coded, within the training rows' bounds, for numbers on the model's scale."""
        return keras.ops.clip(self._unscaled(numbers), self.low, self.high)

    def _seen(self, x: Tensor) -> Tensor:
        """Returns what the encoder sees of numbers that vary `(batch, varied)`."""
        ops = keras.ops
        found = ops.take(self._scaled(x), self.varied, axis=1)
        return ops.where(ops.isnan(found), ops.zeros_like(found), ops.clip(found, self.least, self.most))

    def _scaled(self, x: Tensor) -> Tensor:
        """Returns the numbers of coded rows on the model's scale `(batch, numbers)`; NaN for missing ones."""
        ops = keras.ops
        numbers = ops.take(x, self.numbers, axis=1)
        if self.bent is None:
            return (numbers - self.center) / self.scale
        return ops.where(ops.isnan(numbers), numbers, self.bent(numbers, ops))

    def _unscaled(self, numbers: Tensor) -> Tensor:
        """Returns numbers on the model's scale `(batch, numbers)` as coded ones."""
        return numbers * self.scale + self.center if self.unbent is None else self.unbent(numbers, keras.ops)


def _of_named(log_probability: Tensor) -> Tensor:
    """Returns the largest log-probability of a level with a name, `(batch, columns)`, of all `(batch, columns, levels)`."""
    return (
        keras.ops.max(log_probability[:, :, 1:], axis=-1) if log_probability.shape[-1] > 1 else log_probability[:, :, 0]
    )


@keras.saving.register_keras_serializable("ae_zoo")
class CellNoise(keras.layers.Layer):
    """Hides cells of coded rows in training, or swaps them with another row's; at inference it does nothing.

    Args:
        kind: `"masking"`: a cell becomes missing, and the network is asked for it all the same; `"swap"`: a cell is taken
            from the row before in the batch, whose order is random, so it is a legal value in a wrong place.
        amount: the share of the cells.

    Input and output: `(batch, columns)`, NaN for a missing cell.
    """

    def __init__(self, kind: str, amount: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.kind, self.amount, self.seed = kind, amount, seed
        self.seed_generator = keras.random.SeedGenerator(seed, name="corruption")

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        if not training:
            return x
        if self.kind == "masking":
            return keras.ops.where(
                noise.uniform(keras.ops.shape(x), self.seed_generator) < self.amount, float("nan"), x
            )
        return corruption.KINDS[self.kind](x, self.amount, 0, 0, self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind, "amount": self.amount, "seed": self.seed}
