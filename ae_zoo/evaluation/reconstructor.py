"""What autoencoders and PCA have in common: all that a detector, a density, a path or an export needs."""

import os
import pathlib
from typing import Protocol, runtime_checkable

from ae_zoo.autoencoder import Autoencoder, Unit
from ae_zoo.endpoints import Endpoints
from ae_zoo.errors import AEZooError
from ae_zoo.schemas import Schema
from ae_zoo.typing import Array, Rows


@runtime_checkable
class Servable(Protocol):
    """What can be exported: a model, a PCA or a detector."""

    @property
    def family(self) -> str:
        """The name of its family."""

    @property
    def threshold(self) -> float | None:
        """A detector's threshold."""

    def endpoints(self) -> Endpoints:
        """Returns what it can do, by name."""

    def to_model(self) -> Autoencoder:
        """Returns the autoencoder that is the same map."""

    def members(self) -> tuple[Autoencoder, ...]:
        """The autoencoders whose weights an export keeps, the first of `to_model`."""

    def keep(self, folder: pathlib.Path) -> None:
        """Writes into a folder what an export keeps besides the weights."""


@runtime_checkable
class Reconstructor(Servable, Protocol):
    """A model that has codes for rows, and rows for codes."""

    @property
    def suffix(self) -> str:
        """The suffix of its files."""

    @property
    def schema(self) -> Schema:
        """What a row is."""

    @property
    def has_learned(self) -> bool:
        """Whether it has seen training rows."""

    def shares(self, error: Array) -> Array:
        """Returns each feature's share of its row's error."""

    def encode(self, x: Rows, layer: str | None = None) -> Array:
        """Returns codes `(n, code)` of rows `(n, *input_shape)`."""

    def decode(self, code: Rows, *, draw: bool = False, seed: int | None = None) -> Array:
        """Returns rows `(n, *input_shape)`, in the data's units, of codes `(n, code)`: the means, or draws."""

    def reconstruct(self, x: Rows) -> Array:
        """Returns reconstructions of rows, in the data's units."""

    def reconstruction_error(self, x: Rows, per_feature: bool = False, *, unit: Unit = "squared") -> Array:
        """Returns the error of each row `(n,)`, or of each feature `(n, *input_shape)`: squared, or the model's own loss."""

    def check_rows(self, x: Rows, name: str = "x", *, learn: bool = False) -> Array:
        """Returns rows as float32 `(n, *input_shape)`."""

    def check_reconstructs(self) -> None:
        """Raises `AEZooError` if its reconstructions say nothing about the rows."""

    def fresh(self) -> "Reconstructor":
        """Returns one with the same options that has seen no rows."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file."""


def check_model(model: object, what: str) -> None:
    """Raises `AEZooError` if `model` is not a `Reconstructor`; `what` needs one."""
    if isinstance(model, type) or not isinstance(model, Reconstructor):
        raise AEZooError(
            f"{what} needs a model of ae_zoo or a PCA; received a {type(model).__name__}. To read a file, call ae_zoo.load "
            "for a model and ae_zoo.Detector.load for a detector."
        )


def flat_codes(model: Reconstructor, x: Rows) -> tuple[Array, tuple[int, ...]]:
    """Returns the codes of rows as vectors `(n, units)`, and the shape of one code."""
    codes = model.encode(x)
    return codes.reshape(len(codes), -1), codes.shape[1:]
