"""A check of a version that somebody has damaged or changed."""

import hashlib
import json

import numpy as np
import pytest

import ae_zoo
from ae_zoo import serving
from ae_zoo._support import versions
from ae_zoo.serving import c_api


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
