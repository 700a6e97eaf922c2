"""TensorFlow Serving's gRPC interface; the stubs are the extra `grpc`, and bring TensorFlow."""

import json
from typing import Any

from ae_zoo.client.base import Arrays, Client
from ae_zoo.errors import AEZooError, MissingExtraError

SERVICE = "tensorflow.serving.PredictionService"


class GrpcClient(Client):
    """A client over gRPC. See `connect`."""

    def __init__(self, *options: Any):
        super().__init__(*options)
        try:
            import grpc
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            raise MissingExtraError(
                "grpc:// needs the stubs of TensorFlow Serving: pip install 'ae-zoo[grpc]'."
            ) from error
        settings: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.per_rpc_retry_buffer_size", 2**31 - 1),  # a request that is larger would never be sent again
            ("grpc.retry_buffer_size", 2**31 - 1),
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

    def _describe(self) -> tuple[dict[str, Any], int | None]:
        from google.protobuf import json_format
        from tensorflow_serving.apis import get_model_metadata_pb2 as pb

        request = pb.GetModelMetadataRequest(metadata_field=["signature_def"])
        answer = self._ask(self._stub.GetModelMetadata, request, self.version)
        table = pb.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(table)
        tables = {
            name: {"inputs": {}, "outputs": {}} | json_format.MessageToDict(entry, preserving_proto_field_name=True)
            for name, entry in table.signature_def.items()
        }
        spec = answer.model_spec
        return tables, spec.version.value if spec.HasField("version") else None

    def _send(self, signature: str, inputs: Arrays, version: int | None) -> Arrays:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        answer = self._ask(self._stub.Predict, request, version)
        return {name: tf.make_ndarray(tensor) for name, tensor in answer.outputs.items()}

    def _ask(self, method: Any, request: Any, version: int | None) -> Any:
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
            raise AEZooError(f"{self.address} refuses the request: {error.details()}") from error
