"""What an output means: its loss against a target, the legal targets, the output's start, and the unit of its loss.

There is one class for each likelihood; the option `loss` names it, in every family. To add one, subclass `Likelihood` and
give it a `name`: the config, the trainer, the bound of `variational`, scoring and export use only the object.

A row's loss is the mean of its features' losses. Bernoulli and Gaussian losses are negative log-likelihoods in nats; the
others are the losses that H2O's autoencoder has besides the squared error.
"""

import abc
import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ae_zoo.options import register
from ae_zoo.typing import Array, Tensor

if TYPE_CHECKING:
    import keras

    from ae_zoo.config import Config

LEAST_VARIANCE = 1e-6  # of a feature, on the model's scale
LIKELIHOODS: dict[str, "type[Likelihood]"] = {}


class Likelihood(abc.ABC):
    """What an output means.

    Attributes:
        name: the word for it in the option `loss`.
        unit: the unit of a feature's loss.
        is_density: whether the loss is -log p(target | output) in nats, which the variational bound needs.
        legal: the closed interval in which targets must lie, or None for all numbers.
        binary: whether a target is a zero or a one, or the probability of a one.
        activations: the activations of an output that it has a meaning for, or None for all.
        OPTIONS: the options of a config that are its parameters.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    is_density: ClassVar[bool] = False
    legal: ClassVar[tuple[float, float] | None] = None
    binary: ClassVar[bool] = False
    activations: ClassVar[tuple[str, ...] | None] = None
    OPTIONS: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        register(LIKELIHOODS, "name", cls)

    @classmethod
    def of(cls, config: "Config") -> Self:
        """Returns the likelihood with its parameters from a config."""
        return cls()

    def build(self, model: "keras.Model", shape: tuple[int, ...] = ()) -> None:  # noqa: B027 - most learn nothing
        """Adds the weights to a model that are learned besides the networks; here none.

        Args:
            model: whose loss it is.
            shape: of such a weight: `()` for one number for all features, or the features' own shape.
        """

    @abc.abstractmethod
    def loss(self, target: Tensor, output: Tensor) -> Tensor:
        """Returns the loss of each feature; all three are `(batch, *features)`, on the model's scale."""

    def row_loss(self, target: Tensor, output: Tensor) -> Tensor:
        """Returns the loss of each row, `(batch,)`."""
        return self.of_row(self.loss(target, output))

    def of_row(self, loss: Tensor) -> Tensor:
        """Returns the loss of each row, `(batch,)`, from those of its features: here their mean."""
        import keras

        return keras.ops.mean(loss, axis=tuple(range(1, len(loss.shape))))

    def mean(self, output: Tensor) -> Tensor:
        """Returns the expected target for an output, both on the model's scale; here the output itself."""
        return output

    def draw(self, output: Tensor, uniform: Tensor) -> Tensor:
        """Returns a target drawn from the distribution that an output means; here the mean, for a loss that means none.

        Args:
            output: `(batch, *features)`.
            uniform: random numbers in [0, 1) of the targets' shape, one for each. Equal numbers give equal targets, because
                each is that quantile of its distribution.
        """
        return self.mean(output)

    def error(self, target: Tensor, output: Tensor) -> Tensor:
        """Returns the error of each feature in a unit that all likelihoods share: here the squared error of the mean."""
        import keras

        return keras.ops.square(target - self.mean(output))

    def start(self, x: Array) -> Array:
        """Returns the best constant output `(*features)` for training rows `(n, *features)`: here their mean."""
        return x.mean(axis=0, dtype="float64").astype("float32")


class Squared(Likelihood):
    """(target - output)^2. The output is the target's mean."""

    name = "mse"
    unit = "squared error"

    def loss(self, target: Tensor, output: Tensor) -> Tensor:
        import keras

        return keras.ops.square(target - output)


