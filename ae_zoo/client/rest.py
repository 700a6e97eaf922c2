"""TensorFlow Serving's REST interface, in its columnar format."""

import urllib.parse
from typing import Any

import numpy as np

from ae_zoo.client.base import Arrays, Client
from ae_zoo.errors import AEZooError, MissingExtraError, UnreachableError, first_line

DTYPES = {"DT_FLOAT": "float32", "DT_BOOL": "bool", "DT_INT64": "int64", "DT_INT32": "int32", "DT_DOUBLE": "float64"}


class RestClient(Client):
    """A client over HTTP. See `connect`."""

    def __init__(self, *options: Any):
        super().__init__(*options)
        try:
            import requests
            import urllib3
        except ImportError as error:
            raise MissingExtraError("http:// needs requests: run pip install 'ae-zoo[client]'.") from error

        class Retry(urllib3.Retry):
            def increment(self, *args: Any, **options: Any) -> urllib3.Retry:
                if isinstance(options.get("error"), urllib3.exceptions.ReadTimeoutError):
                    raise options["error"]  # a late answer would be late again
                return super().increment(*args, **options)

        again = Retry(
            total=self.retries,
            status_forcelist=(429, 502, 503, 504),
            allowed_methods=("GET", "POST"),  # a prediction changes nothing, so it may be sent twice
            backoff_factor=0.1,
            raise_on_status=False,
            respect_retry_after_header=False,  # which may ask for any time
        )
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=again))

    def _url(self, version: int | None) -> str:
        url = f"{self.address}/v1/models/{urllib.parse.quote(self.model, safe='')}"
        if version is not None:
            return f"{url}/versions/{version}"
        return url if self.label is None else f"{url}/labels/{urllib.parse.quote(self.label, safe='')}"

    def close(self) -> None:
        self._session.close()

    def _describe(self) -> tuple[dict[str, Any], int | None]:
        try:
            found = self._ask("GET", "/metadata", self.version)
            version = found.get("model_spec", {}).get("version")
            return found["metadata"]["signature_def"]["signature_def"], int(version) if version else None
        except (KeyError, TypeError, AttributeError) as error:
            raise self._stranger() from error

    def _send(self, signature: str, inputs: Arrays, version: int | None) -> Arrays:
        body = {"signature_name": signature, "inputs": {name: array.tolist() for name, array in inputs.items()}}
        table = self._metadata()[signature]["outputs"]
        found = self._ask("POST", ":predict", version, body)
        try:
            outputs = found["outputs"]
            if len(table) == 1:  # then the server leaves the name out
                outputs = {next(iter(table)): outputs}
            return {name: np.asarray(outputs[name], DTYPES.get(entry["dtype"])) for name, entry in table.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise self._stranger() from error

    def _stranger(self) -> AEZooError:
        return AEZooError(f"{self.address} does not answer as TensorFlow Serving does; check the address.")

    def _ask(self, method: str, what: str, version: int | None, body: Any = None) -> Any:
        import requests

        try:
            answer = self._session.request(method, self._url(version) + what, json=body, timeout=self.timeout)
        except requests.exceptions.ConnectTimeout as error:
            raise self._late() from error
        except requests.exceptions.ConnectionError as error:
            raise (self._late() if "timed out" in str(error) else self._unreachable()) from error
        except requests.exceptions.Timeout as error:
            raise self._late() from error
        except requests.exceptions.ChunkedEncodingError as error:  # cut short
            raise self._unreachable() from error
        except requests.exceptions.RequestException as error:
            raise AEZooError(f"{self.address} cannot be asked: {first_line(error)}") from error
        if answer.status_code in (429, 502, 503, 504):
            raise UnreachableError(
                f"{self.address} answers {answer.status_code} still, after {self.retries} retries; try again later."
            )
        try:
            found = answer.json()
        except ValueError as error:
            raise self._stranger() from error
        if answer.status_code == 404:
            raise self._missing(version)
        if not answer.ok:
            reason = found.get("error") if isinstance(found, dict) else None
            raise AEZooError(f"{self.address} refuses the request: {reason or answer.status_code}")
        return found
