"""Adversarial: a discriminator makes the codes follow a prior, from which it only needs samples.

Loss: reconstruction + discriminator + generator, where D is the discriminator's logit:

    discriminator = softplus(-D(prior sample)) + softplus(D(code)), which trains the discriminator alone
    generator     = adversarial_weight * softplus(-D(code)), which trains the encoder alone

in nats. A discriminator that cannot tell the two apart has a loss of 2 log 2 = 1.386. Stopped gradients keep the two
apart, so one optimizer trains all networks at once in Keras's own step. With `labels="condition"` each label has its own
mode of the prior. The model with classes is in `classes.py`; `Adversarial.of` returns the one that the options ask for.

Sources: Makhzani et al. 2015, sections 2 (priors), 2.3 (labels choose the prior's mode); Goodfellow et al. 2014, section 3
(the encoder's loss).
"""

import math
from typing import Any

import keras
import numpy as np

from ae_zoo._support import checks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.endpoints import Endpoints
from ae_zoo.errors import AEZooError
from ae_zoo.families.adversarial.game import discriminator, game
from ae_zoo.families.adversarial.priors import PRIORS, mmd
from ae_zoo.families.configs import MODES, AdversarialConfig
from ae_zoo.layers import noise
from ae_zoo.layers.noise import Seed
from ae_zoo.networks.generation import drawing
from ae_zoo.typing import Array, Rows, Tensor

ENOUGH = 2000  # codes that are compared with samples of the prior
EQUAL = 2 * math.log(2)  # nats: the loss of a discriminator that cannot tell codes from the prior


