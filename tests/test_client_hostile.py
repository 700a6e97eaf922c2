"""The client against servers that are slow or endless, metadata that lie, proxies, and passwords in addresses."""

import base64
import contextlib
import gzip
import json
import threading
import time
import traceback
import tracemalloc

import numpy as np
import pytest

pytest.importorskip("tensorflow_serving")

from ae_zoo import client
from tests import serving_double

X = np.ones((2, 4), "float32")


def tensor(*sizes, dtype="DT_FLOAT"):
    dims = [{"size": str(size), "name": ""} for size in sizes]
    return {"dtype": dtype, "tensor_shape": {"dim": dims, "unknown_rank": False}, "name": "x:0"}


def metadata(**changes):
    encode = {"inputs": {"x": tensor(-1, 4)}, "outputs": {"code": tensor(-1, 2)}, "method_name": ""} | changes
    return {"model_spec": {"version": "1"}, "metadata": {"signature_def": {"signature_def": {"encode": encode}}}}


@contextlib.contextmanager
def predicting(answer):
    """A server whose metadata are right, and whose predictions are sent by `answer(handler)`."""

    def either(handler):
        if handler.command == "GET":
            handler.answer(200, json.dumps(metadata()).encode())
        else:
            answer(handler)

    with serving_double.any_server(either) as address:
        yield address


def head(handler, **headers):
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


@pytest.fixture
def drip():
    """Sends a piece again and again, at intervals, for 5 seconds at most."""
    over = threading.Event()

    def send(handler, piece):
        for _ in range(100):
            if over.wait(0.05):
                return
            handler.wfile.write(piece)

    yield send
    over.set()


def _in_headers(handler, drip):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(handler, b"a")


def _in_lines_of_headers(handler, drip):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    drip(handler, b"X-Slow: a\r\n")


def _in_the_body(handler, drip):
    head(handler, Content_Length="1000")
    drip(handler, b" ")


def _in_chunks(handler, drip):
    handler.protocol_version = "HTTP/1.1"
    head(handler, Transfer_Encoding="chunked")
    drip(handler, b"1\r\n \r\n")


@pytest.mark.parametrize("slowly", [_in_headers, _in_lines_of_headers, _in_the_body, _in_chunks])
def test_a_timeout_is_for_the_whole_request(slowly, drip):
    """Each silence is short: only the sum is long."""
    asked = []

    def answer(handler):
        asked.append(handler.path)
        if len(asked) == 1:
            handler.answer(200, json.dumps(metadata()).encode())
        else:
            slowly(handler, drip)

    with serving_double.any_server(answer) as address:
        served = client.connect(address, "digits", timeout=0.3)
        start = time.monotonic()
        with pytest.raises(TimeoutError, match="within 0.3 s"):
            served.encode(X)
        assert time.monotonic() - start < 1.5
    assert len(asked) == 2  # the metadata, and one prediction


def test_a_timeout_holds_for_all_tries():
    with predicting(lambda handler: handler.answer(503, b"{}")) as address:
        served = client.connect(address, "digits", timeout=0.25, retries=4)
        start = time.monotonic()
        with pytest.raises(ConnectionError):
            served.encode(X)
        assert time.monotonic() - start < 1  # four pauses alone are 1.5 s


def test_an_answer_longer_than_announced_is_not_read():
    sent = []

    def endless(handler):
        head(handler, Content_Length=str(4 * 2**30))
        for _ in range(256):
            handler.wfile.write(b" " * 2**20)
            sent.append(2**20)

    with predicting(endless) as address:
        served = client.connect(address, "digits")
        with pytest.raises(
            ValueError, match="its answer is longer than 1,0[0-9,]+ bytes, the most that its metadata allow"
        ):
            served.encode(X)
    assert sum(sent) < 2**25


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
def test_a_gzip_bomb_does_not_explode(encoding):
    bomb = gzip.compress(bytes(2**26), 1)
    for _ in range(encoding.count(",")):
        bomb = gzip.compress(bomb)

    def answer(handler):
        head(handler, Content_Encoding=encoding, Content_Length=str(len(bomb)))
        handler.wfile.write(bomb)

    with predicting(answer) as address:
        served = client.connect(address, "digits")
        served.signatures()
        tracemalloc.start()
        with pytest.raises(ValueError, match="longer than"):
            served.encode(X)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2**24


def test_the_header_of_a_chunk_has_an_end():
    def answer(handler):
        handler.protocol_version = "HTTP/1.1"
        head(handler, Transfer_Encoding="chunked")
        for _ in range(64):
            handler.wfile.write(b"1" * 2**20)

    with predicting(answer) as address, pytest.raises(ValueError, match="cannot be reached"):
        client.connect(address, "digits", retries=0).encode(X)


def test_an_answer_cut_short_is_asked_for_again():
    asked = []

    def answer(handler):
        asked.append(handler.path)
        text = json.dumps({"outputs": [[1.0, 2.0], [3.0, 4.0]]}).encode()
        head(handler, Content_Length=str(len(text)))
        handler.wfile.write(text if len(asked) > 1 else text[:10])

    with predicting(answer) as address:
        assert client.connect(address, "digits", retries=1).encode(X).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("status", [401, 403])
