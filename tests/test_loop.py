"""The compiled loop does what Keras's own steps do, one after another; and what a run does when it collapses."""

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.training import loop, steps
from ae_zoo.training.batches import Batches
from ae_zoo.training.holdout import Data
from ae_zoo.training.schedule import Pace, Schedule

ROWS = np.random.default_rng(0).random((200, 2), "float32") @ np.random.default_rng(1).random((2, 8), "float32") / 2


def build(**options):
    return ae_zoo.build("undercomplete", 8, code=3, hidden=[16], seed=1, **options)


def weights_of(model):
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


@pytest.mark.parametrize("compiled", [False, True])
def test_the_loop_is_keras_own_step_after_step(compiled, monkeypatch):
    monkeypatch.setattr("ae_zoo.training.run.WORTH_COMPILING", 0 if compiled else np.inf)
    monkeypatch.setattr(loop, "VALIDATION_BATCH", 32)  # so 70 rows are two batches of 24 and one of 22
    ours, plain = build(), build()
    result = ae_zoo.fit(
        ours, ROWS, validation=ROWS[:70], epochs=3, batch_size=30, optimizer=keras.optimizers.SGD(0.5), verbose=0
    )
    plain.adapt(ROWS)
    plain.compile(optimizer=keras.optimizers.SGD(0.5), jit_compile=False)
    batches = Batches(Data(ROWS), np.arange(200), 30, seed=1)
    for epoch in range(3):
        losses = []
        for some in batches.order(epoch):
            plain.reset_metrics()
            losses.append(plain.train_on_batch(ROWS[some], return_dict=True)["loss"])
        assert result.history["loss"][epoch] == pytest.approx(np.mean(losses), rel=1e-5)
        found = plain.evaluate(ROWS[:70], batch_size=32, verbose=0, return_dict=True)
        assert result.history["val_reconstruction"][epoch] == pytest.approx(found["reconstruction"], rel=1e-5)
    assert np.allclose(weights_of(ours), weights_of(plain), atol=1e-6)


def test_rows_that_do_not_fit_the_device_train_as_those_that_do(monkeypatch):
    resident, windowed = build(), build()
    ae_zoo.fit(resident, ROWS, epochs=3, batch_size=16, verbose=0)
    monkeypatch.setattr(steps, "room", lambda: 3 * 16 * 8 * 4)  # bytes of three steps
    sizes = []
    place = steps.place
    monkeypatch.setattr(steps, "place", lambda array: sizes.append(array.nbytes) or place(array))
    ae_zoo.fit(windowed, ROWS, epochs=3, batch_size=16, verbose=0)
    assert max(sizes) <= 3 * 16 * 8 * 4
    assert np.array_equal(weights_of(resident), weights_of(windowed))


def test_a_second_model_of_one_make_needs_no_program_of_its_own():
    first, second, other = build(), build(), build()
    ae_zoo.fit(first, ROWS, epochs=2, verbose=0)
    kept = list(steps._kept)
    ae_zoo.fit(second, ROWS, epochs=2, verbose=0)
    assert list(steps._kept) == kept
    steps._kept.clear()
    ae_zoo.fit(other, ROWS, epochs=2, verbose=0)
    assert np.array_equal(weights_of(first), weights_of(second))
    assert np.array_equal(weights_of(first), weights_of(other))


def test_a_model_that_was_changed_by_hand_has_a_program_of_its_own():
    plain, changed = build(), build()
    changed.row_loss = lambda target, output: keras.ops.mean(keras.ops.abs(target - output), axis=-1)
    errors = [ae_zoo.fit(model, ROWS, epochs=1, verbose=0).history["loss"][0] for model in (plain, changed)]
    assert errors[1] > 1.2 * errors[0]  # absolute, not squared


def test_a_likelihood_that_was_changed_by_hand_counts():
    plain, changed = build(loss="huber"), build(loss="huber")
    ae_zoo.fit(plain, ROWS, epochs=1, verbose=0)
    changed.likelihood.delta = 1e-4
    assert ae_zoo.fit(changed, ROWS, epochs=1, verbose=0).history["loss"][0] < 1e-4


