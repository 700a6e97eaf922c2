import os
import shutil
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pytest

import ae_zoo
from ae_zoo import cli
from ae_zoo.data import load_mnist
from ae_zoo.data.mnist import VARIABLE


@pytest.fixture
def x():
    """64 rows of 8 features in [0, 1] with three directions in them: small enough to train on in a blink."""
    random = np.random.default_rng(0)
    signal = random.normal(size=(64, 3)) @ random.normal(size=(3, 8))
    return (1 / (1 + np.exp(-signal))).astype("float32")


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Runs a command line as the shell would, in an empty folder: (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["ae-zoo", *map(str, args)])
        try:
            cli.main()
            code = 0
        except SystemExit as done:
            code = done.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """The 5,000 real digits, whatever else this machine has: tests need no network and no other data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(VARIABLE, raising=False)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("keras.datasets.mnist.load_data", _no_network)
        return load_mnist()


@pytest.fixture(scope="session")
def rows():
    """300 rows of 8 features in [0, 1]."""
    return np.random.default_rng(0).random((300, 8), "float32")


@pytest.fixture(scope="session")
def detector(rows):
    """A calibrated detector of rows with units of their own, and the rows."""
    x = 1000 + 50 * rows
    model = ae_zoo.build("variational", data=x, code=3, hidden=[6], seed=1)
    model.adapt(x)
    return ae_zoo.Detector(model).calibrate(x, false_alarm_rate=0.1), x


@pytest.fixture(scope="session")
def exported(detector, tmp_path_factory):
    """Its exported version."""
    detector, x = detector
    folder = tmp_path_factory.mktemp("served") / "machines"
    return ae_zoo.export(detector, folder, x_train=x, x_test=x[:50], source="machines")


@pytest.fixture
def copy(exported, tmp_path):
    """A version that may be damaged."""
    return shutil.copytree(exported, tmp_path / "machines" / "1")


def _no_network(*args, **kwargs):
    raise Exception("URL fetch failure: no network in tests")
