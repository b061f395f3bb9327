"""How a connection to a server comes about, by redis-py's own connection classes.

Invariants: nothing here is retried, and nothing waits longer than the target's `connect_timeout_s` a server. A
connection that is returned has answered: it is let in, and its server is neither frozen nor still loading.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from redis.asyncio import Connection, Sentinel, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.limits.stores.redis.target import Kind

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

    from gateway.limits.stores.redis.target import RedisTarget

RESP: Final = 2
"""RESP2 asks nothing of a server before the first command, and every proxy speaks it."""


class Dialler:
    """Connects to the server of a target; on Sentinel to the one that is master at that moment."""

    def __init__(self, target: RedisTarget) -> None:
        """Open nothing yet."""
        self._target = target
        self._sentinel = _sentinel(target) if target.kind is Kind.SENTINEL else None

    async def __call__(self) -> AbstractConnection:
        """Connect to the target's server."""
        if self._target.path:
            return await _open(
                UnixDomainSocketConnection(path=self._target.path, **options(self._target)), self._target
            )
        if self._sentinel is None:
            return await self.to(*self._target.addresses[0])
        async with asyncio.timeout(self._target.connect_timeout_s * len(self._target.addresses)):
            host, port = await self._sentinel.discover_master(self._target.service)
        return await self.to(host, port)

    async def to(self, host: str, port: int) -> AbstractConnection:
        """Connect to one server by TCP."""
        kind = SSLConnection if self._target.tls else Connection
        return await _open(kind(host=host, port=port, **options(self._target), **tls(self._target)), self._target)

    async def aclose(self) -> None:
        """Close the connections to Sentinels."""
        if self._sentinel is not None:
            await self._sentinel.aclose()


def options(target: RedisTarget) -> dict[str, Any]:
    """Return what redis-py is told for every connection. A call's timeout is the line's: one timer for all of them."""
    return {
        "db": target.db,
        "username": target.username or None,
        "password": target.password or None,
        "socket_timeout": None,
        "socket_connect_timeout": target.connect_timeout_s,
        "protocol": RESP,
        "driver_info": None,
    }


def tls(target: RedisTarget) -> dict[str, Any]:
    """Return what redis-py is told of TLS: the certificate and its name are checked."""
    if not target.tls:
        return {}
    return {"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_ca_certs": target.ca_file or None}


def no_retry() -> Retry:
    """Return redis-py's word for trying once; its own choice is to try on for seconds."""
    return Retry(NoBackoff(), 0)


async def _open(connection: AbstractConnection, target: RedisTarget) -> AbstractConnection:
    """Connect and ask for one answer."""
    try:
        async with asyncio.timeout(target.connect_timeout_s):
            await connection.connect()  # type: ignore[no-untyped-call]
            await connection.send_command("PING", check_health=False)
            await connection.read_response()
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    return connection


def _sentinel(target: RedisTarget) -> Sentinel:
    return Sentinel(  # type: ignore[no-untyped-call]
        target.addresses,
        sentinel_kwargs={
            "password": target.sentinel_password or None,
            "socket_timeout": target.connect_timeout_s,
            "socket_connect_timeout": target.connect_timeout_s,
            "protocol": RESP,
            "driver_info": None,
            "retry": no_retry(),
            **({"ssl": True, **tls(target)} if target.tls else {}),
        },
    )
