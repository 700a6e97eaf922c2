"""What is served: its answers are Python's, asked of TensorFlow's own loader, of OpenVINO and of a client."""

import hashlib
import json
import pathlib
import shutil

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo import serving
from ae_zoo._support import versions
from ae_zoo.families import FAMILIES
from tests.test_conformance import make

OWN = {"variational": {"encode_distribution", "generate"}, "adversarial": {"generate"}}


@pytest.mark.slow
@pytest.mark.parametrize("family", [*sorted(FAMILIES), "pca", "classes"])
def test_answers_are_pythons(family, tmp_path, rows):
    if family == "pca":
        model = ae_zoo.PCA(3).fit(1e4 + rows)  # whose mean is large beside its spread
    elif family == "classes":
        model = make("adversarial", n_classes=4)
    else:
        model = make(family)
    found = serving.check(ae_zoo.export(model, tmp_path / "served" / family), tolerance=1e-6)
    assert found.passed, str(found)
    basic = {"encode", "decode", "serving_default"}
    if "reconstruct" in model.endpoints():
        basic |= {"reconstruct", "score"}
    own = {"generate", "classify"} if family == "classes" else OWN.get(family, set())
    assert found.differences.keys() == basic | own


@pytest.mark.slow
def test_openvino_gives_the_same(exported):
    found = serving.check(exported, openvino=True)
    assert found.passed, str(found)
    asked = {name.removesuffix(" by OpenVINO") for name in found.differences if name.endswith("OpenVINO")}
    assert asked == serving.SavedModel(exported).signatures.keys() - {"generate"}


def test_units_threshold_and_flags_are_inside(detector, exported):
    detector, x = detector
    model = serving.SavedModel(exported)
    found = model.run("detect", {"x": x})
    assert np.array_equal(found["flagged"], detector.flag(x))
    assert 0 < found["flagged"].sum() <= 30
    assert np.allclose(found["score"], detector.score(x), rtol=1e-5)
    reconstruction = model.run("serving_default", {"x": x})["reconstruction"]
    assert np.allclose(reconstruction, detector.model.reconstruct(x), rtol=1e-6)
    assert np.allclose(model.run("score", {"x": x})["share"].sum(axis=1), 1, atol=1e-5)
    assert list(model.run("score", {"x": x}, ["error"])) == ["error"]


def test_a_seed_gives_its_row_in_any_batch(exported):
    model = serving.SavedModel(exported)
    many = model.run("generate", {"seed": np.arange(2000)})
    assert np.array_equal(model.run("generate", {"seed": [7]})["generated"][0], many["generated"][7])
    far = model.run("generate", {"seed": [7, 7 + 2**32, 7 + 2**40, -7]})["generated"]
    assert len(np.unique(far, axis=0)) == 4
    assert np.abs(many["code"].mean(axis=0)).max() < 4 / np.sqrt(2000)
    assert np.abs(np.cov(many["code"].T) - np.eye(3)).max() < 6 / np.sqrt(2000)


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("detct", {"x": np.zeros((1, 8))}, "did you mean 'detect'"),
        ("score", {"y": np.zeros((1, 8))}, "no input 'y'"),
        ("score", {}, "needs the input 'x'"),
        ("score", {"x": np.zeros((2, 9))}, r"must be of shape \(n, 8\); received \(2, 9\)"),
        ("score", {"x": np.full((1, 8), "a")}, "must hold numbers that fit float32"),
        ("score", {"x": np.full((2, 8), np.nan)}, "x must be finite; it holds NaN or infinity"),
        ("generate", {"seed": [0.5]}, "must hold numbers that fit int64"),
        ("generate", {"seed": np.array([2**63 + 5], "uint64")}, "must hold numbers that fit int64"),
        ("score", {"x": pd.DataFrame(np.zeros((1, 8)))}, "has named columns"),
    ],
)
def test_bad_requests_are_one_sentence(exported, signature, inputs, message):
    with pytest.raises(ValueError, match=message) as raised:
        serving.SavedModel(exported).run(signature, inputs)
    assert "\n" not in str(raised.value)


def test_the_graph_itself_refuses_another_width(exported, tmp_path):
    """What any client sends, not only ours. One feature would else be stretched to eight."""
    import tensorflow as tf
    from tensorflow.core.protobuf import config_pb2

    model = serving.SavedModel(exported)
    for name, wrong, message in (
        ("score", np.ones((2, 1), "float32"), r"\[2,1\] is not compatible with expected shape \[\?,8\]"),
        ("generate", np.ones((2, 3), "int64"), r"\[2,3\] is not compatible with expected shape \[\?\]"),
    ):
        feed, fetch = ([tensor.name for tensor in side.values()] for side in model._tensors[name])
        options = config_pb2.CallableOptions(feed=feed, fetch=fetch)
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            model._session._make_callable_from_options(options)(wrong)  # without the checks of Python's own session


