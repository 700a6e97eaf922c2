"""A process that runs for weeks: memory does not grow with the number of calls. `python -m benchmarks.memory` has the MB."""

import multiprocessing
import warnings

import keras
import numpy as np
import pytest

import ae_zoo

ROWS = np.random.default_rng(0).uniform(size=(2100, 6)).astype("float32")
FAMILIES = sorted(set(ae_zoo.list_families()) - {"convolutional"})


@pytest.fixture(scope="module")
def model():
    return ae_zoo.build("undercomplete", 6, code=2, seed=1)


@pytest.fixture
def sizes(monkeypatch):
    """The number of rows of each batch that a compiled function is asked for."""
    found = []
    predict = keras.Model.predict_on_batch

    def counted(network, x):
        found.append(len(x))
        return predict(network, x)

    monkeypatch.setattr(keras.Model, "predict_on_batch", counted)
    return found


def test_batches_have_a_few_sizes_whatever_the_number_of_rows(model, sizes):
    whole = model.encode(ROWS)
    for rows in range(129, 2100, 7):
        assert np.allclose(model.encode(ROWS[:rows]), whole[:rows], atol=1e-6), rows
    assert set(sizes) == {128, 256, 512, 1024}
    assert len(model.encoder.predict_function._list_all_concrete_functions()) <= len(set(sizes))


def test_batches_have_a_few_sizes_whatever_the_batch_size(model, sizes):
    whole = model.encode(ROWS)
    for size in range(64, 2100, 67):
        assert np.allclose(model.encode(ROWS, batch_size=size), whole, atol=1e-6), size
    assert set(sizes) == {64, 128, 256, 512, 1024, 2048}


def test_a_batch_wastes_few_rows(model, sizes):
    for rows, computed in ((129, 256), (256, 256), (513, 640), (1023, 1024), (1025, 2048)):
        sizes.clear()
        model.encode(ROWS[:rows])
        assert sum(sizes) == computed


@pytest.mark.parametrize("family", FAMILIES)
def test_a_second_model_has_the_variables_names_of_the_first(family):
    # TensorFlow keeps what it made for a name until the process ends, so new names take memory.
    def names():
        model = ae_zoo.build(family, 6, hidden=[5], code=2, dropout=0.1, corruption="masking", corruption_amount=0.1)
        return {variable.path.removeprefix(model.name) for variable in (*model.variables, *model.optimizer.variables)}

    assert names() == names()


def test_files_make_no_variables_of_new_names(model, tmp_path):
    def number():
        return int(keras.optimizers.Optimizer(1.0).name.removeprefix("optimizer_"))

    model.save(tmp_path / "model.keras")
    number()  # the first may have none
    before = number()
    model.save(tmp_path / "model.keras")
    ae_zoo.load(tmp_path / "model.keras")
    assert number() == before + 1  # Keras would have made one at each


@pytest.mark.parametrize("call", ["encode", "fit"])
def test_a_forked_child_is_told_what_to_do(model, call):
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def child():
        try:
            model.encode(ROWS) if call == "encode" else model.fit(ROWS, verbose=0)
        except ae_zoo.AEZooError as error:
            answers.put(str(error))

    process = context.Process(target=child)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of a fork beside threads
        process.start()
    process.join(60)
    hangs = process.is_alive()
    process.kill()
    assert not hangs
    assert 'multiprocessing.set_start_method("spawn")' in answers.get()
