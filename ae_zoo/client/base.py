"""What both transports share: the verbs, the checks before sending, and the batches."""

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError, LateError, UnreachableError, unknown
from ae_zoo.frames import numeric
from ae_zoo.schemas import ArraySchema

Arrays = dict[str, np.ndarray]


class Client:
    """A served model's verbs. See `connect`."""

    def __init__(
        self,
        address: str,
        model: str,
        version: int | None,
        label: str | None,
        timeout: float,
        retries: int,
        batch_size: int,
        columns: Sequence[str] | None,
    ):
        self.columns = None if columns is None else tuple(columns)
        self.address, self.model, self.version, self.label = address, model, version, label
        self.timeout, self.retries = timeout, retries
        self.batch_size = checks.count("batch_size", batch_size)
        self._table: dict[str, Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        raise NotImplementedError

    def signatures(self) -> dict[str, dict[str, dict[str, tuple[int | None, ...]]]]:
        """Signature to `{"inputs": {name: shape}, "outputs": {name: shape}}`; None is the number of rows."""
        return {
            name: {side: {key: _shape(entry) for key, entry in table[side].items()} for side in ("inputs", "outputs")}
            for name, table in self._metadata().items()
        }

    def predict(self, signature: str, **inputs: Any) -> Arrays:
        """What a signature answers, by the names of its outputs.

        All of an answer is one version's, however many requests it takes.

        Raises:
            ValueError: no such model or signature, other inputs, another width, NaN, no rows, or a request that the server
                refuses; a data frame where `columns` were not given.
            ConnectionError: the server is out of reach, after the retries.
            TimeoutError: it did not answer in time.
        """
        known = self._table
        try:
            return self._predict(signature, inputs)
        except ValueError:
            self._table = None
            if known is None or self._metadata() == known:
                raise
            return self._predict(signature, inputs)  # the server has another version by now, with another width, say

    def _predict(self, signature: str, inputs: Arrays) -> Arrays:
        table = self._metadata()
        if signature not in table:
            raise unknown("signature", signature, table)
        entries = table[signature]["inputs"]
        if set(inputs) != set(entries):
            raise AEZooError(
                f"Signature {signature!r} takes {', '.join(sorted(entries))}; received {', '.join(sorted(inputs)) or 'none'}."
            )
        arrays = {
            name: _checked(name, inputs[name], entry, self.columns if name == "x" else None)
            for name, entry in entries.items()
        }
        by_rows = [name for name, entry in entries.items() if _shape(entry)[:1] == (None,)]
        counts = {len(arrays[name]) for name in by_rows}
        if len(counts) > 1:
            raise AEZooError(f"The inputs must have as many rows each; received {sorted(counts)}.")
        n = counts.pop() if counts else 1
        if not n:
            raise AEZooError(f"{', '.join(by_rows)} must hold at least one row.")
        version = self.version
        if version is None and n > self.batch_size:
            version = self._describe()[1]  # or the server might change to a newer one on the way
        parts = [
            self._send(
                signature,
                {k: a[start : start + self.batch_size] if k in by_rows else a for k, a in arrays.items()},
                version,
            )
            for start in range(0, n, self.batch_size)
        ]
        return (
            parts[0]
            if len(parts) == 1
            else {k: np.concatenate([part[k] for part in parts]) if a.ndim else a for k, a in parts[0].items()}
        )

    def encode(self, x: Any) -> np.ndarray:
        """Codes of the rows."""
        return self.predict("encode", x=x)["code"]

    def decode(self, code: Any) -> np.ndarray:
        """Rows from codes."""
        return self.predict("decode", code=code)["reconstruction"]

    def reconstruct(self, x: Any) -> np.ndarray:
        """The rows as the model gives them back."""
        return self.predict("reconstruct", x=x)["reconstruction"]

    def score(self, x: Any) -> np.ndarray:
        """Reconstruction error of each row."""
        return self.predict("score", x=x)["error"]

    def detect(self, x: Any) -> np.ndarray:
        """Whether each row is flagged, by the detector's threshold."""
        return self.predict("detect", x=x)["flagged"]

    def _metadata(self) -> dict[str, Any]:
        if self._table is None:
            self._table = {name: table for name, table in self._describe()[0].items() if not name.startswith("__")}
        return self._table

    def _missing(self, version: int | None) -> AEZooError:
        which = f" version {version}" if version is not None else ""
        which += f" label {self.label!r}" if self.label is not None else ""
        return AEZooError(
            f"{self.address} serves no model {self.model!r}{which}; check its name and the server's config."
        )

    def _unreachable(self) -> UnreachableError:
        return UnreachableError(
            f"{self.address} cannot be reached, after {self.retries} retries; is the server running?"
        )

    def _late(self) -> LateError:
        return LateError(f"{self.address} did not answer within {self.timeout:g} s; give a longer timeout.")

    def _describe(self) -> tuple[dict[str, Any], int | None]:
        """The signature_def of the metadata, as in JSON, and the version that it is of."""
        raise NotImplementedError

    def _send(self, signature: str, inputs: Arrays, version: int | None) -> Arrays:
        """One request, to a version, or where that is None to the label's or the newest."""
        raise NotImplementedError


def _shape(entry: dict[str, Any]) -> tuple[int | None, ...]:
    sizes = [int(dim.get("size", 0)) for dim in entry.get("tensor_shape", {}).get("dim", [])]
    return tuple(None if size < 0 else size for size in sizes)


def _checked(name: str, value: Any, entry: dict[str, Any], columns: tuple[str, ...] | None) -> np.ndarray:
    shape = _shape(entry)
    if name == "x" and hasattr(value, "columns") and columns is None:
        raise AEZooError(
            f"The server does not know the names of columns: give columns=, in the model's order (its card's), or {name} "
            "as an array in that order."
        )
    if entry["dtype"] == "DT_FLOAT":
        if shape[:1] == (None,) and None not in shape[1:]:
            return ArraySchema(input_shape=shape[1:], columns=columns).code(value, name)
        return numeric(value, name)
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise AEZooError(f"{name} must be a whole number; received values of type {array.dtype}.")
    if shape[:1] == (None,):
        array = np.atleast_1d(array)
    if array.size and (array.max() >= 2**63 or array.min() < -(2**63)):
        raise AEZooError(f"{name} must fit 64 bits; received {array.max()}.")
    if None not in shape and array.size == math.prod(shape):
        array = array.reshape(shape)
    return array.astype("int32" if entry["dtype"] == "DT_INT32" else "int64")
