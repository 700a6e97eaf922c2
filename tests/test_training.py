import os
import pathlib
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

import ae_zoo
from ae_zoo.training.batches import Batches
from ae_zoo.training.callbacks import Deadline
from ae_zoo.training.holdout import Data, hold_out

ROOT = pathlib.Path(__file__).parents[1]


def build(**options):
    return ae_zoo.build("denoising", 8, code=2, hidden=[6], seed=1, **options)


def test_equal_seeds_give_equal_weights_and_other_seeds_others(x):
    weights = []
    for seed in (1, 1, 2):
        model = build()
        ae_zoo.fit(model, x, epochs=2, seed=seed, verbose=0)
        weights.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_model_ends_with_its_best_weights(x):
    model = build()
    # A rate this high makes later epochs worse than the best one.
    result = ae_zoo.fit(model, x, validation=x, epochs=12, learning_rate=0.3, verbose=0)
    errors = result.history["val_reconstruction"]
    assert result.best_error == min(errors) == errors[result.best_epoch - 1]
    assert model.reconstruction_error(x).mean() == pytest.approx(min(errors), rel=1e-5)


def test_stops_when_nothing_improves(x):
    model = build()
    model.trainable = False  # so no epoch is better than the start
    with pytest.warns(UserWarning, match="trainable weights"):
        result = ae_zoo.fit(model, x, epochs=50, patience=3, verbose=0)
    assert (result.epochs, result.best_epoch, result.stopped) == (3, 0, "no improvement")


@pytest.mark.slow
def test_selection_ignores_the_penalty(x):
    trained = ae_zoo.build("sparse", 8, code=3, sparsity=None, seed=1)
    ae_zoo.fit(trained, x, validation=x, epochs=60, learning_rate=1e-2, verbose=0)
    model = ae_zoo.build("sparse", 8, code=3, sparsity=-0.9, sparsity_weight=100.0)
    model.set_weights(trained.get_weights())
    # From there on the penalty falls at the cost of the reconstruction.
    result = ae_zoo.fit(model, x, validation=x, epochs=8, verbose=0)
    assert int(np.argmin(result.history["val_loss"])) == result.epochs - 1
    assert result.best_epoch == 0  # the start, whose reconstruction no epoch improves
    assert result.notes == ()


