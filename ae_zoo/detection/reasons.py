"""Why rows are strange: their numbers by error, with what was expected."""

from typing import TYPE_CHECKING

import numpy as np

from ae_zoo._support import checks
from ae_zoo.evaluation.reconstructor import Reconstructor
from ae_zoo.tables.cells import shown
from ae_zoo.tables.verbs import index_of
from ae_zoo.typing import Rows

if TYPE_CHECKING:
    import pandas as pd


def explain(model: Reconstructor, x: Rows, top: int | None) -> "pd.DataFrame":
    """See `Detector.explain`."""
    import pandas as pd

    if model.schema.may_miss:
        return model.to_model().explain(x, top=top)
    coded = model.check_rows(x)
    errors, seen, expected = (
        part.reshape(len(coded), -1)
        for part in (model.reconstruction_error(coded, per_feature=True), coded, model.reconstruct(coded))
    )
    names = np.array(model.schema.names, object)
    count = min(checks.count("top", top) if top is not None else len(names), len(names))
    worst = np.argsort(-errors, axis=1, kind="stable")[:, :count]
    row, column = np.repeat(np.arange(len(coded)), count), worst.ravel()
    return pd.DataFrame(
        {
            "row": index_of(x, len(coded))[row],
            "column": names[column],
            "seen": [shown(value) for value in seen[row, column]],
            "expected": [shown(value) for value in expected[row, column]],
            "error": errors[row, column],
            "p_value": np.nan,
        },
        index=pd.Index(row, name="position"),
    )
