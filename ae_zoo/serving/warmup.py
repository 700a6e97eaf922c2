"""Warm-up requests: TensorFlow Serving runs them when it loads a version, so no client waits for the slow first run.

They are a TFRecord of `PredictionLog` messages in `assets.extra/tf_serving_warmup_requests`. The messages are written by
their field numbers (tensorflow_serving/apis: prediction_log.proto, predict.proto, model.proto), because their Python classes
come only with tensorflow-serving-api. A test reads the file with those classes.
"""

import pathlib
from collections.abc import Mapping

from ae_zoo.endpoints import Arrays

NAME = "tf_serving_warmup_requests"


def write(path: pathlib.Path, model: str, requests: Mapping[str, Arrays]) -> None:
    """Writes one request for each signature.

    Args:
        path: the file to write.
        model: name of the model on the server.
        requests: for each signature its inputs by name, each `(batch, *shape)`.
    """
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as records:
        for signature, inputs in requests.items():
            spec = _field(1, model.encode()) + _field(3, signature.encode())
            request = _field(1, spec)
            for name, array in inputs.items():
                tensor = tf.make_tensor_proto(array).SerializeToString()
                request += _field(2, _field(1, name.encode()) + _field(2, tensor))
            records.write(_field(6, _field(1, request)))  # PredictionLog.predict_log.request


def _field(number: int, content: bytes) -> bytes:
    """Returns a field of bytes, text or a message in protocol buffers' format: number and kind, length, content."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
