"""What is well said by itself and cannot stand together: addresses, ways to an upstream, fields and credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.faults import fault_at
from gateway.config.values import folded
from gateway.model import TAKEN_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.addresses import Address
    from gateway.config.document import Document
    from gateway.config.models import GatewayFile, UpstreamFile
    from gateway.errors import Fault

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
_LONGEST_SOCKET_BYTES = 107
_THIS_MACHINE = {"localhost": "127.0.0.1"}


def one_address(gateway: GatewayFile, document: Document) -> list[Fault]:
    """Find one port for clients and operators; port 0 is any that is free."""
    if (
        gateway.listen.port == 0
        or gateway.listen.port != gateway.admin.port
        or not _meet(gateway.listen, gateway.admin)
    ):
        return []
    key = "admin" if "admin" in gateway.model_fields_set else "listen"
    message = "clients and operators cannot come in at one address: give listen and admin different ports"
    return [fault_at(document, (key,), message)]


def _meet(one: Address, other: Address) -> bool:
    hosts = {_THIS_MACHINE.get(address.host.lower(), address.host.lower()) for address in (one, other)}
    return len(hosts) == 1 or not hosts.isdisjoint(_EVERYWHERE)


def taken_names(settings: UpstreamFile, document: Document) -> list[Fault]:
    """Find an upstream, or a dialect of its own, that metrics could not tell from what has none."""
    own = settings.dialect.own
    named = (("name",), settings.name), (("dialect", "name"), None if own is None else own.name)
    message = f"{' and '.join(sorted(TAKEN_NAMES))} are words that metrics have for what has no name: take another one"
    return [fault_at(document, place, message) for place, name in named if name in TAKEN_NAMES]


def no_way(settings: UpstreamFile, document: Document) -> list[Fault]:
    """Find TLS settings that would go unused, and a socket that the system could not reach (unix(7))."""
    faults = []
    if settings.tls is not None and settings.base_url.scheme == "http":
        faults.append(fault_at(document, ("tls",), "there is no TLS with http: write https in base_url"))
    if settings.socket is not None and len(bytes(document.beside(settings.socket))) > _LONGEST_SOCKET_BYTES:
        message = f"the path of a socket has at most {_LONGEST_SOCKET_BYTES} bytes, the folder of this file included"
        faults.append(fault_at(document, ("socket",), message))
    return faults


def double_fields(settings: UpstreamFile, document: Document) -> list[Fault]:
    """Find what would be sent twice: only one of the two could be meant."""
    faults = []
    seen: set[str] = set()
    for name, location in _fields(settings):
        if name in seen:
            faults.append(
                fault_at(document, location, "this is set or injected twice: servers would disagree on which counts")
            )
        seen.add(name)
    return faults


def _fields(settings: UpstreamFile) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Give the fields and parameters that we send, each with its place; a parameter's name begins with `?`."""
    for name in settings.request.headers.set:
        yield folded(name), ("request", "headers", "set", name)
    injections = settings.credentials.inject if settings.credentials is not None else ()
    for index, injection in enumerate(injections):
        at = ("credentials", "inject", index)
        if injection.header is not None:
            yield folded(injection.header), (*at, "header")
        elif injection.query is not None:
            yield f"?{injection.query}", (*at, "query")
        else:
            yield "authorization", (*at, "basic")
