"""The configuration as frozen values: one model for the gateway's file, one for an upstream's.

Every key has a docstring, from which the reference and the JSON Schemas are made. A key whose feature does not exist
is not here, and so is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_serializer, model_validator

from gateway.config.addresses import (
    Address,
    Authority,
    Host,
    ListenAddress,
    PathPattern,
    PathPrefix,
    PublicUrl,
    UpstreamUrl,
)
from gateway.config.budgets import BudgetConfig  # noqa: TC001 - pydantic needs the types at run time
from gateway.config.limits import Mode, PolicyConfig  # noqa: TC001 - pydantic needs the types at run time
from gateway.config.reach import PoolConfig, Timeouts, Tls
from gateway.config.stores import MEMORY, StoreConfig
from gateway.config.values import (  # noqa: TC001 - pydantic needs the types at run time
    Duration,
    DurationOrNone,
    EnvironmentVariable,
    FileName,
    HeaderValue,
    Interval,
    Method,
    Name,
    Network,
    SettableHeaderName,
    Sha256,
    Size,
)
from gateway.dialects.spec import DialectSpec, Example, OneOrList, Strict

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

View = Annotated[str, Field(title="view")]
"""The name of a view; that it exists is known only when all files are read."""


class ClientConfig(Strict, title="client"):
    """A client known by its API key."""

    name: Name
    """What logs, limits and the status page call the client."""
    api_key_sha256: Annotated[tuple[Sha256, ...], Field(min_length=1)]
    """SHA-256 of each of the client's keys, in hex; the keys themselves are never configured."""
    limits: tuple[PolicyConfig, ...] = ()
    """The client's own limits, in place of those of the gateway's `limits` that count by `client`."""
    view: View | None = None
    """The [view](views.md) in which this client gets problems, whatever it accepts and whichever API failed."""


class Bounds(Strict, title="bounds"):
    """How large a request may be. Each is a security limit."""

    target_bytes: Annotated[Size, Field(alias="target")] = 8_192
    """The path and query; a longer one is refused with 414."""
    head_bytes: Annotated[Size, Field(alias="head")] = 32_768
    """Request line and header fields together, of which there may be 128; a larger head is refused with 431."""
    body_bytes: Annotated[Size, Field(alias="body")] = 2 * 2**30
    """The body; a larger one is refused with 413. It streams, so that this is no bound on memory."""


class ClientTimeouts(Strict, title="client timeouts"):
    """How long a client may take."""

    head_s: Annotated[Duration, Field(alias="head")] = 10.0
    """From the first byte of a head to its last."""
    body_s: Annotated[Duration, Field(alias="body")] = 10.0
    """Between two pieces of a body."""
    min_rate_bytes_s: Annotated[int, Field(alias="min_rate", ge=1)] = 100
    """Bytes a second that a body must reach on average once it has taken longer than `body`."""
    keepalive_s: Annotated[Duration, Field(alias="keepalive")] = 15.0
    """How long a connection may rest between two requests."""
    write_s: Annotated[Duration, Field(alias="write")] = 30.0
    """How long a client may leave an answer unread before its connection is cut."""


class Shutdown(Strict, title="shutdown"):
    """How the gateway ends."""

    delay_s: Annotated[DurationOrNone, Field(alias="delay")] = 0.0
    """After SIGTERM: not ready, but still serving, so that load balancers can take note."""
    grace_s: Annotated[Duration, Field(alias="grace")] = 30.0
    """How long running requests may take to end."""


class AccessLog(Strict, title="access log"):
    """What the access log may say."""

    query_parameters: tuple[str, ...] = ()
    """Query parameters that may be logged; all others are left out."""


class Reload(Strict, title="reload"):
    """When the files are read again without a restart, beside each SIGHUP.

    [Change the configuration](../how-to/change-the-configuration.md) says what happens then.
    """

    watch_s: Annotated[Interval, Field(alias="watch")] = 2.0
    """How often to look whether any of the files is another: this one, the upstream files, and the certificates and
    keys that they name. What is found is taken once two looks have seen the same. `off`: at SIGHUP alone.
    """


