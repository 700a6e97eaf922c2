"""The client of an exported model that TensorFlow Serving serves, over REST or gRPC.

>>> digits = ae_zoo.client.connect("http://localhost:8501", model="digits")
>>> codes = digits.encode(rows)

| module     | what it holds                                                    |
|------------|------------------------------------------------------------------|
| `base`     | the verbs, the checks before sending, the batches                |
| `answers`  | what the server announces, and the checks of every answer by it  |
| `rest`     | TensorFlow Serving's REST interface                              |
| `deadline` | HTTP requests that end in time                                   |
| `grpc`     | the gRPC interface; needs the extra `grpc`                       |
| `address`  | addresses, and which of them are on this machine                 |
"""

from collections.abc import Sequence

from ae_zoo._support import checks
from ae_zoo.client.address import parse
from ae_zoo.client.base import Client, Options
from ae_zoo.errors import AEZooError, MissingExtraError

__all__ = ["Client", "connect"]


def connect(
    address: str,
    model: str,
    version: int | None = None,
    label: str | None = None,
    timeout: float = 10.0,
    retries: int = 3,
    batch_size: int = 1024,
    columns: Sequence[str] | None = None,
) -> Client:
    """A client of one served model; nothing is sent before the first question. `with` closes its connections.

    Args:
        address: `http://host:8501` for REST, `grpc://host:8500` for gRPC. `https://user:password@host` is HTTP's basic
            authentication, as a proxy before the server may want it; no message shows it. Requests to this machine
            (127.0.0.1, ::1, localhost) go through no proxy, whatever the environment says.
        model: the name under which it is served.
        version: one version's number; default: the newest.
        label: one version's label instead, such as `stable`.
        timeout: seconds for one whole request, at most 1e6: until the last byte of its answer, with its retries.
        retries: how often a request is sent again after a transient error, from 0 to 4. A late one is not: it would be
            late again, and the server is busy enough.
        batch_size: rows sent in one request.
        columns: the names of the model's columns in its order, as on its card; a data frame's are put in that order.

    Raises:
        ValueError: an address of another kind or with a query, both a version and a label, or a timeout or retries out of
            range.
        ImportError: for `http://` without the extra `client`, for `grpc://` without the extra `grpc`.
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
