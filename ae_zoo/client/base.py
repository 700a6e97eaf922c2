"""The part that both transports share: the verbs, the checks before and after sending, and the batches."""

import abc
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Generic, Self, TypedDict, cast

import numpy as np

from ae_zoo._support import checks
from ae_zoo.client import answers
from ae_zoo.client.address import Address
from ae_zoo.client.answers import Arrays, Raw, Shape, Signature, Tensor
from ae_zoo.errors import AEZooError, LateError, UnreachableError, first_line, unknown
from ae_zoo.frames import columns_of, numeric
from ae_zoo.schemas import ArraySchema, Schema
from ae_zoo.tables import raw
from ae_zoo.tables.frames import to_pandas
from ae_zoo.typing import Rows

if TYPE_CHECKING:
    import pandas as pd

RAW: dict[str, raw.Type] = {"DT_STRING": "string", "DT_DOUBLE": "float64"}  # types of a table's raw columns


class Shapes(TypedDict):
    """Shapes of a signature's inputs and outputs, by name; None stands for the number of rows."""

    inputs: dict[str, Shape]
    outputs: dict[str, Shape]


@dataclasses.dataclass(frozen=True)
class Options:
    """The arguments of `connect`."""

    address: Address
    model: str
    version: int | None
    label: str | None
    timeout: float
    retries: int
    batch_size: int
    columns: Sequence[str] | Schema | None


