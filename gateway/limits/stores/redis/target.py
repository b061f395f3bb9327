"""Which Redis to ask, and how to get in: one server, the master that Sentinels name, or a cluster.

Invariants: a target that cannot be meant cannot exist; no user, password or URL stands in a representation or an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from urllib.parse import SplitResult

PORT: Final = 6379
SENTINEL_PORT: Final = 26379
TIMEOUT_S: Final = 0.05
CONNECT_TIMEOUT_S: Final = 0.2


class Kind(StrEnum):
    """What stands at the addresses."""

    SERVER = "server"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisTarget:
    """A Redis or Valkey, and the credentials for it.

    `addresses` are of the server (one, or none with `path`, a Unix socket), of the Sentinels, or of some of a cluster's
    nodes. `service` is the master's name for the Sentinels, who may want a password of their own. With `tls`
    the server's certificate is checked against `ca_file`, or the system's authorities where it is empty.

    `timeout_s`: a call that was sent and not answered in it ends, and its connection with it. `connect_timeout_s` is
    for a connection until it is ready to be asked, four times a call: it takes a few round trips, and nobody waits.
    """

    kind: Kind
    addresses: tuple[tuple[str, int], ...] = ()
    path: str = ""
    service: str = ""
    tls: bool = False
    ca_file: str = ""
    db: int = 0
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    sentinel_password: str = field(default="", repr=False)
    timeout_s: float = TIMEOUT_S
    connect_timeout_s: float = CONNECT_TIMEOUT_S

    def __post_init__(self) -> None:
        """Check that it can be meant."""
        for wrong, sentence in _faults(self):
            if wrong:
                raise ValueError(sentence)


def parse(
    url: str,
    *,
    cluster: bool = False,
    service: str = "",
    sentinels: Sequence[str] = (),
    sentinel_password: str = "",
    ca_file: str = "",
    timeout_s: float = TIMEOUT_S,
) -> RedisTarget:
    """Read a target from `redis://user:password@host:port/db`, `rediss://` for TLS, or `unix:///path?db=0`.

    With `cluster` the address is any node. With `service` and `sentinels`, each as `host:port`, the master is where
    they say, and of the URL only user, password, database and TLS count. Raises ValueError, with a sentence that quotes
    nothing of the URL.
    """
    parts = _split(url)
    local = parts.scheme == "unix"
    return RedisTarget(
        kind=Kind.CLUSTER if cluster else Kind.SENTINEL if service or sentinels else Kind.SERVER,
        addresses=tuple(_node(node) for node in sentinels) or (() if local or service else (_address(parts),)),
        path=unquote(parts.path) if local else "",
        service=service,
        tls=parts.scheme == "rediss",
        ca_file=ca_file,
        db=_db(parts),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sentinel_password=sentinel_password,
        timeout_s=timeout_s,
    )


def _faults(target: RedisTarget) -> tuple[tuple[bool, str], ...]:
    """Return what can be wrong with a target, each with whether it is."""
    server, by_name = target.kind is Kind.SERVER, target.kind is Kind.SENTINEL
    return (
        (bool(target.service) != by_name, "Sentinels need the name of a service, and a service needs Sentinels"),
        (bool(target.path) and not server, "a unix:// URL is of one server, not of a cluster or of Sentinels"),
        (not target.path and not target.addresses, "a Redis needs an address: a host, or the path of a Unix socket"),
        (server and len(target.addresses) > 1, "one server has one address"),
        (target.kind is Kind.CLUSTER and target.db != 0, "a Redis cluster has database 0 alone"),
        (bool(target.ca_file) and not target.tls, "a CA file needs TLS: write rediss:// for redis://"),
        (bool(target.username) and not target.password, "a Redis user needs a password"),
        (min(target.timeout_s, target.connect_timeout_s) <= 0, "the timeouts of a Redis must be above 0"),
    )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is none
    except ValueError:
        message = (
            "a Redis URL cannot be read: percent-encode what is special in user and password, "
            "and give the port as a number up to 65535"
        )
        raise ValueError(message) from None
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("a Redis URL must begin with redis://, rediss:// or unix://")
    if parts.fragment:
        raise ValueError("a Redis URL has no fragment: percent-encode a # in user or password")
    if parts.scheme == "unix" and parts.hostname:
        raise ValueError("a unix:// URL has no host: write three slashes, as in unix:///run/redis.sock")
    return parts


def _address(parts: SplitResult) -> tuple[str, int]:
    if not parts.hostname:
        raise ValueError("a redis:// or rediss:// URL needs a host")
    return parts.hostname, parts.port or PORT


def _node(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or "@" in text:
        raise ValueError("a Sentinel is written as host:port")
    return host, port or SENTINEL_PORT


def _db(parts: SplitResult) -> int:
    """Return the number of the database: the path of a TCP URL, `?db=` of any."""
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    text = options.pop("db", "" if parts.scheme == "unix" else parts.path.strip("/"))
    if options:
        raise ValueError("a Redis URL may have no option but db; timeouts and pools are set here")
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError("the database of a Redis URL must be a number")
    return int(text or 0)