@keras.saving.register_keras_serializable("ae_zoo")
class Adversarial(Autoencoder):
    """Codes that follow a prior of your choice, by a discriminator."""

    Config = AdversarialConfig
    config: AdversarialConfig
    RUNS_ITSELF = True
    GAMES: tuple[str, ...] = ("style_game",)  # the games whose values are shown
    STYLE = "code"  # the layer whose output follows the prior

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        config = self.config
        if config.categories and "class_game" not in self.GAMES:
            raise AEZooError(
                "Classes need the class AdversarialClasses: build the model by ae_zoo.build('adversarial', ...)."
            )
        # Conditioned on labels, it sees which mode a code should be of; one place more is for "no label".
        seen = config.code + (config.classes + 1 if config.labels == "condition" else 0)
        self.discriminator = discriminator(seen, config.discriminator, "style")
        self.draws = keras.random.SeedGenerator(name="draws")
        self._mmd = keras.metrics.Mean("mmd")
        self._games = [keras.metrics.Mean(game) for game in self.GAMES]
        self._spread = keras.metrics.Mean("code_std")
        self._center = keras.metrics.Mean("code_mean")

    @classmethod
    def of(cls, *, name: str | None = None, **options: Any) -> Autoencoder:
        from ae_zoo.families.adversarial.classes import AdversarialClasses

        has_classes = cls.Config.make(options).categories
        return (AdversarialClasses if has_classes and cls is Adversarial else cls)(name=name, **options)

    @property
    def PARTS(self) -> tuple[str, ...]:
        return "reconstruction", "discriminator", "generator"

    @property
    def networks(self) -> tuple[keras.Model, ...]:
        return self.encoder, self.decoder, self.discriminator

    @property
    def lasting_weights(self) -> dict[str, keras.Variable]:
        passing = {weight.path for network in self.networks[2:] for weight in network.weights}
        return {name: weight for name, weight in super().lasting_weights.items() if weight.path not in passing}

    def endpoints(self) -> Endpoints:
        return {**super().endpoints(), "generate": drawing(self)}

    def loss_parts(self, x: Tensor, y: Tensor | None, y_pred: Tensor, training: bool) -> dict[str, Tensor]:
        labels = self._labels(x, y, training)  # (batch,), -1 for none
        code = self.encoder(x, training=training)  # (batch, code)
        reconstruction = self.decoder(code, training=training)
        played = self._style_game(keras.ops.cast(code, "float32"), labels)
        return {"reconstruction": self._row_loss_of(x, y, reconstruction, labels), **self._played([played])}

    def diagnose(self, history: dict[str, list[float]]) -> list[str]:
        last = {name: values[-1] for name, values in history.items()}
        apart = f"the codes' squared mean discrepancy from the prior is {last['mmd']:.3f} (0 is a match)"
        found = []
        for name in self.GAMES:
            if last[name] < EQUAL / 4 and name.endswith("_game"):
                found.append(
                    f"The discriminator of the {name.replace('_', ' ')} almost always tells codes from the prior (its loss "
                    f"is {last[name]:.2f} nats; {EQUAL:.2f} would be chance), so the encoder learns nothing from it; "
                    f"{apart}: try a lower learning_rate or a higher adversarial_weight."
                )
        if not last["mmd"] <= 0.05 and not found:  # a NaN is no match either
            if last["style_game"] > 0.98 * EQUAL:
                found.append(
                    f"The discriminator is dead: it cannot tell codes from the prior, but {apart}: try a lower "
                    "learning_rate or a wider discriminator."
                )
            else:
                found.append(f"The codes do not follow the prior: {apart}: train longer, or raise adversarial_weight.")
        return found

    def generate(self, n: int, *, label: int | None = None, draw: bool | None = None, seed: int | None = None) -> Array:
        """Returns new rows `(n, *input_shape)`, in the data's units, from codes drawn from the prior.

        Args:
            n: number of rows.
            label: class, cluster or mode of the prior of all rows; None draws one for each row.
            draw: whether to draw the row of a code too, or to return its mean: see `decode`. None: draw rows of tables.
            seed: equal seeds give equal rows; None draws a seed.

        Raises:
            AEZooError: the model has no such label.
        """
        code = self.sample(n, label=label, seed=seed)
        return self.decode(code, draw=self.schema.draws if draw is None else draw, seed=seed)

    @property
    def kinds(self) -> int:
        """Number of labels that `generate` knows; 0 for none."""
        return 0 if self.config.prior == "gaussian" else MODES

    def sample(self, n: int, *, label: int | None = None, seed: int | None = None) -> Array:
        """Returns codes `(n, code)` from the prior, with their class where the model has classes.

        The arguments are those of `generate`.
        """
        n, random = checks.in_memory("n", n, self.schema.features), np.random.default_rng(checks.seed(seed))
        if label is not None and not self.kinds:
            raise AEZooError(
                "This model has neither classes nor a prior with modes, so there are no labels; leave label out."
            )
        if label is not None and not 0 <= label < self.kinds:
            raise AEZooError(f"label must be from 0 to {self.kinds - 1}; received {label!r}.")
        labels = np.full(n, label) if label is not None else random.integers(self.kinds or MODES, size=n)
        generator = keras.random.SeedGenerator(int(random.integers(2**31)), name="sample")
        return keras.ops.convert_to_numpy(self._codes_of(labels, random, generator))

    def drawn_codes(self, n: int, seed: Seed) -> Tensor:
        """Returns codes `(n, code)` from the prior, as a tensor."""
        return PRIORS[self.config.prior](noise.integers((n,), MODES, seed), self.config.code, seed)

    def beside_prior(self, x: Rows, *, seed: int = 1) -> tuple[float, float]:
        """Returns whether the codes of rows `(n, *input_shape)` follow the prior, by two figures.

        They are how often the discriminator tells a code from a sample of the prior, of as many (0.5 is chance; it also is
        what a discriminator says that has learned nothing), and their squared mean discrepancy (0 is a match).

        Args:
            x: rows in the data's units.
            seed: of the samples, from 0 to 2^32 - 1.

        Raises:
            AEZooError: the discriminator judges a code by the row's label too.
        """
        if self.config.labels == "condition":
            raise AEZooError(
                "With labels='condition' the discriminator judges a code by the row's label, not by the prior."
            )
        ops, random = keras.ops, np.random.default_rng(checks.seed(seed))
        style = ops.convert_to_tensor(self.encode(x, self.STYLE))  # (n, code)
        modes = random.integers(MODES, size=len(style)).astype("int32")
        sample = PRIORS[self.config.prior](
            modes, self.config.code, keras.random.SeedGenerator(int(random.integers(2**31)))
        )
        found, missed = (ops.mean(ops.cast(self.discriminator(codes) > 0, "float32")) for codes in (sample, style))
        return float(found + 1 - missed) / 2, float(mmd(style[:ENOUGH], sample[:ENOUGH]))

    def classify(self, x: Rows, *, batch_size: int = 1024) -> Array:
        """Raises `AEZooError`, because this model has no classes."""
        return self.class_probabilities(x, batch_size=batch_size)

    def class_probabilities(self, x: Rows, *, batch_size: int = 1024) -> Array:
        """Raises `AEZooError`, because this model has no classes."""
        raise AEZooError("This model has no class head: build it with n_classes=10, for example, or with n_clusters.")

    def _codes_of(self, labels: Array, random: np.random.Generator, generator: Seed) -> Tensor:
        """Returns codes `(n, code)` of labels `(n,)`, here modes of the prior."""
        return PRIORS[self.config.prior](labels.astype("int32"), self.config.code, generator)

    def _style_game(self, style: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the losses of the two players, each `(batch,)`, for codes `(batch, code)`, and updates the metrics."""
        ops, config = keras.ops, self.config
        sample = self._prior_sample(labels)  # (batch, code)
        self._watch(style, sample)
        if config.labels == "condition":  # code and label together: the right cloud for the wrong label is no match
            label = ops.one_hot(ops.where(labels < 0, config.classes, labels), config.classes + 1)
            style, sample = (ops.concatenate([part, label], axis=1) for part in (style, sample))
        played = game(self.discriminator, style, sample)
        self._games[0].update_state(played[0])
        return played

    def _played(self, games: list[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        """Returns the parts of the loss that come from games: the mean of the discriminators', the encoder's sum."""
        return {
            "discriminator": sum(first for first, _ in games) / len(games),
            "generator": self.config.adversarial_weight * sum(second for _, second in games),
        }

    def _row_loss_of(self, x: Tensor, y: Tensor | None, reconstruction: Tensor, labels: Tensor) -> Tensor:
        loss = self.row_loss(self.target(x, y), reconstruction)
        if not self.config.classes:
            return loss
        # An illegal label stops the training; `ae_zoo.fit` refuses it before.
        return loss + keras.ops.where(labels >= self.config.classes, math.nan, 0.0)

    def _labels(self, x: Tensor, y: Tensor | None, training: bool) -> Tensor:
        ops = keras.ops
        if not self.config.classes:
            return ops.full((ops.shape(x)[0],), -1, dtype="int32")
        if y is None:
            if training:
                raise AEZooError(
                    "n_classes needs labels: call fit(x, y) with -1 for rows without one; to find classes without "
                    "labels, build with n_clusters."
                )
            return ops.full((ops.shape(x)[0],), -1, dtype="int32")
        return ops.cast(ops.reshape(y, (-1,)), "int32")

    def _prior_sample(self, labels: Tensor) -> Tensor:
        """Returns samples of the prior `(batch, code)`: from the mode that a label names, or from a random one."""
        ops = keras.ops
        modes = noise.integers(ops.shape(labels), MODES, self.draws)
        if self.config.labels == "condition":
            modes = ops.where(labels < 0, modes, labels)
        return PRIORS[self.config.prior](modes, self.config.code, self.draws)

    def _watch(self, style: Tensor, sample: Tensor) -> None:
        """Updates the metrics that say whether the codes are where they should be; a game's own losses say little."""
        ops = keras.ops
        # One row has no spread to compare, as the last batch of a plain `fit` may be.
        enough = ops.shape(style)[0] > 1
        paired = self.config.labels == "condition"  # a code and its sample have the same label
        self._mmd.update_state(ops.where(enough, mmd(style[:512], sample[:512], paired=paired), 0.0))
        self._center.update_state(ops.max(ops.abs(ops.mean(style, axis=0))))
        self._spread.update_state(ops.mean(ops.std(style, axis=0)))
