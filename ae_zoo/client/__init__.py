"""The client of an exported model that TensorFlow Serving serves, over REST or gRPC.

>>> digits = ae_zoo.client.connect("http://localhost:8501", model="digits")
>>> codes = digits.encode(rows)

| module | what it holds                                                      |
|--------|--------------------------------------------------------------------|
| `base` | the verbs, the checks before sending, the batches                   |
| `rest` | TensorFlow Serving's REST interface                                 |
| `grpc` | its gRPC interface; needs the extra `grpc`                          |
"""

from ae_zoo.client.base import Client

__all__ = ["Client", "connect"]


def connect(
    address: str,
    model: str,
    version: int | None = None,
    label: str | None = None,
    timeout: float = 10.0,
    retries: int = 3,
    batch_size: int = 1024,
) -> Client:
    """A client of one served model; nothing is sent before the first question.

    Args:
        address: `http://host:8501` for REST, `grpc://host:8500` for gRPC.
        model: the name under which it is served.
        version: one version's number; default: the newest.
        label: one version's label instead, such as `stable`.
        timeout: seconds for one request.
        retries: how often a request is sent again after a transient error.
        batch_size: rows sent in one request.

    Raises:
        ValueError: an address of another kind, or both a version and a label.
        ImportError: for `grpc://` without the extra `grpc`.
    """
    if version is not None and label is not None:
        raise ValueError(f"Give a version or a label, not both; received version {version} and label {label!r}.")
    options = (address.rstrip("/"), model, version, label, timeout, retries, batch_size)
    scheme = address.partition("://")[0]
    if scheme in ("http", "https"):
        from ae_zoo.client.rest import RestClient

        return RestClient(*options)
    if scheme == "grpc":
        from ae_zoo.client.grpc import GrpcClient

        return GrpcClient(*options)
    raise ValueError(f"address must begin with http://, https:// or grpc://; received {address!r}.")
