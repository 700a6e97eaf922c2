"""Requests and Python's answers to them, which an export keeps so that another runtime's answers can be compared."""

from typing import Any

import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import unknown
from ae_zoo.evaluation.detector import Detector
from ae_zoo.serving.signatures import Served

SHOWN = 8  # rows that are kept
ALIAS = "serving_default"  # what a server takes where a request names no signature


def some_rows(model: Autoencoder) -> np.ndarray:
    """Rows like those that the model was trained on, where none are given: in [0, 1], or around the scaling's centre."""
    shape = (SHOWN, *model.config.input_shape)
    random = np.random.default_rng(1)
    drawn = random.random(shape, "float32")
    if model.config.scaling == "standard":
        drawn = random.standard_normal(shape, "float32")
    return np.asarray(model.scaling.invert(drawn), "float32")


def make(
    model: Autoencoder, threshold: float | None, rows: np.ndarray, served: dict[str, Served]
) -> dict[str, np.ndarray]:
    """Requests and Python's answers, by `signature/input/name` and `signature/output/name`.

    The answers come from the model's verbs, not from the functions that are served.
    """
    codes, seeds = model.encode(rows), np.arange(len(rows), dtype="int64")
    found: dict[str, np.ndarray] = {}
    for name, one in served.items():
        given = {"x": rows, "code": codes, "seed": seeds}[one.input]
        answers = _answers(name, model, threshold, given, one)
        for alias in (name, ALIAS) if name == next(iter(served)) else (name,):
            found[f"{alias}/input/{one.input}"] = given
            found |= {f"{alias}/output/{key}": np.asarray(value) for key, value in answers.items()}
    return found


def _answers(name: str, model: Any, threshold: float | None, given: np.ndarray, one: Served) -> dict[str, Any]:
    if name == "reconstruct":
        return {"reconstruction": model.reconstruct(given)}
    if name == "encode":
        return {"code": model.encode(given)}
    if name == "decode":
        return {"reconstruction": model.decode(given)}
    if name == "score":
        return {"error": model.reconstruction_error(given), "share": Detector(model).share(given)}
    if name == "detect":
        score = model.reconstruction_error(given)
        return {"score": score, "threshold": np.full_like(score, threshold), "flagged": score > np.float32(threshold)}
    if name == "encode_distribution":
        return dict(zip(("mean", "log_variance"), model.encode_distribution(given), strict=True))
    if name == "classify":
        return {"class": model.classify(given), "probabilities": model.class_probabilities(given)}
    if name == "generate":  # what is drawn is the signature's own affair, what becomes of it is not
        codes = np.asarray(one.function(given)["code"])
        return {"code": codes, "generated": model.decode(codes)}
    raise unknown("signature", name, ("reconstruct", "encode", "decode", "score", "detect", "classify", "generate"))
