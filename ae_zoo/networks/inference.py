"""Running parts of a model over many rows in NumPy, fast, and in batches of a few sizes whatever the number of rows."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np

from ae_zoo._support import checks
from ae_zoo._support.quiet import quiet_log
from ae_zoo.errors import AEZooError, unknown
from ae_zoo.typing import Array, Tensor

FEW = 128  # rows for which compiling a function takes longer than it saves
STARTED_IN = os.getpid()  # Keras is imported above, which starts TensorFlow's threads


class Views:
    """Networks over the layers of a model. Each is made once, so that it is traced once.

    Keras does not look into this object, so the networks are not saved with the model.

    Args:
        model: whose layers and weights the networks use.
        input_shape: of a row.
    """

    def __init__(self, model: keras.Model, input_shape: Sequence[int]) -> None:
        self.model, self.input_shape = model, tuple(input_shape)
        self.networks: dict[str, keras.Model] = {}

    def of(
        self, name: str, function: Callable[[Tensor], Tensor], input_shape: Sequence[int] | None = None
    ) -> keras.Model:
        """Returns the network from rows `(batch, *input_shape)` to `function(rows)`.

        Args:
            name: says which network it is.
            function: it may read weights of the model.
            input_shape: of one input where it is not a row.
        """
        if name not in self.networks:
            rows = keras.Input(self.input_shape if input_shape is None else tuple(input_shape))
            self.networks[name] = keras.Model(rows, _Run(function, self.model)(rows))
        return self.networks[name]

    def up_to(
        self, name: str, encoder: keras.Model, decoder: keras.Model, networks: Sequence[keras.Model]
    ) -> keras.Model:
        """Returns the network from rows to the output of the layer `name`.

        Args:
            name: a layer of the encoder, the decoder, or another network that takes rows.
            encoder: rows to codes.
            decoder: codes to reconstructions.
            networks: all networks of the model, those two included; those that take neither rows nor codes are left out.

        Raises:
            AEZooError: there is no such layer.
        """
        entered = [network for network in networks if network is decoder or network.input is encoder.input]
        owner = next((network for network in entered if name in _names(network)), None)
        if owner is None:
            raise unknown("layer", name, [one for network in entered for one in _names(network)])

        part = keras.Model(owner.input, owner.get_layer(name).output)

        def run(rows: Tensor) -> Tensor:
            return part(encoder(rows) if owner is decoder else rows)

        return self.of(f"layer {name}", run)


class _Run(keras.layers.Layer):
    """A function as a layer, so that it reads the model's weights at each call: a graph of symbols would keep old values."""

    def __init__(self, function: Callable[[Tensor], Tensor], model: keras.Model) -> None:
        super().__init__(dtype="float32")  # rows are not rounded before they are scaled
        self.function, self.model = function, model
        self.built = True

    def call(self, rows: Tensor) -> Tensor:
        return self.function(rows)


def in_batches(network: keras.Model, x: Array, batch_size: int) -> Array:
    """Returns the network's output for all rows in one float32 array, computed batch by batch.

    `predict_on_batch` in a loop rather than `predict`, which copies all rows first and keeps the parts twice. A few rows
    are not compiled.
    """
    checks.count("batch_size", batch_size)
    if len(x) <= FEW:
        return _float32(network(x))
    check_not_forked()
    result = np.empty(0)
    with no_retracing_alarm():
        for first, size in _batches(len(x), batch_size):
            part = _float32(network.predict_on_batch(x[first : first + size]))
            if first == 0:
                result = np.empty((len(x), *part.shape[1:]), "float32")
            result[first : first + size] = part
    return result


def check_not_forked() -> None:
    """Raises `AEZooError` in a forked child, where a compiled function would never end."""
    if os.getpid() != STARTED_IN:
        raise AEZooError(
            "This process was forked from one that had started TensorFlow, whose threads do not survive a fork, so the "
            'call would never end: call multiprocessing.set_start_method("spawn") where the program starts.'
        )


def _batches(rows: int, batch_size: int) -> Iterator[tuple[int, int]]:
    """Yields the first row and the size of each batch; a size is a power of two, because each new one takes memory.

    They are the largest within `batch_size`, and for fewer rows than that the largest that fit, down to `FEW`. The last
    batch starts early enough to be a full one.
    """
    first, size = 0, _power_of_two(min(rows, batch_size))
    while first < rows:
        if rows < batch_size:
            size = min(size, max(FEW, _power_of_two(rows - first)))
        first = min(first, rows - size)
        yield first, size
        first += size


def _power_of_two(number: int) -> int:
    """Returns the largest power of two that is at most `number`."""
    return 1 << (number.bit_length() - 1)


def _names(network: keras.Model) -> list[str]:
    return [layer.name for layer in network.layers]


def _float32(x: Tensor) -> Array:
    """Returns float32, because NumPy cannot compute with the array that a model in half precision returns."""
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")))


def no_retracing_alarm() -> contextlib.AbstractContextManager[None]:
    """Hides a false warning: TensorFlow tells functions apart by their address, and a new one may get an old address."""
    return quiet_log("triggered tf.function retracing")
