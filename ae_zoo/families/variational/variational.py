"""Variational: the code is a distribution, held near a standard normal, so new rows can be drawn.

Loss, in nats a feature (the negative evidence lower bound, over the number of features d):

    reconstruction + kl = -log p(x | z) / d + beta * KL(q(z | x) || N(0, I)) / d,    z ~ q(z | x)

with q(z | x) = N(mean, diag exp log_variance), and p(x | z) Bernoulli (`loss="bce"`) or Gaussian (`loss="mse"`). Both
terms are sums over their dimensions, divided by the same d; a mean here and a sum there would be another beta.

`encode` gives the mean, so that all verbs are deterministic. Only the loss draws codes, in validation too, since the
bound is an expectation over them.

Sources: Kingma and Welling 2014, section 2.3 and appendix B; Doersch 2016; Higgins et al. 2017 (beta); Kingma et al. 2016,
appendix C.8 (free bits); Bowman et al. 2016, section 3.1 (warm-up); Burda et al. 2016, section 5 (log-likelihood, active
units).
"""

import dataclasses
import hashlib
import math
from typing import Any

import keras
import numpy as np

from ae_zoo import checks, networks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.config import DEEP, LOSSES, Config, option
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.families.variational.ramp import Ramp
from ae_zoo.layers import noise
from ae_zoo.networks.inference import no_retracing_alarm
from ae_zoo.recipe import Recipe

BINARISATIONS = ("none", "static", "dynamic")
LEAST_VARIANCE = 1e-6  # of a feature's likelihood, on the model's scale
AT_ONCE = 8192  # codes that `log_likelihood` decodes at a time


@dataclasses.dataclass(frozen=True, kw_only=True)
class VariationalConfig(Config):
    """Options of `Variational`."""

    hidden: tuple[int, ...] = option((300,), help="widths of the encoder's hidden layers; mirrored", low=1, search=DEEP)
    loss: str = option("bce", help="likelihood of a feature: bce is Bernoulli, mse is Gaussian", choices=LOSSES)
    output_variance: float | None = option(
        None, help="variance of the Gaussian likelihood on the model's scale; none: learned", low=LEAST_VARIANCE
    )
    beta: float = option(1.0, help="weight of the KL divergence; 1 is the evidence lower bound", low=0)
    warmup: int = option(0, help="training rows over which the KL's weight rises from 0 to beta", low=0)
    free_bits: float = option(0.0, help="nats that each code unit may use without a cost", low=0)
    binarisation: str = option(
        "none", help="dynamic: rows are drawn anew from their greys at each step", choices=("none", "dynamic")
    )

    def check(self) -> None:
        if self.sparsity is not None:
            raise AEZooError(
                "The code of a variational autoencoder has no bounds, which sparsity (KL) needs: give l1 instead."
            )
        super().check()
        if self.code_activation != "linear":
            raise AEZooError(
                "The code of a variational autoencoder is a mean, which must reach every number: leave code_activation "
                f"linear; received {self.code_activation!r}."
            )
        if self.output_variance is not None and self.loss != "mse":
            raise AEZooError("output_variance belongs to the Gaussian likelihood, loss='mse'; a Bernoulli has none.")
        if self.binarisation == "dynamic" and self.loss != "bce":
            raise AEZooError("binarisation='dynamic' gives zeros and ones, whose likelihood is loss='bce'.")


