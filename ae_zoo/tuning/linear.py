"""The errors of linear models beside those of a search, kept in its folder, so that each is computed once."""

import dataclasses
import pathlib
from collections.abc import Iterable

from ae_zoo.evaluation.peer import peer_of
from ae_zoo.tuning import kept
from ae_zoo.tuning.rows import Rows


@dataclasses.dataclass(frozen=True)
class Linear:
    """The held-out errors of linear models.

    Attributes:
        errors: by the width of the code, as a text.
    """

    errors: dict[str, float]


def linear_errors(folder: pathlib.Path, rows: Rows, codes: Iterable[int]) -> dict[int, float]:
    """Returns the held-out error of the linear model that networks are compared with, for each width that it may have.

    Args:
        folder: the folder of the search.
        rows: its rows.
        codes: widths of the code.

    Raises:
        AEZooError: the file of the errors is damaged.
    """
    path, remedy = folder / "linear.json", "delete it, and the same search computes it again"
    found, peer = kept.read(path, Linear, remedy) or Linear({}), peer_of(rows.schema)
    sizes = [size for size in sorted(set(codes)) if size <= peer.widest(rows.schema, len(rows.x))]
    new = [size for size in sizes if str(size) not in found.errors]
    if new:
        more = peer.errors(rows.schema, rows.layer, rows.x, rows.x_valid, new)
        found = Linear({**found.errors, **{str(size): error for size, error in more.items()}})
        kept.write(path, found)
    try:
        return {size: float(found.errors[str(size)]) for size in sizes}
    except (TypeError, ValueError):
        raise kept.damaged(path, remedy) from None
