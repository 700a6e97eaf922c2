"""Fours mixed with 5 % of other digits: the rows ranked by their sparse part, beside a plain network and trimmed PCA.

No label is looked at but to count: network and weight are the defaults, the weight from the rows' own errors. A sweep
around it is printed for the first seed, as the paper tunes its weight. PCA has the code's width, and the best of others.
"""

import time

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve

import ae_zoo
from benchmarks import common

SHARE = 0.05
FACTORS = (0.25, 0.5, 1.5, 2.0)  # of the weight that is found
COMPONENTS = (10, 20)


def mixture(digits: ae_zoo.data.Digits, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All fours and as many others as make up the share, in random order; and which rows are the others."""
    random = np.random.default_rng(seed)
    fours, others = (np.flatnonzero((digits.y_train == 4) == four) for four in (True, False))
    strange = random.choice(others, round(len(fours) * SHARE / (1 - SHARE)), replace=False)
    rows = random.permutation(np.concatenate([fours, strange]))
    return digits.x_train[rows], digits.y_train[rows] != 4


def figures(scores: np.ndarray, strange: np.ndarray) -> tuple[float, float, float]:
    """Average precision, precision at the number of outliers, and the best F1."""
    first = np.argsort(-scores, kind="stable")[: strange.sum()]
    precision, recall, _ = precision_recall_curve(strange, scores)
    best = (2 * precision * recall / np.maximum(precision + recall, 1e-12)).max()
    return average_precision_score(strange, scores), strange[first].mean(), best


def main() -> None:
    digits = common.digits()
    table: dict[str, list[tuple[float, float, float]]] = {}
    begin = time.perf_counter()
    for seed in common.seeds():
        x, strange = mixture(digits, seed)

        def note(name: str, scores: np.ndarray, keep: bool = True, strange: np.ndarray = strange) -> None:
            found = figures(scores, strange)
            if keep:
                table.setdefault(name, []).append(found)
            print(f"    {name}: AP {found[0]:.3f}, P@n {found[1]:.3f}, best F1 {found[2]:.3f}", flush=True)

        print(f"  seed {seed}: {len(x):,} rows, {strange.sum()} of them no fours", flush=True)
        for components in COMPONENTS:
            pca = ae_zoo.Detector(ae_zoo.PCA(components).fit(x))
            note(f"PCA-{components}", pca.score(x))
            note(f"PCA-{components}, trimmed", pca.refit(x).score(x))
        model = ae_zoo.build("robust", 784, seed=seed)
        plain = ae_zoo.build("undercomplete", 784, hidden=model.config.hidden, code=model.config.code, seed=seed)
        ae_zoo.fit(plain, x, validation=0, seed=seed, verbose=0)
        note("plain network", plain.reconstruction_error(x))
        result = ae_zoo.fit(model, x, validation=0, seed=seed, verbose=0)
        note("robust, sparse part", result.scores)
        note("robust, whole error", model.reconstruction_error(x))
        for factor in FACTORS if seed == 1 else ():
            weight = factor * result.weight
            model = ae_zoo.build("robust", 784, split_weight=weight, seed=seed)
            note(f"robust at {weight:.3f}", ae_zoo.fit(model, x, validation=0, seed=seed, verbose=0).scores, keep=False)
        if seed == 1:
            model = ae_zoo.build("robust", 784, hidden=[400], code=200, seed=seed)
            result = ae_zoo.fit(model, x, validation=0, seed=seed, verbose=0)
            note("robust, the paper's 400 and 200 units", result.scores, keep=False)
    print(f"  {time.perf_counter() - begin:.0f} s")
    for name, values in table.items():
        for what, column in zip(("AP", "P@n", "best F1"), zip(*values, strict=True), strict=True):
            paper = "0.64, isolation forest 0.37" if what == "best F1" else "no such figure"
            common.spread(f"{name}, {what}", [float(value) for value in column], paper)
    means = {name: np.mean(values, axis=0) for name, values in table.items()}
    robust = means["robust, sparse part"]
    common.verdict("best F1 of the sparse part", robust[2], 0.64, at_most=False)
    common.verdict("AP beyond the plain network's", robust[0] - means["plain network"][0], 0, at_most=False)
    for components in COMPONENTS:
        trimmed = means[f"PCA-{components}, trimmed"]
        common.verdict(f"AP beyond trimmed PCA-{components}'s", robust[0] - trimmed[0], 0, at_most=False)


if __name__ == "__main__":
    main()
