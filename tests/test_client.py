"""The client of TensorFlow Serving, against a stand-in over real sockets."""

import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("tensorflow_serving")

from ae_zoo import client
from tests import serving_double

X = np.random.default_rng(0).random((7, 4), dtype="float32")


ROWS = {"x": ("float32", (None, 4))}


class Runtime:
    signatures = {
        "encode": {"inputs": ROWS, "outputs": {"code": ("float32", (None, 2))}},
        "detect": {"inputs": ROWS, "outputs": {"flagged": ("bool", (None,)), "threshold": ("float32", ())}},
        "classify": {"inputs": ROWS, "outputs": {"class": ("int64", (None,))}},
        "score": {
            "inputs": {"x": ("float32", (None, 4))},
            "outputs": {"error": ("float32", (None,)), "share": ("float32", (None, 4))},
        },
    }

    spoil = staticmethod(lambda outputs: outputs)

    def run(self, name, inputs):
        x = inputs["x"]
        answers = {
            "encode": {"code": x[:, :2] * 3},
            "detect": {"flagged": x.mean(1) > 0.5, "threshold": np.float32(0.5)},
            "classify": {"class": np.arange(len(x))},
            "score": {"error": x.mean(1), "share": x / x.sum(1)[:, None]},
        }
        return self.spoil(answers[name])


@pytest.fixture
def runtime():
    return Runtime()


@pytest.fixture(params=["rest", "grpc"])
def served(request, runtime):
    plan = serving_double.Plan()
    with getattr(serving_double, f"{request.param}_server")(runtime, plan) as address:
        yield address, plan


@pytest.fixture
def rest(runtime):
    with serving_double.rest_server(runtime, serving_double.Plan()) as address:
        yield address


def test_answers_are_the_runtimes_in_batches(served):
    address, plan = served
    digits = client.connect(address, "digits", batch_size=3)
    assert digits.signatures()["score"]["outputs"] == {"error": (None,), "share": (None, 4)}
    np.testing.assert_allclose(digits.encode(X), X[:, :2] * 3, atol=1e-5)
    assert plan.batches == [3, 3, 1]
    found = digits.predict("score", x=X)
    for name, expected in Runtime().run("score", {"x": X}).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-5)


def test_what_is_no_row_comes_once_in_any_number_of_batches(served):
    found = client.connect(served[0], "digits", batch_size=3).predict("detect", x=X)
    assert np.array_equal(found["flagged"], X.mean(1) > 0.5)
    assert found["threshold"] == np.float32(0.5)
    assert client.connect(served[0], "digits", batch_size=3).predict("classify", x=X)["class"].dtype == "int64"


@pytest.mark.parametrize(
    ("signature", "spoil", "message"),
    [
        ("encode", lambda code: code[:2], r"'code' must be float32 of shape \(7, 2\); received"),
        ("encode", lambda code: code[:0], "must be float32"),
        ("encode", lambda code: code[0], "must be float32"),
        ("encode", lambda code: np.concatenate([code, code]), "must be float32"),
        ("encode", lambda code: code[:, :1], "must be float32"),
        ("encode", lambda code: code[..., None], "must be float32"),
        ("encode", lambda code: np.where(code == code.max(), np.nan, code), "received nan in 1 of its 14 values"),
        ("encode", lambda code: code * np.float32(np.inf), "received inf in 14 of its 14 values"),
        ("detect", lambda flagged: flagged * 0.5, r"'flagged' must be bool of shape \(7,\); received"),
        ("classify", lambda classes: classes + 0.5, r"'class' must be int64 of shape \(7,\); received"),
        ("classify", lambda classes: classes > 1, "must be int64"),
    ],
)
def test_an_answer_is_what_was_announced(served, runtime, signature, spoil, message):
    def first(outputs):
        name = next(iter(outputs))
        return outputs | {name: np.asarray(spoil(outputs[name]))}

    runtime.spoil = first
    with pytest.raises(ValueError, match=f"answers signature '{signature}' wrongly: output .*{message}") as raised:
        client.connect(served[0], "digits").predict(signature, x=X)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("signature", "value", "message"),
    [
        ("encode", "3.5", '"3.5"'),
        ("encode", None, "null"),
        ("encode", True, "true"),
        ("encode", {"b64": "AAAA"}, "b64"),
        ("encode", 10**40, "inf in 14"),
        ("encode", 1e300, "inf in 14"),
        ("detect", "false", '"false"'),
        ("detect", 0, "the value 0"),
        ("detect", None, "null"),
        ("classify", 2**63, "a whole number that"),
        ("classify", 1.0, "the value 1.0"),
    ],
)
def test_a_value_in_json_is_of_its_type(rest, runtime, signature, value, message):
    runtime.spoil = lambda outputs: {
        name: np.full(np.shape(array), value, object) if np.ndim(array) else array for name, array in outputs.items()
    }
    with pytest.raises(ValueError, match=f"answers signature '{signature}' wrongly.*received .*{message}"):
        client.connect(rest, "digits").predict(signature, x=X)


