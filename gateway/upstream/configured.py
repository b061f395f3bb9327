"""From what an upstream's file says to a pool, and what is wrong with the files that it names."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from gateway.config.faults import fault_at
from gateway.config.reach import PoolConfig, Timeouts
from gateway.errors import ConfigError
from gateway.upstream.pool import Pool
from gateway.upstream.tls import client_context, unusable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from gateway.config.load import Configuration, Upstream
    from gateway.errors import Fault


_DIGEST_BYTES: Final = 16


class Place(Struct, frozen=True, kw_only=True):
    """The `Endpoint` of an upstream: it has one, whatever number of addresses its name has."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    server_name: str
    socket: Path | None


class Reach(Struct, frozen=True, kw_only=True):
    """All that a pool is made of: two upstreams whose reaches are equal can have one pool, one after the other.

    `files` is a digest of what is in the certificates and keys that are named; None where none are.
    """

    place: Place
    timeouts: Timeouts
    pool: PoolConfig
    files: bytes | None


def reach_of(upstream: Upstream) -> Reach:
    """Return how an upstream is reached now. Raises ConfigError for files that cannot be used (any longer)."""
    faults = _faults(upstream)
    if faults:
        raise ConfigError(faults)
    settings = upstream.settings
    return Reach(
        place=place_of(upstream), timeouts=settings.timeouts, pool=settings.pool, files=_digest(_files(upstream))
    )


def pool_of(upstream: Upstream, loop: asyncio.AbstractEventLoop) -> Pool:
    """Return a pool to an upstream. Raises ConfigError for files that cannot be used (any longer)."""
    faults = _faults(upstream)
    if faults:
        raise ConfigError(faults)
    settings, place = upstream.settings, place_of(upstream)
    tls = client_context(**_files(upstream)) if place.scheme == "https" else None
    return Pool(place, settings.timeouts, settings.pool, loop, tls)


def place_of(upstream: Upstream) -> Place:
    """Return where an upstream is, and under which name it proves who it is."""
    settings = upstream.settings
    url, tls = settings.base_url, settings.tls
    name = url.host if tls is None or tls.server_name is None else tls.server_name.lower().strip("[]")
    return Place(
        scheme=url.scheme,
        host=url.host,
        port=url.port,
        server_name=name.removesuffix("."),  # a name that is absolute for DNS has no dot in TLS (RFC 6066 section 3)
        socket=None if settings.socket is None else upstream.document.beside(settings.socket),
    )


def file_faults(configuration: Configuration) -> list[Fault]:
    """Return a fault for each file that an upstream names and that cannot be used."""
    return [fault for upstream in configuration.upstreams for fault in _faults(upstream)]


def _faults(upstream: Upstream) -> list[Fault]:
    return [fault_at(upstream.document, ("tls", key), told) for key, told in unusable(_files(upstream))]


def _digest(files: Mapping[str, Path]) -> bytes | None:
    """Return a digest of what is in files. Raises OSError when one has gone in this moment."""
    if not files:
        return None
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for key, path in files.items():
        content = path.read_bytes()
        digest.update(f"{key}:{len(content)}:".encode() + content)
    return digest.digest()


def _files(upstream: Upstream) -> dict[str, Path]:
    tls = upstream.settings.tls
    if tls is None:
        return {}
    named = {"ca_file": tls.ca_file, "cert_file": tls.cert_file, "key_file": tls.key_file}
    return {key: upstream.document.beside(name) for key, name in named.items() if name is not None}
