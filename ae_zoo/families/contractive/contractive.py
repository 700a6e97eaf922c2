"""Contractive: the code hardly changes with the row, except along the directions in which the rows themselves vary.

Loss: reconstruction + weight * |J|^2 / features, where J holds the derivatives of the code by the scaled row and |J|^2 is
the sum of their squares. The paper sums its reconstruction loss over features and this library takes means; with both
terms divided by the number of features, `weight` is the paper's lambda.

A decoder with large weights could undo a code that is merely made small. So the defaults are the paper's: one sigmoid
layer, whose range is bounded, and tied kernels. There |J|^2 costs next to nothing; for deeper and convolutional encoders
each step has an unbiased estimate of it instead, by one derivative in a random direction.

With a corruption too, |J|^2 is taken at the clean row, without noise, and the reconstruction is of the corrupted one.

Sources: Rifai et al. 2011, Contractive auto-encoders, sections 2 and 3.1; Hutchinson 1990 for the estimate.
"""

from typing import Any, ClassVar

import keras
import numpy as np

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import ContractiveConfig
from ae_zoo.families.contractive import jacobian
from ae_zoo.networks.inference import in_batches


@keras.saving.register_keras_serializable("ae_zoo")
class Contractive(Autoencoder):
    """A code that holds still under small changes of the row."""

    Config = ContractiveConfig
    PARTS: ClassVar[tuple[str, ...]] = ("reconstruction", "contraction")

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.directions = keras.random.SeedGenerator()  # of the estimate
        # The same layers as the encoder's, from the scaled row on, by which the derivatives are taken.
        self._views.networks["scaled_encoder"] = keras.Model(self.scaling.output, self.encoder.output)

    def loss_parts(self, x: Any, y: Any, y_pred: Any, training: bool) -> dict[str, Any]:
        """The reconstruction's loss and the weighted contraction, each `(batch,)`."""
        corrupted = self.config.corruption != "none"
        norm = None
        if not self.is_one_layer:
            norm = jacobian.estimate(self._clean_code, self._scaled(x), self.config.code, self.directions)
        elif corrupted:
            norm = self._one_layer_norm(self._clean_code(self._scaled(x)))
        # After the passes for the norm, as the penalties of the last pass are the ones that count.
        code = self.encoder(x, training=training)  # (batch, code)
        if norm is None:
            norm = self._one_layer_norm(code)
        parts = super().loss_parts(x, y, self.decoder(code, training=training), training)
        return {**parts, "contraction": self.config.contraction / self.schema.features * norm}

    def jacobian_norm(self, x: Any, *, batch_size: int = 64) -> np.ndarray:
        """The exact sum of the squared derivatives of each row's code by the scaled row `(n,)`.

        Args:
            x: rows `(n, *input_shape)` in the data's units.
            batch_size: rows at a time; a deep encoder runs each of them once for every unit of the code.

        Raises:
            ValueError: for rows of another shape or with NaN.
        """

        def norm(rows: Any) -> Any:
            if self.is_one_layer:
                return jacobian.OneLayer(self.get_layer("code"), self.config.code_activation)(self.encoder(rows))
            return jacobian.Exact(self._clean_code, self.config.code)(self.scaling(rows))

        return in_batches(self._view("jacobian_norm", norm), self.check_rows(x), batch_size)

    @property
    def is_one_layer(self) -> bool:
        """Whether the norm has a closed form."""
        return not self.config.hidden and self.config.code_activation in jacobian.SLOPES

    def _one_layer_norm(self, code: Any) -> Any:
        return jacobian.one_layer(code, self.get_layer("code").kernel, self.config.code_activation)

    def _scaled(self, x: Any) -> Any:
        return self.scaling(keras.ops.cast(x, "float32"))

    def _clean_code(self, scaled: Any) -> Any:
        return self._views.networks["scaled_encoder"](scaled, training=False)
