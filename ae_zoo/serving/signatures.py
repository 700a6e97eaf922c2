"""What a server takes and returns for an endpoint, and the checks inside the served graph, which refuses what is illegal.

Rows come in the data's units and are scaled inside. Random numbers follow from a seed in the request, so a request always has
the same answer. The first axis of every input and output is the batch, which the server's own batching needs. A row's
answer does not depend on the other rows.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import tensorflow as tf

from ae_zoo.endpoints import Arrays, Endpoint, Endpoints, Tensors
from ae_zoo.schemas import Schema
from ae_zoo.serving import tables
from ae_zoo.serving.tables import asserted
from ae_zoo.tables import raw
from ae_zoo.tables.schema import TableSchema
from ae_zoo.typing import Array, Tensor

Input = tuple[str, tuple[int, ...]]  # type, and shape of one row
# Outputs that are coded rows, with what stands before the names of their columns.
ROWS = {"reconstruction": "", "generated": "", "filled": "", "expected": "expected_", "low": "low_", "high": "high_"}

RANGE = ("low", "high")  # of these, those that a category does not have
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Signature:
    """An endpoint as it is served: its rows are arrays."""

    endpoint: Endpoint

    @property
    def inputs(self) -> dict[str, Input]:
        """Type and shape of each input, by name."""
        return {self.endpoint.input: (self.endpoint.dtype, self.endpoint.shape)}

    def given(self, value: Array) -> Arrays:
        """Returns the inputs of a request, for coded rows, codes or seeds."""
        return {self.endpoint.input: value}

    def answers(self, value: Array) -> Arrays:
        """Returns Python's answers to that request."""
        return self.endpoint.verb(value)

    def function(self, *inputs: Tensor) -> Tensors:
        """Returns the answers in the served graph, for the inputs in their order."""
        return guarded(self.endpoint, inputs[0])


@dataclasses.dataclass(frozen=True)
class TableSignature(Signature):
    """An endpoint as it is served for a table: its rows are raw columns, each an input or an output of its own."""

    schema: TableSchema

    @property
    def inputs(self) -> dict[str, Input]:
        if self.endpoint.input != "x":
            return super().inputs
        names = raw.keys(self.schema.columns)
        return {names[column.name]: (raw.type_of(column), ()) for column in self.schema.table}

    def given(self, value: Array) -> Arrays:
        return raw.arrays(self.schema.table, value) if self.endpoint.input == "x" else super().given(value)

    def answers(self, value: Array) -> Arrays:
        found = self._spread(
            self.endpoint.verb(value), lambda rows: raw.arrays(self.schema.table, np.asarray(rows, "float32"))
        )
        if self.endpoint.keeps:
            given = self.given(value)
            found = {key: np.where(raw.missing(cells), found[key], cells) for key, cells in given.items()}
        return found

    def function(self, *inputs: Tensor) -> Tensors:
        value, given = inputs[0], dict(zip(self.inputs, inputs, strict=True))
        if self.endpoint.input == "x":
            value = tables.coded(self.schema.table, given)
            counts = tf.logical_not(tf.math.is_nan(value)) & (self.schema.weights > 0)
            known = tf.reduce_all(tf.reduce_any(counts, axis=1))
            value = asserted(value, known, "each row must have a cell that is present, of a column that counts")
        found = self._spread(guarded(self.endpoint, value), lambda rows: tables.raw(self.schema.table, rows))
        if self.endpoint.keeps:
            found = {key: tf.where(tables.missing(cells), found[key], cells) for key, cells in given.items()}
        return found

    def _spread(self, found: Mapping[str, T], raw_of: Callable[[T], Mapping[str, T]]) -> dict[str, T]:
        """Returns outputs with raw columns in the place of coded rows."""
        spread = {name: value for name, value in found.items() if name not in ROWS}
        names = raw.keys(self.schema.columns)
        ranged = [names[column.name] for column in self.schema.table if not column.discrete]
        for name in found.keys() & ROWS.keys():
            columns = raw_of(found[name])
            spread |= {f"{ROWS[name]}{key}": columns[key] for key in (ranged if name in RANGE else columns)}
        return spread


def of(served: Endpoints, schema: Schema) -> dict[str, Signature]:
    """Returns what is served for endpoints, by name."""
    if isinstance(schema, TableSchema):
        return {name: TableSignature(one, schema) for name, one in served.items()}
    return {name: Signature(one) for name, one in served.items()}


def guarded(endpoint: Endpoint, given: Tensor) -> Tensors:
    """Returns the endpoint's outputs for `given` `(batch, *shape)`; refuses wrong shapes, NaN, ranges and overflow."""
    # A session accepts any shape, and a row with one feature would silently be broadcast to all features.
    given = tf.ensure_shape(given, (None, *endpoint.shape))
    if endpoint.may_miss:
        legal = tf.logical_not(tf.reduce_any(tf.math.is_inf(given)))
        given = asserted(given, legal, f"{endpoint.input} must be finite, or NaN for a missing cell; it holds infinity")
    elif given.dtype.is_floating:
        given = asserted(given, _all_finite(given), f"{endpoint.input} must be finite; it holds NaN or infinity")
    beyond = f"{endpoint.input} lies so far from what the model was trained on that {{}} is beyond float32"
    return {
        name: asserted(value, _all_finite(value), beyond.format(name)) if value.dtype.is_floating else value
        for name, value in endpoint.function(given).items()
    }


def _all_finite(x: Tensor) -> Tensor:
    return tf.reduce_all(tf.math.is_finite(x))
