"""What a few labelled digits are good for: which they are, and a plain classifier that learns from them."""

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression

from ae_zoo.data import Digits

LABELED = 1000


def some(y: np.ndarray, seed: int) -> np.ndarray:
    """The places of `LABELED` labels by chance."""
    return np.random.default_rng(seed).permutation(len(y))[:LABELED]


def balanced(y: np.ndarray, seed: int) -> np.ndarray:
    """The places of `LABELED` labels by chance, equally many of each class."""
    random, classes = np.random.default_rng(seed), np.unique(y)
    return np.concatenate([random.permutation(np.flatnonzero(y == c))[: LABELED // len(classes)] for c in classes])


def hidden_but(y: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """`y` with -1, for a label that is not known, in all places but those."""
    hidden = np.full_like(y, -1)
    hidden[shown] = y[shown]
    return hidden


def accuracy(
    encode: Callable[[np.ndarray], np.ndarray], digits: Digits, rows: np.ndarray, *, scaled: bool = False
) -> float:
    """Returns the share of the test digits that a logistic regression on codes names rightly.

    Args:
        encode: rows to codes.
        digits: the test digits are all of theirs.
        rows: the places of the training digits whose labels it learns from.
        scaled: divide the codes by their standard deviation first, so that the penalty means the same for all codes.
    """
    train, test = encode(digits.x_train[rows]), encode(digits.x_test)
    if scaled:
        center, scale = train.mean(axis=0), train.std()
        train, test = (train - center) / scale, (test - center) / scale
    return float(LogisticRegression(max_iter=2000).fit(train, digits.y_train[rows]).score(test, digits.y_test))
