"""A check of a version that somebody has damaged or changed."""

import hashlib
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from tensorflow.core.protobuf import saved_model_pb2

import ae_zoo
from ae_zoo import serving
from ae_zoo._support import versions
from ae_zoo.serving import parity


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_check_sees_what_is_missing_or_changed(copy):
    """The signature that a plain client asks for; a card whose columns have changed places."""
    path = copy / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    del model.meta_graphs[0].signature_def["serving_default"]
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
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    model.meta_graphs[0].signature_def["encode"].outputs["code"].name = "nowhere:0"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match="a signature names 'nowhere:0', but the graph has no such tensor"):
        serving.SavedModel(copy).run("encode", {"x": np.zeros((1, 8))})


@pytest.mark.slow
def test_the_check_runs_without_keras_and_this_package(copy):
    """In a process of its own: what writes models takes no part in judging them."""
    script = pathlib.Path(parity.__file__).with_name("saved_model.py")
    code = (
        "import runpy, sys\n"
        f"sys.argv = [{str(script)!r}, {str(copy)!r}, {str(copy / versions.EXTRA / versions.EXAMPLES)!r}]\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')\n"
        "assert 'tensorflow' in sys.modules\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('keras', 'tf_keras', 'ae_zoo')]\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["imported"] == []
    assert max(found["differences"].values()) < 1e-5


def test_texts_go_in_and_out(tmp_path):
    """As the signatures of tables need."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="word")])
    def lower(word):
        return {"word": tf.strings.lower(word), "length": tf.strings.length(word)}

    module = tf.Module()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"lower": lower})
    model = serving.SavedModel(tmp_path / "1")
    for words in (["Ab", "CDE"], np.array(["Ab", "CDE"]), np.array(["Ab", "CDE"], object)):
        found = model.run("lower", {"word": words})
        assert found["word"].tolist() == [b"ab", b"cde"]
        assert found["length"].tolist() == [2, 3]
    with pytest.raises(ValueError, match="word must hold texts; received values of type int64"):
        model.run("lower", {"word": [1, 2]})
