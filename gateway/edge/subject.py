"""What an operator asks the status page about: a request that could come, as far as the query says what it is.

No credential may stand in an address, for logs and histories keep those: fields that hold one are refused here, and a
stranger is asked for by the hash that the log and the status page show. No value of a query is ever repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from gateway.config.methods import REGISTERED
from gateway.errors import AccordError
from gateway.headers import CREDENTIALS
from gateway.limits import Facts
from gateway.limits.policy import HEADER_PART
from gateway.pipeline.routes import route_name

if TYPE_CHECKING:
    from gateway.config.load import Configuration
    from gateway.config.models import ClientConfig, RouteConfig, UpstreamFile
    from gateway.edge.admission import Strangers
    from gateway.limits import Policy

_FIELD: Final = "header."
_KEYS: Final = frozenset(("client", "ip", "hash", "upstream", "route", "method", "path"))
_SECRET_WORDS: Final = ("auth", "cookie", "key", "pass", "secret", "session", "sign", "token")
_MOST_PAIRS: Final = 32


class BadQuery(AccordError):  # noqa: N818 - named for what was asked
    """A query that asks for nothing that can be answered, with a sentence for the operator."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        """Keep the sentence, and the status that it is told with."""
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A request that could come.

    `facts` has an empty address where none is known, and only those fields that were given. `principal` is who is
    asking where only a hash of that is known; such a request may have had other fields, too.
    """

    facts: Facts
    principal: bytes | None = None
    client: ClientConfig | None = None
    upstream: UpstreamFile | None = None
    route: RouteConfig | None = None

    def needs(self, policy: Policy) -> tuple[str, ...]:
        """Return what a query would have to say besides so that the request's key under `policy` is known."""
        return tuple(dict.fromkeys(missing for part in policy.key if (missing := self._missing(part))))

    def _missing(self, part: str) -> str:
        facts = self.facts
        if part in ("upstream", "route"):
            return "" if facts.upstream else "upstream"
        if part == "method" or (part == "client" and (facts.client or self.principal)):
            return ""
        if part.startswith(HEADER_PART):
            name = part.removeprefix(HEADER_PART)
            if any(field == name.lower().encode("ascii") for field, _ in facts.headers):
                return ""
            if self.principal:
                return f"{_FIELD}{name}"
        return "" if facts.ip else "ip"


def subject_of(query: str, configuration: Configuration, strangers: Strangers) -> Subject:
    """Return what a query is about. Raises BadQuery."""
    said = _pairs(query)
    client = _client(said.get("client"), configuration)
    upstream = _upstream(said.get("upstream"), configuration)
    route = _route(said.get("route"), upstream)
    principal, ip = _stranger(said.get("hash"), strangers)
    if client is not None and principal is not None:
        message = "give client or hash: a request is one client's"
        raise BadQuery(message)
    return Subject(
        facts=Facts(
            client=None if client is None else client.name,
            ip=_address(said["ip"]) if "ip" in said else ip,
            headers=tuple(_field(key, value, configuration) for key, value in said.items() if key.startswith(_FIELD)),
            upstream=None if upstream is None else upstream.name,
            route=None if route is None else route_name(route),
            method=_method(said.get("method", "GET")),
            path=_path(said.get("path")),
        ),
        principal=principal,
        client=client,
        upstream=upstream,
        route=route,
    )


def _pairs(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST_PAIRS
        )
    except ValueError as error:
        message = "not a query: give key=value, with & between them, encoded by percent signs in UTF-8"
        raise BadQuery(message) from error
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        message = "a key is given twice"
        raise BadQuery(message)
    if any(key not in _KEYS and not key.startswith(_FIELD) for key in keys):
        message = f"a key is not known; known are {', '.join(sorted(_KEYS))} and {_FIELD}NAME"
        raise BadQuery(message)
    return dict(pairs)


def _client(name: str | None, configuration: Configuration) -> ClientConfig | None:
    if name is None:
        return None
    for client in configuration.gateway.clients:
        if client.name == name:
            return client
    message = "client: no client of this name is configured; a stranger is asked for by hash or ip"
    raise BadQuery(message)


def _upstream(name: str | None, configuration: Configuration) -> UpstreamFile | None:
    if name is None:
        return None
    for upstream in configuration.upstreams:
        if upstream.settings.name == name:
            return upstream.settings
    message = "upstream: there is no upstream of this name"
    raise BadQuery(message)


def _route(name: str | None, upstream: UpstreamFile | None) -> RouteConfig | None:
    if name is None:
        return None
    for route in () if upstream is None else upstream.routes:
        if route_name(route) == name:
            return route
    message = "route: give upstream, and one of its routes by its name, or by its methods and path"
    raise BadQuery(message)


def _stranger(shown: str | None, strangers: Strangers) -> tuple[bytes | None, str]:
    """Return what is known of a stranger; in a query `#` is written %23, and may be left out."""
    if shown is None:
        return None, ""
    found = strangers.get(f"#{shown.removeprefix('#')}")
    if found is None:
        message = "hash: this process refused nobody lately who is shown so, and a hash alone cannot be turned back"
        raise BadQuery(message, 404)
    return found


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        message = "ip: not an IPv4 or IPv6 address"
        raise BadQuery(message) from error


def _method(text: str) -> str:
    if text not in REGISTERED:
        message = "method: not a method that is served, in capitals"
        raise BadQuery(message)
    return text


def _path(text: str | None) -> bytes:
    if text is None:
        return b""
    if not text.startswith("/") or not text.isascii() or "?" in text:
        message = "path: not a path as it goes upstream, which begins with / and has no query"
        raise BadQuery(message)
    return text.encode("ascii")


def _field(key: str, value: str, configuration: Configuration) -> tuple[bytes, bytes]:
    name = key.removeprefix(_FIELD).lower()
    if not name or not name.isascii():
        message = f"{_FIELD}NAME: not the name of a header field"
        raise BadQuery(message)
    folded = name.encode("ascii")
    ours = configuration.gateway.client_header.lower().encode("ascii")
    if folded in CREDENTIALS or folded == ours or any(word in name for word in _SECRET_WORDS):
        message = (
            f"{_FIELD}NAME: this field holds a credential, which has no place in an address; ask by client or hash"
        )
        raise BadQuery(message)
    return folded, value.encode()
