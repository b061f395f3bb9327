"""Where the counts of limits are kept, as a configuration says it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, WithJsonSchema, model_serializer, model_validator

from gateway.config.values import Duration, EnvironmentVariable, FileName, spelled
from gateway.dialects.spec import Strict

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

MaxKeys = Annotated[int, Field(ge=1, le=100_000_000)]

_NAMES = ("memory", "shared")
_NODE = re.compile(r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/@]+):[0-9]{1,5}$")


class MemoryConfig(Strict, title="memory store"):
    """Counts in the memory of this machine."""

    max_keys: MaxKeys = 100_000
    """How many keys each limit counts apart. When that many are in use, further ones share a count of their own: nobody
    is forgotten to make room. About 200 bytes each.
    """


class SharedConfig(Strict, title="shared store"):
    """Counts in memory that all processes of `accord serve --processes` share."""

    max_keys: MaxKeys = 100_000
    """How many keys each limit counts apart; the memory for them is set aside at the start."""


SentinelNode = Annotated[
    str,
    spelled(_NODE, "must be host:port, as in 10.0.0.1:26379"),
    WithJsonSchema({"title": "host:port", "type": "string", "pattern": _NODE.pattern}),
]


class SentinelConfig(Strict, title="sentinel"):
    """Redis Sentinel, which knows where the master is."""

    service: str
    """The name that the sentinels know the master by."""
    nodes: Annotated[
        tuple[SentinelNode, ...],
        Field(min_length=1),
    ]
    """The sentinels, each as `host:port`."""
    password_env: EnvironmentVariable | None = None
    """The environment variable that holds the sentinels' own password."""


class RedisConfig(Strict, title="redis store"):
    """Counts in a Redis or Valkey that all replicas share."""

    url_env: EnvironmentVariable
    """The environment variable that holds the address, with its password: `redis://user:password@host:6379/0`,
    `rediss://…` for TLS, `unix:///path/to/socket?db=0`. With `sentinel`, its user, password and database count; with
    `cluster` it is any node.
    """
    cluster: bool = False
    """The address is of a Redis Cluster."""
    sentinel: SentinelConfig | None = None
    """Ask these sentinels where the master is."""
    ca_file: FileName | None = None
    """The authorities (PEM) that the server's certificate must be signed by; left out, the system's."""
    secret_env: EnvironmentVariable | None = None
    """The environment variable that holds the secret by which principals are hashed before they become keys; the same
    for all replicas. Left out, it is derived from the address: who knows that could test guesses of who was counted.
    """
    deadline_s: Annotated[Duration, Field(alias="deadline")] = 0.05
    """How long a request waits for the store at most; after that `on_store_error` counts."""

    @model_validator(mode="after")
    def _one_topology(self) -> Self:
        if self.cluster and self.sentinel is not None:
            message = "give cluster or sentinel, not both: a cluster finds its masters by itself"
            raise ValueError(message)
        return self


class StoreConfig(Strict, title="store"):
    """Where counts are kept: `memory`, `shared`, or one of them with settings."""

    memory: MemoryConfig | None = None
    """In the memory of this machine: of one process, or of all that `accord serve --processes` starts together. With
    several machines each counts for itself.
    """
    shared: SharedConfig | None = None
    """In memory that is set aside at the start, for one process too; `accord serve --processes` does so in any case."""
    redis: RedisConfig | None = None
    """In Redis or Valkey, which all replicas share, exactly."""

    @model_validator(mode="before")
    @classmethod
    def _from_either(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value not in _NAMES:
                message = "must be memory, shared, or redis with its settings, as in {redis: {url_env: REDIS_URL}}"
                raise ValueError(message)
            return {value: {}}
        return value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.memory, self.shared, self.redis)) != 1:
            message = "give one of memory, shared and redis"
            raise ValueError(message)
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: Any) -> Any:
        written = {name: value for name, value in handler(self).items() if value is not None}
        (name,) = written
        return name if name in _NAMES and not getattr(self, name).model_fields_set else written

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of what is written: a name, or one store with its settings."""
        own: dict[str, Any] = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [{"title": "store", "enum": list(_NAMES), "type": "string"}, own]}


MEMORY = StoreConfig(memory=MemoryConfig())
