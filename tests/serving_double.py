"""A stand-in for TensorFlow Serving around a `runtime` (`signatures`, `run`), over real sockets."""

import concurrent.futures
import contextlib
import http.server
import json
import re
import threading
import time

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc


class Plan:
    """What goes wrong: so many failures first, so many seconds late; and what each request asked that came through."""

    def __init__(self):
        self.failures, self.delay = 0, 0.0
        self.batches, self.versions = [], []  # rows, and the version's number or label
        self.newest = 1

    def fails(self):
        time.sleep(self.delay)
        self.failures -= 1
        return self.failures >= 0


def sides(signature):
    read = signature.get if isinstance(signature, dict) else lambda side: getattr(signature, side)
    return read("inputs"), read("outputs")


def plain(value):
    """Nested lists for JSON, in which texts are no bytes."""
    array = np.asarray(value)
    texts = array.dtype == object and isinstance(array.flat[0], bytes)
    return (np.char.decode(array.astype(bytes), "utf-8") if texts else array).tolist()


def signature_map(runtime):
    table = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in runtime.signatures.items():
        entry = table.signature_def[name]
        for side, tensors in zip((entry.inputs, entry.outputs), sides(signature), strict=True):
            for key, (dtype, shape) in tensors.items():
                side[key].dtype = tf.as_dtype(dtype).as_datatype_enum
                side[key].tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())
    return table


@contextlib.contextmanager
def grpc_server(runtime, plan, model="digits"):
    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def _check(self, request, context):
            if request.model_spec.name != model:
                context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request")
            if plan.fails():
                context.abort(grpc.StatusCode.UNAVAILABLE, "busy")

        def GetModelMetadata(self, request, context):
            self._check(request, context)
            answer = get_model_metadata_pb2.GetModelMetadataResponse()
            answer.metadata["signature_def"].Pack(signature_map(runtime))
            answer.model_spec.version.value = plan.newest
            return answer

        def Predict(self, request, context):
            self._check(request, context)
            inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
            plan.batches.append(len(next(iter(inputs.values()))))
            spec = request.model_spec
            plan.versions.append(spec.version.value if spec.HasField("version") else spec.version_label)
            answer = predict_pb2.PredictResponse()
            for name, array in runtime.run(request.model_spec.signature_name, inputs).items():
                answer.outputs[name].CopyFrom(tf.make_tensor_proto(array))
            return answer

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"grpc://127.0.0.1:{port}"
    server.stop(None).wait()


@contextlib.contextmanager
def rest_server(runtime, plan, model="digits"):
    from google.protobuf import json_format

    class Handler(_Handler):
        def do_GET(self):
            table = json_format.MessageToDict(signature_map(runtime), preserving_proto_field_name=True)
            self._answer(
                "/metadata",
                lambda body: {"model_spec": {"version": str(plan.newest)}, "metadata": {"signature_def": table}},
            )

        def do_POST(self):
            self._answer(":predict", self._predict)

        def _predict(self, body):
            name = body["signature_name"]
            tensors = sides(runtime.signatures[name])[0]
            inputs = {key: np.asarray(value, tensors[key][0]) for key, value in body["inputs"].items()}
            plan.batches.append(len(next(iter(inputs.values()))))
            outputs = {key: plain(value) for key, value in runtime.run(name, inputs).items()}
            return {"outputs": next(iter(outputs.values())) if len(outputs) == 1 else outputs}

        def _answer(self, ending, make):
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
            asked = re.fullmatch(f"/v1/models/{model}(?:/versions/([0-9]+)|/labels/([a-z]+))?{ending}", self.path)
            if asked is None:
                code, found = 404, {"error": "Servable not found for request"}
            elif plan.fails():
                code, found = 503, {"error": "busy"}
            else:
                code, found = 200, make(body)
                plan.versions += [int(asked[1]) if asked[1] else asked[2] or ""] if body else []
            self.answer(code, json.dumps(found).encode())

    with _listening(Handler) as address:
        yield address


@contextlib.contextmanager
def any_server(answer):
    """Answers everything with the same bytes, or by a function of the handler."""

    class Handler(_Handler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if callable(answer):
                with contextlib.suppress(OSError):  # a client that has given up
                    answer(self)
            else:
                self.answer(200, answer)

        do_POST = do_GET

    with _listening(Handler) as address:
        yield address


class _Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, code, text):
        with contextlib.suppress(OSError):  # a client that has given up
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def _listening(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
