"""Greedy layer-wise pretraining of dense networks (Hinton and Salakhutdinov 2006; Bengio et al. 2007)."""

from typing import Any

import keras

from ae_zoo._support import checks
from ae_zoo.autoencoder import Autoencoder
from ae_zoo.errors import AEZooError
from ae_zoo.factory import build
from ae_zoo.training.fit import fit
from ae_zoo.training.run import TrainingResult, check_model
from ae_zoo.training.schedule import Verbose
from ae_zoo.typing import Rows


def pretrain(
    model: Autoencoder,
    x: Rows,
    *,
    validation: float = 0.1,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    minutes: float | None = None,
    seed: int = 1,
    verbose: Verbose = "auto",
) -> list[TrainingResult]:
    """Trains the layers of a dense model one after another, the outermost first; `fit` then trains them together.

    Each pair of mirrored layers is trained as a one-layer autoencoder of the output of the layers before it, with the
    model's own activations and corruption, without its dropout. The model then gets the weights.

    Args:
        model: a dense model whose decoder takes the output of the dense layer `code`, as in most families.
        x: rows `(n, *input_shape)` in the data's units.
        validation: the share of the rows to hold out.
        epochs: number of epochs for each layer, as in `ae_zoo.fit`.
        batch_size: rows in a batch, as in `ae_zoo.fit`.
        learning_rate: highest learning rate for each layer, as in `ae_zoo.fit`.
        minutes: limit of wall-clock time for all layers together.
        seed: seed of each layer's run, from 0 to 2^32 - 1.
        verbose: as in `ae_zoo.fit`.

    Returns:
        One result for each pair of layers, the outermost first.

    Raises:
        AEZooError: as in `fit`, or the model has other layers.
        DivergedError: as in `fit`.
    """
    check_model(model)
    checks.seed(seed)
    config = model.config
    if config.network != "dense":
        raise AEZooError(
            f"Pretraining is for dense layers; the model's network is {config.network!r}: train it with ae_zoo.fit alone."
        )
    for name in ("normalization", "max_norm"):
        if getattr(config, name) != config.default(name):
            raise AEZooError(
                f"Pretraining trains each layer alone, without {name}={getattr(config, name)!r}, which would change it "
                "afterwards: train the model with ae_zoo.fit alone."
            )
    code = model.get_layer("code")
    if type(code) is not keras.layers.Dense or model.encoder.output is not code.output:
        raise AEZooError(
            f"Pretraining needs a code that is the output of one dense layer, and this {type(model).__name__}'s code is not: "
            "train it with ae_zoo.fit alone."
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
        if outermost:  # it sees the rows, and gives them back, as the model does
            kind: dict[str, Any] = {
                name: getattr(config, name)
                for name in ("schema", "output_activation", "loss", *model.likelihood.OPTIONS)
            }
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
            seed=(seed + level) % 2**32,
            **kind,
        )
        if outermost:
            layer.adapt(rows)  # to all rows, as the model was
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
        if outermost:
            model.scaling.set_weights(layer.scaling.get_weights())
        rows = layer.encode(rows)
    return results
