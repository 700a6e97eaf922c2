"""Greedy layer-wise pretraining of dense networks (Hinton and Salakhutdinov 2006; Bengio et al. 2007)."""

from typing import Any

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.factory import build
from ae_zoo.training.fit import fit
from ae_zoo.training.run import TrainingResult

LOSS = ("loss", "output_variance", "huber_delta", "quantile_alpha")  # the options that make a likelihood


def pretrain(
    model: Autoencoder,
    x: Any,
    *,
    validation: float = 0.1,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    minutes: float | None = None,
    seed: int = 1,
    verbose: int | str = "auto",
) -> list[TrainingResult]:
    """Trains the layers of a dense model one after another, outermost first, before `fit` trains them together.

    Each pair of mirrored layers is trained as a one-layer autoencoder of what the layers below it give, with the
    model's own activations and corruption, and its weights are put in place.

    Args:
        model: a dense one whose decoder takes the output of the dense layer `code`, as in most families; each layer
            keeps its width and activation.
        x: rows `(n, *input_shape)` in the data's units.
        validation: the share of the rows to hold out.
        epochs, batch_size, learning_rate, verbose: of each layer's run, as for `ae_zoo.fit`.
        minutes: wall-clock budget of all layers together.
        seed: of every layer's run.

    Returns:
        One result a pair of layers, outermost first.

    Raises:
        ValueError: as `fit` does, or for a model of other layers.
    """
    config = model.config
    if config.network != "dense":
        raise AEZooError(
            f"Pretraining goes through dense layers one by one; the model's network is {config.network!r}: train it with "
            "ae_zoo.fit alone."
        )
    code = model.get_layer("code")
    if type(code) is not keras.layers.Dense or model.encoder.output is not code.output:
        raise AEZooError(
            f"Pretraining ends with one dense layer for the code, which the decoder takes as it is; this "
            f"{type(model).__name__}'s code is more than that: train it with ae_zoo.fit alone."
        )
    x = model.check_rows(x, learn=True)
    model.check_targets(x)
    if not model.scaling.adapted:
        model.adapt(x)
    widths = [model.schema.features, *config.hidden, config.code]
    depth = len(widths) - 1
    rows, results = x, []
    for level in range(depth):
        outermost, innermost = level == 0, level == depth - 1
        if outermost:  # sees the rows, and gives them back, as the model does
            kind = {name: getattr(config, name) for name in ("schema", "output_activation", *LOSS)}
        else:
            kind = {"input_shape": widths[level], "output_activation": config.activation}
        layer = build(
            "undercomplete",
            code=widths[level + 1],
            hidden=(),
            tied=config.tied,
            code_activation=config.code_activation if innermost else config.activation,
            corruption=config.corruption,
            corruption_amount=config.corruption_amount,
            seed=seed + level,
            **kind,
        )
        if outermost:
            layer.adapt(rows)  # to all rows, as the model
        result = fit(
            layer,
            rows,
            validation=validation,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            minutes=None if minutes is None else minutes / depth,
            seed=seed,
            verbose=verbose,
        )
        results.append(result)
        last = "reconstruction" if len(layer.schema.output_shape) == 1 else "reconstruction_flat"
        down = "code" if innermost else f"hidden_{level}"
        up = last if outermost else f"hidden_{2 * (depth - 1) - level}"
        model.get_layer(down).set_weights(layer.get_layer("code").get_weights())
        model.get_layer(up).set_weights(layer.get_layer(last).get_weights())
        rows = layer.encode(rows)
    return results
