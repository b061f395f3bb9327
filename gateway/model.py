"""The values that the whole program speaks in.

Invariants: every value is frozen and knows nothing of sockets, clocks, frameworks or files. Header names and values
are bytes, in the order and the spelling in which they came. Words are those of `docs/glossary.md`.

The structs are `msgspec.Struct`s because they are made on every request and encoded straight into JSON: member order
here is member order on the wire. Those that hold nothing but plain values are passed over by the garbage collector
(`gc=False`): they cannot be part of a cycle.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

Header = tuple[bytes, bytes]
Headers = tuple[Header, ...]


class Origin(StrEnum):
    """Who answered: the upstream itself, nobody (no usable answer came), or this gateway."""

    UPSTREAM = "upstream"
    TRANSPORT = "transport"
    GATEWAY = "gateway"


class Party(StrEnum):
    """Who must act on a fault."""

    CLIENT = "client"
    UPSTREAM = "upstream"
    GATEWAY = "gateway"


class Stage(StrEnum):
    """Where in the way of a request it ended."""

    ROUTE = "route"
    AUTH = "auth"
    LIMIT = "limit"
    CONNECT = "connect"
    REQUEST = "request"
    RESPONSE = "response"
    TRANSLATE = "translate"


class Category(StrEnum):
    """The closed list of what a failure is, coarser than its code."""

    INVALID_REQUEST = "invalid_request"
    VALIDATION = "validation"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    CONFLICT = "conflict"
    GONE = "gone"
    PRECONDITION_FAILED = "precondition_failed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    PAYMENT_REQUIRED = "payment_required"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    UPSTREAM_ERROR = "upstream_error"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    INTERNAL = "internal"


class Location(StrEnum):
    """Which part of the request a field error speaks of."""

    BODY = "body"
    QUERY = "query"
    HEADER = "header"
    PATH = "path"


class FieldCode(StrEnum):
    """The small vocabulary of what can be wrong with one field."""

    REQUIRED = "required"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    DUPLICATE = "duplicate"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    OUT_OF_RANGE = "out_of_range"
    NOT_FOUND = "not_found"
    OTHER = "other"


class Code(Struct, frozen=True, kw_only=True):
    """One entry of the catalogue: what it means, who must act, and what to do.

    `credential` marks codes that fault the credential itself (token, scope, account, billing): when that credential
    is the gateway's own, the client is told `upstream_credentials_rejected` instead. Sentences are keyed by language
    tag (`en`, `ar`). `happened_without_fields` stands for `happened` where an error lists no field.
    """

    name: str
    category: Category
    title: str
    status: int
    fault: Party
    retryable: bool
    happened: Mapping[str, str]
    happened_without_fields: Mapping[str, str]
    action: Mapping[str, str]
    credential: bool = False


def first_value(headers: Headers, name: bytes) -> bytes | None:
    """Return the value of the first field called `name` (given in lower case), or None."""
    for field, value in headers:
        if field.lower() == name:
            return value
    return None


class Reply(Struct, frozen=True, kw_only=True):
    """What an upstream sent: status, header pairs, and the body's bytes after content codings were undone.

    `cut` says that the body was longer than the limit and only its beginning is here.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    cut: bool = False

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of the field `name` (given in lower case), or None."""
        return first_value(self.headers, name)


class FieldError(Struct, frozen=True, kw_only=True, gc=False):
    """One thing wrong with one field.

    `field` is None for the whole request; `pointer` is RFC 6901 as a URI fragment, or None when it cannot be known.
    """

    field: str | None
    pointer: str | None
    location: Location | None
    code: FieldCode
    detail: str | None
    position: int | UnsetType = UNSET


class Source(Struct, frozen=True, kw_only=True, gc=False):
    """Who failed, and where on the way."""

    origin: Origin
    fault: Party
    upstream: str | None
    stage: Stage


class Retry(Struct, frozen=True, kw_only=True, gc=False):
    """Whether trying again can help, and after how many seconds (None when nobody said)."""

    retryable: bool
    after: float | int | None


class UpstreamError(Struct, frozen=True, kw_only=True, gc=False):
    """What the upstream itself said: its words are kept, its raw body never.

    `truncated` is there, and true, where its body was not complete, so that more may have been said.
    """

    status: int
    code: str | None = None
    type: str | None = None
    message: str | None = None
    dialect: str
    request_id: str | None = None
    extensions: dict[str, Any] | UnsetType = UNSET
    truncated: bool | UnsetType = UNSET


class Problem(Struct, frozen=True, kw_only=True):
    """A failure in memory; `gateway.pipeline.render` gives its wire form, the document (RFC 9457).

    `detail` is None where nobody said anything usable; the catalogue's sentence stands in when it is rendered.
    `language` is the one (`Content-Language`) that `detail` is in, None where nobody said.
    """

    code: Code
    status: int
    source: Source
    retry: Retry
    detail: str | None = None
    errors: tuple[FieldError, ...] = ()
    upstream: UpstreamError | None = None
    extensions: Mapping[str, Any] | None = None
    language: str | None = None


class Pagination(Struct, frozen=True, kw_only=True):
    """Where a page stands in its collection; what the upstream did not say is None."""

    page: int | None = None
    per_page: int | None = None
    total: int | None = None
    total_pages: int | None = None
    next: str | None = None
    prev: str | None = None
    has_more: bool | None = None


class ItemWarning(Struct, frozen=True, kw_only=True):
    """One item of a partial success that failed. `index` is its place in what was submitted, when it is known."""

    index: int | None
    upstream_code: str | None
    detail: str | None
    field: str | None


class Success(Struct, frozen=True, kw_only=True):
    """An answer that worked, taken out of its envelope. `data` is the upstream's JSON bytes, unchanged."""

    status: int
    data: bytes
    dialect: str
    message: str | None = None
    pagination: Pagination | None = None
    warnings: tuple[ItemWarning, ...] = ()


