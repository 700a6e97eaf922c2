"""Warm-up requests, which TensorFlow Serving replays when it loads a version, so that no client waits for the first run.

They are a TFRecord of `PredictionLog` in `assets.extra/tf_serving_warmup_requests`. The message is put together by its field
numbers (tensorflow_serving/apis: prediction_log.proto, predict.proto, model.proto), as its Python comes only with
tensorflow-serving-api; a test reads it back with that.
"""

import pathlib

import numpy as np

NAME = "tf_serving_warmup_requests"


def write(path: pathlib.Path, model: str, requests: dict[str, dict[str, np.ndarray]]) -> None:
    """Writes a request for each signature.

    Args:
        path: the file.
        model: its name on the server.
        requests: inputs by name, by signature.
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
    """A field of bytes, text or a message, as protocol buffers write it: its number and kind, its length, itself."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
