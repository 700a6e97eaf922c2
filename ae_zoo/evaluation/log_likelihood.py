"""How likely rows are under a variational model, by importance sampling."""

import hashlib
import math
import threading
from typing import Any, Literal, TypeAlias, get_args

import keras
import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError
from ae_zoo.families.variational.variational import Variational
from ae_zoo.layers import noise
from ae_zoo.networks.inference import check_not_forked, no_retracing_alarm
from ae_zoo.typing import Array, Rows, Tensor

Binarization: TypeAlias = Literal["none", "static", "dynamic"]
BINARIZATIONS: tuple[str, ...] = get_args(Binarization)
AT_ONCE = 8192  # codes that are decoded in one call
MOST = 10**6  # samples of a row; they take minutes a row
ALONE = threading.Lock()  # a network's seed is set for one call at a time


def log_likelihood(
    model: Variational, x: Rows, samples: int = 5000, *, binarization: Binarization = "none", seed: int = 1
) -> Array:
    """Returns the estimated log p(x) of each row in nats, `(n,)`, by importance sampling from the encoder's distribution.

    The mean of the estimate log 1/k sum_i p(x, z_i) / q(z_i | x) is a lower bound that rises to log p(x) with the number of
    samples k (Burda et al. 2016, equation 8). With scaled rows it is the density on the model's scale.

    Args:
        model: a trained `variational` model.
        x: rows `(n, *input_shape)` in the data's units.
        samples: number of codes for each row, k, from 1 to 1,000,000.
        binarization: what to do with rows in [0, 1] for a Bernoulli likelihood: `"none"` requires zeros and ones;
            `"static"` draws zeros and ones for each row, always the same, whatever the seed and the other rows;
            `"dynamic"` draws them by `seed`.
        seed: seed of the codes and of a dynamic binarization, from 0 to 2^32 - 1.

    Returns:
        float64 `(n,)`.

    Raises:
        AEZooError: the model is of another family, its scaling has seen no rows, rows are not zeros and ones for a
            Bernoulli likelihood, the binarization is unknown, or a row's log-likelihood is beyond float32.
    """
    if not isinstance(model, Variational):
        raise AEZooError(f"Only a variational model has a log-likelihood; received a {type(model).__name__}.")
    checks.seed(seed)
    if checks.count("samples", samples) > MOST:
        raise AEZooError(f"samples must be at most {MOST:,}; received {samples:,}.")
    checks.choice("binarization", binarization, BINARIZATIONS)
    x = model._known(x)
    model.check_targets(x)
    if not model.likelihood.binary:
        if binarization != "none":
            raise AEZooError("Binarization is for a Bernoulli likelihood, loss='bce'; leave binarization='none'.")
    elif binarization == "none":
        checks.binary(x)
    elif binarization == "static":
        x = np.stack([_drawn(row) for row in x])
    else:
        x = (np.random.default_rng(seed).random(x.shape) < x).astype("float32")
    with ALONE:
        return checks.finite_answers(_importance_sampled(model, x, samples, seed), "log-likelihood")


class _LogWeights(keras.layers.Layer):
    """From rows `(batch, *input_shape)` to log 1/k sum_i p(x, z_i) / q(z_i | x) `(batch,)`, with k new codes z_i a row."""

    def __init__(self, model: Variational, samples: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model, self.samples = model, samples
        self.draws = keras.random.SeedGenerator(0, name="draws")

    def call(self, x: Tensor) -> Tensor:
        ops, model, k = keras.ops, self.model, self.samples
        mean, log_variance = model.distribution(x, training=False)  # (batch, code)
        epsilon = noise.normal((k, *mean.shape), self.draws)  # (k, batch, code)
        code = mean + ops.exp(log_variance / 2) * epsilon
        output = model.decoder(ops.reshape(code, (-1, mean.shape[-1])))  # (k * batch, *output_shape)
        target = model.scaling.target(x)
        target = ops.tile(target, (k, *(1 for _ in target.shape[1:])))
        loss = ops.reshape(model.row_loss(target, output), (k, -1))
        # log p(z) - log q(z | x): the constants of the two normal densities cancel.
        ratio = ops.sum(ops.square(epsilon) - ops.square(code) + log_variance, axis=-1) / 2  # (k, batch)
        return ops.logsumexp(ratio - model.schema.features * loss, axis=0) - math.log(k)


def _drawn(row: Array) -> Array:
    """Returns zeros and ones, drawn by a row's grays, with a seed that follows from the row itself."""
    seed = int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8).digest(), "little")
    return (np.random.default_rng(seed).random(row.shape) < row).astype("float32")


def _importance_sampled(model: Variational, x: Array, samples: int, seed: int) -> Array:
    """Returns log-likelihoods `(n,)`, with at most `AT_ONCE` codes in one call, and one compiled shape for all calls."""
    size = min(len(x), 16)
    rounds = math.ceil(samples * size / AT_ONCE)
    chunk = math.ceil(
        samples / rounds
    )  # samples in a round; the rounds are equal, so there may be a few more than asked
    key, networks = f"log weights {size} {chunk}", model._views.networks
    if key not in networks:
        rows = keras.Input(batch_shape=(size, *x.shape[1:]))
        networks[key] = keras.Model(rows, _LogWeights(model, chunk, name="log_weights")(rows))
        networks[key].compile(jit_compile=True)
    network = networks[key]
    network.get_layer("log_weights").draws.state.assign(np.array([seed, 0], "uint32"))
    result = np.empty(len(x))
    check_not_forked()
    with no_retracing_alarm():
        for start in range(0, len(x), size):
            first = min(start, len(x) - size)
            batch = x[first : first + size]
            parts = [network.predict_on_batch(batch) for _ in range(rounds)]
            result[first : first + size] = np.logaddexp.reduce(np.asarray(parts, "float64"), axis=0) - math.log(rounds)
    return result
