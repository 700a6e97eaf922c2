"""What makes a row strange: its reconstruction error alone, or with how far it is from the training rows.

A network may reconstruct rows that are far from all training rows, because its decoder happens to extend to them (Bouman and
Heskes 2025, arXiv 2501.13864). So `Combined` asks two more questions, whether the code is usual and whether the row is. Each
answer is turned into how surprising it is among held-out rows, in nats, and a row's score is the mean over questions and
networks: Fisher's statistic (1925, section 21.1), whose own distribution is again taken from held-out rows.
"""

import abc
import functools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, get_args

import numpy as np

from ae_zoo._support import checks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.detection.neighbors import Neighbors
from ae_zoo.detection.row_error import are_images, emphasis_of, error_of, flat
from ae_zoo.detection.surprise import knots_of, surprise
from ae_zoo.errors import AEZooError
from ae_zoo.evaluation.reconstructor import Reconstructor
from ae_zoo.networks.inference import Views, in_batches
from ae_zoo.typing import Array, Rows, Tensor

if TYPE_CHECKING:
    import keras

Part: TypeAlias = Literal["reconstruction", "code", "row"]
PARTS: tuple[str, ...] = get_args(Part)
K = 5  # nearest neighbors
BANK, NUMBERS = 5000, 2**22  # stored rows at most, and numbers that they may have in all
RIDGE, RIDGE_OF_IMAGES = 0.01, 1.0  # of the mean variance of the codes, added to that of each direction


class Score(abc.ABC):
    """A measure of rows; higher is stranger.

    Attributes:
        models: the models that it asks.
        names: what it asks, `(parts,)`.
        unit: of the score.
        top: the number of errors of a row that count, the largest; None for all.
    """

    models: tuple[Reconstructor, ...]
    names: tuple[str, ...]
    unit: str
    top: int | None

    @property
    @abc.abstractmethod
    def networks(self) -> tuple[Autoencoder, ...]:
        """The models as autoencoders, always the same ones."""

    @abc.abstractmethod
    def of(self, x: Rows) -> Array:
        """Returns the scores of rows `(n,)`; NaN for a row of which nothing is known."""

    @abc.abstractmethod
    def parts(self, x: Rows) -> Array:
        """Returns what the score is the mean of, for each row, `(n, parts)`."""

    @abc.abstractmethod
    def like(self, models: Sequence[Reconstructor], x_train: Array, seed: int) -> "Score":
        """Returns the same measure by other models of the same configurations, and their training rows."""

    @abc.abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Returns what a file keeps besides the models: plain values, and arrays by name."""

    @abc.abstractmethod
    def of_tensor(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the scores `(batch,)` and their parts `(batch, parts)` of coded rows."""


class Error(Score):
    """The reconstruction error of one model.

    Args:
        model: a trained model or a fitted PCA.
        top: the mean of this number of the largest errors of the row's numbers, for one broken sensor among many; None for
            the mean of all.
    """

    names = ("reconstruction",)
    unit = "mean squared error"

    def __init__(self, model: Reconstructor, top: int | None = None) -> None:
        self.models = (model,)
        self.top = None if top is None else checks.count("top", top)

    @functools.cached_property
    def networks(self) -> tuple[Autoencoder, ...]:
        return (self.models[0].to_model(),)

    def of(self, x: Rows) -> Array:
        (model,) = self.models
        if self.top is None:
            return model.reconstruction_error(x)
        error = np.nan_to_num(model.reconstruction_error(x, per_feature=True), nan=0.0)
        numbers = flat(error)
        top = min(self.top, numbers.shape[1])
        found = np.partition(numbers, -top, axis=1)[:, -top:].mean(axis=1)
        return np.where(model.schema.known(model.check_rows(x)), found, np.nan)

    def parts(self, x: Rows) -> Array:
        return self.of(x)[:, None]

    def like(self, models: Sequence[Reconstructor], x_train: Array, seed: int) -> "Error":
        return Error(models[0], self.top)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"top": self.top}, {}

    def of_tensor(self, x: Tensor) -> tuple[Tensor, Tensor]:
        import keras

        score = error_of(self.networks[0], x, self.top)
        return score, keras.ops.expand_dims(score, 1)


