"""Adversarial: a discriminator makes the codes follow a prior, of which only samples are needed.

Loss: reconstruction + discriminator + generator (+ classification) (+ distance), where with D the discriminator's logit

    discriminator = softplus(-D(prior sample)) + softplus(D(code)), which moves the discriminator alone
    generator     = adversarial_weight * softplus(-D(code)), which moves the encoder alone

in nats; 2 log 2 = 1.386 is a discriminator that cannot tell the two apart. The gradients are kept apart by stopping them,
so one optimizer trains all networks in Keras's own step, without turns.

With `n_classes` the code is a style and a class: the class head has a game of its own, against one-hot samples (the
discriminators' losses are averaged, the encoder's summed), and learns from the rows that have a label (`fit(x, y)`, -1 for
none). `n_clusters` is the same without labels. With `heads="sum"` each class is a point in code space that its rows are
scattered around by their style, and points that are closer than `heads_distance` are pushed apart.

Sources: Makhzani et al. 2015, sections 2 (priors), 2.3 (labels choose the prior's mode), 5 (semi-supervised), 6
(clusters), 7 (dimension reduction); Goodfellow et al. 2014, section 3 (the encoder's loss).
"""

import dataclasses
import math
from typing import Any, ClassVar

import keras
import numpy as np

from ae_zoo import checks, networks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.config import DEEP, Config, option
from ae_zoo.errors import AEZooError
from ae_zoo.families.adversarial.game import discriminator, game
from ae_zoo.families.adversarial.priors import MODES, PRIORS, mmd
from ae_zoo.layers import noise
from ae_zoo.recipe import Recipe

EQUAL = 2 * math.log(2)  # nats that a discriminator pays that cannot tell codes from the prior


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdversarialConfig(Config):
    """Options of `Adversarial`."""

    code: int = option(8, help="width of the code, without the classes", low=1, search=(2, 32))
    hidden: tuple[int, ...] = option(
        (500, 500),
        help="widths of the encoder's hidden layers; mirrored",
        low=1,
        search=DEEP,
    )
    activation: str = option(
        "relu",
        help="activation of the hidden layers",
        choices=("relu", "leaky_relu", "elu", "selu", "tanh", "silu", "gelu"),
        search=["relu", "leaky_relu", "silu"],
    )
    prior: str = option("gaussian", help="what the codes are to follow", choices=tuple(PRIORS))
    discriminator: tuple[int, ...] = option((256, 256), help="widths of a discriminator's hidden layers", low=1)
    adversarial_weight: float = option(
        0.01, help="weight of the encoder's part in the game", low=0, search=(0.003, 0.1)
    )
    n_classes: int | None = option(None, help="classes that labels name; the semi-supervised network", low=2)
    n_clusters: int | None = option(None, help="classes to find without labels", low=2)
    labels: str = option(
        "classify",
        help="what labels do: train a class head, or choose the prior's mode",
        choices=("classify", "condition"),
    )
    heads: str = option(
        "concat", help="class and style: side by side in the code, or summed", choices=("concat", "sum")
    )
    classification_weight: float = option(0.05, help="weight of the labelled rows' cross-entropy", low=0)
    heads_distance: float = option(4.0, help="heads=sum: how far apart the classes' points are to be", low=0)

    def check(self) -> None:
        if self.sparsity is not None:
            raise AEZooError("A code that follows a prior has no bounds, which sparsity (KL) needs: give l1 instead.")
        super().check()
        if self.code_activation != "linear":
            raise AEZooError(
                "The code of an adversarial autoencoder follows a prior without bounds: leave code_activation linear; "
                f"received {self.code_activation!r}."
            )
        if self.prior != "gaussian" and self.code != 2:
            raise AEZooError(f"prior={self.prior!r} lies in two dimensions: give code=2; received {self.code}.")
        if self.n_classes and self.n_clusters:
            raise AEZooError("n_classes are named by labels and n_clusters are found without; give one of them.")
        if self.labels == "condition":
            if not self.n_classes:
                raise AEZooError("labels='condition' needs to know how many labels there are: give n_classes=10, say.")
            if self.prior == "gaussian" or self.n_classes != MODES:
                raise AEZooError(
                    f"labels='condition' gives each label one of the {MODES} modes of a prior: give prior='mixture' or "
                    f"'swiss_roll' and n_classes={MODES}; received {self.prior!r} and {self.n_classes}."
                )
        if self.tied and self.categories:
            raise AEZooError("tied=True mirrors the layer of the code, and a code with classes is no single layer.")
        if self.heads == "sum" and not self.categories:
            raise AEZooError("heads='sum' adds a class to the style: give n_classes or n_clusters.")

    @property
    def categories(self) -> int:
        """Width of the class head; 0 for none."""
        return 0 if self.labels == "condition" else self.n_classes or self.n_clusters or 0


