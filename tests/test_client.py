"""The client of TensorFlow Serving, against a stand-in over real sockets."""

import sys

import numpy as np
import pandas as pd
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
    digits = client.connect(address, "digits", retries=1, batch_size=100_000)
    digits.signatures()  # so that what fails are predictions
    for rows in (X, np.resize(X, (50_000, 4))):  # small, and larger than gRPC keeps of itself
        plan.failures = 1
        assert digits.encode(rows).shape == (len(rows), 2)
    plan.failures = 9
    with pytest.raises(ConnectionError, match="after 1 retries"):
        digits.encode(X)


def test_a_late_answer_is_a_timeout(served):
    address, plan = served
    digits = client.connect(address, "digits", timeout=0.1)
    digits.signatures()
    plan.delay = 0.5
    with pytest.raises(TimeoutError, match="within 0.1 s"):
        digits.encode(X)


def test_bad_requests_are_told_before_they_are_sent(served):
    address, plan = served
    digits = client.connect(address, "digits")
    with pytest.raises(ValueError, match="did you mean 'encode'"):
        digits.predict("encod", x=X)
    with pytest.raises(ValueError, match="rows of 4 features; received rows of 3"):
        digits.encode(X[:, :3])
    with pytest.raises(ValueError, match="NaN"):
        digits.encode(np.where(X > 0.5, np.nan, X))
    with pytest.raises(ValueError, match="at least one row"):
        digits.encode(X[:0])
    with pytest.raises(ValueError, match="does not know the names of columns"):
        digits.encode(pd.DataFrame(X))
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


def test_all_batches_of_an_answer_are_one_versions(served):
    address, plan = served
    digits = client.connect(address, "digits", batch_size=3)
    digits.encode(X[:3])
    plan.newest = 2
    digits.encode(X)
    assert plan.versions == ["", 2, 2, 2]


def test_a_refused_request_is_sent_once(served, monkeypatch):
    address, plan = served
    digits = client.connect(address, "digits", batch_size=3)
    digits.signatures()
    monkeypatch.setattr(digits, "_send", _refuse_the_last(digits._send))
    with pytest.raises(ValueError, match="refused"):
        digits.encode(X)
    assert plan.batches == [3, 3]


def _refuse_the_last(send):
    def sent(signature, inputs, version):
        if len(inputs["x"]) < 3:
            raise ValueError("refused")
        return send(signature, inputs, version)

    return sent


def test_columns_are_put_in_the_models_order(served):
    digits = client.connect(served[0], "digits", columns=list("abcd"))
    shuffled = pd.DataFrame(X, columns=list("abcd"))[list("cadb")]
    np.testing.assert_allclose(digits.encode(shuffled), X[:, :2] * 3, atol=1e-5)


@pytest.mark.parametrize(
    ("address", "options", "message"),
    [
        ("http://", {}, "must name a host"),
        ("http://localhost:1", {"timeout": 0}, "more than 0 seconds"),
        ("grpc://localhost:1", {"retries": 9}, "from 0 to 4"),
    ],
)
def test_options_are_checked_at_once(address, options, message):
    with pytest.raises(ValueError, match=message):
        client.connect(address, "digits", **options)


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"<html>"])
def test_another_server_is_told_from_tensorflows(answer):
    with serving_double.any_server(answer) as address, pytest.raises(ValueError, match="not answer as TensorFlow Serv"):
        client.connect(address, "a b/c?x#y").encode(X)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with pytest.raises(ImportError, match=r"pip install 'ae-zoo\[grpc\]'"):
        client.connect("grpc://127.0.0.1:1", "digits").encode(X)


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server_is_a_connection_error(scheme):
    with pytest.raises(ConnectionError, match="cannot be reached"):
        client.connect(f"{scheme}://127.0.0.1:1", "digits", retries=1).encode(X)
