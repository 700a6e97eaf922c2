"""The client of TensorFlow Serving, against a stand-in over real sockets."""

import sys

import numpy as np
import pytest

pytest.importorskip("tensorflow_serving")

from ae_zoo import client
from tests import serving_double

X = np.random.default_rng(0).random((7, 4), dtype="float32")


class Runtime:
    signatures = {
        "encode": {"inputs": {"x": ("float32", (None, 4))}, "outputs": {"code": ("float32", (None, 2))}},
        "score": {
            "inputs": {"x": ("float32", (None, 4))},
            "outputs": {"error": ("float32", (None,)), "share": ("float32", (None, 4))},
        },
    }

    def run(self, name, inputs):
        x = inputs["x"]
        return {"code": x[:, :2] * 3} if name == "encode" else {"error": x.mean(1), "share": x / x.sum(1)[:, None]}


@pytest.fixture(params=["rest", "grpc"])
def served(request):
    plan = serving_double.Plan()
    with getattr(serving_double, f"{request.param}_server")(Runtime(), plan) as address:
        yield address, plan


def test_answers_are_the_runtimes_in_batches(served):
    address, plan = served
    digits = client.connect(address, "digits", batch_size=3)
    assert digits.signatures()["score"]["outputs"] == {"error": (None,), "share": (None, 4)}
    np.testing.assert_allclose(digits.encode(X), X[:, :2] * 3, atol=1e-5)
    assert plan.batches == [3, 3, 1]
    found = digits.predict("score", x=X)
    for name, expected in Runtime().run("score", {"x": X}).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-5)


def test_a_transient_error_is_tried_again_and_a_lasting_one_told(served):
    address, plan = served
    plan.failures = 1
    assert client.connect(address, "digits").encode(X).shape == (7, 2)
    plan.failures = 9
    with pytest.raises(ConnectionError, match="after 1 retries"):
        client.connect(address, "digits", retries=1).encode(X)


def test_a_late_answer_is_a_timeout(served):
    address, plan = served
    plan.delay = 0.5
    with pytest.raises(TimeoutError, match="within 0.1 s"):
        client.connect(address, "digits", timeout=0.1).encode(X)


def test_bad_requests_are_told_before_they_are_sent(served):
    address, plan = served
    digits = client.connect(address, "digits")
    with pytest.raises(ValueError, match="did you mean 'encode'"):
        digits.predict("encod", x=X)
    with pytest.raises(ValueError, match="rows of 4 features; received rows of 3"):
        digits.encode(X[:, :3])
    with pytest.raises(ValueError, match="NaN"):
        digits.encode(np.where(X > 0.5, np.nan, X))
    assert not plan.batches
    with pytest.raises(ValueError, match="serves no model 'digit'"):
        client.connect(address, "digit").encode(X)


def test_a_version_or_a_label_is_asked_for(served):
    address, plan = served
    for which in ({}, {"version": 2}, {"label": "canary"}):
        client.connect(address, "digits", **which).encode(X)
    assert plan.versions == ["", 2, "canary"]
    with pytest.raises(ValueError, match="not both"):
        client.connect(address, "digits", version=2, label="canary")


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with pytest.raises(ImportError, match=r"pip install 'ae-zoo\[grpc\]'"):
        client.connect("grpc://127.0.0.1:1", "digits").encode(X)


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server_is_a_connection_error(scheme):
    with pytest.raises(ConnectionError, match="cannot be reached"):
        client.connect(f"{scheme}://127.0.0.1:1", "digits", retries=1).encode(X)
