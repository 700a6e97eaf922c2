"""Contractive: the code hardly changes with the row, except along the directions in which the rows themselves vary.

Loss: reconstruction + weight * |J|^2 / features, where J holds the derivatives of the code by the scaled row and |J|^2 is
the sum of their squares. The paper sums its reconstruction loss over features and this library takes means; with both
terms divided by the number of features, `weight` is the paper's lambda.

If the code were merely made small, a decoder with large weights could undo that. So the defaults are the paper's: one
sigmoid layer, whose range is bounded, and tied kernels. There |J|^2 costs almost nothing. Deeper and convolutional encoders
use an unbiased estimate of it at each step, by one derivative in a random direction.

With corruption, |J|^2 is computed at the clean row, and the reconstruction is that of the corrupted row.

Sources: Rifai et al. 2011, Contractive auto-encoders, sections 2 and 3.1; Hutchinson 1990 for the estimate.
"""

from typing import Any

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import ContractiveConfig
from ae_zoo.families.contractive import jacobian
from ae_zoo.networks.inference import in_batches
from ae_zoo.typing import Array, Rows, Tensor


@keras.saving.register_keras_serializable("ae_zoo")
class Contractive(Autoencoder):
    """A code that holds still under small changes of the row."""

    Config = ContractiveConfig
    config: ContractiveConfig
    RUNS_ITSELF = True
    PARTS = ("reconstruction", "contraction")

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.directions = keras.random.SeedGenerator(name="directions")  # of the estimate
        # The encoder's layers from the scaled row on: the derivatives are by the scaled row.
        self._views.networks["scaled_encoder"] = keras.Model(self.scaling.output, self.encoder.output)

    def loss_parts(self, x: Tensor, y: Tensor | None, y_pred: Tensor, training: bool) -> dict[str, Tensor]:
        corrupted = self.config.corruption != "none"
        norm = None
        if not self.is_one_layer:
            norm = jacobian.estimate(self._clean_code, self._scaled(x), self.config.code, self.directions)
        elif corrupted:
            norm = self._one_layer_norm(self._clean_code(self._scaled(x)))
        # After the passes for the norm, because Keras keeps the penalties of the last pass.
        code = self.encoder(x, training=training)  # (batch, code)
        if norm is None:
            norm = self._one_layer_norm(code)
        parts = super().loss_parts(x, y, self.decoder(code, training=training), training)
        return {**parts, "contraction": self.config.contraction / self.schema.features * norm}

    def jacobian_norm(self, x: Rows, *, batch_size: int = 64) -> Array:
        """Returns the exact sum of the squared derivatives of each row's code by the scaled row, `(n,)`.

        Args:
            x: rows `(n, *input_shape)` in the data's units.
            batch_size: rows in a batch; a deep encoder runs each row once for every unit of the code.

        Raises:
            AEZooError: the rows have another shape or hold NaN.
        """

        def norm(rows: Tensor) -> Tensor:
            if self.is_one_layer:
                return jacobian.OneLayer(self.get_layer("code"), self.config.code_activation)(self.encoder(rows))
            return jacobian.Exact(self._clean_code, self.config.code)(self.scaling(rows))

        return in_batches(self._views.of("jacobian_norm", norm), self.check_rows(x), batch_size)

    @property
    def is_one_layer(self) -> bool:
        """Whether the norm has a closed form."""
        return not self.config.hidden and self.config.code_activation in jacobian.SLOPES

    def _one_layer_norm(self, code: Tensor) -> Tensor:
        return jacobian.one_layer(code, self.get_layer("code").kernel, self.config.code_activation)

    def _scaled(self, x: Tensor) -> Tensor:
        return self.scaling(keras.ops.cast(x, "float32"))

    def _clean_code(self, scaled: Tensor) -> Tensor:
        return self._views.networks["scaled_encoder"](scaled, training=False)
