"""Folders of images: one image is one row."""

import pathlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from ae_zoo._support import archives
from ae_zoo.errors import AEZooError, first_line
from ae_zoo.typing import Array

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff")
BITS = 258  # the tag of a TIFF file that says how many bits a sample has
LARGE = 2**24  # pixels; a larger image must have a byte for every PER_BYTE of its pixels
PER_BYTE = 10_000


def pieces(folder: pathlib.Path, rows: int) -> Iterator[Array]:
    """Yields the images in a folder in the order of their names, `rows` at a time.

    They are float32 in [0, 1] and rotated as their EXIF orientation says: `(n, height, width)` for gray images and
    `(n, height, width, 3)` for color images.

    Raises:
        AEZooError: there are no images, one is damaged, they have several sizes, or one has no known range.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise AEZooError(f"{folder} holds no images ({', '.join(SUFFIXES)}).")
    first = None
    for start in range(0, len(paths), rows):
        images = []
        for path in paths[start : start + rows]:
            pixels = _pixels(path)
            first = pixels if first is None else first
            if pixels.shape != first.shape:
                raise AEZooError(
                    f"{path} is {_size(pixels)}, the images before it {_size(first)}; all images in a folder must be of one "
                    "size, and all gray or all in color."
                )
            images.append(pixels)
        yield np.stack(images)


def _pixels(path: pathlib.Path) -> Array:
    archives.check_regular(path)
    try:
        with Image.open(path) as image:
            if image.width * image.height > max(LARGE, PER_BYTE * path.stat().st_size):
                raise AEZooError(
                    f"{path} claims {image.width} x {image.height} pixels, far more than its bytes can hold."
                )
            deepest = _deepest(image, path)
            pixels = np.asarray(_as_pixels(ImageOps.exif_transpose(image)), "float32")
    except AEZooError:
        raise
    except Exception as error:  # Pillow raises errors of many kinds for damaged images
        raise AEZooError(f"{path} cannot be read as an image: {first_line(error)}") from error
    pixels = pixels / np.float32(deepest)
    if not (pixels.min() >= 0 and pixels.max() <= 1):  # written so that NaN is refused too
        raise AEZooError(
            f"{path} holds gray values from {pixels.min():g} to {pixels.max():g}; images of floats must lie in [0, 1]. "
            "Divide by the largest value, or save 16-bit images."
        )
    return pixels


def _as_pixels(image: Image.Image) -> Image.Image:
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "I", "F") or image.mode.startswith("I;16") else image.convert("RGB")


def _deepest(image: Image.Image, path: pathlib.Path) -> int:
    """Returns the value of a white pixel."""
    if image.mode == "F":
        return 1
    if image.mode.startswith("I;16"):
        bits: int = image.tag_v2[BITS][0] if isinstance(image, TiffImageFile) and BITS in image.tag_v2 else 16
        return (1 << bits) - 1  # TIFF: 12 bits are read into 16
    if image.mode == "I":
        if image.format == "PNG":  # which has 16 bits at most; Pillow before 10.3 reads them as 32
            return 65_535
        raise AEZooError(
            f"{path} holds gray values of 32-bit integers, whose range is not known; save it with 8 or 16 bits."
        )
    return 255


def _size(pixels: Array) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} {'gray' if pixels.ndim == 2 else 'in color'}"
