"""A client of exported models that TensorFlow Serving serves, over REST or gRPC.

>>> digits = ae_zoo.client.connect("http://localhost:8501", model="digits")
>>> codes = digits.encode(rows)

| module     | content                                                             |
|------------|---------------------------------------------------------------------|
| `base`     | the verbs, the checks before sending, the batches                   |
| `answers`  | the server's announcements, and the check of answers against them   |
| `rest`     | TensorFlow Serving's REST interface                                 |
| `deadline` | HTTP requests with a deadline                                       |
| `grpc`     | TensorFlow Serving's gRPC interface; needs the extra `grpc`         |
| `address`  | addresses, and which of them are on this machine                    |
"""

from collections.abc import Sequence
from typing import Any

from ae_zoo._support import checks
from ae_zoo.client.address import parse
from ae_zoo.client.base import Client, Options
from ae_zoo.errors import AEZooError, MissingExtraError
from ae_zoo.schemas import Schema

__all__ = ["Client", "connect"]


def connect(
    address: str,
    model: str,
    version: int | None = None,
    label: str | None = None,
    timeout: float = 10.0,
    retries: int = 3,
    batch_size: int = 1024,
    columns: Sequence[str] | Schema | None = None,
) -> Client[Any]:
    """Returns a client of one served model. It sends nothing before the first request; `with` closes its connections.

    Args:
        address: `http://host:8501` for REST, `grpc://host:8500` for gRPC. `https://user:password@host` uses
            HTTP's basic authentication, for a proxy in front of the server; no message shows the password. Requests to
            this machine (127.0.0.1, ::1, localhost) never use a proxy, even if the environment names one.
        model: name of the served model.
        version: number of the version; by default the newest version.
        label: label of the version, such as `stable`, instead of its number.
        timeout: seconds for one whole request, at most 1e6: until the last byte of the answer, including retries.
        retries: how often a request is sent again after a transient error, from 0 to 4. After a timeout a request is not
            sent again, because the server is too busy already.
        batch_size: number of rows in one request.
        columns: names of the model's columns in the model's order, as on its card. The columns of a data frame are put in
            this order. Or the model's schema, `model.schema`: a model of a table then codes a frame as Python does.

    Raises:
        AEZooError: the address is of another kind or has a query, version and label are both given, or timeout or retries
            are out of range.
        MissingExtraError: `http://` without the extra `client`, or `grpc://` without the extra `grpc`.
    """
    if version is not None and label is not None:
        raise AEZooError(f"Give a version or a label, not both; received version {version} and label {label!r}.")
    if not 0 < checks.finite("timeout", timeout) <= 1e6:
        raise AEZooError(f"timeout must be more than 0 seconds and at most 1e6; received {timeout!r}.")
    if retries not in range(5):  # gRPC allows no more
        raise AEZooError(f"retries must be from 0 to 4; received {retries!r}.")
    where = parse(address)
    options = Options(where, model, version, label, timeout, retries, batch_size, columns)
    if where.scheme == "grpc":
        from ae_zoo.client.grpc import GrpcClient

        return GrpcClient(options)
    try:
        from ae_zoo.client.rest import RestClient
    except ImportError as error:
        raise MissingExtraError("http:// needs requests: run pip install 'ae-zoo[client]'.") from error
    return RestClient(options)
