"""What other libraries do with tables: holes filled by scikit-learn, strange rows ranked by scikit-learn and PyOD.

They take numbers alone. So numbers are standardized, and a category is the numbers of its levels, or one column a level.
"""

import importlib.util
import pathlib
import sys
import tempfile
import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from benchmarks import common

if TYPE_CHECKING:  # which loads TensorFlow, and PyTorch does not go together with it
    from ae_zoo.tables.schema import TableSchema


def filled(schema: "TableSchema", learn: np.ndarray, holed: np.ndarray, *, one_hot: bool) -> np.ndarray:
    """Returns coded rows whose holes scikit-learn's IterativeImputer has filled.

    With one-hot columns by plain ridge regression, because its own, Bayesian one takes a quarter of an hour for 182 columns;
    the likeliest level is that of the largest column. Otherwise by its own, rounded to a level.
    """
    imputer = IterativeImputer(Ridge() if one_hot else None, random_state=0, keep_empty_features=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged after ten rounds
        imputer.fit(np.concatenate(spread(schema, learn, one_hot=one_hot), axis=1))
    parts = spread(schema, holed, one_hot=one_hot)
    ends = np.cumsum([part.shape[1] for part in parts])
    parts = np.split(imputer.transform(np.concatenate(parts, axis=1)), ends[:-1], axis=1)
    found = np.empty(holed.shape)
    for place, (column, part) in enumerate(zip(schema.table, parts, strict=True)):
        if not column.discrete:
            found[:, place] = part[:, 0] * column.scale + column.center
        elif one_hot:
            found[:, place] = part.argmax(axis=1)
        else:
            found[:, place] = part[:, 0].round().clip(0, len(column.levels))
    return found


def areas(schema: "TableSchema", learn: np.ndarray, rows: np.ndarray, is_strange: np.ndarray) -> dict[str, float]:
    """Returns the areas under the curve of an isolation forest and of PyOD's AutoEncoder, as they are by default."""
    # The mean of a standardized number is 0, and a missing level is none of the levels.
    learn, rows = (np.nan_to_num(np.concatenate(spread(schema, each, one_hot=True), axis=1)) for each in (learn, rows))
    varied = learn.std(axis=0) > 0
    learn, rows = learn[:, varied], rows[:, varied]
    forest = IsolationForest(random_state=0).fit(learn)
    found = {"IsolationForest": float(roc_auc_score(is_strange, -forest.score_samples(rows)))}
    if importlib.util.find_spec("pyod") is None:
        print("  PyOD is not installed; its AutoEncoder was not run")
        return found
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "rows.npz"
        np.savez(path, learn=learn, rows=rows, is_strange=is_strange)
        (found["PyOD"],) = common.alone(__name__, path)
    return found


def spread(schema: "TableSchema", coded: np.ndarray, *, one_hot: bool) -> list[np.ndarray]:
    """Returns each column of coded rows as numbers `(n, 1)`, or one-hot `(n, 1 + levels)`; NaN for missing cells."""
    parts = []
    for column, cells in zip(schema.table, coded.T[:, :, None].astype("float64"), strict=True):
        if not column.discrete:
            parts.append((cells - column.center) / column.scale)
        elif one_hot:
            parts.append(np.where(np.isnan(cells), np.nan, cells == np.arange(len(column.counts))))
        else:
            parts.append(cells)
    return parts


def main() -> None:
    """Prints the area of PyOD's AutoEncoder for the rows in a file."""
    from pyod.models.auto_encoder import AutoEncoder

    with np.load(sys.argv[1]) as rows:
        model = AutoEncoder(verbose=0).fit(rows["learn"])
        print(roc_auc_score(rows["is_strange"], model.decision_function(rows["rows"])))


if __name__ == "__main__":
    main()
