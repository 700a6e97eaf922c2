"""Adam, with a faster step for the one weight that needs it, and with averages of the weights that can be swapped in."""

from collections.abc import Sequence
from typing import Any

import keras

from ae_zoo.typing import Tensor

FASTER = {"log_output_variance": 10.0}


@keras.saving.register_keras_serializable("ae_zoo")
class Adam(keras.optimizers.Adam):
    """Keras's Adam, in which the logarithm of a learned variance moves ten times as fast as the other weights.

    Adam moves a weight by at most about the rate in a step. A network's kernels need no more, but the variance of good
    reconstructions is e^-3 or e^-6 of that at the start, too far for a small table's few thousand steps. (Rybkin et al.
    2021, "Simple and effective VAE training with calibrated decoders", set it in closed form for the same reason.)

    With `use_ema` it keeps averages of the weights, as Keras's does. Between two epochs they are the model's weights, and the
    weights of the last step lie here: `swap` exchanges both.
    """

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the optimizer's variables; the averages begin at the weights."""
        built = self.built
        super().build(variables)
        if not built:
            self._average_anew()

    def swap(self) -> None:
        """Exchanges the weights and their averages, if there are any."""
        if self.use_ema:
            for variable, average in self._averages():
                last = keras.ops.convert_to_numpy(variable)
                variable.assign(average)
                average.assign(last)

    def forget(self) -> None:
        """Sets the moments and the count of steps to 0, and the averages to the weights."""
        for variable in self.variables:
            if variable is not self.learning_rate:
                variable.assign(keras.ops.zeros_like(variable))
        self._average_anew()

    def _average_anew(self) -> None:
        if self.use_ema:
            for variable, average in self._averages():
                average.assign(keras.ops.convert_to_numpy(variable))  # a copy: JAX would share the memory

    def _averages(self) -> Any:
        return zip(self._trainable_variables, self._model_variables_moving_average, strict=True)

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """Changes one variable by its gradient."""
        name = self._trainable_variables[self._get_variable_index(variable)].name
        super().update_step(gradient, variable, learning_rate * FASTER.get(name, 1.0))
