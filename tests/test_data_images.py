"""Folders of images: every depth has its own range, and images stand upright."""

import os

import numpy as np
import pytest
from PIL import Image

from ae_zoo import data
from ae_zoo.data import images
from ae_zoo.errors import AEZooError

RAMP = np.linspace(0, 1, 20).reshape(4, 5)


def test_images_are_read(tmp_path):
    for index in range(3):
        Image.new("L", (5, 4), 51 * index).save(tmp_path / f"{index}.png")
    assert data.read(tmp_path).x.shape == (3, 4, 5)
    assert np.allclose(data.read(tmp_path).x[:, 0, 0], [0, 0.2, 0.4])
    found = list(data.pieces(tmp_path, rows=2))
    assert [len(piece) for piece in found] == [2, 1]
    assert np.array_equal(np.concatenate(found), data.read(tmp_path).x)


@pytest.mark.parametrize(
    ("name", "pixels", "step"),
    [
        ("a.png", np.round(RAMP * 255).astype("uint8"), 1 / 255),
        ("a.png", np.round(RAMP * 65_535).astype("uint16"), 1 / 65_535),
        ("a.tif", np.round(RAMP * 65_535).astype("uint16"), 1 / 65_535),
        ("a.tif", RAMP.astype("float32"), 1e-6),
        ("a.png", RAMP > 0.5, 0.51),
    ],
)
def test_gray_is_read_at_its_depth(name, pixels, step, tmp_path):
    Image.fromarray(pixels).save(tmp_path / name)
    x = data.read(tmp_path).x
    assert x.shape == (1, 4, 5)
    assert x.dtype == "float32"
    assert np.allclose(x[0], RAMP, atol=step)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.full((4, 5), 70_000, "int32"), "a.tif holds gray values of 32-bit integers"),
        (np.full((4, 5), 2, "float32"), "a.tif holds gray values from 2 to 2; .* must lie in"),
        (np.full((4, 5), np.nan, "float32"), "a.tif holds gray values from nan to nan"),
    ],
)
def test_gray_without_a_known_range_is_refused(pixels, message, tmp_path):
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    with pytest.raises(AEZooError, match=message):
        data.read(tmp_path)


def test_images_are_turned_as_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera on its side
    image = Image.new("RGB", (6, 4))
    image.paste((255, 255, 255), (0, 0, 3, 4))  # the left half is white: it belongs at the top
    image.save(tmp_path / "a.png", exif=exif)
    x = data.read(tmp_path).x
    assert x.shape == (1, 6, 4, 3)
    assert x[0, :3].min() == 1
    assert x[0, 3:].max() == 0


def test_a_bomb_and_a_pipe_get_one_sentence(tmp_path, monkeypatch):
    Image.new("L", (50, 40)).save(tmp_path / "a.png")
    monkeypatch.setattr(images, "LARGE", 100)
    monkeypatch.setattr(images, "PER_BYTE", 10)
    with pytest.raises(AEZooError, match="a.png claims 50 x 40 pixels, far more than its bytes can hold"):
        data.read(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(AEZooError, match="a.png cannot be read as an image: Image size"):
        data.read(tmp_path)
    (tmp_path / "a.png").unlink()
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(AEZooError, match="not a regular file"):
        data.read(tmp_path)


def test_bad_folders_get_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        data.read(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="holds no images"):
        data.read(tmp_path)
    Image.new("L", (5, 4)).save(tmp_path / "a.png")
    Image.new("L", (4, 4)).save(tmp_path / "b.png")
    with pytest.raises(ValueError, match="4 x 4 gray, the images before it 5 x 4 gray"):
        data.read(tmp_path)
    (tmp_path / "b.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="cannot be read as an image"):
        data.read(tmp_path)
