"""Adam, with a faster step for the one weight that needs it."""

import keras

from ae_zoo.typing import Tensor

FASTER = {"log_output_variance": 10.0}


@keras.saving.register_keras_serializable("ae_zoo")
class Adam(keras.optimizers.Adam):
    """Keras's Adam, in which the logarithm of a learned variance moves ten times as fast as the other weights.

    Adam moves a weight by at most about the rate in a step. A network's kernels need no more, but the variance of good
    reconstructions is e^-3 or e^-6 of that at the start, too far for a small table's few thousand steps. (Rybkin et al.
    2021, "Simple and effective VAE training with calibrated decoders", set it in closed form for the same reason.)
    """

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """Changes one variable by its gradient."""
        name = self._trainable_variables[self._get_variable_index(variable)].name
        super().update_step(gradient, variable, learning_rate * FASTER.get(name, 1.0))
