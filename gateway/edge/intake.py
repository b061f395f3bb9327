"""From a parsed request to what is asked of an upstream, or to the reason why not.

The order of the checks is the order of their cost, and of who may learn what: what is not HTTP, then what has no route,
then what headers forbid, then who is over a limit. A body is not looked at here; only its declared length is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.edge import pages
from gateway.edge.access_log import UNPARSED
from gateway.edge.asked import Asked, Pending, Refused
from gateway.edge.call import Call
from gateway.edge.refusals import limit_problem
from gateway.edge.seen import Seen
from gateway.headers import Hop, Refusal, handshake_key, read_request, request_to_upstream
from gateway.limits import Decision
from gateway.model import Headers, Stage
from gateway.pipeline.matches import Matched, MethodNotAllowed, NotFound, Rejected
from gateway.pipeline.normalise import own_problem
from gateway.pipeline.preference import preference_of
from gateway.pipeline.targets import read_target
from gateway.upstream import field_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.models import GatewayFile
    from gateway.edge.admission import Admission, Clients
    from gateway.edge.clock import Clock, Ids
    from gateway.edge.connection import ClientConnection
    from gateway.edge.lifecycle import Lifecycle
    from gateway.edge.message import Message
    from gateway.edge.ways import Way, Ways
    from gateway.headers import RequestHead
    from gateway.limits import Facts
    from gateway.pipeline.writers.writer import Writer

_ID_BYTES: Final = 256
_LINE_EXTRA_BYTES: Final = 4
_SPOKEN: Final = ((1, 1), (1, 0))
_NOT_ALLOWED: Final = "method_not_allowed"
_METHODS: Final = tuple(pages.SERVER_METHODS.split(", "))
_AUTHORITY: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]*\]|[^:\[\]@]*)(?::[0-9]*)?")


class Intake:
    """Takes requests in: gives each its id, finds its way, checks it, and charges its limits."""

    def __init__(
        self,
        *,
        gateway: GatewayFile,
        ways: Ways,
        admission: Admission,
        clients: Clients,
        views: Mapping[str, Writer],
        lifecycle: Lifecycle,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """Keep the parts; `views` are those that clients have of their own, by the client's name."""
        self._bounds = gateway.bounds
        self._shown_parameters = frozenset(name.encode() for name in gateway.access_log.query_parameters)
        self._ways = ways
        self._admission = admission
        self._clients = clients
        self._views = views
        self._lifecycle = lifecycle
        self._clock = clock
        self._ids = ids

    def begin(self, message: Message, connection: ClientConnection) -> Call:
        """Give a request its id and start its clock."""
        path = shown_path(message.path, self._shown_parameters)
        return Call(self._ids.mint(), message.method, path, connection.peer, self._clock.monotonic_s())

    def begin_unparsed(self, connection: ClientConnection) -> Call:
        """Give what could not be parsed an id, too."""
        return Call(self._ids.mint(), UNPARSED, UNPARSED, connection.peer, self._clock.monotonic_s())

    def admit(
        self, call: Call, message: Message, connection: ClientConnection
    ) -> Asked | Pending | Refused | pages.Page:
        """Return what is asked of which upstream, or the answer."""
        raw = message.path.encode("utf-8", "surrogateescape")
        if message.version not in _SPOKEN:
            return _unread(call, message, "malformed_request", "only HTTP/1.1 and HTTP/1.0 are spoken here")
        target = read_target(call.method, raw)
        if isinstance(target, Refusal):
            return _unread(call, message, target.code, target.reason)
        limit = self._bounds.head_bytes
        if connection.head_bound_bytes > limit and _head_size(raw, message.raw_headers) > limit:
            return _unread(call, message, "head_too_large")
        seen = _read(message, connection, target.authority)
        if isinstance(seen, Refusal):
            return _unread(call, message, seen.code, seen.reason)
        call.preference = seen.preference
        call.client_request_id = _client_id(seen.head)
        if target.path.startswith(pages.PREFIX):
            return self._page(call.method, target.path, message.raw_headers)
        if target.path == b"*":
            return pages.SERVER_OPTIONS
        return self._route(call, message, seen, target.path)

    def unwanted(self, pending: Pending) -> None:
        """Give back what a decision charged that nobody waits for any more."""
        if pending.deciding.exception() is None:
            self._admission.refund(pending.deciding.result().charges)

    def over(self, call: Call) -> None:
        """Note that a request is over which was admitted."""
        self._admission.release(call.charges)

    def give_back(self, call: Call) -> None:
        """Give back what an admitted request was charged: a later stage refused it, and nothing of it went upstream."""
        charges, call.charges = call.charges, ()
        if charges:
            call.verdicts = self._admission.refund(charges)

    def _page(self, method: str, path: bytes, headers: Headers) -> Refused | pages.Page:
        found = pages.page(method, path, headers, self._lifecycle)
        if isinstance(found, pages.Page):
            return found
        allow = pages.SHOWN_METHODS if found == _NOT_ALLOWED else ()
        return Refused(problem=own_problem(found, Stage.ROUTE), allow=allow)

    def _route(self, call: Call, message: Message, seen: Seen, path: bytes) -> Asked | Pending | Refused:
        """Find the request's way, and in which view its problems are told: the client's own, else the way's."""
        client = call.client = self._clients.identify(seen.head)
        if client is not None:
            call.view = self._views.get(client)
        matched = self._ways.router.match(seen.head.host, call.method, path)
        match matched:
            case Matched():
                way = self._ways.of(matched)
                call.upstream, call.route = way.upstream, way.route
                if call.view is None:
                    call.view = way.view
                return self._check(call, message, seen, way, way.target(matched))
            case MethodNotAllowed(allow=allow):
                return Refused(problem=own_problem(_NOT_ALLOWED, Stage.ROUTE), allow=tuple(allow))
            case Rejected(reason=reason):
                return _refused("malformed_request", Stage.ROUTE, detail=reason)
            case NotFound():
                return _refused("route_not_found", Stage.ROUTE)

    def _check(self, call: Call, message: Message, seen: Seen, way: Way, target: bytes) -> Asked | Pending | Refused:
        """Check what the request may not say, then charge its limits: what is refused for its head costs nothing."""
        head = seen.head
        lines = seen.lines(way)
        if lines is None:
            peer = call.peer or ""
            hop = Hop(peer=peer, version=message.version, trusted=self._admission.trusts(peer))
            headers = request_to_upstream(head, way.request, hop)
            if isinstance(headers, Refusal):
                return _refused(headers.code, Stage.REQUEST, detail=headers.reason, upstream=way.upstream)
            lines = field_lines(headers)
            seen.keep(way, lines)
        if head.length is not None and head.length > self._bounds.body_bytes:
            return _refused("body_too_large", Stage.REQUEST, upstream=way.upstream)
        if way.request.identifies:
            lines = b"%bX-Request-Id: %b\r\n" % (lines, call.request_id.encode("ascii"))
        key = handshake_key(call.method, message.version, message.raw_headers) if message.upgrade else None
        return self._charge(call, Asked(way, target, lines, head, key), message.raw_headers)

    def _charge(self, call: Call, asked: Asked, headers: Headers) -> Asked | Pending | Refused:
        """Charge the limits; their verdicts are kept for the answer's fields."""
        facts = self._admission.facts(call, headers, asked.target)
        decision = self._admission.decide(facts, asked.way)
        if decision is None:
            return asked
        if isinstance(decision, Decision):
            return self._judge(call, asked, facts, decision)
        return Pending(asked, facts, decision)

    def decided(self, call: Call, pending: Pending) -> Asked | Refused:
        """Return what becomes of a request once its decision is there."""
        return self._judge(call, pending.asked, pending.facts, pending.deciding.result())

    def _judge(self, call: Call, asked: Asked, facts: Facts, decision: Decision) -> Asked | Refused:
        self._admission.note(decision)
        call.verdicts, call.charges = decision.verdicts, decision.charges
        if decision.admitted:
            return asked
        call.client = self._admission.shown(facts)
        if decision.tightest is not None and not decision.unavailable:  # else none of those that were asked refused
            call.limit = decision.tightest.policy.name
        return Refused(problem=limit_problem(decision, asked.way.upstream))


