"""What a family's training costs beyond its matrix work: time per FLOP, over the plain network's, in one run.

Work is counted as in `benchmarks.speed`, 6 FLOP a weight, position and row for what is trained (forward, and two products
backward), and 2 for each further product that a loss needs: see `extra`. So 1.0 is a family whose own loss is free.
"""

import math
import sys

import keras
import numpy as np

import ae_zoo
from ae_zoo.autoencoder import Autoencoder
from benchmarks import common

ROUNDS, EPOCHS, ROWS, BATCH = 3, 4, 30_000, 256
WIDE = {"hidden": (300,), "code": 100}
CASES = {
    "denoising": ("denoising", WIDE),
    "sparse": ("sparse", WIDE),
    "variational": ("variational", WIDE),
    "variational, dynamically binarised": ("variational", {**WIDE, "binarization": "dynamic"}),
    "contractive, one layer": ("contractive", {"hidden": (), "code": 500}),
    "contractive, estimated": ("contractive", {**WIDE, "tied": False}),
    "winner_take_all": ("winner_take_all", {"hidden": (), "code": 2000}),
    "adversarial": ("adversarial", {**WIDE, "discriminator": (256, 256)}),
    "adversarial, 10 classes": ("adversarial", {**WIDE, "discriminator": (256, 256), "n_classes": 10}),
    "robust": ("robust", WIDE),  # by rows, which are split before all epochs but the first
    "convolutional": ("convolutional", {}),
}


def main() -> None:
    digits = common.digits()
    x, y = digits.x_train[:ROWS], digits.y_train[:ROWS]
    cases = {}
    for name, (family, options) in CASES.items():
        if sys.argv[1:] and family not in sys.argv[1:]:  # python -m benchmarks.families robust
            continue
        plain = {key: options.get(key, WIDE[key]) for key in WIDE}
        cases[name] = (family, options), ("undercomplete", WIDE if family == "convolutional" else plain)
    ratios: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        measured: dict[str, float] = {}  # plain networks, in this round
        for name, (own, plain) in cases.items():
            key = str(plain)
            if key not in measured:
                measured[key] = seconds_per_flop(plain, x, y)
            ratios[name].append(seconds_per_flop(own, x, y) / measured[key])
    print("Training time for each FLOP of matrix work, over the plain network's of the same widths", flush=True)
    for name, values in ratios.items():
        common.verdict(f"{name} ({min(values):.2f} to {max(values):.2f})", float(np.median(values)), 1.5, at_most=True)


def seconds_per_flop(case: tuple[str, dict], x: np.ndarray, y: np.ndarray) -> float:
    family, options = case
    images = family == "convolutional"
    rows = x.reshape(-1, 28, 28) if images else x
    model = ae_zoo.build(family, rows.shape[1:], seed=1, **options)
    labels = y if options.get("n_classes") else None
    result = ae_zoo.fit(model, rows, labels, validation=0, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return 1 / result.rows_per_second / work(model)


def work(model: Autoencoder) -> float:
    """FLOP of the matrix products that a training step needs for each row."""
    encoder, decoder = forward(model.encoder), forward(model.decoder)
    return 3 * (encoder + decoder) + extra(model, encoder)


def extra(model: Autoencoder, encoder: float) -> float:
    """FLOP a row of the passes that the family's loss adds."""
    if hasattr(model, "posterior"):  # the head of the log-variance
        return 3 * forward_of(model.posterior.get_layer("code_log_variance"))
    if hasattr(model, "jacobian_norm") and not model.is_one_layer:
        # Forward again, back to the input, and back through both.
        return 3 * 2 * encoder
    if hasattr(model, "discriminator"):
        games = [network for network in (model.discriminator, model.class_discriminator) if network]
        # Codes and samples through a discriminator that learns; codes through a stopped one, and back to the codes.
        return sum((3 * 2 + 2) * forward(network) for network in games)
    if model.config.recipe.split is not None:  # the rows' reconstructions once an epoch, by which they are split
        return encoder + forward(model.decoder)
    return 0.0


def forward(network: keras.Model) -> float:
    return sum(forward_of(layer) for layer in network.layers)


def forward_of(layer: keras.layers.Layer) -> float:
    kernel = getattr(getattr(layer, "mirror", layer), "kernel", None)
    if kernel is None:
        return 0.0
    transposed = isinstance(layer, keras.layers.Conv2DTranspose)
    shape = layer.input.shape if transposed else layer.output.shape
    return 2.0 * math.prod(kernel.shape) * math.prod(shape[1:-1])


if __name__ == "__main__":
    main()
