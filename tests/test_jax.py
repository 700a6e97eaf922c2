"""The JAX backend, in a process of its own in which TensorFlow cannot be imported: build, fit, encode, save, load."""

import contextlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[1]
# Of one family, beside the defaults of all.
HIDDEN = {"normalization": "batch", "dropout": 0.1, "max_norm": 1.0, "tied": False}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="JAX is not installed: run pip install 'ae-zoo[jax]'."
    ),
]
OTHERS = {"probabilities", "resumed", "filled"}  # what was seen besides the families


def rows(shape):
    return np.random.default_rng(0).random((64, *shape), "float32")


def mixed():
    import pandas as pd

    random = np.random.default_rng(0)
    words = np.where(random.random(64) < 0.1, None, random.choice(["a", "b", "c"], 64))
    return pd.DataFrame({"word": words, "number": random.normal(size=64), "flag": random.random(64) < 0.5})


def main(folder):
    """Does it for every family, keeps its file and its codes in the folder, and prints what was seen as JSON."""
    import warnings

    sys.modules["tensorflow"] = None  # as where it is not installed: importing it fails

    import keras

    import ae_zoo
    from ae_zoo.families import FAMILIES

    warnings.simplefilter("ignore", ae_zoo.AEZooWarning)  # two epochs are few, which a family may say
    assert keras.backend.backend() == "jax"
    seen = {}
    for name, family, options in (
        *((name, name, {}) for name in FAMILIES),
        ("variational_hidden", "variational", HIDDEN),
    ):
        network = FAMILIES[family].Config.network
        images = {"input_shape": (2, 4), "dense": []} if network == "convolutional" else {"input_shape": 8}
        model = ae_zoo.build(family, code=3, hidden=[6], seed=1, **images, **options)
        before = model.get_weights()
        x = rows(model.config.input_shape)
        ae_zoo.fit(model, x, epochs=1, verbose=0)
        codes = model.encode(x)
        np.save(folder / f"{name}.npy", codes)
        model.save(folder / f"{name}.keras")
        loaded = ae_zoo.load(folder / f"{name}.keras")
        given = {"x": x, "code": codes, "seed": np.arange(3)}
        answers = [value for one in model.endpoints().values() for value in one.verb(given[one.input]).values()]
        seen[name] = {
            "finite": bool(np.isfinite(codes).all()),
            "changed": any(not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True)),
            "verbs": bool(all(np.isfinite(answer).all() for answer in answers)),
            "loaded": bool(np.array_equal(loaded.encode(x), codes)),
        }
    classifier = ae_zoo.supervise(model, x, np.arange(64) % 2, epochs=2, verbose=0)
    seen["probabilities"] = np.asarray(classifier(x)).sum(axis=1).tolist()
    seen["resumed"] = _resumed(folder)
    table = ae_zoo.build("variational", data=mixed(), seed=1)
    ae_zoo.fit(table, mixed(), epochs=2, ema=0.9, verbose=0)
    np.save(folder / "table.npy", table.reconstruction_error(mixed()))
    table.save(folder / "table.keras")
    seen["filled"] = bool(table.impute(mixed()).notna().all(axis=None)) and len(table.explain(mixed(), top=1)) == 64
    print(json.dumps(seen))


def _resumed(folder):
    """Whether a run that was interrupted ends with the weights of one that ran through, bit for bit."""
    import keras

    import ae_zoo

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def run(**options):
        model = ae_zoo.build("denoising", 8, code=3, hidden=[6], seed=1)
        ae_zoo.fit(model, rows((8,)), epochs=4, verbose=0, **options)
        return model.get_weights()

    checkpoint = folder / "run.npz"
    with contextlib.suppress(KeyboardInterrupt):
        run(checkpoint=checkpoint, callbacks=[Interrupt()])
    return all(np.array_equal(*pair) for pair in zip(run(), run(checkpoint=checkpoint), strict=True))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """(the folder that the other process wrote, what it saw)."""
    folder = tmp_path_factory.mktemp("jax")
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "tests.test_jax", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


def test_every_family_is_fitted_saved_and_loaded(found):
    import ae_zoo

    right = {"finite": True, "changed": True, "verbs": True, "loaded": True}
    seen = {name: one for name, one in found[1].items() if name not in OTHERS}
    assert seen == dict.fromkeys((*ae_zoo.list_families(), "variational_hidden"), right)
    assert np.allclose(found[1]["probabilities"], 1, atol=1e-5)


def test_a_run_that_was_interrupted_ends_as_one_that_ran_through(found):
    assert found[1]["resumed"]


def test_a_file_from_jax_is_the_same_model_here(found):
    import ae_zoo

    folder, seen = found
    for family in seen.keys() - OTHERS:
        model = ae_zoo.load(folder / f"{family}.keras")
        codes = model.encode(rows(model.config.input_shape))
        assert np.allclose(codes, np.load(folder / f"{family}.npy"), atol=1e-6), family


def test_a_table_is_learned_there_and_is_the_same_here(found):
    import ae_zoo

    folder, seen = found
    assert seen["filled"]
    errors = ae_zoo.load(folder / "table.keras").reconstruction_error(mixed())
    assert np.allclose(errors, np.load(folder / "table.npy"), rtol=1e-4)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
