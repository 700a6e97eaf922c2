"""ONNX and LiteRT files, run by their own runtimes; and the card's page."""

import builtins
import html.parser

import numpy as np
import pytest

import ae_zoo
from ae_zoo import serving
from ae_zoo._support import versions
from ae_zoo.families import FAMILIES
from ae_zoo.serving import formats
from tests.test_conformance import make


@pytest.mark.slow
@pytest.mark.parametrize("suffix", formats.FORMATS)
@pytest.mark.parametrize("family", [*sorted(FAMILIES), "classes"])
def test_every_family_is_written_in_every_format(family, suffix, tmp_path):
    model = make("adversarial", n_classes=4) if family == "classes" else make(family)
    path = ae_zoo.export(model, tmp_path / f"model{suffix}")
    x = np.random.default_rng(3).random((7, *model.config.input_shape), "float32")
    answers = formats.RUNTIMES[formats.FORMATS[suffix]](path)({"x": x})
    assert np.allclose(answers["code"], model.encode(x), atol=2e-6)
    if model.config.reconstructs:
        assert np.allclose(answers["reconstruction"], model.reconstruct(x), atol=2e-6)
        assert np.allclose(answers["error"], model.reconstruction_error(x), atol=2e-6)


@pytest.mark.parametrize("suffix", formats.FORMATS)
def test_units_and_threshold_are_inside(detector, suffix, tmp_path):
    detector, x = detector
    path = ae_zoo.export(detector, tmp_path / f"machines{suffix}", x_test=x)
    answers = formats.RUNTIMES[formats.FORMATS[suffix]](path)({"x": x})
    assert np.array_equal(answers["flagged"], detector.flag(x))
    assert np.allclose(answers["reconstruction"], detector.model.reconstruct(x), rtol=1e-6)


def test_a_file_whose_answers_differ_is_not_written(detector, tmp_path, monkeypatch):
    true = formats.RUNTIMES["onnx"]
    monkeypatch.setitem(formats.RUNTIMES, "onnx", lambda path: _shifted(true(path)))
    path = tmp_path / "machines.onnx"
    path.write_bytes(b"the old one")
    with pytest.raises(ValueError, match="was not written: its answers differ from Python's by up to 1.0e-04"):
        ae_zoo.export(detector[0], path)
    assert [child.name for child in tmp_path.iterdir()] == ["machines.onnx"]
    assert path.read_bytes() == b"the old one"


def _shifted(run):
    def shifted(inputs):
        answers = run(inputs)
        return {**answers, "share": answers["share"] + np.float32(1e-4)}

    return shifted


def test_a_file_takes_no_version_and_says_what_to_install(detector, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="a single file, without a version and a card"):
        ae_zoo.export(detector[0], tmp_path / "machines.onnx", version=2)
    found = builtins.__import__
    monkeypatch.setattr(
        builtins, "__import__", lambda name, *rest: found("no_such_library" if name == "onnxruntime" else name, *rest)
    )
    with pytest.raises(ImportError, match=r"pip install 'ae-zoo\[onnx\]'"):
        ae_zoo.export(detector[0], tmp_path / "machines.onnx")


class _Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words += data


@pytest.mark.slow
def test_the_cards_page_shows_figures_rows_and_signatures(detector, run, tmp_path):
    detector, x = detector
    version = ae_zoo.export(detector, tmp_path / "machines", x_test=x[:50], x_train=x, source="machines <1>")
    code, out, _ = run("card", tmp_path / "machines", "--html", tmp_path / "card.html")
    assert (code, out) == (0, f"{tmp_path / 'card.html'}: written\n")
    page = _Page((tmp_path / "card.html").read_text())
    card = versions.card(version)
    for words in (
        "machines, version 1: variational",
        "machines <1>",
        f"{card['metrics']['test mse']:.5f}",
        f"{detector.threshold:.5f}",
        "share of the error",
        "encode_distribution",
        card["data"]["training"]["sha256"],
        "on 50 held-out rows",
        "machines rows.csv --signature",
    ):
        assert words in page.words
    assert page.tags.count("img") == 1  # errors; a table's rows are no images

    with pytest.warns(ae_zoo.AEZooWarning, match="x_test and x_train are the same rows"):
        ae_zoo.export(detector, tmp_path / "machines", x_test=x, x_train=x)
    page = _Page(serving.write_page(tmp_path / "machines", tmp_path / "card.html").read_text())
    assert f"on {len(x)} training rows" in page.words
    assert "held-out" not in page.words
    assert "the test rows are the training rows" in run("card", tmp_path / "machines")[1]

    images = make("convolutional")
    given = np.random.default_rng(0).random((8, *images.schema.input_shape), "float32")
    serving.write_page(ae_zoo.export(images, tmp_path / "images", x_test=given), tmp_path / "images.html")
    assert _Page((tmp_path / "images.html").read_text()).tags.count("img") == 2  # errors, and its examples
    bare = ae_zoo.export(images, tmp_path / "bare")
    page = _Page(serving.write_page(bare, tmp_path / "bare.html").read_text())
    assert versions.card(bare)["examples"] == "drawn at random"
    assert "so no rows can be shown" in page.words
    assert page.tags.count("img") == 0
