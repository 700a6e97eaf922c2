"""How likely rows are under a variational model, by importance sampling."""

import hashlib
import math
from typing import Any

import keras
import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.families.variational.variational import Variational
from ae_zoo.layers import noise
from ae_zoo.networks.inference import no_retracing_alarm

BINARIZATIONS = ("none", "static", "dynamic")
AT_ONCE = 8192  # codes that are decoded at a time


def log_likelihood(
    model: Variational, x: Any, samples: int = 5000, *, binarization: str = "none", seed: int = 1
) -> np.ndarray:
    """Estimated log p(x) of each row, in nats, `(n,)`, by importance sampling from the encoder's distribution.

    The estimate log 1/k sum_i p(x, z_i) / q(z_i | x) is a lower bound in expectation that rises to log p(x) with the
    number of samples k (Burda et al. 2016, equation 8). With scaled rows it is the density on the model's scale.

    Args:
        model: a trained `variational` model.
        x: rows `(n, *input_shape)` in the data's units.
        samples: k, codes a row.
        binarization: what is done to rows in [0, 1] before a Bernoulli likelihood: `"none"` takes zeros and ones as
            they are; `"static"` draws each row once and for all, whatever the seed and the other rows;
            `"dynamic"` draws them by `seed`.
        seed: of the codes, and of a dynamic binarization.

    Raises:
        AEZooError: for another family, grays under a Bernoulli likelihood, or an unknown binarization.
    """
    if not isinstance(model, Variational):
        raise AEZooError(f"A log-likelihood is that of a variational model; received a {type(model).__name__}.")
    x = model.check_rows(x)
    model.check_targets(x)
    checks.count("samples", samples)
    if binarization not in BINARIZATIONS:
        raise unknown("binarization", binarization, BINARIZATIONS)
    if model.likelihood.legal is None:
        if binarization != "none":
            raise AEZooError("Only a Bernoulli likelihood, loss='bce', is of binary rows; leave binarization 'none'.")
    elif binarization == "none":
        checks.binary(x)
    elif binarization == "static":
        x = np.stack([_drawn(row) for row in x])
    else:
        x = (np.random.default_rng(checks.seed(seed)).random(x.shape) < x).astype("float32")
    return _importance_sampled(model, x, samples, seed)


class _LogWeights(keras.layers.Layer):
    """Rows `(batch, *input_shape)` to log 1/k sum_i p(x, z_i) / q(z_i | x) `(batch,)` for k fresh codes z_i a row."""

    def __init__(self, model: Variational, samples: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model, self.samples = model, samples
        self.draws = keras.random.SeedGenerator(0)

    def call(self, x: Any) -> Any:
        ops, model, k = keras.ops, self.model, self.samples
        mean, log_variance = model.distribution(x, training=False)  # (batch, code)
        epsilon = noise.normal((k, *mean.shape), self.draws)  # (k, batch, code)
        code = mean + ops.exp(log_variance / 2) * epsilon
        flat = ops.reshape(model.decoder(ops.reshape(code, (-1, mean.shape[-1]))), (k, *x.shape))
        target = ops.broadcast_to(model.scaling(x), ops.shape(flat))
        rows = (-1, *x.shape[1:])
        loss = ops.reshape(model.row_loss(ops.reshape(target, rows), ops.reshape(flat, rows)), (k, -1))
        # log p(z) - log q(z | x): the constants of the two normal densities cancel.
        ratio = ops.sum(ops.square(epsilon) - ops.square(code) + log_variance, axis=-1) / 2  # (k, batch)
        return ops.logsumexp(ratio - math.prod(x.shape[1:]) * loss, axis=0) - math.log(k)


def _drawn(row: np.ndarray) -> np.ndarray:
    """Zeros and ones, drawn by greys that are their own seed."""
    seed = int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8).digest(), "little")
    return (np.random.default_rng(seed).random(row.shape) < row).astype("float32")


def _importance_sampled(model: Variational, x: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """Log-likelihoods `(n,)` from as many codes at a time as `AT_ONCE` allows; one compiled shape for all."""
    size = min(len(x), 16)
    rounds = math.ceil(samples * size / AT_ONCE)
    chunk = math.ceil(
        samples / rounds
    )  # a round's samples; the last has no fewer, so a few more than asked may be drawn
    key, networks = f"log weights {size} {chunk}", model._views.networks
    if key not in networks:
        rows = keras.Input(batch_shape=(size, *x.shape[1:]))
        networks[key] = keras.Model(rows, _LogWeights(model, chunk, name="log_weights")(rows))
        networks[key].compile(jit_compile=True)
    network = networks[key]
    network.get_layer("log_weights").draws.state.assign([seed, 0])
    result = np.empty(len(x))
    with no_retracing_alarm():
        for start in range(0, len(x), size):
            start = min(start, len(x) - size)
            batch = x[start : start + size]
            parts = [network.predict_on_batch(batch) for _ in range(rounds)]
            result[start : start + size] = np.logaddexp.reduce(np.asarray(parts, "float64"), axis=0) - math.log(rounds)
    return result