def test_without_xla_one_program_is_for_any_number_of_rows():
    ae_zoo.fit(build(), ROWS, validation=0, epochs=1, batch_size=16, verbose=0)
    kept = list(steps._kept)
    ae_zoo.fit(build(), ROWS[:130], validation=0, epochs=1, batch_size=16, verbose=0)
    assert list(steps._kept) == kept


def test_a_stop_that_somebody_asked_for_is_not_taken_back():
    result = ae_zoo.fit(
        build(), ROWS, epochs=9, callbacks=[Ruin([3], np.nan), keras.callbacks.TerminateOnNaN()], verbose=0
    )
    assert (result.epochs, result.stopped) == (4, "stopped by a callback")


def test_the_model_gets_the_exponential_averages_of_its_weights_as_numpy_computes_them():
    """One step an epoch, so a callback sees each step's weights."""
    last, averages = [], []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            last.append(weights_of(self.model))

        def on_epoch_end(self, epoch, logs=None):
            averages.append(weights_of(self.model))

    model, plain = build(), build()
    options = {"validation": 0, "epochs": 6, "batch_size": 200, "learning_rate": 1e-3, "verbose": 0}
    ae_zoo.fit(model, ROWS, ema=0.7, callbacks=[Watch()], **options)
    ae_zoo.fit(plain, ROWS, **options)
    assert np.array_equal(weights_of(plain), last[-1])  # the averages do not change the training
    expected = last[0]
    for step, average in zip(last, averages, strict=True):
        expected = 0.7 * expected + 0.3 * step
        assert np.allclose(average, expected, atol=1e-6)
    assert np.array_equal(weights_of(model), averages[-1])


def test_averages_of_an_optimizer_of_ones_own_are_refused():
    with pytest.raises(ae_zoo.AEZooError, match=r"ema=0\.999"):
        ae_zoo.fit(build(), ROWS, optimizer=keras.optimizers.Adam(use_ema=True), verbose=0)


@pytest.mark.parametrize(("steps", "warmup"), [(30, 10), (140, 46), (600, 60), (2000, 100), (10_000, 200)])
def test_the_rate_rises_over_as_many_steps_as_adam_needs_and_then_falls(steps, warmup):
    schedule = Schedule(epochs=1, steps=steps, batch_size=8, learning_rate=0.5, beta_1=0.9, patience=None, warmup=0)
    rates = Pace(schedule).rates(0)
    assert int(rates.argmax()) == warmup
    assert rates.max() == 0.5
    assert (np.diff(rates[:warmup]) > 0).all()
    assert (np.diff(rates[warmup:]) <= 0).all()


def test_a_callback_that_sets_the_rate_is_refused():
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-4)
    with pytest.raises(ae_zoo.AEZooError, match="A callback changed the learning rate"):
        ae_zoo.fit(build(), ROWS, epochs=2, callbacks=[schedule], verbose=0)
    ae_zoo.fit(build(), ROWS, epochs=2, callbacks=[schedule], optimizer=keras.optimizers.Adam(), verbose=0)


