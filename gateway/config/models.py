"""The configuration as frozen values: one model for the gateway's file, one for an upstream's.

Every key has a docstring, from which the reference and the JSON Schemas are made. A key whose feature does not exist
is not here, and so is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from gateway.config.values import (
    Address,
    Duration,
    DurationOrNone,
    EnvironmentVariable,
    HeaderName,
    HeaderValue,
    ListenAddress,
    Method,
    Name,
    Network,
    Size,
    UpstreamUrl,
)
from gateway.dialects.spec import DialectSpec, Example, OneOrList, Strict, Texts

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

KeyPart = Annotated[str, Field(pattern=r"^(client|ip|upstream|route|header:[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$")]
"""What a limit counts by: `client`, `ip`, `upstream`, `route` or `header:NAME`."""


class PolicyConfig(Strict):
    """A limit that we impose: so many requests in a time, with a burst."""

    name: Name
    key: Annotated[
        tuple[KeyPart, ...],
        OneOrList(),
        Field(min_length=1),
    ] = ("client",)
    """What is counted by: client, ip, upstream, route, header:NAME, or a list of them."""
    requests: Annotated[int, Field(ge=1)]
    per_s: Annotated[Duration, Field(alias="per")]
    burst: Annotated[int, Field(ge=1)] | None = None
    """How many may come at once; left out, as many as `requests`."""


class ClientConfig(Strict):
    """A client known by its API key."""

    name: Name
    api_key_sha256: Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...], Field(min_length=1)]
    """SHA-256 of each of the client's keys, in hex; the keys themselves are never configured."""
    limits: tuple[PolicyConfig, ...] = ()


class Bounds(Strict):
    """How large a request may be. Each is a security limit."""

    target_bytes: Annotated[Size, Field(alias="target")] = 8_192
    head_bytes: Annotated[Size, Field(alias="head")] = 32_768
    body_bytes: Annotated[Size, Field(alias="body")] = 2 * 2**30


class ClientTimeouts(Strict):
    """How long a client may take."""

    head_s: Annotated[Duration, Field(alias="head")] = 10.0
    """From the first byte of a head to its last."""
    body_s: Annotated[Duration, Field(alias="body")] = 10.0
    """Between two pieces of a body."""
    min_rate_bytes_s: Annotated[int, Field(alias="min_rate", ge=1)] = 100
    """Bytes a second that a body must reach on average once it has taken longer than `body`."""
    keepalive_s: Annotated[Duration, Field(alias="keepalive")] = 15.0
    write_s: Annotated[Duration, Field(alias="write")] = 30.0
    """How long a client may leave an answer unread before its connection is cut."""


class Shutdown(Strict):
    """How the gateway ends."""

    delay_s: Annotated[DurationOrNone, Field(alias="delay")] = 0.0
    """After SIGTERM: not ready, but still serving, so that load balancers can take note."""
    grace_s: Annotated[Duration, Field(alias="grace")] = 30.0
    """How long running requests may take to end."""


class AccessLog(Strict):
    """What the access log may say."""

    query_parameters: tuple[str, ...] = ()
    """Query parameters that may be logged; all others are left out."""


class GatewayFile(Strict):
    """`config/gateway.yaml`: the process."""

    version: Literal[1]
    listen: ListenAddress = Address(host="127.0.0.1", port=8080)
    """Where clients come in."""
    admin: ListenAddress = Address(host="127.0.0.1", port=8081)
    """Where operators come in: metrics and status. Never the client port."""
    public_url: str | None = Field(default=None, pattern=r"^https?://[^/?#\s]+(/[^?#\s]*[^/?#\s])?$")
    """Under which address clients reach the gateway; it stands in `type` and in page links."""
    upstreams: Texts = ("upstreams/*.yaml",)
    """The upstream files, as patterns relative to this file."""
    store: Literal["memory"] = "memory"
    """Where the counts of the limits are kept."""
    via: str = Field(default="accord", pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")
    """This deployment's name in `Via`, the same for all of its replicas; loops are found by it."""
    trusted_proxies: tuple[Network, ...] = ()
    """Proxies in front whose `Forwarded` and `X-Forwarded-*` are believed."""
    limits: tuple[PolicyConfig, ...] = ()
    """Limits on all requests."""
    clients: tuple[ClientConfig, ...] = ()
    """Clients known by their API keys. Without any, `client` is the keyed hash of `Authorization`, else the address."""
    client_header: HeaderName = "X-Api-Key"
    """The header field in which a client sends the key that `clients` knows it by; it never goes upstream."""
    bounds: Bounds = Bounds()
    client_timeouts: ClientTimeouts = ClientTimeouts()
    shutdown: Shutdown = Shutdown()
    access_log: AccessLog = AccessLog()


# -- upstreams -------------------------------------------------------------------------------------------------------


class UpstreamMatch(Strict):
    """Which requests are this upstream's."""

    prefix: str = Field(pattern=r"^/[^?#\s%\\;]*$")
    """A path of whole segments: `/salla` is `/salla` and `/salla/orders`, not `/sallax`."""
    hosts: Annotated[Texts, Field(alias="host")] = ()
    """Hosts under which the prefix counts; left out, all."""
    methods: tuple[Method, ...] = ()
    """Methods; left out, all that are registered but CONNECT and TRACE."""
    strip: bool = True
    """The prefix is taken off before `base_url` is put in front."""


class BasicInjection(Strict):
    """User and password for HTTP Basic."""

    user_env: EnvironmentVariable
    password_env: EnvironmentVariable


class Injection(Strict):
    """A credential of ours that is put into each request: in a header field, in the query, or as HTTP Basic."""

    header: HeaderName | None = None
    query: Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]+$")] | None = None
    basic: BasicInjection | None = None
    prefix: str = ""
    """What stands before the value: `Bearer `."""
    value_env: EnvironmentVariable | None = None
    """The environment variable that holds the value."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = sum(way is not None for way in (self.header, self.query, self.basic))
        if ways != 1 or (self.basic is None) != (self.value_env is not None):
            message = "give one of: header with value_env, query with value_env, basic with user_env and password_env"
            raise ValueError(message)
        return self


class Credentials(Strict):
    """Credentials of ours for this upstream. Left out, the client's own pass through."""

    inject: Annotated[tuple[Injection, ...], Field(min_length=1)]


