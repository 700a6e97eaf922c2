"""Exported models: their answers are Python's, asked of TensorFlow's C library; and what happens on bad days."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

import keras
import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo import serving, versions
from ae_zoo.families import FAMILIES
from ae_zoo.serving import c_api
from tests.test_conformance import make

OWN = {"variational": {"encode_distribution", "generate"}, "adversarial": {"generate"}}


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).random((300, 8), "float32")


@pytest.fixture(scope="module")
def detector(rows):
    """Of rows with units of their own."""
    x = 1000 + 50 * rows
    model = ae_zoo.build("variational", data=x, code=3, hidden=[6], seed=1)
    model.adapt(x)
    return ae_zoo.Detector(model).calibrate(x, false_alarm_rate=0.1), x


@pytest.fixture(scope="module")
def exported(detector, tmp_path_factory):
    detector, x = detector
    folder = tmp_path_factory.mktemp("served") / "machines"
    return ae_zoo.export(detector, folder, x_train=x, x_test=x[:50], source="machines")


@pytest.fixture
def copy(exported, tmp_path):
    """A version that may be damaged."""
    return shutil.copytree(exported, tmp_path / "machines" / "1")


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
    if getattr(model, "reconstructs", True):
        basic |= {"reconstruct", "score"}
    own = {"generate", "classify"} if family == "classes" else OWN.get(family, set())
    assert found.differences.keys() == basic | own


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


def test_the_graph_itself_refuses_another_width_and_range(exported, tmp_path):
    """What any client sends, not only ours. One feature would else be stretched to eight."""
    model = serving.SavedModel(exported)
    signature = model.signatures["score"]
    with pytest.raises(ValueError, match=r"\[2,1\] is not compatible with expected shape \[\?,8\]"):
        model._run([signature.tensors["x"]], [np.ones((2, 1), "float32")], [signature.tensors["error"]])
    grey = serving.SavedModel(ae_zoo.export(make("undercomplete"), tmp_path / "grey"))
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]"):
        grey.run("score", {"x": np.full((1, 8), 255.0)})


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
        assert "give the model's folder as --card, or --as-is" in err
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


def test_load_gives_the_model_back(detector, exported, tmp_path):
    detector, x = detector
    model = ae_zoo.load(exported.parent)
    assert type(model) is type(detector.model)
    assert model.config == detector.model.config
    assert np.array_equal(model.reconstruct(x), detector.model.reconstruct(x))
    assert np.array_equal(model.encode_distribution(x)[1], detector.model.encode_distribution(x)[1])
    assert np.array_equal(ae_zoo.Detector.load(exported).flag(x), detector.flag(x))
    likelihoods = (each.log_likelihood(x[:5], samples=20) for each in (model, detector.model))
    assert np.array_equal(*likelihoods)  # which has a weight of its own
    with pytest.raises(FileNotFoundError, match="no version of a model"):
        ae_zoo.load(tmp_path)


def test_a_model_that_has_seen_no_rows_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has not been trained"):
        ae_zoo.export(make("sparse", scaling="standard", output_activation="linear"), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_versions_count_up_and_none_is_replaced(detector, tmp_path):
    model = detector[0]
    assert ae_zoo.export(model, tmp_path / "m").name == "1"
    assert ae_zoo.export(model, tmp_path / "m", version=7).name == "7"
    with pytest.raises(FileExistsError, match="a version 7 already"):
        ae_zoo.export(model, tmp_path / "m", version=7)
    assert ae_zoo.export(model, tmp_path / "m").name == "8"
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["1", "7", "8", "card.json"]


def test_two_exports_at_once_get_two_numbers(tmp_path):
    from ae_zoo.serving import writer

    counted = versions.next_number
    made = [tmp_path / "a", tmp_path / "b"]
    for folder in made:
        folder.mkdir()
        (folder / "saved_model.pb").touch()
    (tmp_path / "m").mkdir()
    both = threading.Barrier(2)

    def at_the_same_time(folder):
        found = counted(folder)
        if found == 1:
            both.wait(timeout=10)  # so that both have seen no version yet
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "next_number", at_the_same_time)
        threads = [threading.Thread(target=writer._place, args=(folder, tmp_path / "m", None)) for folder in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert versions.numbers(tmp_path / "m") == [1, 2]


def test_a_killed_export_leaves_no_version(tmp_path):
    code = (
        "import os, ae_zoo\n"
        "from ae_zoo.serving import writer\n"
        "writer.warmup.write = lambda *args: os.kill(os.getpid(), 9)\n"
        "ae_zoo.export(ae_zoo.build('sparse', 8, code=2), 'm')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False,
                          env={**os.environ, "PYTHONPATH": os.getcwd()})  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert versions.numbers(tmp_path / "m") == []
    assert all(path.name.startswith(".") for path in (tmp_path / "m").iterdir())  # which a server passes over
    with pytest.raises(FileNotFoundError):
        versions.newest(tmp_path / "m")
    (left,) = (tmp_path / "m").iterdir()
    os.utime(left, (0, 0))
    assert ae_zoo.export(make("sparse"), tmp_path / "m").name == "1"
    assert not left.exists()  # swept, as nobody has written there for a day


def test_damaged_variables_are_never_a_wrong_number(copy):
    path = copy / "variables" / "variables.data-00000-of-00001"
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], bytes([whole[0] ^ 1]) + whole[1:]):
        path.write_bytes(damaged)
        for use in (serving.check, ae_zoo.load):
            with pytest.raises(ValueError, match="not as it was exported: variables/variables.data-00000-of-00001"):
                use(copy)
        with pytest.raises(ValueError, match="cannot be loaded; its files are damaged"):
            serving.SavedModel(copy)


def test_a_check_sees_another_models_answers(copy, run):
    """Weights that are sound files, but not those of the examples."""
    path = copy / versions.EXTRA / versions.EXAMPLES
    with np.load(path) as arrays:
        examples = dict(arrays)
    examples["encode/output/code"][2] += 1e-3
    np.savez(path, **examples)
    card = versions.card(copy)
    card["files"][f"{versions.EXTRA}/{versions.EXAMPLES}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (copy / versions.EXTRA / versions.CARD).write_text(json.dumps(versions.sealed(card)))
    found = serving.check(copy)
    assert not found.passed
    assert found.differences["encode"] > 1e-5 > found.differences["score"]
    code, out, _ = run("check", copy)
    assert code == 1
    assert "DIFFERS" in out


def test_a_check_sees_what_is_missing_or_changed(copy):
    """The signature that a plain client asks for; a card whose columns have changed places."""
    path = copy / "saved_model.pb"
    model = c_api._saved_model().FromString(path.read_bytes())
    entries = model.graphs[0].signatures
    del entries[[entry.key for entry in entries].index("serving_default")]
    path.write_bytes(model.SerializeToString())
    card = versions.card(copy)
    card["files"]["saved_model.pb"] = hashlib.sha256(path.read_bytes()).hexdigest()
    written = copy / versions.EXTRA / versions.CARD
    written.write_text(json.dumps(versions.sealed(card)))
    with pytest.raises(ValueError, match="lacks or adds serving_default/input/x, serving_default/output/rec"):
        serving.check(copy)
    card["threshold"] /= 2
    written.write_text(json.dumps(card))
    for use in (serving.check, ae_zoo.load):
        with pytest.raises(ValueError, match="its contents differ from its hash"):
            use(copy)


def test_a_signature_without_its_tensor_is_no_crash(copy):
    path = copy / "saved_model.pb"
    model = c_api._saved_model().FromString(path.read_bytes())
    (entry,) = (entry for entry in model.graphs[0].signatures if entry.key == "encode")
    entry.value.outputs[0].value.name = "nowhere:0"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match="its graph has no 'nowhere:0'"):
        serving.SavedModel(copy).run("encode", {"x": np.zeros((1, 8))})


def test_a_row_beyond_float32_is_refused_and_not_passed(detector, exported):
    detector, _ = detector
    x = np.full((1, 8), 3e38, "float32")
    with pytest.raises(ValueError, match="x lies so far from what the model was trained on that score is beyond"):
        serving.SavedModel(exported).run("detect", {"x": x})
    with pytest.raises(ValueError, match="Row 0 lies so far"):
        detector.flag(x)


def test_folders_that_are_no_place_for_a_model_are_refused(detector, exported, copy, tmp_path):
    model = detector[0]
    with pytest.raises(ValueError, match=f"give the folder of the model, {copy.parent}"):
        ae_zoo.export(model, copy)
    (copy.parent / "0003").mkdir()
    (copy.parent / "4").touch()
    assert versions.newest(copy.parent) == copy
    assert ae_zoo.export(model, copy.parent).name == "5"
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file"):
        ae_zoo.export(model, tmp_path / "file")
    with pytest.raises(ValueError, match="auc must be a finite number; received nan"):
        ae_zoo.export(model, tmp_path / "m", metrics={"auc": np.nan})
    with pytest.raises(ValueError, match="a Detector or a PCA; received a str"):
        ae_zoo.export("model.keras", tmp_path / "m")


def test_from_the_command_line(run, rows, tmp_path):
    frame = pd.DataFrame(100 * rows, columns=list("abcdefgh"))
    frame.to_csv("rows.csv", index=False)
    model = ae_zoo.build("undercomplete", data=frame, code=2, seed=1)
    model.adapt(frame)
    model.save("m.keras")
    code, out, err = run("export", "m.keras", "served/m", "--test", "rows.csv", "--train", "rows.csv")
    assert (code, err) == (0, "")
    assert "served/m/1: written" in out
    code, out, _ = run("check", "served/m")
    assert code == 0
    assert out.count(" ok") == 5
    calibrated = ("export", "m.keras", "served/d", "--calibrate", "rows.csv", "--false-alarm-rate", 0.1)
    assert run(*calibrated)[0] == 0
    code, _, err = run("export", "m.keras", "served/f", "--false-alarm-rate", 0.1)
    assert (code, "give both" in err) == (2, True)
    assert run("export", "served/d", "served/e")[0] == 0  # a detector still
    assert versions.card("served/e/1")["threshold"] == versions.card("served/d/1")["threshold"] > 0
    code, out, _ = run("card", "served/m")
    assert "data: rows.csv: 300 rows of 8 features" in out
    assert "pca test mse" in out
    assert versions.card("served/m/1")["config"]["columns"] == list("abcdefgh")
    for args, message in (
        (("export", "m.keras", "served/m", "--version", 1), "a version 1 already"),
        (("check", "served/none"), "There is no folder served/none"),
        (("card", tmp_path), "holds no version of a model"),
    ):
        code, _, err = run(*args)
        assert code == 2
        assert message in err


def test_a_file_that_asks_for_code_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "lambda.keras")
    with pytest.raises(ValueError, match=r"cannot be loaded as a model: .*Lambda"):
        ae_zoo.load(tmp_path / "lambda.keras")