@keras.saving.register_keras_serializable("ae_zoo")
class Variational(Autoencoder):
    """A code that is a distribution, from which new rows can be drawn."""

    Config = VariationalConfig
    PAPER = "Kingma and Welling 2014"
    GOOD_FOR = "new rows, likelihoods"
    PARTS = ("reconstruction", "kl")

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        config = self.config
        head = networks.head(config.code, "linear", "code_log_variance")
        mean = self.encoder.get_layer("code")
        self.posterior = keras.Model(self.encoder.input, [mean.output, head(mean.input)], name="posterior")
        self.ramp = Ramp(config.warmup, name="warmup")
        self.draws = keras.random.SeedGenerator()
        self.log_output_variance = None
        if config.loss == "mse" and config.output_variance is None:
            self.log_output_variance = self.add_weight(shape=(), initializer="zeros", name="log_output_variance")

    @property
    def recipe(self) -> Recipe:
        # The bound as a whole chooses: by the reconstruction alone, a code that ignores its prior would win.
        left = self.config.warmup and self.config.warmup - int(self.ramp.seen)
        return Recipe(learning_rate=3e-3, monitor="loss", rows_shown=1_500_000, warmup_rows=left)

    @property
    def networks(self) -> tuple[keras.Model, ...]:
        return self.encoder, self.decoder, self.posterior

    def loss_parts(self, x: Any, y: Any, y_pred: Any, training: bool) -> dict[str, Any]:
        ops, config = keras.ops, self.config
        if config.binarisation == "dynamic":
            drawn = ops.cast(noise.uniform(ops.shape(x), self.draws) < x, x.dtype)
            x, y = drawn, (drawn if y is None else y)
        mean, log_variance = self.distribution(x, training)  # (batch, code) twice
        code = mean + ops.exp(log_variance / 2) * noise.normal(ops.shape(mean), self.draws)
        reconstruction = self.decoder(code, training=training)
        divergence = (ops.square(mean) + ops.exp(log_variance) - 1 - log_variance) / 2  # (batch, code), nats
        if config.free_bits:
            # By unit, of the batch's mean, as the bits are granted to a unit and not to a row.
            unit = ops.maximum(ops.mean(divergence, axis=0, keepdims=True), config.free_bits)  # (1, code)
            divergence = ops.broadcast_to(unit, ops.shape(divergence))
        weight = config.beta * self.ramp(x, training=training) / math.prod(config.input_shape)
        return {
            "reconstruction": self.row_loss(self.target(x, y), reconstruction),
            "kl": weight * ops.sum(divergence, axis=-1),
        }

    def row_loss(self, target: Any, y_pred: Any) -> Any:
        """-log p(target | code) of each row in nats a feature `(batch,)`."""
        error = super().row_loss(target, y_pred)
        if self.config.loss == "bce":
            return error
        if self.log_output_variance is None:
            log_variance = math.log(self.config.output_variance)
        else:
            # Features that are met exactly would otherwise drive it to nothing; a bound that it could not leave again.
            log_variance = keras.ops.logaddexp(self.log_output_variance, math.log(LEAST_VARIANCE))
        return (error * keras.ops.exp(-log_variance) + log_variance + math.log(2 * math.pi)) / 2

    def encode_distribution(self, x: Any, *, batch_size: int = 1024) -> tuple[np.ndarray, np.ndarray]:
        """Mean and log-variance, each `(n, code)`, of the codes of rows `(n, *input_shape)`."""
        return self.encode(x, batch_size=batch_size), self._clamped(
            self.encode(x, "code_log_variance", batch_size=batch_size), np
        )

    def generate(self, n: int, *, seed: int | None = None) -> np.ndarray:
        """New rows `(n, *input_shape)`, in the data's units: the means that the decoder gives for codes drawn from N(0, I).

        Equal seeds give equal rows.
        """
        return self.decode(self.sample(n, seed=seed))

    def sample(self, n: int, *, seed: int | None = None) -> np.ndarray:
        """Codes `(n, code)` from the prior; equal seeds give equal codes."""
        shape = (checks.count("n", n), self.config.code)
        return np.random.default_rng(seed).standard_normal(shape, "float32")

    def drawn_codes(self, n: int, seed: Any) -> Any:
        """Codes `(n, code)` from the prior, as a tensor; `seed` is a `keras.random.SeedGenerator`."""
        return noise.normal((n, self.config.code), seed)

    def active_units(self, x: Any, *, threshold: float = 0.01) -> np.ndarray:
        """Which code units tell rows `(n, *input_shape)` apart `(code,)`, bool: their mean's variance passes a threshold.

        Units that the prior has won carry nothing (Burda et al. 2016, section 5).
        """
        return self.encode(x).var(axis=0) > threshold

    def log_likelihood(self, x: Any, samples: int = 5000, *, binarisation: str = "none", seed: int = 1) -> np.ndarray:
        """Estimated log p(x) of each row, in nats, `(n,)`, by importance sampling from the encoder's distribution.

        The estimate log 1/k sum_i p(x, z_i) / q(z_i | x) is a lower bound in expectation that rises to log p(x) with the
        number of samples k (Burda et al. 2016, equation 8). With scaled rows it is the density on the model's scale.

        Args:
            x: rows `(n, *input_shape)` in the data's units.
            samples: k, codes a row.
            binarisation: what is done to rows in [0, 1] before a Bernoulli likelihood: `"none"` takes zeros and ones as
                they are; `"static"` draws each row once and for all, whatever the seed and the other rows;
                `"dynamic"` draws them by `seed`.
            seed: of the codes, and of a dynamic binarisation.

        Raises:
            ValueError: for greys under a Bernoulli likelihood, or an unknown binarisation.
        """
        x = self.check_rows(x)
        self.check_targets(x)
        if binarisation not in BINARISATIONS:
            raise unknown("binarisation", binarisation, BINARISATIONS)
        if self.config.loss != "bce":
            if binarisation != "none":
                raise AEZooError(
                    "Only a Bernoulli likelihood, loss='bce', is of binary rows; leave binarisation 'none'."
                )
        elif binarisation == "none":
            checks.binary(x)
        elif binarisation == "static":
            x = np.stack([_drawn(row) for row in x])
        else:
            x = (np.random.default_rng(seed).random(x.shape) < x).astype("float32")
        if samples < 1:
            raise AEZooError(f"samples must be at least 1; received {samples!r}.")
        return _importance_sampled(self, x, samples, seed)

    def distribution(self, x: Any, training: bool = False) -> tuple[Any, Any]:
        """Mean and log-variance of the codes of rows `(batch, *input_shape)`, each `(batch, code)`, as tensors."""
        mean, log_variance = self.posterior(x, training=training)
        mean, log_variance = (keras.ops.cast(part, "float32") for part in (mean, log_variance))
        return mean, self._clamped(log_variance, keras.ops)

    @staticmethod
    def _clamped(log_variance: Any, ops: Any) -> Any:
        """Within what an exponential of it stands: a standard deviation from 0.0025 to 55."""
        return ops.clip(log_variance, -12.0, 8.0)


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
