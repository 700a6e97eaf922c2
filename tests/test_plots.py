"""The figures show what they are given."""

import io

import numpy as np
import pytest
from PIL import Image

from ae_zoo import plots


def test_a_notebook_shows_a_figure_by_itself():
    picture = plots.learning_curves({"loss": [3.0, 2.0, 1.0]})._repr_png_()
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
    assert pixels.shape[1] > 400
    assert (pixels != 255).any()


def test_lines_are_the_series_on_axes_that_suit_them():
    figure = plots.lines([4, 8, 64], {"a": [0.1, 0.05, 0.001], "b": [0.2, 0.1, 0.1]}, xlabel="codes", ylabel="error")
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["a", "b"]
    assert np.array_equal(axes.lines[0].get_ydata(), [0.1, 0.05, 0.001])
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    with pytest.raises(ValueError, match="At most 7"):
        plots.lines([1], {str(name): [1] for name in range(8)}, xlabel="", ylabel="")
    (even,) = plots.lines([0, 1, 2], {"a": [1.0, 2.0, 3.0]}, xlabel="", ylabel="").axes
    assert (even.get_xscale(), even.get_yscale()) == ("linear", "linear")


def test_strips_are_the_images_in_their_rows():
    x = np.random.default_rng(0).random((3, 16))
    figure = plots.strips({"one": x, "two": 1 - x})
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    assert np.allclose(shown, np.concatenate([x, 1 - x]).reshape(-1, 4, 4))