class Combined(Score):
    """How surprising a row is to one network or several, in nats: the mean over what is asked of each.

    A column's error counts relative to its mean over held-out rows, so that one that is hard to tell does not own the score.
    The numbers of images are alike, so there it counts as it is.

    Args:
        models: trained models of one schema.
        near: the stored training rows, and codes of each model, by the name of what is asked.
        knots: how surprising a value is among those of held-out rows, by the name of what is asked: see `surprise`.
        emphasis: how much the errors of a row's numbers count, by the name of what is asked, `(numbers,)`.
        top: as for `Error`.
    """

    unit = "nats"

    def __init__(
        self,
        models: Sequence[Autoencoder],
        near: Mapping[str, Neighbors],
        knots: Mapping[str, tuple[Array, Array]],
        emphasis: Mapping[str, Array],
        top: int | None = None,
    ) -> None:
        self.models = self._networks = tuple(models)
        self.names = tuple(knots)
        self.near, self.knots, self.emphasis = dict(near), dict(knots), dict(emphasis)
        parts = [name.partition("_")[0] for name in self.names]
        share = np.array([1 / parts.count(part) for part in parts], "float32")
        self.share = share / share.sum()  # each part counts alike, however many models there are
        self.top = None if top is None else checks.count("top", top)
        self._views = Views(models[0], models[0].config.input_shape)

    @classmethod
    def learn(
        cls,
        models: Sequence[Autoencoder],
        asked: Sequence[str],
        x_train: Array,
        x_held_out: Array,
        *,
        top: int | None = None,
        seed: int = 1,
    ) -> Self:
        """Returns the score for models.

        Args:
            models: trained models of one schema.
            asked: `"reconstruction"` and `"code"`, of each model, and `"row"`, once.
            x_train: the training rows, coded, `(n, *input_shape)`.
            x_held_out: rows that no model was trained on, coded.
            top: as for `Error`.
            seed: of the choice of the rows that are stored.
        """
        for part in asked:
            checks.choice("part", part, PARTS)
            if list(asked).count(part) > 1:
                raise AEZooError(f"parts names {part!r} more than once.")
        names = tuple(
            part if part == "row" or len(models) == 1 else f"{part}_{index}"
            for part in asked
            for index in (range(1) if part == "row" else range(len(models)))
        )
        near = neighbors_of(models, names, x_train, seed)
        blank = {name: (np.zeros(1, "float32"), np.zeros(1, "float32")) for name in names}
        emphasis = {}
        for name in names:
            part, model = _of_name(name, models)
            if part == "reconstruction":
                emphasis[name] = emphasis_of(model, x_held_out)
        values = in_batches(cls(models, near, blank, emphasis, top)._network("values"), x_held_out, 1024)
        knots = {name: knots_of(column) for name, column in zip(names, values.T, strict=True)}
        return cls(models, near, knots, emphasis, top)

    @property
    def networks(self) -> tuple[Autoencoder, ...]:
        return self._networks

    def like(self, models: Sequence[Reconstructor], x_train: Array, seed: int) -> "Combined":
        networks = [model.to_model() for model in models]
        near = neighbors_of(networks, self.names, x_train, seed)
        return Combined(networks, near, self.knots, self.emphasis, self.top)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        arrays = {f"{name}/{key}": value for name, one in self.near.items() for key, value in one.arrays().items()}
        for name, (knots, slopes) in self.knots.items():
            arrays |= {f"{name}/knots": knots, f"{name}/slopes": slopes}
        arrays |= {f"{name}/emphasis": value for name, value in self.emphasis.items()}
        return {
            "top": self.top,
            "parts": list(self.names),
            "members": [_config(model) for model in self._networks],
        }, arrays

    def of(self, x: Rows) -> Array:
        found: Array = self.parts(x) @ self.share
        return found

    def parts(self, x: Rows) -> Array:
        coded = self.models[0].check_rows(x)
        found = in_batches(self._network("surprises"), coded, 1024)
        unknown = ~self.models[0].schema.known(coded)
        return checks.finite_errors(np.where(unknown[:, None], 0, found)) + np.where(unknown, np.nan, 0)[:, None]

    def of_tensor(self, x: Tensor) -> tuple[Tensor, Tensor]:
        import keras

        found = self._surprises(x)
        return keras.ops.sum(found * self.share, axis=1), found

    def _network(self, what: Literal["values", "surprises"]) -> "keras.Model":
        return self._views.of(what, {"values": self._values, "surprises": self._surprises}[what])

    def _surprises(self, x: Tensor) -> Tensor:
        import keras

        values = self._values(x)
        columns = [surprise(values[:, place], *self.knots[name]) for place, name in enumerate(self.names)]
        return keras.ops.stack(columns, axis=1)

    def _values(self, x: Tensor) -> Tensor:
        """Returns the answers `(batch, parts)` to what is asked, 0 or more."""
        import keras

        ops = keras.ops
        codes = [ops.cast(model.encoder(x, training=False), "float32") for model in self._networks]
        columns = []
        for name in self.names:
            part, model = _of_name(name, self._networks)
            code = codes[self._networks.index(model)]
            if part == "reconstruction":
                columns.append(error_of(model, x, self.top, code, self.emphasis[name]))
            else:
                points = code if part == "code" else ops.cast(model.scaling(x), "float32")
                columns.append(self.near[name].distance(ops.reshape(points, (-1, int(np.prod(points.shape[1:]))))))
        return ops.stack(columns, axis=1)


