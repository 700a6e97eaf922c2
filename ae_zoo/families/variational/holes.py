"""Draws of a row's missing cells, given its other cells, from the joint distribution that the model has learned.

A chain takes turns between the code and the missing cells. Each step proposes a code from the encoder's distribution of the
completed row, accepts it with Metropolis's probability, which corrects for the encoder's error, and draws the missing cells
from the decoder's distribution for the code.

Sources: Rezende et al. 2014, appendix F (the chain); Mattei and Frellsen 2018, algorithm 1 (the acceptance).
"""

from typing import TYPE_CHECKING

import keras
import numpy as np

from ae_zoo._support import checks
from ae_zoo.networks.inference import in_batches
from ae_zoo.typing import Array, Tensor

if TYPE_CHECKING:
    from ae_zoo.families.variational.variational import Variational

STEPS = 20  # twice as many change neither mean nor spread of the draws
AT_ONCE = 4096  # rows


def draw(model: "Variational", x: Array, random: np.random.Generator) -> Array:
    """Returns coded rows `(n, columns)` with their missing cells drawn; each call is a chain of its own.

    Args:
        model: of a table.
        x: coded rows, NaN for missing cells.
        random: gives the draws.
    """
    n, columns, code = len(x), x.shape[1], model.config.code
    parts = np.cumsum([columns, columns, code, code, columns])  # x, cells, codes, and random numbers of three kinds

    def step(packed: Tensor) -> Tensor:
        ops = keras.ops
        x, cells, old, normal, uniform, accept = ops.split(packed, parts.tolist(), axis=1)
        mean, log_variance = model.distribution(cells)
        new = mean + ops.exp(log_variance / 2) * normal

        def log_weight(code: Tensor) -> Tensor:
            """Log of p(cells, code) / q(code | cells), up to a constant, `(batch,)`."""
            loss = model.row_loss(model.scaling.target(cells), model.decoder(code, training=False))
            ratio = ops.square(code - mean) * ops.exp(-log_variance) - ops.square(code) + log_variance
            return ops.sum(ratio, axis=1) / 2 - model.schema.features * loss

        # The first step has no old code: its weight is NaN, and a comparison with it is false.
        stays = ops.log(accept[:, 0]) >= log_weight(new) - log_weight(old)
        code = ops.where(stays[:, None], old, new)  # (batch, code)
        return ops.concatenate([ops.where(ops.isnan(x), model.rows_of(code, uniform), x), code], axis=1)

    network = model._views.of("draws of missing cells", step, (int(parts[-1]) + 1,))
    found = np.empty_like(x)
    for first in range(0, n, AT_ONCE):
        rows = cells = x[first : first + AT_ONCE]
        codes = np.full((len(rows), code), np.nan, "float32")
        for _ in range(STEPS):
            normal = random.standard_normal((len(rows), code), "float32")
            uniform = random.random((len(rows), columns + 1), "float32")
            packed = np.concatenate([rows, cells, codes, normal, uniform], axis=1)
            cells, codes = np.split(in_batches(network, packed, AT_ONCE), [columns], axis=1)
        found[first : first + AT_ONCE] = cells
    return checks.finite_answers(found, "draw of a missing cell")
