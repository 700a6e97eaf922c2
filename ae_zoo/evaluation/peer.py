"""What networks have to beat: the best linear model whose code has the same width.

Of arrays that is PCA. A table has levels and holes, which PCA cannot take; its peer is a network without hidden layers, with
the losses of the table's columns. It is a generalized low-rank model (Udell et al. 2016) whose codes are a linear map of the
row, and of numbers without holes it learns PCA's plane (Baldi and Hornik 1989).
"""

import abc
import math
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooWarning
from ae_zoo.evaluation.pca import PCA
from ae_zoo.factory import build
from ae_zoo.layers.scaling import RowLayer
from ae_zoo.schemas import Schema
from ae_zoo.training.fit import fit
from ae_zoo.typing import Array

Noise: TypeAlias = tuple[str, float]
"""Kind and amount of a corruption."""


class Peer(abc.ABC):
    """A linear model that networks are compared with.

    Attributes:
        name: what it is.
        key: the name in one word.
        unit: of its errors, and of those of the networks beside it.
        meaning: of that unit, as the end of a sentence.
        sizes: at how many widths of the code a search shows its error.
    """

    name: ClassVar[str]
    key: ClassVar[str]
    unit: ClassVar[str]
    meaning: ClassVar[str]
    sizes: ClassVar[int]

    @abc.abstractmethod
    def widest(self, schema: Schema, rows: int) -> int:
        """Returns the width of its widest code for a number of training rows."""

    @abc.abstractmethod
    def called(self, code: int) -> str:
        """Returns what it is with a code of this width."""

    @abc.abstractmethod
    def errors(
        self, schema: Schema, layer: RowLayer, x: Array, x_test: Array, codes: Sequence[int], noise: Noise | None = None
    ) -> dict[int, float]:
        """Returns the mean error of test rows for each width of the code.

        Args:
            schema: what a row is.
            layer: the schema's layer, adapted, on whose scale the errors are.
            x: training rows `(n, *input_shape)`, coded.
            x_test: test rows `(m, *input_shape)`, coded.
            codes: the widths, at most `widest`.
            noise: what a network that learns by steps is trained with; None for the default of such rows.
        """

    def beside(self, model: Autoencoder, x: Array, x_test: Array) -> tuple[int, float]:
        """Returns width and error of the peer of a model, on the model's scale and trained with the model's noise.

        Its code is as wide as the model's, or as wide as it can be.

        Args:
            model: a trained model.
            x: training rows `(n, *input_shape)`, coded.
            x_test: test rows `(m, *input_shape)`, coded.
        """
        config, units = model.config, math.prod(model.decoder.input_shape[1:])
        code = min(units, self.widest(model.schema, len(x)))
        noise = config.corruption, config.corruption_amount
        return code, self.errors(model.schema, model.scaling, x, x_test, [code], noise)[code]


class _Components(Peer):
    """PCA, which needs no noise."""

    name = "PCA"
    key = "pca"
    unit = "MSE"
    meaning = "MSE is the mean squared error on the model's scale"
    sizes = 12

    def widest(self, schema: Schema, rows: int) -> int:
        return min(rows, schema.features)

    def called(self, code: int) -> str:
        return f"PCA with {code} components"

    def errors(
        self, schema: Schema, layer: RowLayer, x: Array, x_test: Array, codes: Sequence[int], noise: Noise | None = None
    ) -> dict[int, float]:
        train, test = (keras.ops.convert_to_numpy(layer(rows)).reshape(len(rows), -1) for rows in (x, x_test))
        pca = PCA(max(codes)).fit(train)
        # The components of a smaller PCA are the first ones of a larger PCA.
        code, place = pca.encode(test), np.arange(max(codes))
        return {size: _mean(np.square(test - pca.decode(np.where(place < size, code, 0)))) for size in codes}


class _LinearNetwork(Peer):
    """A network without hidden layers, trained as other networks are."""

    name = "linear network"
    key = "linear"
    unit = "error"
    meaning = "an error of 1 is that of always saying what is usual"
    sizes = 4  # because each is trained

    def widest(self, schema: Schema, rows: int) -> int:
        return math.prod(schema.output_shape)

    def called(self, code: int) -> str:
        return f"a linear network with {code} code units"

    def errors(
        self, schema: Schema, layer: RowLayer, x: Array, x_test: Array, codes: Sequence[int], noise: Noise | None = None
    ) -> dict[int, float]:
        options: dict[str, Any] = {} if noise is None else {"corruption": noise[0], "corruption_amount": noise[1]}
        found = {}
        for code in codes:
            model = build("undercomplete", data=x, schema=schema, code=code, hidden=(), seed=1, **options)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AEZooWarning)  # of rows without a cell
                fit(model, x, verbose=0)
                found[code] = _mean(model.reconstruction_error(x_test))
        return found


def peer_of(schema: Schema) -> Peer:
    """Returns the linear model that networks for these rows are compared with."""
    return _Components() if schema.symmetric else _LinearNetwork()


def _mean(errors: Array) -> float:
    """Returns the mean of errors, without rows of a table that have none."""
    return float(np.nanmean(errors, dtype="float64"))