def test_a_callback_that_sets_the_rate_of_a_batch_is_refused_too():
    class Slower(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.optimizer.learning_rate = 1e-4

    with pytest.raises(ae_zoo.AEZooError, match="A callback changed the learning rate"):
        ae_zoo.fit(build(), ROWS, epochs=2, callbacks=[Slower()], verbose=0)


def test_a_refused_run_leaves_the_model_as_it_was():
    used = keras.optimizers.Adam()
    ae_zoo.fit(build(), ROWS, epochs=1, optimizer=used, verbose=0)
    model = build(scaling="minmax")
    before = weights_of(model)
    with pytest.raises(ae_zoo.AEZooError, match="used for another model"):
        ae_zoo.fit(model, 10 * ROWS, epochs=1, optimizer=used, verbose=0)
    assert not model.scaling.adapted
    assert np.array_equal(weights_of(model), before)


@pytest.mark.parametrize(("n", "coarse"), [(1, 1), (15, 15), (17, 18), (511, 512), (569, 576), (20_000, 20_000)])
def test_numbers_of_rows_are_rounded_up_by_an_eighth_at_most(n, coarse):
    assert loop._coarse(n) == coarse


class Ruin(keras.callbacks.Callback):
    """Sets the decoder's weights to nonsense after some epochs."""

    def __init__(self, epochs, value):
        super().__init__()
        self.epochs, self.value = epochs, value

    def on_epoch_begin(self, epoch, logs=None):
        if epoch in self.epochs:
            weights = self.model.decoder.get_weights()
            self.model.decoder.set_weights([np.full_like(weight, self.value) for weight in weights])


@pytest.mark.parametrize("value", [1e3, np.nan])
def test_a_collapse_is_taken_back_and_the_run_goes_on(value):
    model = build(output_activation="linear")
    result = ae_zoo.fit(model, ROWS, epochs=30, callbacks=[Ruin([10], value)], verbose=0)
    assert len(result.notes) == 1
    assert "went back to the weights of epoch 1" in result.notes[0]
    assert result.best_epoch > 11  # it went on, and became better
    assert result.epochs == 30
    assert model.reconstruction_error(ROWS).mean() < 0.2 * ROWS.var(axis=0).mean()


def test_after_three_rescues_nan_ends_the_run_and_leaves_the_best_weights():
    model = build()
    with pytest.raises(ae_zoo.errors.DivergedError, match="learning_rate ten times smaller"):
        ae_zoo.fit(model, ROWS, epochs=30, callbacks=[Ruin(range(5, 30), np.nan)], verbose=0)
    assert np.isfinite(weights_of(model)).all()


def test_a_second_fit_never_ends_worse_than_it_began():
    model = build()
    ae_zoo.fit(model, ROWS, epochs=40, verbose=0)
    held_out = ROWS[::7]
    before = model.reconstruction_error(held_out).mean()
    result = ae_zoo.fit(model, ROWS, validation=held_out, epochs=1, learning_rate=0.5, verbose=0)
    assert result.best_epoch == 0
    assert model.reconstruction_error(held_out).mean() == before


def test_a_model_that_ends_worse_than_pca_says_so():
    with pytest.warns(ae_zoo.AEZooWarning, match="ends worse than PCA"):
        ae_zoo.fit(build(), ROWS, epochs=1, verbose=0)


def test_the_first_step_moves_a_learned_variance_ten_times_as_far_as_a_weight():
    model = build(loss="gaussian")
    model.adapt(ROWS)
    before = model.get_layer("code").get_weights()[0]
    ae_zoo.fit(model, ROWS, validation=0, epochs=1, batch_size=200, learning_rate=1.0, verbose=0)
    # The first step of Adam moves by the rate, whatever the gradient; the warm-up begins at a hundredth of the rate.
    assert abs(float(model.likelihood.learned)) == pytest.approx(0.1, rel=1e-3)
    assert np.abs(model.get_layer("code").get_weights()[0] - before).max() == pytest.approx(0.01, rel=1e-3)


def test_weight_decay_shrinks_the_kernels_alone():
    model = build()
    model.adapt(ROWS)
    kernel, bias = (np.array(weight) for weight in model.get_layer("code").get_weights())
    bias += 1
    model.get_layer("code").set_weights([kernel, bias])
    model.likelihood.loss = lambda target, output: 0.0 * output  # no gradients
    result = ae_zoo.fit(
        model, ROWS, validation=0, epochs=1, batch_size=100, learning_rate=0.1, weight_decay=0.5, verbose=0
    )
    rates = [0.1 * 0.01, 0.1]  # two steps: the first of the warm-up, and the highest
    left = np.prod([1 - rate * 0.5 for rate in rates])
    assert result.history["loss"] == [0]
    assert np.allclose(model.get_layer("code").get_weights()[0], kernel * left, rtol=1e-5)
    assert np.array_equal(model.get_layer("code").get_weights()[1], bias)
