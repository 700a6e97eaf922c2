"""Images: in labelled rows, in grids, and filters."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np

from ae_zoo.errors import AEZooError
from ae_zoo.plots.style import Figure


def strips(rows: Mapping[str, np.ndarray], *, notes: Sequence[str] | None = None) -> Figure:
    """Images in labelled rows, such as originals above reconstructions.

    Args:
        rows: label to images `(n, height, width)` or `(n, side * side)`, equally many in each row, shown from 0 to 1.
        notes: a line above each column.
    """
    images = {label: _images(row) for label, row in rows.items()}
    columns = len(next(iter(images.values())))
    figure = Figure((1.6 + 0.8 * columns, 0.82 * len(images) + (0.35 if notes else 0.1)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.0, hspace=0.0)
    grid = figure.subplots(len(images), columns, squeeze=False)
    for cells, (label, row) in zip(grid, images.items()):
        for axes, image in zip(cells, row):
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set_color("#dddddd")
        cells[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    for axes, note in zip(grid[0], notes or ()):
        axes.set_title(note, fontsize=8)
    return figure


def tiles(
    images: Any,
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    low: float = 0.0,
    high: float = 1.0,
    colours: str = "gray_r",
) -> Figure:
    """A table of images, close together: a traversal or a path in each row, say.

    Args:
        images: `(rows, columns, height, width)`, or `(rows, columns, side * side)`; with three channels at the end for
            colours.
        rows, columns: a word for each.
        low, high: the values shown as the two ends of the colours.
        colours: a matplotlib colour map.
    """
    images = np.asarray(images)
    count = images.shape[:2]
    flat = _images(images.reshape(-1, *images.shape[2:]))
    zoom = max(1, 28 // max(flat.shape[1:3]))  # so that the lines between small images are thin too
    flat = flat.repeat(zoom, axis=1).repeat(zoom, axis=2)
    height, width = flat.shape[1:3]
    # One picture for all: a hundred axes take seconds to draw. What is no image stays NaN, the colour of the lines.
    table = np.full((count[0] * (height + 1) + 1, count[1] * (width + 1) + 1, *flat.shape[3:]), np.nan)
    for index, image in enumerate(flat):
        top, left = (index // count[1]) * (height + 1) + 1, (index % count[1]) * (width + 1) + 1
        table[top : top + height, left : left + width] = image
    inch = max(1.5 * max(height, width), 38) / 72  # of a tile's longer side
    size = [side * inch / max(height, width) for side in (table.shape[1], table.shape[0])]
    figure = Figure((size[0] + (1.0 if rows else 0.1), size[1] + (0.3 if columns else 0.1)), layout="constrained")
    axes = figure.subplots()
    if table.ndim == 3:
        table = np.nan_to_num(np.clip((table - low) / (high - low), 0, 1), nan=0.87)
    axes.imshow(
        table, cmap=mpl.colormaps[colours].with_extremes(bad="#dddddd"), vmin=low, vmax=high, interpolation="nearest"
    )
    axes.set_xticks((np.arange(count[1]) + 0.5) * (width + 1), columns or [""] * count[1], fontsize=8)
    axes.set_yticks((np.arange(count[0]) + 0.5) * (height + 1), rows or [""] * count[0], fontsize=8)
    axes.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    return figure


def samples(rows: Any, *, columns: int = 10) -> Figure:
    """Images `(n, height, width)`, or `(n, side * side)`, in a grid, shown from 0 to 1."""
    return tiles(_grid(np.asarray(rows), columns))


def filters(kernel: Any, *, shape: Sequence[int] | None = None, most: int = 64, columns: int = 16) -> Figure:
    """What single units look for: their incoming weights as images, each on its own scale; zero is mid-grey.

    Args:
        kernel: of a dense layer `(features, units)`, where the features are the pixels of an image, or of a
            convolution `(height, width, channels, filters)`, whose mean over the channels is shown. Weights that lead
            away from units, `(units, features)`, are given transposed.
        shape: of a dense layer's image; default a square.
        most: how many are shown, the first ones.
        columns: of the grid.
    """
    kernel = np.asarray(kernel)
    if kernel.ndim == 4:
        images = np.moveaxis(kernel.mean(axis=2), -1, 0)[:most]  # (filters, height, width)
    else:
        images = kernel.T[:most]  # (units, features)
        images = images.reshape(len(images), *shape) if shape is not None else _images(images)
    largest = np.abs(images).max(axis=tuple(range(1, images.ndim)), keepdims=True)
    images = images / np.maximum(largest, 1e-12)
    return tiles(_grid(images, columns), low=-1, high=1, colours="gray")


def _grid(images: np.ndarray, columns: int) -> np.ndarray:
    """`(n, ...)` as `(rows, columns, ...)`, filled up with nothing at the end."""
    columns = min(columns, len(images))
    missing = -len(images) % columns
    full = np.concatenate([images, np.full((missing, *images.shape[1:]), np.nan, "float32")])
    return full.reshape(-1, columns, *images.shape[1:])


def _images(rows: Any) -> np.ndarray:
    """Images `(n, height, width)`, or with three channels at the end."""
    rows = np.asarray(rows)
    if rows.ndim == 2:
        side = round(rows.shape[1] ** 0.5)
        if side * side != rows.shape[1]:
            raise AEZooError(f"Rows of {rows.shape[1]} features are no square images; give (n, height, width).")
        rows = rows.reshape(-1, side, side)
    if rows.ndim == 4 and rows.shape[-1] == 1:
        rows = rows[..., 0]
    if rows.ndim == 3 or (rows.ndim == 4 and rows.shape[-1] == 3):
        return rows
    raise AEZooError(
        f"Images are (n, height, width) or (n, height, width, 3); received an array of shape {rows.shape}."
    )
