"""HTTP requests that end at a given time, even if the server sends slowly.

The timeouts of `requests` and `urllib3` limit the time between two bytes, so a server that sends one byte each second never
exceeds them. Here each read from the socket may take only the time that is left for the whole request.
"""

import http.client
import io
import socket
import time

import requests
import urllib3


class Adapter(requests.adapters.HTTPAdapter):
    """Makes the read timeout of a request limit the time of its whole answer."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: object) -> None:
        super().init_poolmanager(connections, maxsize, block, **options)
        _limit(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: object) -> urllib3.PoolManager:
        known = proxy in self.proxy_manager
        manager: urllib3.PoolManager = super().proxy_manager_for(proxy, **options)
        if not known:
            _limit(manager)
        return manager


class _Connection:
    """A mixin for `urllib3`'s connections. They set `timeout` to the time that is left just before they read the answer."""

    timeout: float

    def response_class(self, sock: socket.socket, method: str | None = None) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(sock, method=method)
        response.fp = _Lines(_Reads(response.fp.detach(), sock, time.monotonic() + self.timeout))
        return response


class _Lines(io.BufferedReader):
    """Limits the length of a line; otherwise a chunk's header without an end would be read until the deadline."""

    def readline(self, size: int | None = -1) -> bytes:
        return super().readline(2**16 + 1 if size is None or size < 0 else size)


class _Reads(io.RawIOBase):
    """The bytes from a socket, until a given time."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, end: float):
        self._raw, self._sock, self._end = raw, sock, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _limit(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {
        scheme: type("Pool", (pool,), {"ConnectionCls": type("Connection", (_Connection, pool.ConnectionCls), {})})  # type: ignore[attr-defined]
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }
