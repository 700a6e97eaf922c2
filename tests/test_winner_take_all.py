"""Winner-take-all against NumPy's sort: who wins, who learns, and what is left at inference."""

import numpy as np
import pytest

import ae_zoo
from ae_zoo.families.winner_take_all.winners import Winners, kth_largest

CODE = np.maximum(np.random.default_rng(0).normal(size=(40, 7)), 0).astype("float32")  # half of it is zero
MAPS = np.maximum(np.random.default_rng(1).normal(size=(40, 3, 5, 7)), 0).astype("float32")


def largest(h, k):
    """`h` `(n, units)` with the k largest values of each column, the others zero."""
    order = np.argsort(-h, axis=0, kind="stable")
    return np.where(np.argsort(order, axis=0) < k, h, 0)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("axis", [0, 1])
def test_kth_largest_is_exact(compiled, axis):
    import tensorflow as tf

    h = np.random.default_rng(2).permuted(10 ** np.linspace(-30, 30, 2000)).reshape(100, 20).astype("float32")
    function = tf.function(lambda h, k: kth_largest(h, k, axis), jit_compile=compiled)
    for k in (1, 7, h.shape[axis]):
        assert np.array_equal(function(h, tf.constant(k)), -np.sort(-h, axis).take([k - 1], axis))
    assert np.array_equal(function(np.minimum(h, 0), tf.constant(1)), 0 * h.take([0], axis))


@pytest.mark.parametrize("rows", [40, 10, 3])  # 3 rows: k is 1 still
def test_each_unit_keeps_its_largest_rows_whatever_the_batch(rows):
    layer, h = Winners(0.2), CODE[:rows]
    assert np.array_equal(layer(h, training=True), largest(h, max(1, round(0.2 * rows))))
    assert np.array_equal(layer(h, training=False), h)


def test_each_row_keeps_its_largest_units_at_inference_too():
    layer = Winners(2 / 7, "k_sparse", alpha=1.5)
    assert np.array_equal(layer(CODE, training=True), largest(CODE.T, 2).T)
    assert np.array_equal(layer(CODE, training=False), largest(CODE.T, 3).T)
    flat = MAPS.reshape(40, -1)
    assert np.array_equal(Winners(0.1, "k_sparse")(MAPS), largest(flat.T, 10).T.reshape(MAPS.shape))


def test_maps_keep_one_value_a_row_and_then_their_largest_rows():
    tops = MAPS.max(axis=(1, 2))  # (40, 7)
    winners = np.where(largest(tops, 8)[:, None, None] == MAPS, MAPS, 0)
    assert np.array_equal(Winners(0.2)(MAPS, training=True), winners)
    assert (winners > 0).sum() == 8 * 7


def test_ties_win_together_and_zero_never_wins():
    h = np.array([[3, 0, 1], [2, 0, 0], [2, 0, 0], [1, 0, 0]], "float32")
    assert np.array_equal(Winners(0.5)(h, training=True), [[3, 0, 1], [2, 0, 0], [2, 0, 0], [0, 0, 0]])
    assert np.array_equal(Winners(0.5)(-h, training=True), np.zeros((4, 3)))


def test_gradients_go_through_the_winners_alone():
    import tensorflow as tf

    h = tf.constant(CODE)
    for layer, winners in ((Winners(0.2), largest(CODE, 8)), (Winners(2 / 7, "k_sparse"), largest(CODE.T, 2).T)):
        with tf.GradientTape() as tape:
            tape.watch(h)
            total = tf.reduce_sum(5 * layer(h, training=True))
        assert np.array_equal(tape.gradient(total, h), np.where(winners > 0, 5, 0))


def test_threshold_follows_the_least_winner_and_holds_at_inference():
    layer = Winners(0.2, threshold=True)
    layer(CODE, training=True)
    first = -np.sort(-CODE, axis=0)[7]
    assert np.allclose(layer.threshold, first)  # no memory of the zeros it began with
    layer(2 * CODE, training=True)
    assert np.allclose(layer.threshold, 1.05 * first)
    assert np.array_equal(layer(CODE, training=False), np.where(layer.threshold.numpy() <= CODE, CODE, 0))
    assert np.allclose(layer.threshold, 1.05 * first)  # at rest


def test_threshold_makes_inference_as_sparse_as_training(digits):
    model = ae_zoo.build("winner_take_all", 784, code=200, threshold=True, seed=1)
    ae_zoo.fit(model, digits.x_train, epochs=5, verbose=0)
    assert np.mean(model.encode(digits.x_test) > 0) == pytest.approx(0.05, abs=0.01)
    assert np.mean(model.encode(digits.x_test, layer="code") > 0) > 0.1  # what it would be without
    mean = np.square(digits.x_test - digits.x_train.mean(axis=0)).mean()
    assert model.reconstruction_error(digits.x_test).mean() < 0.6 * mean


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"threshold": True}, {"winners": "k_sparse"}])
def test_convolutional_codes_are_maps_that_decode(options, tmp_path):
    images = np.random.default_rng(0).uniform(size=(33, 9, 6)).astype("float32")  # the last batch has one row
    model = ae_zoo.build("winner_take_all", (9, 6), network="convolutional", hidden=[4, 4], code=5, seed=1, **options)
    history = model.fit(images, epochs=10, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < history[0]
    code = model.encode(images)
    assert code.shape == (33, 3, 2, 5)
    assert np.allclose(model.decode(code), model.reconstruct(images), atol=1e-6)
    if options.get("threshold"):
        assert np.max((code > 0).sum(axis=(1, 2))) <= 1
    model.save(tmp_path / "model.keras")
    assert np.array_equal(ae_zoo.load(tmp_path / "model.keras").encode(images), code)


def test_wide_codes_and_wrong_options(x):
    model = ae_zoo.build("winner_take_all", data=x)
    assert model.config.code == 1000  # wider than a row, as it should be
    assert model.config.recipe.monitor is None
    assert ae_zoo.build("winner_take_all", 8, winners="k_sparse").config.recipe.monitor == "reconstruction"
    # Early thresholds lag behind activations that grow, and denser codes have less error: no error may choose an epoch.
    assert ae_zoo.build("winner_take_all", 8, threshold=True).config.recipe.monitor is None
    for options, message in (
        ({"share": 0}, "above 0"),
        ({"winners": "k_sparse", "threshold": True}, "leave threshold out"),
        ({"alpha": 2}, "give winners='k_sparse'"),
    ):
        with pytest.raises(ValueError, match=message):
            ae_zoo.build("winner_take_all", 8, **options)