def neighbors_of(
    models: Sequence[Autoencoder], names: Sequence[str], x_train: Array, seed: int
) -> dict[str, Neighbors]:
    """Returns the stored training rows and codes for what is asked, by name."""
    found = {}
    for name in names:
        part, model = _of_name(name, models)
        if part == "code":
            ridge = RIDGE_OF_IMAGES if are_images(model.schema) else RIDGE
            found[name] = Neighbors.of(flat(model.encode(x_train)), K, BANK, seed, ridge)
        if part == "row":
            seen = in_batches(Views(model, model.config.input_shape).of("seen", model.scaling), x_train, 1024)
            size = min(BANK, max(100, NUMBERS // flat(seen).shape[1]))
            found[name] = Neighbors.of(flat(seen), K, size, seed, None)
    return found


def score_of(models: Sequence[Reconstructor], state: Mapping[str, Any], arrays: Mapping[str, Array]) -> Score:
    """Returns the score that a file holds.

    Raises:
        AEZooError: an array is missing, or does not go together with the others.
    """
    top = state.get("top")
    if "parts" not in state:
        return Error(models[0], top)
    near, knots, emphasis = {}, {}, {}
    if not state["parts"] or any(model.schema != models[0].schema for model in models):
        raise AEZooError("Its parts and models do not go together.")
    for name in state["parts"]:
        part = name.partition("_")[0]
        checks.choice("part", part, PARTS)
        pair = arrays[f"{name}/knots"], arrays[f"{name}/slopes"]
        size = (pair[0].size,)
        knots[name] = checks.stored("knots", pair[0], size), checks.stored("slopes", pair[1], size)
        if not pair[0].size or (np.diff(pair[0]) <= 0).any() or (pair[1] < 0).any():
            raise AEZooError(f"The values by which {name} is compared are not sorted.")
        if part == "reconstruction":
            numbers = math.prod(models[0].schema.input_shape)
            emphasis[name] = checks.stored("emphasis", arrays[f"{name}/emphasis"], (numbers,))
            if (emphasis[name] < 0).any():
                raise AEZooError("The weight of an error is negative.")
        else:
            near[name] = Neighbors.read(arrays, f"{name}/")
            points = _points(name, models)
            if len(near[name].center) != points:
                raise AEZooError(f"The stored neighbors of {name} have {len(near[name].center)} numbers, not {points}.")
    return Combined([model.to_model() for model in models], near, knots, emphasis, top)


def _points(name: str, models: Sequence[Reconstructor]) -> int:
    """Returns how many numbers a stored point of a part has."""
    import keras

    part, model = _of_name(name, [one.to_model() for one in models])
    layer = model.encoder if part == "code" else model.scaling
    row = keras.KerasTensor((None, *model.config.input_shape), "float32")
    return math.prod(layer.compute_output_spec(row).shape[1:])


def _config(model: Autoencoder) -> dict[str, Any]:
    return {"family": model.family, "config": model.config.to_dict()}


def _of_name(name: str, models: Sequence[Autoencoder]) -> tuple[str, Autoencoder]:
    """Returns what is asked, and of which model, such as "code" and the third for "code_2"."""
    part, _, index = name.partition("_")
    return part, models[int(index or 0)]
