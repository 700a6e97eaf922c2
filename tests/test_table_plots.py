"""What figures show of tables: the words, colors and numbers of their artists."""

import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import ae_zoo
from ae_zoo import plots
from ae_zoo.plots.style import ACCENT, CLASS_COLORS, SECOND
from tests.mixed import table

CODE = np.arange(40.0).reshape(20, 2)


def drawn(figure):
    """The figure, drawn: tick labels are made then."""
    figure.canvas.draw()
    return figure


def words(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


def test_codes_have_the_colors_of_their_levels():
    city = pd.Series(["b", "$a$ and $b$", None, "b"] * 5, name="_city $")
    figure = drawn(plots.codes({"model": CODE}, city))
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "_city $"
    assert [text.get_text() for text in legend.get_texts()] == ["$a$ and $b$", "b", "missing"]
    found = [to_hex(color) for color in figure.axes[0].collections[0].get_facecolors()[:4]]
    assert found == [CLASS_COLORS[1].lower(), CLASS_COLORS[0].lower(), "#cccccc", CLASS_COLORS[1].lower()]


def test_of_many_levels_the_most_frequent_have_a_color():
    levels = [f"level {number:02}" for number in range(12)]
    cells = pd.Series([level for place, level in enumerate(levels) for _ in range(12 - place)], name="level")
    (legend,) = plots.codes({"model": np.zeros((len(cells), 2))}, cells).legends
    assert [text.get_text() for text in legend.get_texts()] == [*levels[:8], "4 other levels"]
    ordered = pd.Series(pd.Categorical(["low", "high"] * 10, ["low", "high"]), name="size")
    (legend,) = plots.codes({"model": CODE}, ordered).legends
    assert [text.get_text() for text in legend.get_texts()] == ["low", "high"]


def test_numbers_and_dates_have_a_color_bar():
    amount = pd.Series([*np.linspace(0, 19, 19), None], name="amount $")
    figure = drawn(plots.codes({"one": CODE, "two": CODE}, amount))
    assert figure.axes[2].get_ylabel() == "amount $"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["missing"]
    colors = figure.axes[1].collections[0].get_facecolors()
    assert [to_hex(colors[place]) for place in (0, 18, 19)] == ["#440154", "#fde725", "#cccccc"]
    since = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(20) * 40, "D"), name="since")
    bar = drawn(plots.codes({"model": CODE}, since.astype(str))).axes[1]
    assert {"2020-01", "2021-01"} <= {label.get_text() for label in bar.get_yticklabels()}
    wild = pd.Series(np.r_[np.linspace(0, 1, 1000), 1e6])
    assert plots.scatter.coloring(wild, None).scale.norm.vmax < 1.01  # one wild number does not hide the others


def test_classes_of_an_array_are_written_among_the_points():
    axes = plots.codes({"model": CODE}, np.repeat([3, 10], 10)).axes[0]
    assert words(axes) == ["3", "10"]
    assert [text.get_position() for text in axes.texts] == [(9, 10), (29, 30)]
    assert not plots.codes({"model": CODE}, np.repeat([3, 10], 10), kind="integer").axes[0].texts
    left, _ = plots.prior(CODE, CODE, np.repeat(["north", "south"], 10)).axes
    assert not left.texts


def test_codes_that_are_no_points_in_a_plane_are_refused():
    with pytest.raises(ae_zoo.AEZooError, match=r"shape \(n, 2\); 'model' has the shape \(20, 8\).*PCA\(2\)"):
        plots.codes({"model": np.zeros((20, 8))}, np.zeros(20))
    with pytest.raises(ae_zoo.AEZooError, match="a label for each of the 20 codes; received 3"):
        plots.codes({"model": CODE}, ["a", "b", "c"])
    with pytest.raises(ae_zoo.AEZooError, match="kind of labels"):
        plots.codes({"model": CODE}, np.zeros(20), kind="text")
    with pytest.raises(ae_zoo.AEZooError, match="'zip' are all missing"):
        plots.codes({"model": CODE}, pd.Series([None] * 20, name="zip"))


def test_cells_stand_beside_their_reconstructions_and_large_errors_are_shaded():
    seen = pd.DataFrame({"id": ["x", "y"], "price $": [1.5, np.nan], "city $a$": ["Oslo", "Paris"]}, index=[7, 9])
    back = pd.DataFrame({"price $": [2.0, 3.0], "city $a$": ["Oslo", "Oslo"]})
    axes = plots.cells(seen, back, np.array([[0.5, -1e-9], [np.nan, 2.5]])).axes[0]
    assert [words(axes)[place] for place in range(3)] == ["column", "price $", "city $a$"]
    rest = ["row 7", "seen", "1.5", "Oslo", "reconstruction", "2", "Oslo", "error", "0.50", "0.00"]
    assert words(axes)[3:13] == rest
    assert words(axes)[13:-1] == ["row 9", "seen", "missing", "Paris", "reconstruction", "3", "Oslo", "error", "2.50"]
    (shade,) = axes.patches
    assert (shade.get_y(), shade.get_alpha()) == (0.75, pytest.approx(0.12 + 0.5 * 1.5 / 3))
    one = plots.cells(seen, back, np.array([[0.5, 0.1], [np.nan, 2.5]]), rows=1, most=1).axes[0]
    assert "city $a$" not in words(one)
    assert words(one)[-1].endswith("; 1 more columns have smaller errors")
    with pytest.raises(ae_zoo.AEZooError, match=r"a number for each cell, \(2, 2\).*received the shape \(2,\)"):
        plots.cells(seen, back, np.zeros(2))