def _read(message: Message, connection: ClientConnection, authority: bytes | None) -> Seen | Refusal:
    """Read a request's fields, or remember them of the one before."""
    seen = connection.seen
    if seen is not None and authority is None and seen.is_of(message):
        return seen
    head = read_request(message.raw_headers, version=message.version, authority=authority)
    if isinstance(head, Refusal):
        return head
    seen = Seen(message, head)
    connection.seen = seen if authority is None else None
    return seen


def _unread(call: Call, message: Message, code: str, detail: str | None = None) -> Refused:
    """Refuse a head that was not read, in the view that it seems to ask for."""
    call.preference = preference_of(message.raw_headers)
    refused = own_problem(code, Stage.REQUEST, detail=detail)
    return Refused(problem=refused, allow=_METHODS if code == _NOT_ALLOWED else ())


def _refused(code: str, stage: Stage, *, detail: str | None = None, upstream: str | None = None) -> Refused:
    return Refused(problem=own_problem(code, stage, upstream=upstream, detail=detail))


def _head_size(target: bytes, headers: Headers) -> int:
    """Return how many bytes a head had, near enough: a field has a colon, a space and CRLF besides."""
    return len(target) + sum(len(name) + len(value) + _LINE_EXTRA_BYTES for name, value in headers)


def _client_id(head: RequestHead) -> str | None:
    """Return the client's own request id, for the log: in visible ASCII, whatever it was."""
    values = head.values(b"x-request-id")
    if not values:
        return None
    return values[0][:_ID_BYTES].decode("ascii", "backslashreplace")


def shown_path(target: str, parameters: frozenset[bytes]) -> str:
    """Return a target as logs may show it, be it malformed: in ASCII, without userinfo and fragment.

    Of its query only the named `parameters` stay.
    """
    if target.startswith("/") and "?" not in target and "#" not in target and target.isascii():
        return target  # as most are
    path, mark, query = target.partition("#")[0].partition("?")
    if not path.startswith("/"):
        path = _without_userinfo(path)
    if mark and parameters:
        kept = [pair for pair in query.split("&") if pair.partition("=")[0].encode("utf-8", "replace") in parameters]
        if kept:
            path = f"{path}?{'&'.join(kept)}"
    return path if path.isascii() else path.encode("ascii", "backslashreplace").decode("ascii")


def _without_userinfo(path: str) -> str:
    """Return an absolute-form or an authority-form less its userinfo; an authority that is no host is not shown."""
    scheme, separator, rest = path.partition("://") if "://" in path else ("", "", path)
    authority, slash, tail = rest.partition("/")
    host = authority.rpartition("@")[2]
    return f"{scheme}{separator}{host if _AUTHORITY.fullmatch(host) else '-'}{slash}{tail}"
