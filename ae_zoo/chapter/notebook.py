"""What the notebooks share: which digits, a fast mode, figures of one size, and claims that are checked.

With `AE_ZOO_FAST=1` in the environment a notebook runs in seconds, on few rows and for few epochs: enough to see that it
runs, and for nothing else. Its output and its figures say so, and no claim is checked.
"""

import contextlib
import os
import time
from typing import Any

from ae_zoo._support.quiet import quiet_import
from ae_zoo.data import Digits, load_mnist

with quiet_import():
    import keras  # noqa: F401 - loaded here so that TensorFlow's start-up lines stay out of the first cell's output

VARIABLE = "AE_ZOO_FAST"
FAST = os.environ.get(VARIABLE, "") not in ("", "0")
DPI = 72
ROWS, TEST_ROWS = 2000, 500  # of the fast mode

_started = time.perf_counter()
_part = False  # whether the digits are a part of MNIST, of which the claims are not


def digits(*, flat: bool = True) -> Digits:
    """The digits of `ae_zoo.load_mnist`, or the first of them in fast mode; prints which they are."""
    global _part
    found = load_mnist(flat=flat)
    _part = not found.full
    if FAST:
        found = found.first(ROWS, TEST_ROWS, f"FAST MODE, results mean nothing; the first of {found.source}")
    print(found)
    return found


def quick(full: Any, fast: Any) -> Any:
    """`full`, or `fast` in fast mode: a number of epochs, say."""
    return fast if FAST else full


def show(figure: Any) -> None:
    """Shows a matplotlib figure as a picture of one size, which in fast mode says that it is from there."""
    import io

    import PIL.Image

    if FAST:
        figure.text(
            0.995, 0.005, "fast mode: few rows, few epochs", ha="right", va="bottom", fontsize=8, color="#c00000"
        )
    drawn, picture = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight")
    # Of 256 colours, which nobody tells from the original at this size, it takes a third of the bytes.
    PIL.Image.open(drawn).convert("RGB").quantize(256).save(picture, format="png", optimize=True)
    with contextlib.suppress(ImportError):  # a script has drawn it, and shows nothing
        from IPython.display import Image, display

        display(Image(picture.getvalue()))


def claim(text: str, holds: Any) -> None:
    """Prints a claim that holds; one that does not ends the notebook.

    None is checked in fast mode or on a part of MNIST: claims are of the whole.

    Raises:
        AssertionError: it does not hold.
    """
    if FAST or _part:
        print(f"not checked {'in fast mode' if FAST else 'on a part of MNIST'}: {text}")
        return
    if not holds:
        raise AssertionError(f"This does not hold: {text}")
    print(f"holds: {text}")


def finish() -> None:
    """Prints how long the notebook took."""
    print(f"{time.perf_counter() - _started:.0f} s")
