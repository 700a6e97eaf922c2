"""Folders of versions: written whole or not at all, never replaced, and read back."""

import os
import pathlib
import signal
import subprocess
import sys
import threading

import keras
import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo import serving
from ae_zoo._support import versions
from tests.test_conformance import make


@pytest.mark.slow
def test_load_gives_the_model_back(detector, exported, tmp_path):
    detector, x = detector
    model = ae_zoo.load(exported.parent)
    assert type(model) is type(detector.model)
    assert model.config == detector.model.config
    assert np.array_equal(model.reconstruct(x), detector.model.reconstruct(x))
    assert np.array_equal(model.encode_distribution(x)[1], detector.model.encode_distribution(x)[1])
    assert np.array_equal(ae_zoo.Detector.load(exported).flag(x), detector.flag(x))
    likelihoods = (ae_zoo.log_likelihood(each, x[:5], samples=20) for each in (model, detector.model))
    assert np.array_equal(*likelihoods)  # which has a weight of its own
    with pytest.raises(FileNotFoundError, match="no version of a model"):
        ae_zoo.load(tmp_path)


def test_a_detector_that_was_exported_is_exported_again_with_its_threshold(exported, detector, tmp_path):
    again = ae_zoo.export(ae_zoo.Detector.load(exported), tmp_path / "again")
    assert versions.card(again)["threshold"] == versions.card(exported)["threshold"] == detector[0].threshold
    old, new = (serving.SavedModel(version).run("detect", {"x": detector[1]}) for version in (exported, again))
    assert all(np.array_equal(old[name], new[name]) for name in ("score", "threshold", "flagged"))
    assert new["flagged"].any()


def test_a_model_of_the_zoo_is_not_there_in_an_installed_package(monkeypatch, tmp_path):
    monkeypatch.setattr(versions, "ZOO", tmp_path / "nowhere")
    for load in (ae_zoo.load, ae_zoo.Detector.load):
        with pytest.raises(FileNotFoundError, match="come with a checkout of the repository, not with the package"):
            load("digits-sparse")


@pytest.mark.slow
@pytest.mark.parametrize(("policy", "tolerance"), [("mixed_float16", 2**-8), ("mixed_bfloat16", 2**-5)])
def test_half_precision_is_checked_by_a_tolerance_of_its_own(policy, tolerance, tmp_path):
    """Runtimes differ by what they keep in float32: this model's answers by 2e-5 in float16."""
    x = np.random.default_rng(0).random((64, 784), "float32")
    keras.config.set_dtype_policy(policy)
    try:
        model = ae_zoo.build("stacked", data=x, code=8, hidden=[256, 128], seed=1)
        model.adapt(x)
        version = ae_zoo.export(model, tmp_path / "m", x_test=x)
    finally:
        keras.config.set_dtype_policy("float32")
    assert versions.card(version)["tolerance"] == tolerance
    found = serving.check(version)
    assert found.tolerance == tolerance
    assert found.passed
    assert serving.check(version, 1e-5).tolerance == 1e-5


def test_a_model_that_has_seen_no_rows_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has not been trained"):
        ae_zoo.export(make("sparse", scaling="standard", output_activation="linear"), tmp_path / "m")
    assert not (tmp_path / "m").exists()


@pytest.mark.slow
def test_versions_count_up_and_none_is_replaced(detector, tmp_path):
    model = detector[0]
    assert ae_zoo.export(model, tmp_path / "m").name == "1"
    assert ae_zoo.export(model, tmp_path / "m", version=7).name == "7"
    with pytest.raises(FileExistsError, match="a version 7 already"):
        ae_zoo.export(model, tmp_path / "m", version=7)
    assert ae_zoo.export(model, tmp_path / "m").name == "8"
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["1", "7", "8", "card.json"]


@pytest.mark.slow
def test_two_exports_at_once_get_two_numbers(tmp_path):
    from ae_zoo.serving import export

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
        threads = [threading.Thread(target=export._place, args=(folder, tmp_path / "m", None)) for folder in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert versions.numbers(tmp_path / "m") == [1, 2]


@pytest.mark.slow
def test_a_killed_export_leaves_no_version(tmp_path):
    code = (
        "import os, ae_zoo\n"
        "from ae_zoo.serving import export\n"
        "export.warmup.write = lambda *args: os.kill(os.getpid(), 9)\n"
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


@pytest.mark.slow
def test_from_the_command_line(run, rows, tmp_path):
    frame = pd.DataFrame(100 * rows, columns=list("abcdefgh"))
    frame.to_csv("rows.csv", index=False)
    frame[:100].to_csv("new.csv", index=False)
    model = ae_zoo.build("undercomplete", data=frame, code=2, seed=1)
    model.adapt(frame)
    model.save("m.keras")
    code, out, err = run("export", "m.keras", "served/m", "--test", "new.csv", "--train", "rows.csv")
    assert (code, err) == (0, "")
    assert "\nserved/m/1: written" in out
    code, out, _ = run("check", "served/m")
    assert code == 0
    assert out.count(" ok") == 5
    calibrated = ("export", "m.keras", "served/d", "--calibrate", "rows.csv", "--false-alarm-rate", 0.1)
    assert run(*calibrated)[0] == 0
    code, _, err = run("export", "m.keras", "served/f", "--false-alarm-rate", 0.1)
    assert (code, "give both" in err) == (2, True)
    code, _, err = run(*calibrated[:-1], 0)
    assert (code, "must lie between 0 and 1" in err) == (2, True)
    calibrated = versions.card("served/d/1")
    assert calibrated["examples"] == "rows of x_test"  # those of --calibrate, where there is no --test
    assert calibrated["data"]["test"]["rows"] == 300
    assert "test mse" in calibrated["metrics"]
    assert "pca test mse" not in calibrated["metrics"]
    assert run("export", "served/d", "served/e")[0] == 0  # a detector still
    assert versions.card("served/e/1")["threshold"] == versions.card("served/d/1")["threshold"] > 0
    code, out, _ = run("card", "served/m")
    assert "data: rows.csv: 300 rows of 8 features" in out
    assert "pca test mse" in out
    assert versions.card("served/m/1")["config"]["schema"]["columns"] == list("abcdefgh")
    assert run("card", "served/m", "--html", "card.html")[0] == 0
    request = "ae-zoo request http://localhost:8501 m rows.csv --card served/m --signature"  # a server knows no columns
    assert request in pathlib.Path("card.html").read_text()
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
