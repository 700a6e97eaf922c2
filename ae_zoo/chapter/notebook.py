"""What the notebooks share: which digits, a fast mode, figures of one size, and claims that are checked.

With `AE_ZOO_FAST=1` in the environment a notebook runs in seconds: on few rows, and each training ends after a few epochs,
whatever it asks for. That is enough to see that it runs. Its output and its figures say so, and only those claims are
checked that hold even then.
"""

import atexit
import contextlib
import functools
import io
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import ae_zoo
from ae_zoo.data import Digits, load_mnist
from ae_zoo.plots.style import Figure

VARIABLE = "AE_ZOO_FAST"
FAST = os.environ.get(VARIABLE, "") not in ("", "0")
ROWS, TEST_ROWS = 2000, 500  # of the fast mode
EPOCHS, TRIALS = 3, 2  # at most, in the fast mode
DPI = 72

_shown = warnings.showwarning
_part = False  # whether the digits are a part of MNIST, of which the claims are not


def digits(*, flat: bool = True) -> Digits:
    """The digits of `ae_zoo.load_mnist`, or the first of them in fast mode; prints which they are.

    From here on, warnings of this library are printed under the cell, as a part of the notebook.
    """
    global _part
    warnings.showwarning = _printed
    found = load_mnist(flat=flat)
    _part = not found.full
    if FAST:
        found = found.first(ROWS, TEST_ROWS, f"the first of {found.source}")
    print(found)
    return found


def _printed(message: Warning | str, category: type[Warning], *where: Any, **options: Any) -> None:
    if issubclass(category, ae_zoo.AEZooWarning):
        print(f"Warning: {message}")
    else:
        _shown(message, category, *where, **options)


def workplace() -> None:
    """Goes to an empty folder, which is deleted when Python ends; in your own work, take one that stays.

    Warnings are printed as by `digits`.
    """
    warnings.showwarning = _printed
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chdir(folder)


def show(figure: Figure) -> None:
    """Shows a matplotlib figure as a picture of one size, which in fast mode says that it is from there."""
    import PIL.Image

    if FAST:
        figure.text(
            0.995, 0.005, "fast mode: few rows, few epochs", ha="right", va="bottom", fontsize=8, color="#c00000"
        )
    drawn, picture = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight")
    # Of 256 colors, which nobody tells from the original at this size, it takes a third of the bytes.
    PIL.Image.open(drawn).convert("RGB").quantize(256).save(picture, format="png", optimize=True)
    with contextlib.suppress(ImportError):  # a script has drawn it, and shows nothing
        from IPython.display import Image, display

        display(Image(picture.getvalue()))


def claim(text: str, holds: object, *, fast: bool = False) -> None:
    """Prints a claim that holds; one that does not ends the notebook.

    Args:
        text: what is claimed.
        holds: whether it does.
        fast: whether it holds, and is checked, in fast mode too. Claims are of full MNIST: on a part of it none is
            checked otherwise.

    Raises:
        AssertionError: it does not hold.
    """
    if not (fast if FAST else not _part):
        print(f"not checked {'in fast mode' if FAST else 'on a part of MNIST'}: {text}")
        return
    if not holds:
        raise AssertionError(f"This does not hold: {text}")
    print(f"holds: {text}")


def shorten(patch: Callable[[object, str, object], None] = setattr) -> None:
    """Caps the epochs of every training and the trials of every search, and says so: the fast mode.

    Args:
        patch: sets an attribute of a module; a test gives one that it can undo.
    """
    from ae_zoo.detection import again

    for module, name in ((ae_zoo, "fit"), (ae_zoo, "search"), (again, "fit")):
        patch(module, name, _shortened(getattr(module, name)))
    print("FAST MODE: few rows, few epochs; results mean nothing.")


def _shortened(training: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(training)
    def short(*args: object, epochs: int | None = None, **options: Any) -> object:
        if "trials" in options:
            options["trials"] = min(options["trials"], TRIALS)
        return training(*args, epochs=min(epochs or EPOCHS, EPOCHS), **options)

    return short


if FAST:
    shorten()