def test_time_budget_keeps_the_best_so_far(x):
    class Slow(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:  # as if the budget had been spent by now, without waiting for it
                for callback in self.params["watchers"]:
                    callback.begin -= 3600

    from ae_zoo.training import callbacks

    slow = Slow()
    deadlines = []
    original = callbacks.Deadline.set_params

    def remember(self, params):
        original(self, params)
        deadlines.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(callbacks.Deadline, "set_params", remember)
        slow.set_params = lambda params: setattr(slow, "params", {**params, "watchers": deadlines})
        result = ae_zoo.fit(build(), x, epochs=50, minutes=30, callbacks=[slow], verbose=0)
    assert result.stopped == "time is up"
    assert result.epochs == 3
    assert result.best_error == min(result.history["val_reconstruction"])


def test_nan_stops_with_advice_and_keeps_the_best_weights(x):
    model = build()

    class Break(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                self.model.optimizer.learning_rate = 1e30

    with pytest.raises(FloatingPointError, match="learning_rate ten times smaller"):
        ae_zoo.fit(
            model, x, epochs=20, optimizer=keras.optimizers.SGD(1e-2), patience=20, callbacks=[Break()], verbose=0
        )
    assert np.all(np.isfinite(model.reconstruct(x)))


def test_scaling_is_fitted_to_the_training_rows_alone(x):
    model = build(scaling="standard", output_activation="linear")
    valid = x + 100
    ae_zoo.fit(model, x, validation=valid, epochs=1, verbose=0)
    assert np.allclose(model.scaling.offset, x.mean(axis=0), atol=1e-5)


def test_batches_hold_each_row_once_an_epoch_in_an_order_of_seed_and_epoch(x):
    rows = np.arange(4, 64)

    def epoch(seed, number):
        return x[Batches(Data(x), rows, 20, seed).order(number).ravel()]

    first = epoch(1, 0)
    assert np.array_equal(np.sort(first, axis=0), np.sort(x[4:], axis=0))
    assert np.array_equal(first, epoch(1, 0))
    assert not np.array_equal(first, epoch(1, 1))
    assert not np.array_equal(first, epoch(2, 0))


def test_validation_rows_need_their_targets_where_the_others_have_some(x):
    with pytest.raises(ValueError, match=r"give \(rows, y\)"):
        ae_zoo.fit(build(), x, x, validation=x, verbose=0)
    result = ae_zoo.fit(build(), x, x, validation=(x[:9], x[:9]), epochs=1, verbose=0)
    assert result.validation_rows == 9


def test_rows_of_any_range_may_be_cleaned_but_not_asked_for(x):
    noisy = x + 2
    ae_zoo.fit(build(), noisy, x, validation=(noisy[:9], x[:9]), epochs=1, verbose=0)
    with pytest.raises(ValueError, match=r"x must be in \[0, 1\]"):
        ae_zoo.fit(build(), noisy, epochs=1, verbose=0)
    with pytest.raises(ValueError, match=r"y must be in \[0, 1\]"):
        ae_zoo.fit(build(), x, noisy, epochs=1, verbose=0)


@pytest.mark.slow
def test_a_second_run_needs_no_second_warmup(x):
    model = ae_zoo.build("variational", 8, code=2, hidden=[6], warmup=100, seed=1)
    ae_zoo.fit(model, x, epochs=3, validation=0, verbose=0)
    assert ae_zoo.fit(model, x, epochs=1, validation=0, verbose=0).epochs == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation": 1.5}, "share"),
        ({"batch_size": 0.5}, "batch_size must be"),
        ({"epochs": -1}, "epochs must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"minutes": 0}, "minutes must be above 0"),
        ({"learning_rate": -1}, "learning_rate must be above 0"),
        ({"validation": np.zeros((3, 7))}, "validation must have rows of 8"),
    ],
)
def test_bad_plans_get_one_sentence(options, message, x):
    with pytest.raises(ValueError, match=message):
        ae_zoo.fit(build(), x, verbose=0, **options)


SCRIPT = """
import sys
import numpy as np
import keras
import ae_zoo

x = np.random.default_rng(0).uniform(size=(64, 8)).astype("float32")

class Shout(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 >= 4:
            print("step of epoch", self.epoch, flush=True)
            if sys.argv[2] == "wait" and self.epoch == 3:
                sys.stdin.read()  # until it is killed, in the middle of the epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

model = ae_zoo.build("denoising", 8, code=2, hidden=[6], seed=1)
result = ae_zoo.fit(model, x, epochs=6, checkpoint=sys.argv[1], callbacks=[Shout()], verbose=0)
np.savez(sys.argv[3], *model.get_weights(), errors=result.history["val_reconstruction"])
"""


def start(checkpoint, mode, out):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, checkpoint, mode, out],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.slow
def test_a_killed_run_ends_as_one_that_ran_through(tmp_path):
    paths = {name: str(tmp_path / name) for name in ("a.npz", "b.npz", "a-out.npz", "b-out.npz")}
    with start(paths["a.npz"], "run", paths["a-out.npz"]) as whole:
        with start(paths["b.npz"], "wait", paths["b-out.npz"]) as killed:
            for line in killed.stdout:
                if "epoch 3" in line:
                    killed.send_signal(signal.SIGKILL)
        with start(paths["b.npz"], "run", paths["b-out.npz"]) as resumed:
            lines = resumed.stdout.read()
    assert [whole.returncode, killed.returncode, resumed.returncode] == [0, -signal.SIGKILL, 0]
    assert "epoch 2" not in lines  # finished epochs are not repeated
    with np.load(paths["a-out.npz"]) as a, np.load(paths["b-out.npz"]) as b:
        assert a.files == b.files
        for name in a.files:
            assert np.array_equal(a[name], b[name]), name