class Client(abc.ABC, Generic[Raw]):
    """The verbs of a served model. See `connect`."""

    def __init__(self, options: Options):
        self.schema = options.columns if isinstance(options.columns, Schema) else None
        columns = options.columns if self.schema is None else self.schema.columns
        self.columns = None if columns is None else tuple(columns)  # type: ignore[arg-type]
        self.address, self.model = options.address.url, options.model
        self.version, self.label = options.version, options.label
        self.timeout, self.retries = options.timeout, options.retries
        self.batch_size = checks.count("batch_size", options.batch_size)
        self._table: dict[str, Signature] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abc.abstractmethod
    def close(self) -> None:
        """Closes the connections."""

    def signatures(self) -> dict[str, Shapes]:
        """Returns `{"inputs": {name: shape}, "outputs": {name: shape}}` for each signature; None is the number of rows."""
        return {
            name: {
                "inputs": {key: tensor.shape for key, tensor in signature.inputs.items()},
                "outputs": {key: tensor.shape for key, tensor in signature.outputs.items()},
            }
            for name, signature in self._metadata().items()
        }

    def predict(self, signature: str, **inputs: object) -> Arrays:
        """Returns the outputs of a signature, by name.

        The whole answer comes from one version, even if it takes several requests. Its outputs, types, shapes and number of
        rows agree with the server's metadata, and its numbers are finite.

        Args:
            signature: name of the signature.
            **inputs: the signature's inputs by name, each `(n, ...)`: arrays, or for `x` a frame if `columns` were given. A
                model of a table takes its raw columns: give the frame as `x`.

        Raises:
            AEZooError: there is no such model or signature, the inputs have other names, another width, NaN or no rows, a
                data frame is given without `columns`, the server refuses the request, or its answer differs from its
                metadata.
            UnreachableError: the server cannot be reached, after all retries.
            LateError: the server did not answer in time.
        """
        known = self._table
        try:
            return self._predict(signature, inputs)
        except (ConnectionError, TimeoutError):
            raise
        except ValueError:
            self._table = None
            if known is None or self._metadata() == known:
                raise
            return self._predict(signature, inputs)  # the server has a new version by now, perhaps with another width

    def _predict(self, signature: str, inputs: Mapping[str, object]) -> Arrays:
        table = self._metadata()
        if signature not in table:
            raise unknown("signature", signature, table)
        taken, announced = table[signature]
        inputs = _raw_columns(inputs, taken, self.schema)
        if set(inputs) != set(taken):
            raise AEZooError(
                f"Signature {signature!r} takes {', '.join(sorted(taken))}; received {', '.join(sorted(inputs)) or 'none'}."
            )
        for name, tensor in announced.items():
            if tensor.dtype not in answers.DTYPES:
                raise AEZooError(
                    f"Output {name!r} of signature {signature!r} is of type {tensor.dtype}, which this client cannot read."
                )
        arrays = {
            name: _checked(name, cast("Rows", inputs[name]), tensor, self.columns if name == "x" else None)
            for name, tensor in taken.items()
        }
        by_rows = [name for name, tensor in taken.items() if tensor.by_rows]
        counts = {len(arrays[name]) for name in by_rows}
        if len(counts) > 1:
            raise AEZooError(f"The inputs must have equal numbers of rows; received {sorted(counts)}.")
        n = counts.pop() if counts else 1
        if not n:
            raise AEZooError(f"{', '.join(by_rows)} must hold at least one row.")
        version = self.version
        if version is None and n > self.batch_size:
            version = self._described()[1]  # the server might change to a newer version between two requests
        parts = []
        for start in range(0, n, self.batch_size):
            stop = min(start + self.batch_size, n)
            part = {name: array[start:stop] if name in by_rows else array for name, array in arrays.items()}
            expected = {name: tensor.of(stop - start if by_rows else None) for name, tensor in announced.items()}
            found = self._send(signature, part, expected, version)
            try:
                parts.append(answers.checked(expected, found, self._read))
            except answers.Unlike as error:
                raise AEZooError(f"{self.address} answers signature {signature!r} wrongly: {error}.") from None
        if len(parts) == 1:
            return parts[0]
        return {
            name: np.concatenate([part[name] for part in parts]) if tensor.by_rows else parts[0][name]
            for name, tensor in announced.items()
        }

    def encode(self, x: object) -> np.ndarray:
        """Returns the codes `(n, code)` of rows `(n, *input_shape)`."""
        return self._output("code", "encode", x=x)

    def decode(self, code: object) -> "np.ndarray | pd.DataFrame":
        """Returns the rows `(n, *input_shape)` of codes `(n, code)`; of a table a frame."""
        return self._rows("decode", code=code)

    def reconstruct(self, x: object) -> "np.ndarray | pd.DataFrame":
        """Returns the reconstructions of rows `(n, *input_shape)`; of a table a frame."""
        return self._rows("reconstruct", x=x)

    def score(self, x: object) -> np.ndarray:
        """Returns the reconstruction error of each row `(n,)`; higher is stranger."""
        return self._output("error", "score", x=x)

    def detect(self, x: object) -> np.ndarray:
        """Returns for each row whether its error is beyond the detector's threshold `(n,)`, bool."""
        return self._output("flagged", "detect", x=x)

    def impute(self, x: object) -> "pd.DataFrame":
        """Returns a table's rows with their holes filled; other cells stay as they are."""
        return cast("pd.DataFrame", self._rows("impute", x=x))

    def explain(self, x: Rows, *, top: int | None = None) -> "pd.DataFrame":
        """Returns why rows of a table are strange, as `Autoencoder.explain` does.

        Raises:
            AEZooError: the client does not know the model's schema.
        """
        from ae_zoo.tables.schema import TableSchema
        from ae_zoo.tables.unseen import of_served
        from ae_zoo.tables.verbs import reasons

        if not isinstance(self.schema, TableSchema):
            raise AEZooError("explain needs the schema of the model's table: give the client columns=model.schema.")
        coded = self.schema.code(x)
        found = of_served(self.schema, self.predict("explain", x=x), coded)
        return reasons(self.schema, x, coded, found, top)

    def _rows(self, signature: str, **inputs: object) -> "np.ndarray | pd.DataFrame":
        found = self.predict(signature, **inputs)
        if "reconstruction" in found:
            return found["reconstruction"]
        import pandas as pd

        return pd.DataFrame(found)

    def _output(self, name: str, signature: str, **inputs: object) -> np.ndarray:
        found = self.predict(signature, **inputs)
        if name not in found:
            raise unknown(f"output of signature {signature!r} called", name, found)
        return found[name]

    def _metadata(self) -> dict[str, Signature]:
        if self._table is None:
            self._table = self._described()[0]
        return self._table

    def _described(self) -> tuple[dict[str, Signature], int]:
        """Returns the signatures, and the number of the version that they belong to."""
        try:
            found, version = self._describe()
            return answers.signatures(found), version
        except answers.Unlike as error:
            raise self._stranger(str(error)) from None

    def _stranger(self, why: str) -> AEZooError:
        return AEZooError(f"{self.address} does not answer as TensorFlow Serving does ({why}); check the address.")

    def _missing(self, version: int | None) -> AEZooError:
        which = f" version {version}" if version is not None else ""
        which += f" label {self.label!r}" if self.label is not None else ""
        return AEZooError(
            f"{self.address} serves no model {self.model!r}{which}; check its name and the server's config."
        )

    def _unreachable(self) -> UnreachableError:
        return UnreachableError(
            f"{self.address} cannot be reached, after {self.retries} retries or {self.timeout:g} s; is the server running?"
        )

    def _late(self) -> LateError:
        return LateError(f"{self.address} did not answer within {self.timeout:g} s; give a longer timeout.")

    def _refused(self, reason: object) -> AEZooError:
        lines = str(reason).strip().splitlines() or ["no reason was given"]
        return AEZooError(f"{self.address} refuses the request: {lines[0][:300]}")

    @abc.abstractmethod
    def _describe(self) -> tuple[object, int]:
        """Returns the metadata's signature_def, as JSON values, and its version's number; raises `answers.Unlike`."""

    @abc.abstractmethod
    def _send(
        self, signature: str, inputs: Arrays, expected: Mapping[str, Tensor], version: int | None
    ) -> Mapping[str, Raw]:
        """Returns the outputs of one request to a version; if it is None, to the label's or the newest version."""

    @staticmethod
    @abc.abstractmethod
    def _read(found: Raw, expected: Tensor) -> np.ndarray:
        """Returns one output as an array; raises `answers.Unlike` if it has another type or shape."""


