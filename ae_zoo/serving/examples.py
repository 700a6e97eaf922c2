"""Example requests and Python's answers. An export keeps them, so that another runtime's answers can be compared."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.endpoints import Arrays
from ae_zoo.typing import Array

if TYPE_CHECKING:
    from ae_zoo.serving.signatures import Signature

SHOWN = 8  # how many rows are kept
ALIAS = "serving_default"  # the signature of requests that name none


def some_rows(model: Autoencoder) -> Array:
    """Returns random rows `(8, *input_shape)` around the middle of the model's scale, if no real rows are given."""
    shape = (SHOWN, *model.schema.output_shape)
    random = np.random.default_rng(1)
    drawn = random.random(shape, "float32") if model.schema.bounded else random.standard_normal(shape, "float32")
    coded = np.asarray(model.scaling.invert(model.likelihood.mean(drawn)), "float32")
    return model.schema.code(model.schema.rows(coded))  # cells that a request can hold, such as whole days


def make(served: "Mapping[str, Signature]", rows: Array) -> Arrays:
    """Returns requests and Python's answers, by `signature/input/name` and `signature/output/name`.

    The answers come from the verbs in Python, not from the functions that are served.
    """
    given = {
        "x": rows,
        "code": served["encode"].endpoint.verb(rows)["code"],
        "seed": np.arange(len(rows), dtype="int64"),
    }
    found: Arrays = {}
    for name, one in served.items():
        inputs, answers = (function(given[one.endpoint.input]) for function in (one.given, one.answers))
        for alias in (name, ALIAS) if name == next(iter(served)) else (name,):
            found |= {f"{alias}/input/{key}": np.asarray(value) for key, value in inputs.items()}
            found |= {f"{alias}/output/{key}": np.asarray(value) for key, value in answers.items()}
    return found