class Interrupt(keras.callbacks.Callback):
    """Breaks a run off in the middle of an epoch, once."""

    def __init__(self, epoch):
        super().__init__()
        self.when = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.when:
            raise KeyboardInterrupt


STATEFUL = {
    "denoising": {"scaling": "minmax"},  # noise
    "variational": {"warmup": 100, "binarization": "dynamic"},  # rows seen, two kinds of draws
    "winner_take_all": {"threshold": True, "share": 0.2},  # moving averages
}


@pytest.mark.slow
@pytest.mark.parametrize(("family", "when"), [("denoising", 0), ("variational", 1), ("winner_take_all", 3)])
def test_an_interrupted_run_with_its_own_optimizer_and_callback_resumes_too(family, when, x, tmp_path):
    class Halve(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) / 2

    def run(path, *callbacks):
        model = ae_zoo.build(family, 8, code=2, hidden=[6], seed=1, **STATEFUL[family])
        optimizer = keras.optimizers.SGD(0.5, momentum=0.9)
        ae_zoo.fit(model, x, epochs=5, optimizer=optimizer, checkpoint=path, callbacks=[Halve(), *callbacks], verbose=0)
        return [np.asarray(variable) for variable in model.variables]

    whole = run(tmp_path / "a.npz")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b.npz", Interrupt(when))
    for a, b in zip(whole, run(tmp_path / "b.npz"), strict=True):
        assert np.array_equal(a, b)


def test_a_run_that_a_callback_stopped_is_finished(x, tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 2

    first = ae_zoo.fit(build(), x, epochs=6, checkpoint=tmp_path / "a.npz", callbacks=[Stop()], verbose=0)
    again = ae_zoo.fit(build(), x, epochs=6, checkpoint=tmp_path / "a.npz", verbose=0)
    assert first.stopped == again.stopped == "stopped by a callback"
    assert first.epochs == again.epochs == 3


def test_an_interrupt_or_nan_in_the_first_epoch_leaves_the_initial_weights(x):
    model = build()
    before = model.get_weights()
    with pytest.raises(KeyboardInterrupt):
        ae_zoo.fit(model, x, epochs=2, callbacks=[Interrupt(0)], verbose=0)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert sum(changed) == 1  # the output's bias, which starts at the rows' mean
    with pytest.raises(FloatingPointError):
        ae_zoo.fit(model, x, epochs=2, optimizer=keras.optimizers.SGD(1e30), verbose=0)
    assert np.all(np.isfinite(model.reconstruct(x)))


def test_checkpoint_of_another_run_or_a_damaged_one_is_refused(x, tmp_path):
    path = tmp_path / "run.npz"
    first = ae_zoo.fit(build(), x, epochs=2, checkpoint=path, verbose=0)
    model = build()
    again = ae_zoo.fit(model, x, epochs=2, checkpoint=path, verbose=0)  # finished: nothing is trained
    assert again.history == first.history
    assert again.best_error == first.best_error
    with pytest.raises(ValueError, match="other options, data or seed"):
        ae_zoo.fit(build(), x, epochs=2, seed=2, checkpoint=path, verbose=0)
    with pytest.raises(ValueError, match="other options, data or seed"):
        ae_zoo.fit(build(), x[1:], epochs=2, checkpoint=path, verbose=0)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="damaged"):
        ae_zoo.fit(build(), x, epochs=2, checkpoint=path, verbose=0)
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]  # nothing is left beside it


