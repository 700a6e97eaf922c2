"""Example requests and Python's answers. An export keeps them, so that another runtime's answers can be compared."""

import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.endpoints import Arrays, Endpoints
from ae_zoo.typing import Array

SHOWN = 8  # how many rows are kept
ALIAS = "serving_default"  # the signature of requests that name none


def some_rows(model: Autoencoder) -> Array:
    """Returns random rows `(8, *input_shape)` around the middle of the model's scale, if no real rows are given."""
    shape = (SHOWN, *model.schema.output_shape)
    random = np.random.default_rng(1)
    drawn = random.random(shape, "float32") if model.schema.bounded else random.standard_normal(shape, "float32")
    return np.asarray(model.scaling.invert(drawn), "float32")


def make(endpoints: Endpoints, rows: Array) -> Arrays:
    """Returns requests and Python's answers, by `signature/input/name` and `signature/output/name`.

    The answers come from the verbs in Python, not from the functions that are served.
    """
    given = {
        "x": rows,
        "code": endpoints["encode"].verb(rows)["code"],
        "seed": np.arange(len(rows), dtype="int64"),
    }
    found: Arrays = {}
    for name, one in endpoints.items():
        answers = one.verb(given[one.input])
        for alias in (name, ALIAS) if name == next(iter(endpoints)) else (name,):
            found[f"{alias}/input/{one.input}"] = given[one.input]
            found |= {f"{alias}/output/{key}": np.asarray(value) for key, value in answers.items()}
    return found
