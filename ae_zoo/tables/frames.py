"""Rows of a table in any form, as a frame of pandas."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ae_zoo import frames
from ae_zoo.errors import AEZooError, first_line

if TYPE_CHECKING:
    import pandas as pd


def is_table(x: Any) -> bool:
    """Returns whether rows are a frame with a column that is not numeric, or with missing cells."""
    names = frames.columns_of(x)
    if not names or getattr(x, "ndim", 2) != 2:
        return False
    return frames.has_other_cells(to_pandas(x, "data"))


def to_pandas(x: Any, name: str) -> "pd.DataFrame":
    """Returns rows as a frame of pandas, whose names are texts, each there once.

    Raises:
        AEZooError: the rows are no frame, or two columns have one name.
    """
    import pandas as pd

    if isinstance(x, Mapping):
        lists = {key: value if pd.api.types.is_list_like(value) else [value] for key, value in x.items()}
        try:
            x = pd.DataFrame(lists)
        except ValueError as error:
            raise AEZooError(f"{name} must have columns of equal lengths: {first_line(error)}") from error
    elif isinstance(x, list | tuple) and x and all(isinstance(row, Mapping) for row in x):
        x = pd.DataFrame(list(x))
    if hasattr(x, "collect") and not hasattr(x, "to_pandas"):
        raise AEZooError(f"{name} is a {type(x).__name__}, which has not been computed yet: call .collect() first.")
    names = frames.columns_of(x)
    if names is None or getattr(x, "ndim", 2) != 2:
        raise AEZooError(
            f"{name} must be a table: a frame of pandas, polars or Arrow, or dictionaries; received a {type(x).__name__}."
        )
    if any(isinstance(one, tuple) for one in getattr(x, "columns", ())):
        raise AEZooError(f"{name} has columns of several levels: give each one name.")
    return frames.as_pandas(x, names, name)


def pieces(x: Any, name: str) -> Iterator["pd.DataFrame"]:
    """Yields the frames of an iterator, or of a list or tuple of frames; of other rows the one frame that `to_pandas` makes.

    Raises:
        AEZooError: as `to_pandas` raises it.
    """
    listed = isinstance(x, list | tuple) and x and all(frames.columns_of(one) for one in x)
    if not listed and not isinstance(x, Iterator):
        yield to_pandas(x, name)
        return
    for number, one in enumerate(x):
        yield to_pandas(one, f"piece {number} of {name}")