class Bernoulli(Likelihood):
    """-log p of a target in [0, 1], where a 1 has the probability `output`, in nats.

    For targets between 0 and 1 the least loss is not zero but the target's own entropy.
    """

    name = "bce"
    unit = "nats"
    is_density = True
    legal = (0.0, 1.0)
    binary = True
    activations = ("sigmoid",)

    def loss(self, target: Tensor, output: Tensor) -> Tensor:
        import keras

        ops = keras.ops
        p = ops.clip(output, 1e-7, 1 - 1e-7)
        return -(target * ops.log(p) + (1 - target) * ops.log(1 - p))

    def draw(self, output: Tensor, uniform: Tensor) -> Tensor:
        """Returns zeros and ones."""
        import keras

        return keras.ops.cast(uniform < output, output.dtype)


class Gaussian(Likelihood):
    """-log of a normal density with the mean `output`, in nats. Its variance is given, or learned.

    Args:
        variance: the variance on the model's scale; None to learn it (the option `output_variance`).
    """

    name = "gaussian"
    unit = "nats"
    OPTIONS = ("output_variance",)
    is_density = True

    def __init__(self, variance: float | None = None) -> None:
        self.variance = variance

    @classmethod
    def of(cls, config: "Config") -> Self:
        return cls(config.output_variance)

    def build(self, model: "keras.Model", shape: tuple[int, ...] = ()) -> None:
        if self.variance is None:
            self.learned = model.add_weight(shape=shape, initializer="zeros", name="log_output_variance")

    def log_variance(self) -> Tensor:
        """Returns the logarithm of the variance: a number, or a tensor if it is learned."""
        import keras

        if self.variance is not None:
            return math.log(self.variance)
        # Features that are reconstructed exactly would drive it to minus infinity. The bound is smooth, so that it keeps a
        # gradient there.
        return keras.ops.logaddexp(self.learned, math.log(LEAST_VARIANCE))

    def loss(self, target: Tensor, output: Tensor) -> Tensor:
        import keras

        log_variance = self.log_variance()
        square = keras.ops.square(target - output)
        return (square * keras.ops.exp(-log_variance) + log_variance + math.log(2 * math.pi)) / 2

    def draw(self, output: Tensor, uniform: Tensor) -> Tensor:
        import keras

        ops = keras.ops
        edge = 1 - 1e-7  # 5.3 standard deviations; the normal quantile of 0 is infinite
        standard = math.sqrt(2) * ops.erfinv(ops.clip(2 * uniform - 1, -edge, edge))
        return output + ops.exp(ops.convert_to_tensor(self.log_variance()) / 2) * standard


class Absolute(Likelihood):
    """|target - output|. The output is the target's median, which a few gross errors do not change."""

    name = "absolute"
    unit = "absolute error"

    def loss(self, target: Tensor, output: Tensor) -> Tensor:
        import keras

        return keras.ops.abs(target - output)

    def start(self, x: Array) -> Array:
        return np.median(x, axis=0).astype("float32")


class Huber(Likelihood):
    """d^2 / 2 for differences up to delta, and delta * (|d| - delta / 2) above (Huber 1964), so gradients are bounded.

    Args:
        delta: the difference on the model's scale (the option `huber_delta`).
    """

    name = "huber"
    unit = "Huber loss"
    OPTIONS = ("huber_delta",)

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta

    @classmethod
    def of(cls, config: "Config") -> Self:
        return cls(config.huber_delta)

    def loss(self, target: Tensor, output: Tensor) -> Tensor:
        import keras

        size = keras.ops.abs(target - output)
        near = keras.ops.minimum(size, self.delta)
        return near * (size - near / 2)


class Quantile(Likelihood):
    """alpha * d for targets above the output, (alpha - 1) * d for those below: the output is the target's alpha-quantile.

    Args:
        alpha: in (0, 1) (the option `quantile_alpha`); 0.5 is half of the absolute error (Koenker and Bassett 1978).
    """

    name = "quantile"
    unit = "quantile loss"
    OPTIONS = ("quantile_alpha",)

    def __init__(self, alpha: float = 0.5) -> None:
        self.alpha = alpha

    @classmethod
    def of(cls, config: "Config") -> Self:
        return cls(config.quantile_alpha)

    def loss(self, target: Tensor, output: Tensor) -> Tensor:
        import keras

        difference = target - output
        return keras.ops.maximum(self.alpha * difference, (self.alpha - 1) * difference)

    def start(self, x: Array) -> Array:
        return np.quantile(x, self.alpha, axis=0).astype("float32")