@keras.saving.register_keras_serializable("ae_zoo")
class Adversarial(Autoencoder):
    """Codes that follow a prior of your choice, by a discriminator; classes from few labels, or clusters from none."""

    Config = AdversarialConfig
    PAPER = "Makhzani et al. 2015"
    GOOD_FOR = "codes of a shape of your choice, classes from few labels"
    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-3, beta_1=0.5, monitor=None, rows_shown=1_500_000)

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        config, layer = self.config, self.encoder.get_layer
        heads = {"style": layer("style" if config.categories else "code").output}
        if config.categories:
            heads |= {"logits": layer("class_logits").output, "code": self.encoder.output}
        self.heads = keras.Model(self.encoder.input, heads, name="heads")
        # Conditioned on labels, it sees which mode a code should be of; one place more is for "no label".
        seen = config.code + (config.n_classes + 1 if config.labels == "condition" else 0)
        self.discriminator = discriminator(seen, config.discriminator, "style")
        self.class_discriminator = (
            discriminator(config.categories, config.discriminator, "class") if config.categories else None
        )
        self.draws = keras.random.SeedGenerator()
        self._mmd = keras.metrics.Mean("mmd")
        games = ("style_game", "class_game", "class_entropy") if config.categories else ("style_game",)
        self._games = [keras.metrics.Mean(game) for game in games]
        self._spread = keras.metrics.Mean("code_std")
        self._centre = keras.metrics.Mean("code_mean")

    @classmethod
    def make_encoder(cls, config: AdversarialConfig) -> keras.Model:
        if not config.categories:
            return networks.encoder(config)
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
        supervised = self.config.n_classes and self.config.labels == "classify"
        return (
            "reconstruction",
            "discriminator",
            "generator",
            *(("classification",) if supervised else ()),
            *(("distance",) if self.config.heads == "sum" else ()),
        )

    @property
    def takes_labels(self) -> bool:
        """Whether the model has classes that labels name."""
        return self.config.n_classes is not None

    @property
    def networks(self) -> tuple[keras.Model, ...]:
        return tuple(filter(None, (self.encoder, self.decoder, self.discriminator, self.class_discriminator)))

    @property
    def lasting_weights(self) -> dict[str, keras.Variable]:
        passing = {weight.path for network in self.networks[2:] for weight in network.weights}
        return {name: weight for name, weight in super().lasting_weights.items() if weight.path not in passing}

    def loss_parts(self, x: Any, y: Any, y_pred: Any, training: bool) -> dict[str, Any]:
        ops, config = keras.ops, self.config
        labels = self._labels(x, y, training)  # (batch,), -1 for none
        heads = self.heads(x, training=training)
        style = ops.cast(heads["style"], "float32")  # (batch, code)
        reconstruction = self.decoder(heads.get("code", heads["style"]), training=training)
        sample = self._prior_sample(labels)  # (batch, code)
        if config.labels == "condition":  # code and label together: the right cloud for the wrong label is no match
            label = ops.one_hot(ops.where(labels < 0, config.n_classes, labels), config.n_classes + 1)
            style, sample = (ops.concatenate([part, label], axis=1) for part in (style, sample))
        games = [game(self.discriminator, style, sample)]
        watched = [games[0][0]]
        parts = {"reconstruction": self.row_loss(self.target(x, y), reconstruction)}
        if config.categories:
            logits = ops.cast(heads["logits"], "float32")  # (batch, classes)
            drawn = noise.integers((ops.shape(x)[0],), config.categories, self.draws)  # (batch,)
            classes = ops.softmax(logits)
            games.append(game(self.class_discriminator, classes, ops.one_hot(drawn, config.categories)))
            used = ops.mean(classes, axis=0)  # (classes,)
            watched += [games[1][0], -ops.sum(used * ops.log(used + 1e-12))]
        parts["discriminator"] = sum(first for first, _ in games) / len(games)
        parts["generator"] = config.adversarial_weight * sum(second for _, second in games)
        self._watch(style, sample, watched)
        if config.n_classes:  # a label that is none stops the training; `ae_zoo.fit` refuses it before
            parts["reconstruction"] += ops.where(labels >= config.n_classes, math.nan, 0.0)
        if config.heads == "sum":
            parts["distance"] = ops.broadcast_to(self._crowding(), ops.shape(labels))
        if "classification" in self.PARTS:
            known = ops.cast(labels >= 0, "float32")
            right = ops.one_hot(ops.maximum(labels, 0), config.n_classes)
            entropy = -ops.sum(right * ops.log_softmax(logits), axis=1)  # (batch,) nats
            # A mean over the rows that have a label, however few the batch holds.
            share = ops.maximum(ops.mean(known), 1e-6)
            parts["classification"] = config.classification_weight * entropy * known / share
        return parts

    def target(self, x: Any, y: Any) -> Any:
        return super().target(x, None if self.takes_labels else y)

    def check_y(self, y: Any, x: np.ndarray) -> np.ndarray:
        if not self.takes_labels:
            return super().check_y(y, x)
        return checks.as_many(checks.labels(y, self.config.n_classes), x)

    def diagnose(self, history: dict[str, list[float]]) -> list[str]:
        last = {name: values[-1] for name, values in history.items()}
        apart = f"the codes' squared mean discrepancy from the prior is {last['mmd']:.3f} (0 is a match)"
        found = []
        for name in ("style_game", "class_game"):
            if last.get(name, EQUAL) < EQUAL / 4:
                found.append(
                    f"The discriminator of the {name.replace('_', ' ')} tells codes from the prior almost surely "
                    f"({last[name]:.2f} nats, {EQUAL:.2f} at a draw), so the encoder learns nothing from it; {apart}: try a "
                    "lower learning_rate or a higher adversarial_weight."
                )
        if not last["mmd"] <= 0.05 and not found:  # a NaN is no match either
            if last["style_game"] > 0.98 * EQUAL:
                found.append(
                    f"The discriminator is dead: it cannot tell codes from the prior, but {apart}: try a lower "
                    "learning_rate or a wider discriminator."
                )
            else:
                found.append(f"The codes do not follow the prior: {apart}: train longer, or raise adversarial_weight.")
        if self.config.categories:
            even = math.log(self.config.categories)
            if not last["class_entropy"] >= even / 2:
                found.append(
                    f"Few classes are used: their shares have an entropy of {last['class_entropy']:.2f} nats, even ones "
                    f"{even:.2f}: raise adversarial_weight."
                )
        return found

    def classify(self, x: Any, *, batch_size: int = 1024) -> np.ndarray:
        """The likeliest class, or cluster, of rows `(n, *input_shape)`: whole numbers `(n,)`.

        Raises:
            ValueError: the model has no class head.
        """
        return self.class_probabilities(x, batch_size=batch_size).argmax(axis=1)

    def class_probabilities(self, x: Any, *, batch_size: int = 1024) -> np.ndarray:
        """The probability of each class, or cluster, `(n, classes)`, for rows `(n, *input_shape)`."""
        if not self.config.categories:
            raise AEZooError("This model has no class head: build it with n_classes=10, say, or n_clusters.")
        return self.encode(x, "classes", batch_size=batch_size)

    def generate(self, n: int, *, label: int | None = None, seed: int | None = None) -> np.ndarray:
        """New rows `(n, *input_shape)`, in the data's units, from codes drawn from the prior.

        Args:
            n: how many.
            label: their class, cluster or mode of the prior; drawn where not given.
            seed: equal seeds give equal rows.
        """
        return self.decode(self.sample(n, label=label, seed=seed))

    def sample(self, n: int, *, label: int | None = None, seed: int | None = None) -> np.ndarray:
        """Codes from the prior, with their class where the model has classes; arguments as of `generate`."""
        config, random = self.config, np.random.default_rng(seed)
        n, kinds = checks.count("n", n), config.categories or MODES
        if label is not None and not config.categories and config.prior == "gaussian":
            raise AEZooError(
                "This model has neither classes nor a prior with modes that a label could name; leave it out."
            )
        if label is not None and not 0 <= label < kinds:
            raise AEZooError(f"label must be from 0 to {kinds - 1}; received {label!r}.")
        labels = np.full(n, label) if label is not None else random.integers(kinds, size=n)
        generator = keras.random.SeedGenerator(int(random.integers(2**31)))
        modes = random.integers(MODES, size=n) if config.categories else labels
        code = PRIORS[config.prior](modes.astype("int32"), config.code, generator)
        if config.categories:
            code = self._with_class(code, np.eye(kinds, dtype="float32")[labels])
        return keras.ops.convert_to_numpy(code)

    def drawn_codes(self, n: int, seed: Any) -> Any:
        """Codes `(n, code)` from the prior, each with its class, as a tensor; `seed` is a `keras.random.SeedGenerator`."""
        config = self.config
        code = PRIORS[config.prior](noise.integers((n,), MODES, seed), config.code, seed)
        if not config.categories:
            return code
        return self._with_class(
            code, keras.ops.one_hot(noise.integers((n,), config.categories, seed), config.categories)
        )

    def _with_class(self, style: Any, classes: Any) -> Any:
        """The decoder's codes of styles `(batch, code)` and one-hot classes `(batch, classes)`."""
        ops = keras.ops
        if self.config.heads == "sum":
            return style + ops.matmul(classes, self.get_layer("class_points").kernel)
        return ops.concatenate([style, classes], axis=1)

    def _labels(self, x: Any, y: Any, training: bool) -> Any:
        ops = keras.ops
        if not self.config.n_classes:
            return ops.full((ops.shape(x)[0],), -1, dtype="int32")
        if y is None:
            if training:
                raise AEZooError(
                    "n_classes needs labels: call fit(x, y) with -1 for rows without one; to find classes without "
                    "labels, build with n_clusters."
                )
            return ops.full((ops.shape(x)[0],), -1, dtype="int32")
        return ops.cast(ops.reshape(y, (-1,)), "int32")

    def _prior_sample(self, labels: Any) -> Any:
        """Draws of the prior `(batch, code)`: of the mode that a label names, of any where there is none to go by."""
        ops = keras.ops
        modes = noise.integers(ops.shape(labels), MODES, self.draws)
        if self.config.labels == "condition":
            modes = ops.where(labels < 0, modes, labels)
        return PRIORS[self.config.prior](modes, self.config.code, self.draws)

    def _crowding(self) -> Any:
        """By how much the points of the classes are too close to each other, a mean over pairs, a scalar."""
        ops, n = keras.ops, self.config.categories
        points = ops.cast(self.get_layer("class_points").kernel, "float32")  # (classes, code)
        square = ops.sum(ops.square(points[:, None] - points[None]), axis=-1)  # (classes, classes)
        apart = ops.sqrt(square + ops.eye(n))  # the root of a point's distance to itself has no gradient
        missing = ops.maximum(self.config.heads_distance - apart, 0.0) * (1 - ops.eye(n))
        return ops.sum(missing) / (n * (n - 1))

    def _watch(self, style: Any, sample: Any, games: list[Any]) -> None:
        """Accuracies of a game say little; these say whether the codes are where they should be."""
        ops = keras.ops
        for metric, value in zip(self._games, games, strict=True):
            metric.update_state(value)
        # One row has no spread to compare, as the last batch of a plain `fit` may be.
        enough = ops.shape(style)[0] > 1
        self._mmd.update_state(ops.where(enough, mmd(style[:512], sample[:512]), 0.0))
        style = style[:, : self.config.code]
        self._centre.update_state(ops.max(ops.abs(ops.mean(style, axis=0))))
        self._spread.update_state(ops.mean(ops.std(style, axis=0)))
