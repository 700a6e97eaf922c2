"""The client of an exported model that TensorFlow Serving serves, over REST or gRPC.

>>> digits = ae_zoo.client.connect("http://localhost:8501", model="digits")
>>> codes = digits.encode(rows)

| module | what it holds                                                      |
|--------|--------------------------------------------------------------------|
| `base` | the verbs, the checks before sending, the batches                   |
| `rest` | TensorFlow Serving's REST interface                                 |
| `grpc` | its gRPC interface; needs the extra `grpc`                          |
"""

from collections.abc import Sequence

from ae_zoo._support import checks
from ae_zoo.client.base import Client
from ae_zoo.errors import AEZooError

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
        address: `http://host:8501` for REST, `grpc://host:8500` for gRPC.
        model: the name under which it is served.
        version: one version's number; default: the newest.
        label: one version's label instead, such as `stable`.
        timeout: seconds for one request; over REST for each silence of the server's in it.
        retries: how often a request is sent again after a transient error, from 0 to 4. A late one is not: it would be
            late again, and the server is busy enough.
        batch_size: rows sent in one request.
        columns: the names of the model's columns in its order, as on its card; a data frame's are put in that order.

    Raises:
        ValueError: an address of another kind, both a version and a label, a timeout that is not positive, or retries
            out of range.
        ImportError: for `grpc://` without the extra `grpc`.
    """
    if version is not None and label is not None:
        raise AEZooError(f"Give a version or a label, not both; received version {version} and label {label!r}.")
    if not checks.finite("timeout", timeout) > 0:
        raise AEZooError(f"timeout must be more than 0 seconds; received {timeout!r}.")
    if retries not in range(5):  # gRPC allows no more
        raise AEZooError(f"retries must be from 0 to 4; received {retries!r}.")
    options = (address.rstrip("/"), model, version, label, timeout, retries, batch_size, columns)
    scheme, _, host = address.partition("://")
    if scheme in ("http", "https", "grpc") and not host.strip("/"):
        raise AEZooError(f"address must name a host, as in http://localhost:8501; received {address!r}.")
    if scheme in ("http", "https"):
        from ae_zoo.client.rest import RestClient

        return RestClient(*options)
    if scheme == "grpc":
        from ae_zoo.client.grpc import GrpcClient

        return GrpcClient(*options)
    raise AEZooError(f"address must begin with http://, https:// or grpc://; received {address!r}.")