@pytest.mark.parametrize("end", ["finished", "broken off", "cut"])
def test_a_checkpoint_of_a_model_that_began_with_other_weights_says_so(end, x, tmp_path, monkeypatch):
    """Whether the run was finished, broken off or cut by a limit of time, the model that it left may go on in silence."""

    def fit(model, **options):
        ae_zoo.fit(model, x, **{"epochs": 4, "checkpoint": tmp_path / "run.npz", "verbose": 0, **options})

    model = build()
    if end == "finished":
        fit(model)
    elif end == "broken off":
        with pytest.raises(KeyboardInterrupt):
            fit(model, callbacks=[Interrupt(2)])
    else:
        late = Late(2)
        monkeypatch.setattr(Deadline, "seconds", property(lambda self: 1e9 * late.now))
        fit(model, callbacks=[late], minutes=1)
        late.now = False
    fit(model)  # the model that the run left
    fit(build())  # one that begins as that one did
    other = ae_zoo.build("denoising", 8, code=2, hidden=[6], seed=2)
    with pytest.warns(ae_zoo.AEZooWarning, match=r"began with other weights than this one.*taken over.*another file"):
        fit(other)
    assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), model.get_weights(), strict=True))


class Late(keras.callbacks.Callback):
    """Says that the time is up from the first step of an epoch on."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch, self.now = epoch, False

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch == self.epoch


def test_few_labels_are_split_as_the_rows_are():
    """Also where their rows were chosen by the generator and the seed that choose the held-out rows."""
    y = np.full(1000, -1, "int32")
    y[np.random.default_rng(1).permutation(1000)[:50]] = 3
    model = ae_zoo.build("adversarial", 2, code=1, hidden=[2], discriminator=[2], n_classes=4)
    rows, held = hold_out(model, Data(np.zeros((1000, 2), "float32"), y), 0.1, 1)
    assert (len(rows), len(held.x)) == (900, 100)
    assert ((y[rows] == 3).sum(), (held.y == 3).sum()) == (45, 5)
    one = np.where(np.arange(10) == 4, 3, -1).astype("int32")
    rows, held = hold_out(model, Data(np.zeros((10, 2), "float32"), one), 0.7, 1)
    assert 4 in rows
    assert len(held.x) == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation": (1,)}, "is .rows, y.; received 1 parts"),
        ({"validation": float("nan")}, "share from 0 to below 1"),
        ({"optimizer": 5}, "one of Keras's, such as keras.optimizers.Adam"),
        ({"callbacks": 5}, "a list of Keras callbacks; received 5"),
        ({"callbacks": ["ab"]}, "a list of Keras callbacks"),
    ],
)
def test_wrong_arguments_of_a_run_get_one_sentence(options, message, x):
    with pytest.raises(ae_zoo.AEZooError, match=message):
        ae_zoo.fit(build(), x, epochs=1, verbose=0, **options)


def test_a_weight_counts_as_so_many_rows(x):
    def gradient_step(rows, weights=None):
        model = ae_zoo.build("undercomplete", 8, code=3, seed=1)
        model.adapt(x)  # the output starts at the mean of the same rows
        result = ae_zoo.fit(
            model,
            rows,
            weights=weights,
            validation=0,
            epochs=1,
            batch_size=len(rows),
            optimizer=keras.optimizers.SGD(1.0),
            verbose=0,
        )
        return model.get_weights(), result.history["loss"][0]

    weighted, loss = gradient_step(x[:4], [10, 20, 0, 10])
    repeated, same = gradient_step(x[[0, 1, 1, 3]])
    assert loss == pytest.approx(same, rel=1e-6)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(weighted, repeated, strict=True))


@pytest.mark.parametrize("weights", [[1.0], [-1.0] * 64, [0.0] * 64, [np.nan] * 64, ["a"] * 64])
def test_weights_that_are_none_are_refused(weights, x):
    with pytest.raises(ae_zoo.AEZooError, match="weights must be"):
        ae_zoo.fit(build(), x, weights=weights, verbose=0)
