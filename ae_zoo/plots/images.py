"""Images in labeled rows and in grids, and the filters of units."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import ArrayLike

from ae_zoo.errors import AEZooError
from ae_zoo.frames import columns_of
from ae_zoo.plots.style import Figure
from ae_zoo.typing import Array

OF_TABLES = "For rows of a table there are ae_zoo.plots.cells and column_errors, and CSV files for new rows."


def strips(rows: Mapping[str, Array], *, notes: Sequence[str] | None = None) -> Figure:
    """Returns images in labeled rows, such as originals above reconstructions.

    Args:
        rows: from a label to images `(n, height, width)` or `(n, side * side)` in [0, 1]; each row has equally many.
        notes: a line of text above each column `(n,)`.

    Raises:
        AEZooError: the arrays are no images.
    """
    images = {label: _images(row) for label, row in rows.items()}
    columns = len(next(iter(images.values())))
    figure = Figure(
        (1.6 + 0.8 * columns, 0.82 * len(images) + (0.35 if notes else 0.1)),
        layout=ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.01, wspace=0.0, hspace=0.0),
    )
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
    images: ArrayLike,
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    low: float = 0.0,
    high: float = 1.0,
    colors: str = "gray_r",
    colours: str | None = None,
) -> Figure:
    """Returns a table of images, such as a traversal or a path in each row.

    Args:
        images: `(rows, columns, height, width)`, `(rows, columns, side * side)`, or color images
            `(rows, columns, height, width, 3)`.
        rows: a label for each row.
        columns: a label for each column.
        low: the value that has the first color of the map.
        high: the value that has the last color of the map.
        colors: the name of a matplotlib color map.
        colours: the name of `colors` in version 0.1, which is refused.

    Raises:
        AEZooError: the array holds no images, or `colours` is given.
    """
    if colours is not None:
        raise AEZooError(f"The argument 'colours' is now 'colors': give colors={colours!r}.")
    images = _array(images)
    count = images.shape[:2]
    flat = _images(images.reshape(-1, *images.shape[2:]))
    zoom = max(1, 28 // max(flat.shape[1:3]))  # so that the lines between small images are thin too
    flat = flat.repeat(zoom, axis=1).repeat(zoom, axis=2)
    height, width = flat.shape[1:3]
    # One picture for all, because a hundred axes take seconds to draw. A place without an image stays NaN, which has the
    # color of the lines.
    table = np.full((count[0] * (height + 1) + 1, count[1] * (width + 1) + 1, *flat.shape[3:]), np.nan)
    for index, image in enumerate(flat):
        top, left = (index // count[1]) * (height + 1) + 1, (index % count[1]) * (width + 1) + 1
        table[top : top + height, left : left + width] = image
    inch = max(1.5 * max(height, width), 38) / 72  # the longer side of a tile
    size = [side * inch / max(height, width) for side in (table.shape[1], table.shape[0])]
    figure = Figure((size[0] + (1.0 if rows else 0.1), size[1] + (0.3 if columns else 0.1)), layout="constrained")
    axes = figure.subplots()
    if table.ndim == 3:
        table = np.nan_to_num(np.clip((table - low) / (high - low), 0, 1), nan=0.87)
    axes.imshow(
        table, cmap=mpl.colormaps[colors].with_extremes(bad="#dddddd"), vmin=low, vmax=high, interpolation="nearest"
    )
    axes.set_xticks((np.arange(count[1]) + 0.5) * (width + 1), columns or [""] * count[1], fontsize=8)
    axes.set_yticks((np.arange(count[0]) + 0.5) * (height + 1), rows or [""] * count[0], fontsize=8)
    axes.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    return figure


def samples(rows: ArrayLike, *, columns: int = 10) -> Figure:
    """Returns images in a grid.

    Args:
        rows: `(n, height, width)` or `(n, side * side)`, in [0, 1].
        columns: the number of images in a row of the grid.

    Raises:
        AEZooError: the array holds no images.
    """
    return tiles(_grid(_array(rows), columns))


def filters(kernel: ArrayLike, *, shape: Sequence[int] | None = None, most: int = 64, columns: int = 16) -> Figure:
    """Returns the incoming weights of units as images, each on its own scale; zero is mid-gray.

    Args:
        kernel: the weights of a dense layer `(features, units)` whose features are pixels, or of a convolution
            `(height, width, channels, filters)`, of which the mean over the channels is shown. Transpose a kernel
            `(units, features)` that leads away from the units.
        shape: the shape of a dense layer's image; by default a square.
        most: the number of units to show; the first ones are taken.
        columns: the number of images in a row of the grid.

    Raises:
        AEZooError: the weights are no images.
    """
    kernel = _array(kernel)
    if kernel.ndim == 4:
        images = np.moveaxis(kernel.mean(axis=2), -1, 0)[:most]  # (filters, height, width)
    else:
        images = kernel.T[:most]  # (units, features)
        images = images.reshape(len(images), *shape) if shape is not None else _images(images)
    largest = np.abs(images).max(axis=tuple(range(1, images.ndim)), keepdims=True)
    images = images / np.maximum(largest, 1e-12)
    return tiles(_grid(images, columns), low=-1, high=1, colors="gray")


def _grid(images: Array, columns: int) -> Array:
    """Returns `(n, ...)` as `(rows, columns, ...)`; the last row is filled with NaN."""
    columns = min(columns, len(images))
    missing = -len(images) % columns
    full = np.concatenate([images, np.full((missing, *images.shape[1:]), np.nan, "float32")])
    return full.reshape(-1, columns, *images.shape[1:])


def _array(rows: ArrayLike) -> Array:
    if columns_of(rows) is not None:
        raise AEZooError(f"Rows of a table are no images. {OF_TABLES}")
    return np.asarray(rows)


def _images(rows: ArrayLike) -> Array:
    """Returns images `(n, height, width)`, or `(n, height, width, 3)` in color."""
    rows = _array(rows)
    if rows.ndim == 2:
        side = round(rows.shape[1] ** 0.5)
        if side * side != rows.shape[1]:
            raise AEZooError(
                f"Rows of {rows.shape[1]} features are no square images; give images of shape (n, height, width). {OF_TABLES}"
            )
        rows = rows.reshape(-1, side, side)
    if rows.ndim == 4 and rows.shape[-1] == 1:
        rows = rows[..., 0]
    if rows.ndim == 3 or (rows.ndim == 4 and rows.shape[-1] == 3):
        return rows
    raise AEZooError(f"Images must have the shape (n, height, width) or (n, height, width, 3); received {rows.shape}.")
