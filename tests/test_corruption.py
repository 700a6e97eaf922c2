"""What `ae_zoo.corrupt` refuses, and the noise that needs other rows."""

import numpy as np
import pytest

import ae_zoo

ROWS = np.full((4, 3), 0.5)


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), 0.3j, np.complex64(0.3), None, [0.1, 0.2]])
@pytest.mark.parametrize("kind", ["masking", "gaussian", "none"])
def test_an_amount_that_is_no_finite_number_is_refused(kind, amount):
    with pytest.raises(ae_zoo.AEZooError, match="amount must be a finite number"):
        ae_zoo.corrupt(ROWS, kind, amount)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.5j, "a"])
def test_rows_that_are_no_finite_numbers_are_refused(bad):
    rows = np.array(ROWS, object if isinstance(bad, str) else type(bad))
    rows[1, 2] = bad
    with pytest.raises(ae_zoo.AEZooError, match="x must"):
        ae_zoo.corrupt(rows, "masking", 0.3)


@pytest.mark.parametrize(("name", "value"), [("low", float("nan")), ("high", 1j), ("seed", -1), ("seed", 1.5)])
def test_other_arguments_are_checked_too(name, value):
    with pytest.raises(ae_zoo.AEZooError, match=f"{name} must be"):
        ae_zoo.corrupt(ROWS, "salt_pepper", 0.3, **{name: value})


def test_swapped_features_are_those_of_the_row_before():
    rows = np.random.default_rng(0).random((1000, 20), "float32")
    noisy = ae_zoo.corrupt(rows, "swap", 0.3, seed=1)
    changed = noisy != rows
    assert changed.mean() == pytest.approx(0.3, abs=0.01)
    assert np.array_equal(noisy[changed], np.roll(rows, 1, axis=0)[changed])