def test_every_batch_is_checked(served, runtime):
    runtime.spoil = lambda outputs: {name: array[: len(array) // 2 * 2] for name, array in outputs.items()}
    with pytest.raises(ValueError, match="answers signature 'encode' wrongly"):
        client.connect(served[0], "digits", batch_size=6).encode(X)  # the last batch has one row, and its answer none


@pytest.mark.parametrize(
    "spoil",
    [
        lambda outputs: outputs | {"more": outputs["error"]},
        lambda outputs: {"error": outputs["error"], "shares": outputs["share"]},
    ],
)
def test_the_outputs_are_those_announced(served, runtime, spoil):
    runtime.spoil = spoil
    with pytest.raises(ValueError, match="must have the outputs error, share; received"):
        client.connect(served[0], "digits").score(X)


def test_an_output_that_is_not_served_is_told(served, runtime):
    runtime.signatures = {"detect": Runtime.signatures["score"], "score": Runtime.signatures["score"]}
    runtime.run = lambda name, inputs: Runtime.run(runtime, "score", inputs)
    with pytest.raises(ValueError, match="no output of signature 'detect' called 'flagged'"):
        client.connect(served[0], "digits").detect(X)


def test_a_new_version_of_another_width_is_noticed_in_its_answer(served, runtime):
    digits = client.connect(served[0], "digits")
    digits.encode(X)
    runtime.signatures = Runtime.signatures | {"encode": {"inputs": ROWS, "outputs": {"code": ("float32", (None, 3))}}}
    runtime.spoil = lambda outputs: {"code": np.ones((len(X), 3), "float32")}
    assert digits.encode(X).shape == (7, 3)


def test_a_transient_error_is_tried_again_and_a_lasting_one_told(served):
    address, plan = served
    digits = client.connect(address, "digits", retries=1, batch_size=100_000)
    digits.signatures()  # so that what fails are predictions
    for rows in (X, np.resize(X, (20_000, 4))):  # small, and larger than gRPC keeps of itself
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
    def sent(signature, inputs, *others):
        if len(inputs["x"]) < 3:
            raise ValueError("refused")
        return send(signature, inputs, *others)

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
        ("http://localhost:1", {"timeout": 1e10}, "at most 1e6"),
        ("grpc://localhost:1", {"retries": 9}, "from 0 to 4"),
    ],
)
def test_options_are_checked_at_once(address, options, message):
    with pytest.raises(ValueError, match=message):
        client.connect(address, "digits", **options)


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"<html>", b"[" * 100_000, b'"\xff"', b"null"])
def test_another_server_is_told_from_tensorflows(answer):
    with serving_double.any_server(answer) as address, pytest.raises(ValueError, match="not answer as TensorFlow Serv"):
        client.connect(address, "a b/c?x#y").encode(X)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with pytest.raises(ImportError, match=r"pip install 'ae-zoo\[grpc\]'"):
        client.connect("grpc://127.0.0.1:1", "digits").encode(X)


def test_without_requests_it_says_what_to_install(monkeypatch):
    for name in ("rest", "deadline"):
        monkeypatch.delitem(sys.modules, f"ae_zoo.client.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(ImportError, match=r"pip install 'ae-zoo\[client\]'"):
        client.connect("http://127.0.0.1:1", "digits")


def test_the_command_prints_truth_values_and_what_is_no_row(served, runtime, run):
    np.save("rows.npy", X)
    code, out, _ = run("request", served[0], "digits", "rows.npy", "--signature", "detect")
    assert code == 0
    assert out.splitlines()[:2] == ["threshold  flagged", f"0.5  {int(X[0].mean() > 0.5)}"]
    runtime.signatures = {"limit": {"inputs": ROWS, "outputs": {"threshold": ("float32", ())}}}
    runtime.run = lambda name, inputs: {"threshold": np.float32(0.25)}
    code, out, _ = run("request", served[0], "digits", "rows.npy", "--signature", "limit")
    assert (code, out.split()) == (0, ["threshold", "0.25"])


def test_the_command_refuses_a_wrong_answer(served, runtime, run):
    np.save("rows.npy", X)
    runtime.spoil = lambda outputs: {name: np.asarray(array)[:3] for name, array in outputs.items()}
    code, out, err = run("request", served[0], "digits", "rows.npy", "--signature", "encode", "--out", "a.csv")
    assert (code, out) == (2, "")
    assert "answers signature 'encode' wrongly" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server_is_a_connection_error(scheme):
    with pytest.raises(ConnectionError, match="cannot be reached"):
        client.connect(f"{scheme}://127.0.0.1:1", "digits", retries=1).encode(X)
