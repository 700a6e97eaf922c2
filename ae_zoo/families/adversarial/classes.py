"""Adversarial with classes: the code is a style and a class, and each has a game of its own.

Loss: that of `adversarial.py`, and a second game, of the class head against one-hot samples (the loss takes the mean of the
discriminators' losses and the sum of the encoder's), + classification (+ distance). The class head learns from the rows
that have a label (`fit(x, y)`, -1 for none); `n_clusters` is the same without labels. With `heads="sum"` each class is a
point in code space, its rows lie around that point by their style, and points closer than `heads_distance` are pushed apart.

Sources: Makhzani et al. 2015, sections 5 (semi-supervised), 6 (clusters), 7 (dimension reduction).
"""

import math
from typing import Any

import keras
import numpy as np

from ae_zoo import networks
from ae_zoo.endpoints import Arrays, Endpoint, Endpoints, Tensors
from ae_zoo.families.adversarial.adversarial import Adversarial
from ae_zoo.families.adversarial.game import discriminator, game
from ae_zoo.families.adversarial.priors import PRIORS
from ae_zoo.families.configs import MODES, AdversarialConfig
from ae_zoo.layers import noise
from ae_zoo.layers.noise import Seed
from ae_zoo.typing import Array, Rows, Tensor


@keras.saving.register_keras_serializable("ae_zoo")
class AdversarialClasses(Adversarial):
    """Classes from few labels, or clusters from none, and a style that follows a prior."""

    GAMES = ("style_game", "class_game", "class_entropy")
    STYLE = "style"

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        config, layer = self.config, self.encoder.get_layer
        heads = {
            "style": layer("style").output,
            "logits": layer("class_logits").output,
            "code": self.encoder.output,
        }
        self.heads = keras.Model(self.encoder.input, heads, name="heads")
        self.class_discriminator = discriminator(config.categories, config.discriminator, "class")

    @classmethod
    def make_encoder(cls, config: AdversarialConfig) -> keras.Model:  # type: ignore[override]  # its own Config
        x, h = networks.trunk(config)
        h = networks.flat(h)
        style = networks.head(config.code, "linear", "style", networks.code_regularizer(config))(h)  # (batch, code)
        logits = networks.head(config.categories, "linear", "class_logits")(h)  # (batch, classes)
        classes = keras.layers.Softmax(name="classes", dtype="float32")(logits)
        if config.heads == "sum":
            point = keras.layers.Dense(config.code, use_bias=False, name="class_points")(classes)  # (batch, code)
            code = keras.layers.Add(name="code")([style, point])
        else:
            code = keras.layers.Concatenate(name="code")([style, classes])  # (batch, code + classes)
        return keras.Model(x, code, name="encoder")

    @property
    def PARTS(self) -> tuple[str, ...]:
        return (
            *super().PARTS,
            *(("classification",) if self.config.classes else ()),
            *(("distance",) if self.config.heads == "sum" else ()),
        )

    @property
    def networks(self) -> tuple[keras.Model, ...]:
        return *super().networks, self.class_discriminator

    @property
    def kinds(self) -> int:
        return self.config.categories

    def endpoints(self) -> Endpoints:
        classes = keras.Model(self.encoder.input, self.get_layer("classes").output)

        def verb(x: Array) -> Arrays:
            return {"class": self.classify(x).astype("int32"), "probabilities": self.class_probabilities(x)}

        return {
            **super().endpoints(),
            "classify": Endpoint(
                input="x",
                shape=self.config.input_shape,
                verb=verb,
                function=lambda x: _likeliest(classes(x, training=False)),
                about="the most likely class, and the probability of each",
            ),
        }

    def loss_parts(self, x: Tensor, y: Tensor | None, y_pred: Tensor, training: bool) -> dict[str, Tensor]:
        ops, config = keras.ops, self.config
        labels = self._labels(x, y, training)  # (batch,), -1 for none
        heads = self.heads(x, training=training)
        reconstruction = self.decoder(heads["code"], training=training)
        style_game = self._style_game(ops.cast(heads["style"], "float32"), labels)
        logits = ops.cast(heads["logits"], "float32")  # (batch, classes)
        parts = {
            "reconstruction": self._row_loss_of(x, y, reconstruction, labels),
            **self._played([style_game, self._class_game(ops.softmax(logits))]),
        }
        if config.heads == "sum":
            parts["distance"] = ops.broadcast_to(self._crowding(), ops.shape(labels))
        if config.classes:
            known = ops.cast(labels >= 0, "float32")
            right = ops.one_hot(ops.maximum(labels, 0), config.classes)
            entropy = -ops.sum(right * ops.log_softmax(logits), axis=1)  # (batch,) nats
            # A mean over the rows that have a label, even if the batch holds only a few.
            share = ops.maximum(ops.mean(known), 1e-6)
            parts["classification"] = config.classification_weight * entropy * known / share
        return parts

    def diagnose(self, history: dict[str, list[float]]) -> list[str]:
        found, even = super().diagnose(history), math.log(self.config.categories)
        entropy = history["class_entropy"][-1]
        if not entropy >= even / 2:
            found.append(
                f"Few classes are used: their shares have an entropy of {entropy:.2f} nats; equal shares would have "
                f"{even:.2f}: raise adversarial_weight."
            )
        return found

    def classify(self, x: Rows, *, batch_size: int = 1024) -> Array:
        """Returns the most likely class, or cluster, of rows `(n, *input_shape)`: whole numbers `(n,)`."""
        return self.class_probabilities(x, batch_size=batch_size).argmax(axis=1)

    def class_probabilities(self, x: Rows, *, batch_size: int = 1024) -> Array:
        """Returns the probability of each class, or cluster, `(n, classes)`, for rows `(n, *input_shape)`."""
        return self.encode(x, "classes", batch_size=batch_size)

    def drawn_codes(self, n: int, seed: Seed) -> Tensor:
        style, kinds = super().drawn_codes(n, seed), self.config.categories
        return self._with_class(style, keras.ops.one_hot(noise.integers((n,), kinds, seed), kinds))

    def _codes_of(self, labels: Array, random: np.random.Generator, generator: Seed) -> Tensor:
        modes = random.integers(MODES, size=len(labels)).astype("int32")
        style = PRIORS[self.config.prior](modes, self.config.code, generator)
        return self._with_class(style, np.eye(self.kinds, dtype="float32")[labels])

    def _class_game(self, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the losses of the class head's two players, each `(batch,)`, for probabilities `(batch, classes)`."""
        ops, kinds = keras.ops, self.config.categories
        drawn = noise.integers((ops.shape(classes)[0],), kinds, self.draws)  # (batch,)
        played = game(self.class_discriminator, classes, ops.one_hot(drawn, kinds))
        used = ops.mean(classes, axis=0)  # (classes,)
        self._games[1].update_state(played[0])
        self._games[2].update_state(-ops.sum(used * ops.log(used + 1e-12)))
        return played

    def _with_class(self, style: Tensor, classes: Tensor) -> Tensor:
        """Returns the decoder's codes for styles `(batch, code)` and one-hot classes `(batch, classes)`."""
        ops = keras.ops
        if self.config.heads == "sum":
            return style + ops.matmul(classes, self.get_layer("class_points").kernel)
        return ops.concatenate([style, classes], axis=1)

    def _crowding(self) -> Tensor:
        """Returns by how much the points of the classes are too close to each other: a mean over pairs, a scalar."""
        ops, n = keras.ops, self.config.categories
        points = ops.cast(self.get_layer("class_points").kernel, "float32")  # (classes, code)
        square = ops.sum(ops.square(points[:, None] - points[None]), axis=-1)  # (classes, classes)
        apart = ops.sqrt(square + ops.eye(n))  # the root of a point's distance to itself has no gradient
        missing = ops.maximum(self.config.heads_distance - apart, 0.0) * (1 - ops.eye(n))
        return ops.sum(missing) / (n * (n - 1))


def _likeliest(probabilities: Tensor) -> Tensors:
    """Returns the first of the largest, without Keras's argmax, whose operations on bits some formats do not have."""
    ops, kinds = keras.ops, probabilities.shape[-1]
    largest = probabilities >= ops.max(probabilities, axis=-1, keepdims=True)
    places = ops.where(largest, ops.arange(kinds, dtype="int32"), kinds)
    return {"class": ops.min(places, axis=-1), "probabilities": probabilities}
