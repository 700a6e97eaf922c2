"""Requests and Python's answers to them, which an export keeps so that another runtime's answers can be compared."""

import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.endpoints import Arrays, Endpoints

SHOWN = 8  # rows that are kept
ALIAS = "serving_default"  # what a server takes where a request names no signature


def some_rows(model: Autoencoder) -> np.ndarray:
    """Rows to compare answers on, where none are given: drawn at random around the middle of the model's scale."""
    shape = (SHOWN, *model.schema.output_shape)
    random = np.random.default_rng(1)
    drawn = random.random(shape, "float32") if model.schema.bounded else random.standard_normal(shape, "float32")
    return np.asarray(model.scaling.invert(drawn), "float32")


def make(endpoints: Endpoints, rows: np.ndarray) -> Arrays:
    """Requests and Python's answers, by `signature/input/name` and `signature/output/name`.

    The answers come from the verbs, not from the functions that are served.
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
