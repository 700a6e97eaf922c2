"""How well a model gives rows back, beside what needs no network: the usual row, PCA, and a copy."""

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.evaluation.findings import Finding, Subject, graded
from ae_zoo.evaluation.peer import peer_of
from ae_zoo.typing import Array

WIDEST = 2000  # features; PCA of more takes long
REPEATS = 500  # of the bootstrap
LEVEL = 0.9  # of its interval
TINY = 1e-4  # of the usual row's error; smaller errors are told apart by rounding


def reconstruction(subject: Subject) -> list[Finding]:
    """Returns what the errors say: the share explained, the error beside PCA, whether it copies, and whether it overfits."""
    try:
        subject.network.check_reconstructs()
    except AEZooError as why:
        return [Finding("reconstruction", np.nan, "look", str(why))]
    usual = error_of_usual(subject.network, subject.usual, subject.x)
    error = float(subject.network.reconstruction_error(subject.x).mean(dtype="float64"))
    explained = 1 - error / usual
    return [
        _explained(explained),
        *_beside_linear(subject, usual),
        _copies(subject, usual, explained),
        *_overfit(subject, usual),
    ]


def error_of_usual(network: Autoencoder, known: Array, x: Array) -> float:
    """Returns the mean error of coded rows `x` if each is given back as what is usual among the rows `known`."""
    ops, likelihood, layer = keras.ops, network.likelihood, network.scaling
    target = layer.target(x)
    constant = likelihood.start(ops.convert_to_numpy(layer.target(known)))
    output = ops.broadcast_to(ops.convert_to_tensor(constant), (len(x), *constant.shape))
    error = ops.convert_to_numpy(layer.by_row(layer.by_feature(likelihood.error(target, output))))
    return max(float(np.nanmean(error, dtype="float64")), 1e-12)


def _explained(share: float) -> Finding:
    verdict = graded(-share, -0.5, 0)
    said = f"The error is {1 - share:.3g} of that of always saying what is usual"
    advice = {
        "ok": f"{said}.",
        "look": f"{said}: the code keeps little of a row. Train longer or with a wider code, unless the columns have little "
        "to do with each other.",
        "bad": f"{said}, so the model has learned nothing that helps: train it longer, at a lower learning_rate.",
    }[verdict]
    return Finding("share explained", share, verdict, advice)


def _beside_linear(subject: Subject, usual: float) -> list[Finding]:
    network, x, known = subject.network, subject.x, subject.x_train
    if network.schema.features > WIDEST:
        return []
    peer = peer_of(network.schema)
    if known is None:  # then the linear model learns from one half, and both are judged by the other
        known, x = x[: len(x) // 2], x[len(x) // 2 :]
    units = int(np.prod(network.decoder.input_shape[1:]))
    if not len(x) or not units < peer.widest(network.schema, len(known)):
        return []
    ours = float(np.nanmean(network.reconstruction_error(x), dtype="float64"))
    theirs = peer.beside(network, known, x)[1]
    ratio = (ours + TINY * usual) / (theirs + TINY * usual)
    verdict = graded(ratio, 1.05, 2)
    said = f"The error is {ratio:.3g} times that of {peer.called(units)}"
    remedy = (
        ": give it more epochs, hidden layers or a linear code, or take the linear model. A penalty, a prior and noise have "
        "their price here."
    )
    return [Finding(f"error beside {peer.name}", ratio, verdict, said + ("." if verdict == "ok" else remedy))]


def _copies(subject: Subject, usual: float, explained: float) -> Finding:
    # An identity gives back rows whose cells come from different rows. What knows how cells belong together cannot.
    network, random = subject.network, np.random.default_rng(subject.seed)
    mixed = random.permuted(subject.x.reshape(len(subject.x), -1), axis=0).reshape(subject.x.shape)
    mixed = mixed[network.schema.known(mixed)]
    share = 1 - float(network.reconstruction_error(mixed).mean(dtype="float64")) / usual
    said = f"Of rows with cells from different rows the model explains {share:.1%}, of real rows {explained:.1%}"
    if share <= 0.9:
        return Finding("copies what it sees", share, "ok", f"{said}.")
    return Finding(
        "copies what it sees",
        share,
        "look",
        f"{said}: it copies rows, strange ones too, and has not learned how their cells belong together. Build it with a "
        f"narrower code than {subject.codes.shape[1]:,}, or with corruption='masking'.",
    )


def _overfit(subject: Subject, usual: float) -> list[Finding]:
    if subject.x_train is None:
        return []
    random = np.random.default_rng(subject.seed)
    parts = [
        subject.network.reconstruction_error(x).astype("float64") + TINY * usual for x in (subject.x, subject.x_train)
    ]
    held_out, training = (part[random.integers(len(part), size=(REPEATS, len(part)))].mean(axis=1) for part in parts)
    low, high = np.quantile(held_out / training, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    ratio = float(parts[0].mean() / parts[1].mean())
    verdict = graded(low, 1.1, 1.5)
    said = f"Held-out rows have {ratio:.3g} times the error of training rows ({low:.3g} to {high:.3g}, at {LEVEL:.0%})"
    remedy = (
        ": the model knows training rows by heart. Give more rows, a narrower network, corruption='masking' or "
        "dropout=0.1, or stop earlier: ae_zoo.fit(model, x, validation=0.2)."
    )
    return [Finding("overfit", ratio, verdict, said + ("." if verdict == "ok" else remedy))]