def test_an_explanation_has_a_bar_for_each_column_orange_if_it_is_rare():
    explained = pd.DataFrame(
        {
            "row": ["a", "b", "b", "b"],
            "column": ["city"] * 2 + ["amount", "since"],
            "seen": ["Oslo", "Paris", "20", "missing"],
            "expected": ["Oslo (98%)", "Oslo (97%)", "90 to 110", "2020-01-01"],
            "error": [0.1, 4.0, 2.0, np.nan],
            "p_value": [0.8, 0.01, 0.3, np.nan],
        },
        index=[0, 1, 1, 1],
    )
    axes = plots.explanation(explained, position=1).axes[0]
    assert words(axes)[:5] == ["row b", "column", "city", "amount", "since"]
    assert words(axes)[-4:-1] == ["how rare", "1 in 100", "1 in 3"]
    bars = axes.patches
    assert [to_hex(bar.get_facecolor()).upper() for bar in bars] == [SECOND, ACCENT, ACCENT]
    assert [bar.get_width() / bars[0].get_width() for bar in bars] == pytest.approx([1, 0.5, 0])
    with pytest.raises(ae_zoo.AEZooError, match="no row at position 5; the last one is 1"):
        plots.explanation(explained, position=5)


def test_errors_of_columns_are_means_over_the_cells_that_are_present():
    error = np.array([[0.2, np.nan, 3.0, np.nan], [0.4, np.nan, np.nan, 0.5]])
    axes = plots.column_errors(error, ["a", "empty", "$x$ and $y$", "d"]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["$x$ and $y$", "d", "a"]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([3.0, 0.5, 0.3])
    assert axes.get_xlabel() == "mean error (1: always says what is usual)"
    assert axes.lines[0].get_xdata()[0] == 1
    assert len(plots.column_errors(error, list("abcd"), usual=None, most=2).axes[0].lines) == 0
    with pytest.raises(ae_zoo.AEZooError, match=r"the shape \(n, 3\), one for each name; received \(2, 4\)"):
        plots.column_errors(error, ["a", "b", "c"])


def test_the_error_of_always_saying_what_is_usual_is_marked():
    axes = plots.errors({"test": np.array([0.1, np.nan, 0.5])}, usual=1).axes[0]
    assert axes.get_xlabel() == "reconstruction error of a row (1: always says what is usual)"
    assert [line.get_xdata()[0] for line in axes.lines] == [1]
    assert sum(patch.get_height() for patch in axes.patches[:-1]) == pytest.approx(1)  # of two rows, not three
    with pytest.raises(ae_zoo.AEZooError, match="'test' has no errors"):
        plots.errors({"test": np.array([np.nan])})
    axes = plots.learning_curves({"loss": [0.9, 0.1], "val_loss": [0.8, 0.2]}, usual=1).axes[0]
    assert (axes.get_ylabel(), axes.get_yscale()) == ("loss (1: always says what is usual)", "log")
    assert plots.learning_curves({"loss": [0.9, -0.5]}).axes[0].get_yscale() == "linear"  # a likelihood in nats


def test_rows_of_a_table_are_no_images():
    frame = table(9)[["amount", "children", "member", "since"]]
    for draw in (plots.samples, plots.tiles, plots.filters, lambda rows: plots.strips({"rows": rows})):
        with pytest.raises(ae_zoo.AEZooError, match="no images. For rows of a table there are ae_zoo.plots.cells"):
            draw(frame)


def test_pictures_of_a_model_of_a_table_have_no_warnings():
    frame = table(60)[["city", "amount", "since"]]
    model = ae_zoo.build("undercomplete", data=frame, code=2, hidden=[4], seed=1)
    model.adapt(frame)
    error = model.reconstruction_error(frame, per_feature=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn(plots.cells(frame, model.reconstruct(frame), error))
        drawn(plots.explanation(model.explain(frame.head(2))))
        drawn(plots.column_errors(error, model.schema.names))
        for name in frame:
            drawn(plots.codes({"model": model.encode(frame)}, frame[name]))
        drawn(plots.errors({"rows": model.reconstruction_error(frame)}, usual=model.schema.usual))