class StaticHeaders(Strict):
    """Header fields that are set or removed on every request."""

    set: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    remove: tuple[HeaderName, ...] = ()


class RequestConfig(Strict):
    """What is changed on every request to this upstream."""

    headers: StaticHeaders = StaticHeaders()
    host: str | None = None
    """The `Host` that is sent; left out, that of `base_url`."""


class Timeouts(Strict):
    """How long the upstream may take."""

    connect_s: Annotated[Duration, Field(alias="connect")] = 2.0
    first_byte_s: Annotated[Duration, Field(alias="first_byte")] = 15.0
    """From the end of the request to the head of the reply."""
    idle_s: Annotated[Duration, Field(alias="idle")] = 30.0
    """Between two pieces of a body, either way."""
    total_s: Annotated[Duration, Field(alias="total")] = 300.0


class PoolConfig(Strict):
    """Connections to this upstream."""

    max_connections: Annotated[int, Field(ge=1)] = 100
    max_waiting: Annotated[int, Field(ge=0)] = 1_000
    """Requests that may wait for a connection; more are refused with 503."""
    wait_s: Annotated[Duration, Field(alias="wait")] = 2.0
    idle_s: Annotated[Duration, Field(alias="idle")] = 30.0
    """After this an unused connection is closed; keep it below the upstream's own keep-alive."""


class Capture(Strict):
    """How much of a reply may be held in memory to be read."""

    success_bytes: Annotated[Size, Field(alias="success")] = 8 * 2**20
    """A larger success streams through untouched."""
    error_bytes: Annotated[Size, Field(alias="error")] = 256 * 2**10
    """Of a larger error only the beginning is read."""


class Rewrite(Strict):
    """Addresses of the upstream in header fields that are mapped to ours."""

    location: bool = True
    cookies: bool = False


class RouteMatch(Strict):
    """Which of the upstream's requests a route is for."""

    path: str = Field(pattern=r"^/[^?#\s%\\;]*$")
    """Below the prefix: `*` is one segment, `**` at the end is all the rest."""
    methods: tuple[Method, ...] = ()


class RouteConfig(Strict):
    """What is different for some of an upstream's paths. The most specific route counts, wherever it stands."""

    name: Name | None = None
    """What metrics and the limit key `route` call it; left out, its methods and path."""
    match: RouteMatch
    success: Literal["unify", "pass"] | None = None
    """unify or pass; left out, as the dialect says."""
    errors: Literal["translate", "pass"] = "translate"
    """pass: errors of the upstream go through untouched (failures of our own never do)."""
    limits: tuple[PolicyConfig, ...] = ()


class DialectChoice(Strict):
    """A preset by name, `auto`, or a dialect of one's own."""

    preset: str | None = None
    own: DialectSpec | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_either(cls, value: Any) -> Any:
        return {"preset": value} if isinstance(value, str) else {"own": value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of what is written: a name, or the dialect itself."""
        own: dict[str, Any] = handler.resolve_ref_schema(handler(core))["properties"]["own"]["anyOf"][0]
        return {"anyOf": [{"type": "string"}, own]}


class UpstreamFile(Strict):
    """`config/upstreams/NAME.yaml`: one upstream API."""

    version: Literal[1]
    name: Name
    base_url: UpstreamUrl
    match: UpstreamMatch
    dialect: DialectChoice = DialectChoice.model_validate("auto")
    """How the API writes errors and successes: a preset's name, auto, or rules of one's own."""
    credentials: Credentials | None = None
    request: RequestConfig = RequestConfig()
    timeouts: Timeouts = Timeouts()
    pool: PoolConfig = PoolConfig()
    capture: Capture = Capture()
    rewrite: Rewrite = Rewrite()
    expose_upstream: bool = True
    """Problem documents show what the upstream itself said under `upstream`."""
    limits: tuple[PolicyConfig, ...] = ()
    routes: tuple[RouteConfig, ...] = ()
    examples: tuple[Example, ...] = ()
    """Replies and what must become of them; `accord check` runs them."""