def _raw_columns(
    inputs: Mapping[str, object], taken: Mapping[str, Tensor], schema: Schema | None
) -> Mapping[str, object]:
    """Returns the inputs with a frame `x` as the raw columns that a model of a table takes.

    Raises:
        AEZooError: the frame lacks a column, or one holds other things than the server takes.
    """
    if set(inputs) != {"x"} or "x" in taken or not set(map(lambda tensor: tensor.dtype, taken.values())) <= set(RAW):
        return inputs
    if schema is not None:
        return dict(schema.served(schema.code(cast("Rows", inputs["x"]))))
    types = {name: RAW[tensor.dtype] for name, tensor in taken.items()}
    return dict(raw.of_frame(types, to_pandas(inputs["x"], "x")))


def _checked(name: str, value: Rows, expected: Tensor, columns: tuple[str, ...] | None) -> np.ndarray:
    shape = expected.shape
    if name == "x" and columns_of(value) is not None and columns is None:
        raise AEZooError(
            f"The server does not know the names of columns: give columns= in the model's order (see its card), or give "
            f"{name} as an array in this order."
        )
    if expected.dtype == "DT_FLOAT":
        if expected.by_rows and None not in shape[1:]:
            sizes = tuple(size for size in shape[1:] if size is not None)
            return ArraySchema(input_shape=sizes, columns=columns).code(value, name)
        return numeric(value, name)
    if expected.dtype == "DT_STRING":
        texts = np.asarray(value)
        if texts.dtype.kind not in "UO" or not all(isinstance(text, str) for text in texts.flat):
            raise AEZooError(f"{name} must hold texts; received values of type {texts.dtype}.")
        return texts.astype(object)
    if expected.dtype == "DT_DOUBLE":  # of a table, where NaN is a missing cell
        try:
            return np.asarray(value, "float64")
        except (TypeError, ValueError) as error:
            raise AEZooError(f"{name} must hold numbers: {first_line(error)}") from error
    if expected.dtype not in ("DT_INT32", "DT_INT64"):
        raise AEZooError(f"Input {name!r} is of type {expected.dtype}, which this client cannot send.")
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise AEZooError(f"{name} must hold whole numbers; received values of type {array.dtype}.")
    if expected.by_rows:
        array = np.atleast_1d(array)
    bounds = np.iinfo("int32" if expected.dtype == "DT_INT32" else "int64")
    if array.size and (array.max() > bounds.max or array.min() < bounds.min):
        raise AEZooError(f"{name} must fit {bounds.bits} bits; received {array.max()}.")
    known = [size for size in shape if size is not None]
    if len(known) == len(shape) and array.size == math.prod(known):
        array = array.reshape(known)
    return array.astype(bounds.dtype)