class Allowance(Struct, frozen=True, kw_only=True):
    """What the upstream's rate headers say it still grants. `reset_s` is in seconds from the reply."""

    limit: int | None = None
    remaining: int | None = None
    reset_s: float | None = None


class Grant(Struct, frozen=True, gc=False):
    """What a reply says is left of one of the things that an upstream counts.

    `window` tells which: its place among those that the dialect knows. `reset_us` is how long after the reply it begins
    anew (or is full again), None when nobody said; it was written in steps of `grain_us`, rounded who knows how.
    """

    window: int
    limit: int | None
    remaining: int
    reset_us: int | None
    grain_us: int


NONE: Final = "none"
"""What metrics say of what a request does not have: an upstream, a dialect, a code, somebody at fault."""
OTHER: Final = "other"
"""What metrics say of all that is in no closed set, and of what is beyond a bound."""
TAKEN_NAMES: Final = frozenset((NONE, OTHER))
"""What nobody may call an upstream or a dialect: metrics could not tell it from what has none."""


class Translation(StrEnum):
    """What became of a reply's body on its way to the client."""

    NONE = "none"
    PROBLEM = "problem"
    UNIFIED = "unified"
    PASSED = "passed"


class Outcome(Struct, frozen=True, gc=False, tag_field="event", tag="request", rename={"time_s": "time"}):
    """What happened to one request; the observers (metrics, access log) each take it, nobody else counts.

    As JSON it is the line of the access log, its members in this order behind `event`: a second value for the log would
    cost more than all counting. It is made by position for the same reason, by `Call.outcome` alone.

    `outcome` is one word per request, so that ratios add up: `ok`, `client_error`, `rate_limited`, `upstream_4xx`,
    `upstream_5xx`, `upstream_masked` (an error under 2xx), `upstream_budget` (refused here: what the upstream grants is
    used up), `transport`, `timeout`, `no_route`, `gateway_error`, `cancelled` (the client left), `cut` (an answer
    broken off after its head was sent), `idle` (a tunnel in which nothing moved). A tunnel is one request with status
    101. `time_s` is Unix time at the end. Durations are in milliseconds, to the microsecond; `overhead_ms` is what is
    left of the whole without the upstream, and without waiting for the client's body and for limits. Sizes are in
    bytes. `path` is without its query; it and `client_request_id` are cut to
    a length. `client` is a configured name or a keyed hash; `limit` the name of the policy that refused the request.
    `left_out` says, on what was no request, how many lines of such were left out before this one.

    The members `would_…` are there where the upstream is in shadow mode: what would have become of its reply. All the
    others then say what the client did get, which is the reply as it came.
    """

    time_s: float
    request_id: str
    client_request_id: str | None
    method: str
    path: str
    status: int
    upstream_status: int | None
    outcome: str
    code: str | None
    origin: Origin | None
    fault: Party | None
    stage: Stage | None
    reason: str | None
    upstream: str | None
    route: str | None
    client: str | None
    limit: str | None
    peer: str | None
    dialect: str | None
    translation: Translation
    retry_after: float | int | None
    duration_ms: float
    upstream_ms: float | None
    overhead_ms: float
    request_bytes: int
    response_bytes: int
    left_out: int | UnsetType = UNSET
    would_status: int | UnsetType = UNSET
    would_outcome: str | UnsetType = UNSET
    would_code: str | UnsetType | None = UNSET
    would_dialect: str | UnsetType | None = UNSET
    would_translation: Translation | UnsetType = UNSET
