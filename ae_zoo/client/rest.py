"""TensorFlow Serving's REST interface, with its columnar format."""

import json
import time
import urllib.parse
from collections.abc import Mapping

import numpy as np
import requests
import urllib3

from ae_zoo.client import answers, deadline
from ae_zoo.client.answers import Arrays, Tensor, Unlike
from ae_zoo.client.base import Client, Options
from ae_zoo.errors import AEZooError, UnreachableError

LARGEST_METADATA = 2**24  # bytes
PIECE = 2**16


class _Session(requests.Session):
    """Follows no redirect: the server sends none, rows must not go elsewhere, and `requests` would read it without limit."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class RestClient(Client[object]):
    """A client over HTTP. See `connect`."""

    def __init__(self, options: Options):
        super().__init__(options)
        self._session = _Session()
        self._session.auth = options.address.auth  # type: ignore[assignment]  # bytes are legal too, for UTF-8
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, deadline.Adapter())
        self._proxies = {"no_proxy": options.address.host} if options.address.loopback else None

    def _url(self, version: int | None) -> str:
        url = f"{self.address}/v1/models/{urllib.parse.quote(self.model, safe='')}"
        if version is not None:
            return f"{url}/versions/{version}"
        return url if self.label is None else f"{url}/labels/{urllib.parse.quote(self.label, safe='')}"

    def close(self) -> None:
        self._session.close()

    def _describe(self) -> tuple[object, int]:
        found = self._ask("GET", "/metadata", self.version, LARGEST_METADATA)
        try:
            version = found["model_spec"]["version"]  # type: ignore[index]
            table = found["metadata"]["signature_def"]["signature_def"]  # type: ignore[index]
        except (KeyError, TypeError, IndexError):
            raise Unlike("its metadata name no version or no signature") from None
        if not str(version).isdecimal() or len(str(version)) > 19:
            raise Unlike("its metadata name no version")
        return table, int(version)

    def _send(
        self, signature: str, inputs: Arrays, expected: Mapping[str, Tensor], version: int | None
    ) -> Mapping[str, object]:
        body = {"signature_name": signature, "inputs": {name: array.tolist() for name, array in inputs.items()}}
        found = self._ask("POST", ":predict", version, answers.largest_json(expected), body)
        if not isinstance(found, dict) or "outputs" not in found:
            raise self._stranger("its answer has no outputs")
        outputs = found["outputs"]
        if len(expected) == 1:  # then the server omits the name
            return {name: outputs for name in expected}
        if not isinstance(outputs, dict):
            raise self._stranger("its outputs have no names")
        return outputs

    @staticmethod
    def _read(found: object, expected: Tensor) -> np.ndarray:
        return answers.from_json(found, expected)

    def _ask(self, method: str, what: str, version: int | None, largest: int, body: object = None) -> object:
        """Returns the JSON of an answer of at most `largest` bytes. Requests change nothing, so they may be sent again."""
        data = None if body is None else json.dumps(body).encode()
        end = time.monotonic() + self.timeout
        again = 0
        while True:
            try:
                return self._ask_once(method, what, version, largest, data, end)
            except UnreachableError:
                pause = 0.1 * 2**again
                if again == self.retries or time.monotonic() + pause >= end:
                    raise
                time.sleep(pause)
                again += 1

    def _ask_once(
        self, method: str, what: str, version: int | None, largest: int, data: bytes | None, end: float
    ) -> object:
        left = urllib3.Timeout(total=max(end - time.monotonic(), 1e-3))
        try:
            with self._session.request(
                method,
                self._url(version) + what,
                data=data,
                headers={"Accept-Encoding": "gzip", "Content-Type": "application/json"},
                timeout=left,  # type: ignore[arg-type]
                proxies=self._proxies,
                stream=True,
            ) as answer:
                text = bytearray()
                for piece in answer.raw.stream(PIECE, decode_content=True):
                    text += piece
                    if len(text) > largest:
                        raise self._stranger(
                            f"its answer is longer than {largest:,} bytes, the most that its metadata allow"
                        )
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise self._late() from error
        except requests.exceptions.SSLError as error:
            raise AEZooError(f"{self.address} cannot be trusted: its certificate is not valid.") from error
        except (
            requests.ConnectionError,
            urllib3.exceptions.ProtocolError,
        ) as error:  # also an answer that is cut short
            raise (self._late() if time.monotonic() >= end else self._unreachable()) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise AEZooError(f"{self.address} cannot be asked ({type(error).__name__}); check the address.") from error
        status = answer.status_code
        if status in (429, 502, 503, 504):
            raise UnreachableError(
                f"{self.address} still answers with status {status} after {self.retries} retries; try again later."
            )
        if status in (401, 403):
            raise AEZooError(
                f"{self.address} refuses the request with status {status}; give a valid user name and password, as in "
                "https://user:password@host."
            )
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._stranger(f"its answer, with status {status}, is not JSON") from error
        if status == 404:
            raise self._missing(version)
        if status != 200:
            raise self._refused(found.get("error", status) if isinstance(found, dict) else status)
        return found
