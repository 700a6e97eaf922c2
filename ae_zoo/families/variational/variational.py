"""Variational: the code is a distribution, kept near a standard normal, so that new rows can be drawn.

Loss, in nats a feature (the negative evidence lower bound, over the number of features d):

    reconstruction + kl = -log p(x | z) / d + beta * KL(q(z | x) || N(0, I)) / d,    z ~ q(z | x)

with q(z | x) = N(mean, diag exp log_variance), and p(x | z) Bernoulli (`loss="bce"`) or Gaussian (`loss="gaussian"`). Both
terms are sums over their dimensions, divided by the same d; a mean in one and a sum in the other would change beta.

`encode` returns the mean, so all verbs are deterministic. Only the loss draws codes, in validation too, because the bound
is an expectation over them.

Sources: Kingma and Welling 2014, section 2.3 and appendix B; Doersch 2016; Higgins et al. 2017 (beta); Kingma et al. 2016,
appendix C.8 (free bits); Bowman et al. 2016, section 3.1 (warm-up); Burda et al. 2016, section 5 (active units).
"""

import types
from typing import Any, NoReturn

import keras
import numpy as np

from ae_zoo import networks
from ae_zoo._support import checks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.endpoints import Endpoint, Endpoints, Tensors
from ae_zoo.errors import AEZooError
from ae_zoo.families.configs import VariationalConfig
from ae_zoo.families.variational import holes
from ae_zoo.families.variational.ramp import Ramp
from ae_zoo.layers import noise
from ae_zoo.layers.noise import Seed
from ae_zoo.networks.generation import drawing, refuse_label
from ae_zoo.typing import Array, Rows, Tensor


@keras.saving.register_keras_serializable("ae_zoo")
class Variational(Autoencoder):
    """A code that is a distribution, from which new rows can be drawn."""

    Config = VariationalConfig
    config: VariationalConfig
    RUNS_ITSELF = True
    PARTS = ("reconstruction", "kl")

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        config = self.config
        head = networks.head(config.code, "linear", "code_log_variance")
        mean = self.encoder.get_layer("code")
        self.posterior = keras.Model(self.encoder.input, [mean.output, head(mean.input)], name="posterior")
        self.ramp = Ramp(config.warmup, name="warmup")
        self.draws = keras.random.SeedGenerator(name="draws")

    @property
    def warmup_left(self) -> int:
        return self.config.warmup and self.config.warmup - int(self.ramp.seen)

    @property
    def networks(self) -> tuple[keras.Model, ...]:
        return self.encoder, self.decoder, self.posterior

    def endpoints(self) -> Endpoints:
        def of_tensor(x: Tensor) -> Tensors:
            return dict(zip(("mean", "log_variance"), self.distribution(x), strict=True))

        return {
            **super().endpoints(),
            "encode_distribution": Endpoint(
                input="x",
                shape=self.config.input_shape,
                may_miss=self.schema.may_miss,
                verb=lambda x: dict(zip(("mean", "log_variance"), self.encode_distribution(x), strict=True)),
                function=of_tensor,
                about="mean and log-variance of the row's code",
            ),
            "generate": drawing(self),
        }

    def loss_parts(self, x: Tensor, y: Tensor | None, y_pred: Tensor, training: bool) -> dict[str, Tensor]:
        ops, config = keras.ops, self.config
        if config.binarization == "dynamic":
            drawn = ops.cast(noise.uniform(ops.shape(x), self.draws) < x, x.dtype)
            x, y = drawn, (drawn if y is None else y)
        mean, log_variance = self.distribution(x, training)  # (batch, code) twice
        code = mean + ops.exp(log_variance / 2) * noise.normal(ops.shape(mean), self.draws)
        reconstruction = self.decoder(code, training=training)
        divergence = (ops.square(mean) + ops.exp(log_variance) - 1 - log_variance) / 2  # (batch, code), nats
        if config.free_bits:
            # By unit, of the batch's mean, because each unit may use the bits, not each row.
            unit = ops.maximum(ops.mean(divergence, axis=0, keepdims=True), config.free_bits)  # (1, code)
            divergence = ops.broadcast_to(unit, ops.shape(divergence))
        weight = config.beta * self.ramp(x, training=training) / self.schema.features
        return {
            "reconstruction": self.row_loss(self.target(x, y), reconstruction),
            "kl": weight * ops.sum(divergence, axis=-1),
        }

    def encode_distribution(self, x: Rows, *, batch_size: int = 1024) -> tuple[Array, Array]:
        """Returns mean and log-variance, each `(n, code)`, of the codes of rows `(n, *input_shape)`."""
        return self.encode(x, batch_size=batch_size), self._clamped(
            self.encode(x, "code_log_variance", batch_size=batch_size), np
        )

    def generate(self, n: int, *, label: int | None = None, draw: bool | None = None, seed: int | None = None) -> Array:
        """Returns new rows `(n, *input_shape)`, in the data's units, for codes drawn from N(0, I).

        Args:
            n: number of rows.
            label: must be None, because this family has no classes.
            draw: whether to draw the row of a code too, or to return its mean: see `decode`. None: draw rows of tables.
            seed: equal seeds give equal rows; None draws a seed.
        """
        refuse_label(label)
        return self.decode(self.sample(n, seed=seed), draw=self.schema.draws if draw is None else draw, seed=seed)

    def sample(self, n: int, *, seed: int | None = None) -> Array:
        """Returns codes `(n, code)` from the prior; equal seeds give equal codes."""
        shape = (checks.in_memory("n", n, self.schema.features), self.config.code)
        return np.random.default_rng(checks.seed(seed)).standard_normal(shape, "float32")

    def draw_holes(self, x: Array, random: np.random.Generator) -> Array:
        return holes.draw(self, x, random)

    def drawn_codes(self, n: int, seed: Seed) -> Tensor:
        """Returns codes `(n, code)` from the prior, as a tensor."""
        return noise.normal((n, self.config.code), seed)

    def active_units(self, x: Rows, *, threshold: float = 0.01) -> Array:
        """Returns whether each code unit differs between rows `(n, *input_shape)`: bool, `(code,)`.

        A unit is active if the variance of its mean over the rows is above `threshold`. The others follow the prior for
        every row, so they carry nothing (Burda et al. 2016, section 5).
        """
        return self.encode(x).var(axis=0) > threshold

    def log_likelihood(self, *args: Any, **options: Any) -> NoReturn:
        """Moved: `ae_zoo.log_likelihood(model, x)`."""
        raise AEZooError("model.log_likelihood(x) is now ae_zoo.log_likelihood(model, x).")

    def distribution(self, x: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Returns mean and log-variance of the codes of rows `(batch, *input_shape)`, each `(batch, code)`, as tensors."""
        mean, log_variance = self.posterior(x, training=training)
        mean, log_variance = (keras.ops.cast(part, "float32") for part in (mean, log_variance))
        return mean, self._clamped(log_variance, keras.ops)

    @staticmethod
    def _clamped(log_variance: Tensor, ops: types.ModuleType) -> Tensor:
        """Returns it within a standard deviation from 0.0025 to 55, so that its exponential is finite."""
        return ops.clip(log_variance, -12.0, 8.0)
