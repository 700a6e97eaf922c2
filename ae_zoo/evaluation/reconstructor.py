"""What an autoencoder and PCA have in common, which is all that a detector, a density or an export asks of either."""

import os
from typing import Any, Protocol

import numpy as np

from ae_zoo.endpoints import Endpoints
from ae_zoo.schemas import Schema


class Reconstructor(Protocol):
    """Something that has codes of rows, and rows of codes."""

    @property
    def family(self) -> str:
        """Its name."""

    @property
    def suffix(self) -> str:
        """Of its file's name."""

    @property
    def schema(self) -> Schema:
        """What a row is."""

    @property
    def has_learned(self) -> bool:
        """Whether it has seen training rows."""

    def encode(self, x: Any, layer: str | None = None) -> np.ndarray:
        """Codes `(n, code)` of rows."""

    def decode(self, code: Any) -> np.ndarray:
        """Rows of codes, in the data's units."""

    def reconstruct(self, x: Any) -> np.ndarray:
        """Rows as they come back."""

    def reconstruction_error(self, x: Any, per_feature: bool = False) -> np.ndarray:
        """How far rows are from their reconstructions."""

    def check_rows(self, x: Any, name: str = "x", *, learn: bool = False) -> np.ndarray:
        """Rows, coded."""

    def check_reconstructs(self) -> None:
        """Raises `AEZooError` where reconstructions say nothing of the rows."""

    def endpoints(self) -> Endpoints:
        """What it can do."""

    def fresh(self) -> Any:
        """One of the same options that has seen no rows."""

    def to_model(self) -> Any:
        """The autoencoder that it is."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file."""
