"""TensorFlow Serving's REST interface, in its columnar format."""

from typing import Any

import numpy as np

from ae_zoo.client.base import Arrays, Client

DTYPES = {"DT_FLOAT": "float32", "DT_BOOL": "bool", "DT_INT64": "int64", "DT_INT32": "int32", "DT_DOUBLE": "float64"}


class RestClient(Client):
    """A client over HTTP. See `connect`."""

    def __init__(self, *options: Any):
        super().__init__(*options)
        import requests
        import urllib3

        again = urllib3.Retry(
            total=self.retries,
            read=0,  # a late answer would be late again
            status_forcelist=(429, 502, 503, 504),
            allowed_methods=("GET", "POST"),  # a prediction changes nothing, so it may be sent twice
            backoff_factor=0.1,
            raise_on_status=False,
        )
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=again))
        self._url = f"{self.address}/v1/models/{self.model}"
        if self.version is not None:
            self._url += f"/versions/{self.version}"
        if self.label is not None:
            self._url += f"/labels/{self.label}"

    def _describe(self) -> dict[str, Any]:
        return self._ask("GET", "/metadata")["metadata"]["signature_def"]["signature_def"]

    def _send(self, signature: str, inputs: Arrays) -> Arrays:
        body = {"signature_name": signature, "inputs": {name: array.tolist() for name, array in inputs.items()}}
        outputs = self._ask("POST", ":predict", body)["outputs"]
        table = self._metadata()[signature]["outputs"]
        if len(table) == 1:  # then the server leaves the name out
            outputs = {next(iter(table)): outputs}
        return {name: np.asarray(outputs[name], DTYPES.get(entry["dtype"])) for name, entry in table.items()}

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        import requests

        try:
            answer = self._session.request(method, self._url + path, json=body, timeout=self.timeout)
        except requests.exceptions.ConnectTimeout as error:
            raise self._late() from error
        except requests.exceptions.ConnectionError as error:
            raise (self._late() if "timed out" in str(error) else self._unreachable()) from error
        except requests.exceptions.Timeout as error:
            raise self._late() from error
        if answer.status_code in (429, 502, 503, 504):
            raise ConnectionError(
                f"{self.address} answers {answer.status_code} still, after {self.retries} retries; try again later."
            )
        try:
            found = answer.json()
        except ValueError as error:
            raise ValueError(
                f"{self.address} does not answer as TensorFlow Serving does; check the address."
            ) from error
        if answer.status_code == 404:
            raise self._missing()
        if not answer.ok:
            raise ValueError(f"{self.address} refuses the request: {found.get('error', answer.status_code)}")
        return found