def test_the_card_says_what_it_is(detector, exported):
    detector, x = detector
    card = versions.card(exported)
    assert card["family"] == "variational"
    assert card["config"] == json.loads(json.dumps(detector.model.config.to_dict()))
    assert card["metrics"]["test mse"] == pytest.approx(detector.score(x[:50]).mean(), rel=1e-5)
    pca = ae_zoo.PCA(3, scaling="standard").fit(x)
    assert card["metrics"]["pca test mse"] == pytest.approx(pca.reconstruction_error(x[:50]).mean(), rel=1e-4)
    assert card["threshold"] == detector.threshold
    assert card["signatures"]["detect"]["outputs"]["flagged"] == "bool (n)"
    assert json.loads((exported.parent / "card.json").read_text()) == card
    assert card["data"]["training"]["sha256"] == hashlib.sha256(x.astype("<f4").tobytes()).hexdigest()


def test_warm_up_requests_are_predictions_of_every_signature(exported):
    """Read by the server's own protocol, and replayed."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    model, seen = serving.SavedModel(exported), set()
    for record in tf.data.TFRecordDataset(str(exported / "assets.extra" / "tf_serving_warmup_requests")):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.name == "machines"
        seen.add(request.model_spec.signature_name)
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        for answer in model.run(request.model_spec.signature_name, inputs).values():
            assert len(answer) == 1
    assert seen | {"serving_default"} == model.signatures.keys()


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_a_client_gets_the_exported_models_answers(transport, detector, exported, run):
    """Over a real socket, from a stand-in for the server around the same library."""
    from tests import serving_double

    detector, x = detector
    server = getattr(serving_double, f"{transport}_server")
    with server(serving.SavedModel(exported), serving_double.Plan(), model="machines") as address:
        served = ae_zoo.client.connect(address, "machines", batch_size=128)
        assert np.allclose(served.reconstruct(x), detector.model.reconstruct(x), rtol=1e-6)
        assert np.array_equal(served.detect(x), detector.flag(x))
        assert served.predict("generate", seed=[3, 4])["generated"].shape == (2, 8)
        np.save("rows.npy", x)
        command = ("request", address, "machines", "rows.npy", "--signature", "score", "--out", "answers.csv")
        assert run(*command)[0] == 0
        assert run(*command[:-1], "rows.npy")[0] == 2  # which would be lost
        assert np.allclose(pd.read_csv("answers.csv")["error"], detector.score(x), rtol=1e-5)
        command = ("request", address, "machines", "--signature", "generate", "--seeds", 5, "--out", "new.csv")
        assert run(*command)[0] == 0
        wanted = served.predict("generate", seed=np.arange(5))["generated"]
        assert np.allclose(pd.read_csv("new.csv")[[f"generated_{i}" for i in range(8)]], wanted, rtol=1e-6)
        pd.DataFrame(x, columns=list("abcdefgh")).to_csv("rows.csv", index=False)
        code, _, err = run("request", address, "machines", "rows.csv")
        assert code == 2
        assert "give the model's folder as --card, or give --as-is" in err
        code, _, err = run("request", address, "machine", "rows.npy")
        assert code == 2
        assert "serves no model 'machine'" in err


def test_models_config_is_what_the_server_reads(exported, run):
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    shutil.copytree(exported.parent, "served/machines")
    shutil.copytree(exported, "served/machines/2")
    shutil.copytree(exported, "served/digits/5")
    labels = ["--label", "machines:stable=1", "--label", "machines:canary=2"]
    assert run("serving-config", "served", *labels)[0] == 0
    text = pathlib.Path("served/models.config").read_text()
    read = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    digits, machines = read.model_config_list.config
    assert (digits.name, digits.base_path, digits.model_platform) == ("digits", "/models/digits", "tensorflow")
    assert not digits.version_labels
    assert not digits.HasField("model_version_policy")  # the newest, and newer ones when they come
    assert dict(machines.version_labels) == {"stable": 1, "canary": 2}
    assert list(machines.model_version_policy.specific.versions) == [1, 2]
    code, _, err = run("serving-config", "served", "--label", "machines:stable=3")
    assert code == 2
    assert "which has 1, 2" in err


def test_a_row_beyond_float32_is_refused_and_not_passed(detector, exported):
    detector, _ = detector
    x = np.full((1, 8), 3e38, "float32")
    with pytest.raises(ValueError, match="x lies so far from what the model was trained on that score is beyond"):
        serving.SavedModel(exported).run("detect", {"x": x})
    with pytest.raises(ValueError, match="Row 0 lies so far"):
        detector.flag(x)
