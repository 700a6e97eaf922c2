"""The figures show what they are given."""

import io

import numpy as np
import pytest
from PIL import Image

import ae_zoo
from ae_zoo import plots
from ae_zoo.plots.fronts import knee, pareto


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


def test_the_old_name_of_an_argument_is_refused_with_the_new_one():
    with pytest.raises(ae_zoo.AEZooError, match="'colours' is now 'colors': give colors='gray'"):
        plots.tiles(np.zeros((1, 1, 4)), colours="gray")


def test_a_figure_can_be_drawn_into_axes_that_are_there():
    figure = plots.style.Figure()
    for axes, draw in zip(figure.subplots(1, 2), (plots.learning_curves, plots.errors)):
        assert draw({"a": np.array([1.0, 2.0])}, ax=axes) is figure
        assert axes.get_legend_handles_labels()[1] == ["a"]


def test_a_series_without_values_has_no_dots():
    (axes,) = plots.comparison(["one", "two"], {"a": [None, None], "b": [None, 2.0]}, label="error").axes
    assert [dots.get_offsets().tolist() for dots in axes.collections] == [[], [[2.0, 0.0]]]


def test_the_front_and_its_knee():
    sizes, errors = np.array([1.0, 2, 2, 4, 8, 3]), np.array([1.0, 0.1, 0.5, 0.08, 0.09, 0.2])
    assert pareto(sizes, errors).tolist() == [0, 1, 3]
    assert knee(sizes, errors) == 1
    assert knee(np.array([1.0, 2, 4]), np.array([1.0, 0.5, 0.25])) is None  # a straight line
    (axes,) = plots.front(sizes, errors, xlabel="size", ylabel="error").axes
    assert axes.get_legend_handles_labels()[1] == ["trials", "Pareto front", "knee"]
