"""The default learning rate against five that are set by hand: over widths, depths, activations, lengths, batches and tables.

Sixty runs, about half an hour on two cores. "None worse than its own shorter run" compares the two lengths of one network.
"""

import time
import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits

import ae_zoo
from ae_zoo.data.mnist import Digits
from benchmarks import common

RATES = (8e-3, 4e-3, 2e-3, 1e-3, 5e-4)  # at a batch of 256 rows, proportional to the root of the batch size
# rows, hidden, activation, epochs, batch size; digits by their number, tables by their name
CASES = (
    (20_000, (), "selu", 8, 256),
    (20_000, (300,), "relu", 8, 64),
    (20_000, (300,), "selu", 40, 256),
    (10_000, (1000,), "tanh", 8, 256),
    (10_000, (512, 256), "selu", 8, 256),
    (10_000, (512, 256), "selu", 40, 256),
    (10_000, (1000, 500, 250), "silu", 8, 256),
    (5_000, (2000, 1000, 500, 250), "selu", 8, 256),
    ("digits", (300,), "tanh", 150, 2048),
    ("breast cancer", (512, 256), "silu", 100, 64),
)
TABLES = {"digits": load_digits, "breast cancer": load_breast_cancer}


def main() -> None:
    digits = common.digits()
    worst, collapsed, ends = 0.0, 0, {}
    for rows, hidden, activation, epochs, batch in CASES:
        x, valid = _rows(rows, digits)
        begin = time.perf_counter()
        errors = [_error(x, valid, hidden, activation, epochs, batch, rate) for rate in (None, *RATES)]
        mean = float(np.mean(np.var(valid, axis=0))) if isinstance(rows, int) else 1.0
        ratio = errors[0] / min(errors[1:])
        worst, collapsed = max(worst, ratio), collapsed + (errors[0] > 0.7 * mean)
        ends[rows, hidden, activation, batch, epochs] = errors[0]
        layers = "-".join(map(str, hidden)) or "none"
        shown = " ".join(f"{error:.5f}" for error in errors)
        seconds = time.perf_counter() - begin
        print(
            f"  {rows} rows, hidden {layers}, {activation}, {epochs} epochs, batch {batch}: default, then "
            f"{', '.join(f'{rate:g}' for rate in RATES)}: {shown}; ratio to the best {ratio:.3f}, {seconds:.0f} s",
            flush=True,
        )
    common.verdict("the default's error over the best of five rates, at worst", worst, 1.05, at_most=True)
    common.verdict("default runs that collapsed", collapsed, 0, at_most=True)
    longer = [
        error / ends[(*rest, min(e for *other, e in ends if other == rest))] for (*rest, epochs), error in ends.items()
    ]
    common.verdict("a longer run's error over its own shorter run's, at worst", max(longer), 1.02, at_most=True)


def _rows(rows: int | str, digits: Digits) -> tuple[np.ndarray, np.ndarray]:
    """Returns training rows and test rows."""
    if isinstance(rows, int):
        return digits.x_train[:rows], digits.x_test[:5000]
    x = TABLES[rows]().data.astype("float32")
    order = np.random.default_rng(0).permutation(len(x))
    return x[order[len(x) // 5 :]], x[order[: len(x) // 5]]


def _error(
    x: np.ndarray,
    valid: np.ndarray,
    hidden: Sequence[int],
    activation: str,
    epochs: int,
    batch: int,
    rate: float | None,
) -> float:
    """Returns the error on the test rows after a run, which keeps its best epoch and stops by its own default."""
    code = 30 if x.shape[1] > 100 else 8
    model = ae_zoo.build("undercomplete", data=x, hidden=hidden, activation=activation, code=code, seed=1)
    scaled = None if rate is None else rate * (min(batch, len(x)) / 256) ** 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ae_zoo.AEZooWarning)
        ae_zoo.fit(model, x, validation=valid, epochs=epochs, batch_size=batch, learning_rate=scaled, verbose=0)
    return float(model.reconstruction_error(valid).mean())


if __name__ == "__main__":
    main()
