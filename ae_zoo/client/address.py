"""Addresses of servers."""

import ipaddress
import urllib.parse
from typing import NamedTuple

from ae_zoo.errors import AEZooError


class Address(NamedTuple):
    """A server's address. `url` has no user name and password, because messages show it."""

    url: str
    host: str
    auth: tuple[bytes, bytes] | None

    @property
    def scheme(self) -> str:
        """`http`, `https` or `grpc`."""
        return self.url.partition("://")[0]

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine; a proxy could not reach it."""
        name = self.host.rstrip(".")
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost" or name.endswith(".localhost")


def parse(text: str) -> Address:
    """Returns the address in a text such as `http://localhost:8501` or `http://user:password@host`.

    Raises:
        AEZooError: the scheme is unknown, there is no host, the port is not a number, there is a query, or a user name for
            gRPC.
    """
    shown = f"***@{text.rpartition('@')[2]}" if "@" in text else text
    try:
        parts = urllib.parse.urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise AEZooError(f"address must be like http://localhost:8501; received {shown!r}.") from error
    if parts.scheme not in ("http", "https", "grpc") or "://" not in text:
        raise AEZooError(f"address must begin with http://, https:// or grpc://; received {shown!r}.")
    if not parts.hostname:
        raise AEZooError(f"address must name a host, as in http://localhost:8501; received {shown!r}.")
    if parts.query or parts.fragment or "@" in parts.path:
        raise AEZooError(
            "address must be like http://host:8501, with nothing after a ? or #, and %23, %2F, %3F, %40 for # / ? @ in a "
            f"password; received {shown.partition('?')[0].partition('#')[0]!r} and more."
        )
    auth = None
    if parts.username is not None:
        if parts.scheme == "grpc":
            raise AEZooError(f"grpc:// takes no user name or password; received {shown!r}.")
        auth = (urllib.parse.unquote_to_bytes(parts.username), urllib.parse.unquote_to_bytes(parts.password or ""))
    where = parts.netloc.rpartition("@")[2] + parts.path.rstrip("/")
    return Address(f"{parts.scheme}://{where}", parts.hostname, auth)
