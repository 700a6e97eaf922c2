"""Writes the golden files: an 8-4-8 model of each family with known weights. `python -m tests.golden.make FAMILY ...`."""

import pathlib
import sys

import numpy as np

FOLDER = pathlib.Path(__file__).parent
ROWS = (np.arange(24, dtype="float32").reshape(3, 8) / 24).astype("float32")


def WEIGHTS(shape):
    """The known weights of a shape: sines of their index."""
    return np.sin(np.arange(np.prod(shape), dtype="float32")).reshape(shape).astype("float32")


if __name__ == "__main__":
    import ae_zoo

    for family in sys.argv[1:]:
        model = ae_zoo.build(family, 8, code=4, **({"hidden": [4]} if family == "stacked" else {"hidden": []}))
        model.set_weights([WEIGHTS(weight.shape) for weight in model.get_weights()])
        model.save(FOLDER / f"{family}.keras")