def test_a_proxy_that_wants_a_name_is_understood(status):
    with (
        predicting(lambda handler: handler.answer(status, b"<html>")) as address,
        pytest.raises(ValueError, match=f"with status {status}.*://user:password@host"),
    ):
        client.connect(address, "digits").encode(X)


def test_a_redirection_is_not_followed():
    def answer(handler):
        handler.send_response(307)
        handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    with predicting(answer) as address, pytest.raises(ValueError, match="refuses the request: 307"):
        client.connect(address, "digits").encode(X)


@pytest.mark.parametrize(
    "found",
    [
        {"model_spec": {"version": "1"}, "metadata": {}},
        {"model_spec": {"version": "1"}, "metadata": {"signature_def": {"signature_def": {}}}},
        {"model_spec": {"version": "1"}, "metadata": {"signature_def": {"signature_def": [1]}}},
        metadata() | {"model_spec": {"version": "new"}},
        metadata() | {"model_spec": {}},
        metadata(inputs=None),
        metadata(inputs={"x": 3}),
        metadata(outputs={}),
        metadata(outputs={"code": {"dtype": "DT_FLOAT"}}),
        metadata(outputs={"code": {"dtype": 1, "tensor_shape": {"dim": []}}}),
        metadata(outputs={"code": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": 2}}}),
        metadata(outputs={"code": {"dtype": "DT_FLOAT", "tensor_shape": {"unknown_rank": True}}}),
        metadata(outputs={"code": tensor(*[1] * 100)}),
        metadata(outputs={"code": tensor(-1, -7)}),
        metadata(outputs={"code": tensor(-1, 2.5)}),
        metadata(outputs={"code": tensor(-1, "9" * 5000)}),
        metadata(outputs={"code": tensor(-1, 2**20, 2**20)}),
    ],
)
def test_metadata_that_lie_are_one_sentence(found):
    text = json.dumps(found).encode()
    with serving_double.any_server(text) as address, pytest.raises(ValueError, match="not answer as Tensor") as raised:
        client.connect(address, "digits").encode(X)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outputs": {"code": tensor(-1, 2, dtype="DT_HALF")}}, "of type DT_HALF, which this client cannot read"),
        ({"inputs": {"x": tensor(-1, 4, dtype="DT_HALF")}}, "of type DT_HALF, which this client cannot send"),
    ],
)
def test_types_that_are_not_known_are_told(changes, message):
    text = json.dumps(metadata(**changes)).encode()
    with serving_double.any_server(text) as address, pytest.raises(ValueError, match=message):
        client.connect(address, "digits").encode(X)


class Runtime:
    signatures = {"encode": {"inputs": {"x": ("float32", (None, 4))}, "outputs": {"code": ("float32", (None, 4))}}}

    def run(self, name, inputs):
        return {"code": inputs["x"]}


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that answers everything with 404, and what it was asked."""
    asked = []

    def answer(handler):
        asked.append(handler.path)
        handler.answer(404, b"{}")

    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving_double.any_server(answer) as address:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "grpc_proxy"):
            monkeypatch.setenv(name, address)
        yield asked


@pytest.mark.parametrize("transport", ["rest", "grpc"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_not_asked_through_a_proxy(proxy, transport, host):
    with getattr(serving_double, f"{transport}_server")(Runtime(), serving_double.Plan()) as address:
        served = client.connect(address.replace("127.0.0.1", host), "digits", retries=0)
        assert np.array_equal(served.encode(X), X)
    assert not proxy


def test_other_machines_are_asked_through_a_proxy(proxy):
    with pytest.raises(ValueError, match="serves no model"):
        client.connect("http://served.invalid:8501", "digits", retries=0).encode(X)
    assert proxy == ["http://served.invalid:8501/v1/models/digits/metadata"]


@pytest.mark.parametrize(
    "address",
    [
        "http://ann:secret@127.0.0.1:1",
        "http://ann:secret@127.0.0.1:port",
        "http://ann:sec#secret@127.0.0.1:1",
        "http://ann:1#secret@127.0.0.1:1",
        "http://ann:1/secret@127.0.0.1:1",
        "http://ann:1?secret@127.0.0.1:1",
        "http://127.0.0.1:1?token=secret",
        "http://ann:secret@",
        "http://ann:secret@[::1",
        "ann:secret@127.0.0.1:8501",
        "ftp://ann:secret@127.0.0.1",
        "grpc://ann:secret@127.0.0.1:1",
    ],
)
def test_no_password_is_in_a_message(address):
    with pytest.raises(ValueError, match=r".") as raised:
        client.connect(address, "digits", retries=0).encode(X)
    assert "secret" not in str(raised.value)
    chain = [raised.value]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    assert not any("secret" in line for error in chain for line in traceback.format_exception_only(error))


def test_a_name_and_a_password_are_sent_as_basic_authentication():
    seen = []

    def answer(handler):
        seen.append(handler.headers["Authorization"])
        handler.answer(404, b"{}")

    with serving_double.any_server(answer) as address, pytest.raises(ValueError, match="serves no model"):
        client.connect(address.replace("//", "//zoë:p%40ss@"), "digits").encode(X)
    assert seen == ["Basic " + base64.b64encode("zoë:p@ss".encode()).decode()]
