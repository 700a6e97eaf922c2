"""TensorFlow Serving's gRPC interface. The extra `grpc` installs its Python classes, which import TensorFlow."""

import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from ae_zoo.client.answers import DTYPES, LARGEST_ANSWER, Arrays, Tensor, Unlike
from ae_zoo.client.base import Client, Options
from ae_zoo.errors import MissingExtraError

if TYPE_CHECKING:
    from tensorflow.core.framework.tensor_pb2 import TensorProto
    from tensorflow_serving.apis.model_pb2 import ModelSpec

SERVICE = "tensorflow.serving.PredictionService"
# The fields that hold a tensor's values if its bytes do not.
FIELDS = {"float32": "float_val", "float64": "double_val", "bool": "bool_val", "int32": "int_val", "int64": "int64_val"}


class _Request(Protocol):
    model_spec: "ModelSpec"


Sent = TypeVar("Sent", bound=_Request)
Answer = TypeVar("Answer")


class GrpcClient(Client["TensorProto"]):
    """A client over gRPC. See `connect`."""

    def __init__(self, options: Options):
        super().__init__(options)
        try:
            import grpc
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            raise MissingExtraError(
                "grpc:// needs the stubs of TensorFlow Serving: pip install 'ae-zoo[grpc]'."
            ) from error
        settings: list[tuple[str, int | str]] = [
            ("grpc.max_receive_message_length", LARGEST_ANSWER),
            ("grpc.max_send_message_length", -1),
            ("grpc.per_rpc_retry_buffer_size", 2**31 - 1),  # a larger request would not be sent again
            ("grpc.retry_buffer_size", 2**31 - 1),
            ("grpc.enable_http_proxy", int(not options.address.loopback)),
        ]
        if self.retries:
            policy = {
                "maxAttempts": self.retries + 1,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            }
            service = {"methodConfig": [{"name": [{"service": SERVICE}], "retryPolicy": policy}]}
            settings.append(("grpc.service_config", json.dumps(service)))
        self._channel = grpc.insecure_channel(self.address.removeprefix("grpc://"), options=settings)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def _describe(self) -> tuple[object, int]:
        from google.protobuf import json_format
        from google.protobuf.message import DecodeError
        from tensorflow_serving.apis import get_model_metadata_pb2 as pb

        request = pb.GetModelMetadataRequest(metadata_field=["signature_def"])
        answer = self._ask(self._stub.GetModelMetadata, request, self.version)
        table = pb.SignatureDefMap()
        try:
            unpacked = answer.metadata["signature_def"].Unpack(table)
        except DecodeError:
            unpacked = False
        if not unpacked or not answer.model_spec.HasField("version"):
            raise Unlike("its metadata name no version or no signature")
        tables = {
            name: json_format.MessageToDict(entry, preserving_proto_field_name=True)
            for name, entry in table.signature_def.items()
        }
        return tables, answer.model_spec.version.value

    def _send(
        self, signature: str, inputs: Arrays, expected: Mapping[str, Tensor], version: int | None
    ) -> "Mapping[str, TensorProto]":
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        outputs: Mapping[str, TensorProto] = self._ask(self._stub.Predict, request, version).outputs
        return outputs

    @staticmethod
    def _read(found: "TensorProto", expected: Tensor) -> np.ndarray:
        """Returns an array from a tensor. `tf.make_ndarray` would repeat the last value if values are missing."""
        from tensorflow.core.framework import types_pb2

        sizes = tuple(dim.size for dim in found.tensor_shape.dim)
        wanted = expected.shape
        if found.dtype != types_pb2.DataType.Value(expected.dtype) or len(sizes) != len(wanted):
            raise Unlike(_text(found.dtype, sizes))
        if any(size < 0 or want not in (None, size) for size, want in zip(sizes, wanted, strict=True)):
            raise Unlike(_text(found.dtype, sizes))
        dtype = np.dtype(DTYPES[expected.dtype])
        if dtype.kind == "O":
            if len(found.string_val) != math.prod(sizes):
                raise Unlike(f"{len(found.string_val)} values for the shape {sizes}")
            try:
                return np.array([text.decode() for text in found.string_val], object).reshape(sizes)
            except UnicodeDecodeError:
                raise Unlike("a text that is not in UTF-8") from None
        if found.tensor_content:
            raw = np.frombuffer(found.tensor_content, "uint8")
            if dtype == "bool" and raw.max() > 1:
                raise Unlike(f"the byte {raw.max()}")
            count, rest = divmod(len(raw), dtype.itemsize)
            values = raw[: len(raw) - rest].view(dtype)
        else:
            values = np.array(getattr(found, FIELDS[dtype.name]), dtype)
            count, rest = len(values), 0
        if rest or count != math.prod(sizes):
            raise Unlike(f"{count} values for the shape {sizes}")
        return values.reshape(sizes).copy()

    def _ask(self, method: Callable[..., Answer], request: Sent, version: int | None) -> Answer:
        import grpc

        request.model_spec.name = self.model
        if version is not None:
            request.model_spec.version.value = version
        elif self.label is not None:
            request.model_spec.version_label = self.label
        try:
            return method(request, timeout=self.timeout)
        except grpc.RpcError as error:
            code = error.code()
            if code == grpc.StatusCode.NOT_FOUND:
                raise self._missing(version) from error
            if code == grpc.StatusCode.UNAVAILABLE:
                raise self._unreachable() from error
            if code == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise self._late() from error
            raise self._refused(error.details()) from error


def _text(dtype: int, sizes: tuple[int, ...]) -> str:
    from tensorflow.core.framework import types_pb2

    known = {number: name for name, number in types_pb2.DataType.items()}
    return str(Tensor(known.get(dtype, f"type {dtype}"), sizes))
