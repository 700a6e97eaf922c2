"""Writes the golden files: an 8-4-8 model of each family with known weights. `python -m tests.golden.make FAMILY ...`.

A convolutional network's reconstruction is written beside it; a dense one's is worked out by the test.
"""

import pathlib
import sys

import numpy as np

FOLDER = pathlib.Path(__file__).parent
OPTIONS = {
    "stacked": {"hidden": [4]},
    "convolutional": {"input_shape": (2, 4), "hidden": [4, 2], "dense": [3]},
    "adversarial": {"discriminator": [4]},
}


def rows(shape):
    return (np.arange(24, dtype="float32") / 24).reshape(3, *shape)


def WEIGHTS(shape):
    """The known weights of a shape: sines of their index."""
    return np.sin(np.arange(np.prod(shape), dtype="float32")).reshape(shape).astype("float32")


if __name__ == "__main__":
    import ae_zoo

    for family in sys.argv[1:]:
        model = ae_zoo.build(family, **{"input_shape": 8, "code": 4, "hidden": [], **OPTIONS.get(family, {})})
        for weight in model.trainable_weights:
            weight.assign(WEIGHTS(weight.shape))
        model.save(FOLDER / f"{family}.keras")
        if model.config.network != "dense":
            np.save(FOLDER / f"{family}.npy", model.reconstruct(rows(model.config.input_shape)))