class GatewayFile(Strict, title="gateway file"):
    """`config/gateway.yaml`: the process."""

    version: Literal[1]
    """The version of this file's language."""
    listen: ListenAddress = Address(host="127.0.0.1", port=8080)
    """Where clients come in. Read when the process starts."""
    admin: ListenAddress = Address(host="127.0.0.1", port=8081)
    """Where operators come in: metrics and status. Never the client port. Read when the process starts."""
    public_url: PublicUrl | None = None
    """Under which address clients reach the gateway; it stands in `type`, in page links and in `Location`. Without it
    these are relative.
    """
    upstreams: Annotated[tuple[str, ...], Field(min_length=1), OneOrList()] = ("upstreams/*.yaml",)
    """The upstream files, as patterns relative to this file."""
    store: StoreConfig = MEMORY
    """Where the counts of the limits are kept: `memory`, `shared` by the processes of one machine, or `redis`. Read
    when the process starts.
    """
    via: str = Field(default="accord", title="token", pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")
    """This deployment's name in `Via`, the same for all of its replicas; loops are found by it."""
    trusted_proxies: tuple[Network, ...] = ()
    """Proxies in front whose `Forwarded` and `X-Forwarded-*` are believed; from all others these fields are dropped."""
    limits: tuple[PolicyConfig, ...] = ()
    """Limits on all requests that reach an upstream."""
    legacy_headers: Literal["none", "delta", "epoch"] = "none"
    """Also say the tightest limit as `X-RateLimit-Limit`, `-Remaining` and `-Reset`, the last as seconds from now
    (`delta`) or as Unix time (`epoch`).
    """
    clients: tuple[ClientConfig, ...] = ()
    """Clients known by their API keys. Of any other request `client` is the keyed hash of `Authorization`, else the
    address. Nobody is refused for having no key.
    """
    client_header: SettableHeaderName = "X-Api-Key"
    """The header field in which a client sends the key that `clients` knows it by. Where there are `clients`, it never
    goes upstream.
    """
    bounds: Bounds = Bounds()
    """How large a request may be. After a reload, connections that were open before keep some of what they had."""
    client_timeouts: ClientTimeouts = ClientTimeouts()
    """How long a client may take. After a reload, `keepalive` counts for new connections alone."""
    shutdown: Shutdown = Shutdown()
    """How the gateway ends."""
    access_log: AccessLog = AccessLog()
    """What the access log may say."""
    reload: Reload = Reload()
    """When these files are read again."""


# -- upstreams -------------------------------------------------------------------------------------------------------


class UpstreamMatch(Strict, title="match"):
    """Which requests are this upstream's."""

    prefix: PathPrefix
    """A path of whole segments: `/salla` is `/salla` and `/salla/orders`, not `/sallax`."""
    hosts: Annotated[tuple[Host, ...], OneOrList(), Field(alias="host")] = ()
    """Hosts, without ports, under which the prefix counts; left out, all."""
    methods: tuple[Method, ...] = ()
    """Methods; left out, all of those registered with IANA that can be served, but TRACE. GET includes HEAD.
    """
    strip: bool = True
    """The prefix is taken off before the path of `base_url` is put in front; false keeps it."""


class BasicInjection(Strict, title="basic"):
    """User and password for HTTP Basic."""

    user_env: EnvironmentVariable
    """The environment variable that holds the user's name."""
    password_env: EnvironmentVariable
    """The environment variable that holds the password."""


class Injection(Strict, title="injection"):
    """A credential of ours that is put into each request: in a header field, in the query, or as HTTP Basic."""

    header: SettableHeaderName | None = None
    """The header field that carries the value, in place of the client's own of that name."""
    query: Annotated[str, Field(title="parameter name", pattern=r"^[A-Za-z0-9._~-]+$")] | None = None
    """The query parameter that carries the value, behind what the client sent."""
    basic: BasicInjection | None = None
    """`Authorization: Basic`."""
    prefix: HeaderValue = ""
    """What stands before the value, its space included: `"Bearer "`."""
    value_env: EnvironmentVariable | None = None
    """The environment variable that holds the value."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = sum(way is not None for way in (self.header, self.query, self.basic))
        if ways != 1 or (self.basic is None) != (self.value_env is not None):
            message = "give one of: header with value_env, query with value_env, basic with user_env and password_env"
            raise ValueError(message)
        return self


class Credentials(Strict, title="credentials"):
    """Credentials of ours for this upstream. Left out, the client's own pass through."""

    inject: Annotated[tuple[Injection, ...], Field(min_length=1)]
    """Each is put into every request."""


class StaticHeaders(Strict, title="header changes"):
    """Header fields that are set or removed on every request."""

    set: dict[SettableHeaderName, HeaderValue] = Field(default_factory=dict)
    """Fields that are sent with these values, in place of the client's own of those names."""
    remove: tuple[SettableHeaderName, ...] = ()
    """Fields of the client, or of ours, that are not sent."""


class RequestConfig(Strict, title="request"):
    """What is changed on every request to this upstream."""

    headers: StaticHeaders = StaticHeaders()
    """Header fields that are set or removed. Those that frame a message or belong to one connection, `Host`, `Via` and
    `Expect` are the gateway's own.
    """
    host: Authority | None = None
    """The `Host` that is sent; left out, that of `base_url`."""


class Capture(Strict, title="capture"):
    """How much of a reply may be held in memory to be read."""

    success_bytes: Annotated[Size, Field(alias="success")] = 8 * 2**20
    """A larger success streams through untouched."""
    error_bytes: Annotated[Size, Field(alias="error")] = 256 * 2**10
    """Of a larger error only the beginning is read."""


class Rewrite(Strict, title="rewrite"):
    """Addresses of the upstream in header fields that are mapped to ours."""

    location: bool = True
    """`Location` and `Content-Location` under `base_url`."""
    cookies: bool = False
    """`Set-Cookie`: a `Domain` of the upstream's is dropped, a `Path` gets the prefix."""


class RouteMatch(Strict, title="route match"):
    """Which of the upstream's requests a route is for."""

    path: PathPattern
    """Below the prefix: `*` is one segment, `**` at the end is all the rest."""
    methods: tuple[Method, ...] = ()
    """Methods; left out, all of the upstream's. GET includes HEAD. One that is not registered must be listed here."""


class RouteConfig(Strict, title="route"):
    """What is different for some of an upstream's paths. The most specific route counts, wherever it stands."""

    name: Name | None = None
    """What metrics and the limit key `route` call it; left out, its methods and path."""
    match: RouteMatch
    """Which requests it is for."""
    success: Literal["unify", "pass"] | None = None
    """`unify`: successes come as `{"data": …, "meta": …}`; `pass`: they go through untouched. Left out, as the dialect
    says. A dialect that says nothing of successes cannot unify them.
    """
    errors: Literal["translate", "pass"] = "translate"
    """`pass`: errors of the upstream go through untouched. Failures of our own are problem documents all the same."""
    mode: Mode | None = None
    """`shadow` or `enforce`, for this route; left out, as the upstream says."""
    view: View | None = None
    """The [view](views.md) in which problems of this route are written; a client's own goes before it."""
    limits: tuple[PolicyConfig, ...] = ()
    """Limits on this route's requests, beside all others."""


class DialectChoice(Strict):
    """A preset by name, `auto`, or a dialect of one's own."""

    preset: str | None = None
    own: DialectSpec | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_either(cls, value: Any) -> Any:
        if value is None:
            message = "name a preset, or auto, or give a dialect of your own"
            raise ValueError(message)
        return {"preset": value} if isinstance(value, str) else {"own": value}

    @model_serializer
    def _as_written(self) -> Any:
        return self.preset if self.own is None else self.own

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of what is written: a name, or the dialect itself."""
        own: dict[str, Any] = handler.resolve_ref_schema(handler(core))["properties"]["own"]["anyOf"][0]
        return {"anyOf": [{"title": "preset", "type": "string"}, own]}


class UpstreamFile(Strict, title="upstream file"):
    """`config/upstreams/NAME.yaml`: one upstream API."""

    version: Literal[1]
    """The version of this file's language."""
    name: Name
    """What documents (`source.upstream`), metrics and logs call it. No two upstreams have one name, and none
    is called `none` or `other`, as metrics call what is no upstream's.
    """
    base_url: UpstreamUrl
    """The upstream's address: scheme, host, and perhaps a port and a path, which then stands before every target."""
    socket: FileName | None = None
    """The Unix socket to go to, without asking DNS. `base_url` still says the scheme, the path, what stands in `Host`
    and what a certificate must be for. A socket that is not there is an upstream that cannot be reached.
    """
    tls: Tls | None = None
    """TLS settings, where `base_url` is `https`. Left out, the system's authorities are trusted."""
    match: UpstreamMatch
    """Which requests are this upstream's."""
    dialect: DialectChoice = DialectChoice.model_validate("auto")
    """How the API writes errors and successes: a preset's name, `auto`, or rules of one's own."""
    mode: Mode = "enforce"
    """`enforce`: clients get what was read. `shadow`: replies are read, and what would have become of them is counted
    and logged, but clients get them as they came. Failures of our own and limits answer as ever.
    """
    credentials: Credentials | None = None
    """Credentials of ours. Left out, the client's own pass through."""
    request: RequestConfig = RequestConfig()
    """What is changed on every request."""
    timeouts: Timeouts = Timeouts()
    """How long the upstream may take."""
    pool: PoolConfig = PoolConfig()
    """Connections to this upstream."""
    capture: Capture = Capture()
    """How much of a reply may be held in memory."""
    rewrite: Rewrite = Rewrite()
    """Addresses in replies that are mapped to ours."""
    expose_upstream: bool = True
    """Problem documents show what the upstream itself said under `upstream`."""
    view: View | None = None
    """The [view](views.md) in which problems of this upstream's requests are written; a client's own and a route's go
    before it. Left out, `Accept` chooses.
    """
    limits: tuple[PolicyConfig, ...] = ()
    """Limits on this upstream's requests, beside the gateway's."""
    budget: Annotated[tuple[BudgetConfig, ...], OneOrList()] = ()
    """What the upstream grants us, by plan or in numbers: one budget or several. Left out, it is learned from replies,
    and kept to where the credential is ours.
    """
    routes: tuple[RouteConfig, ...] = ()
    """What is different for some of its paths."""
    examples: tuple[Example, ...] = ()
    """Replies and what must become of them; `accord check` runs them."""

    @model_validator(mode="after")
    def _no_echo_of_credentials(self) -> Self:
        methods = {method for route in self.routes for method in route.match.methods} | set(self.match.methods)
        if self.credentials is not None and "TRACE" in methods:
            message = "TRACE answers with what was sent, and would show our credentials to the client: leave it out"
            raise ValueError(message)
        return self
