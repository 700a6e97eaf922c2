"""Checks of single arguments."""

import numpy as np
import pytest

from ae_zoo import AEZooError
from ae_zoo._support import checks


def test_a_count_that_no_memory_holds_is_refused_before_anything_is_made():
    assert checks.count("n", np.int64(checks.MOST)) == 2**31 - 1
    with pytest.raises(AEZooError, match="n must be at most 2,147,483,647; received 1,000,000,000,000"):
        checks.count("n", 10**12)


@pytest.mark.parametrize("value", [1j, np.complex64(1), float("nan"), 10**400, "a", None])
def test_what_is_no_finite_real_number_is_refused(value):
    with pytest.raises(AEZooError, match="must be a finite number"):
        checks.finite("amount", value)
