"""How an upstream is reached: how long it may take, how many connections there are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.values import Duration  # noqa: TC001 - pydantic needs the types at run time
from gateway.dialects.spec import Strict


class Timeouts(Strict, title="timeouts"):
    """How long the upstream may take."""

    connect_s: Annotated[Duration, Field(alias="connect")] = 2.0
    """For name, TCP and TLS together."""
    first_byte_s: Annotated[Duration, Field(alias="first_byte")] = 15.0
    """From the end of the request to the head of the reply."""
    idle_s: Annotated[Duration, Field(alias="idle")] = 30.0
    """Between two pieces of a body, either way."""
    total_s: Annotated[Duration, Field(alias="total")] = 300.0
    """For the whole exchange, from asking for a connection to the last byte of the reply."""


class PoolConfig(Strict, title="pool"):
    """Connections to this upstream."""

    max_connections: Annotated[int, Field(ge=1)] = 100
    """How many there may be at one time."""
    max_waiting: Annotated[int, Field(ge=0)] = 1_000
    """Requests that may wait for a connection; more are refused with 503."""
    wait_s: Annotated[Duration, Field(alias="wait")] = 2.0
    """How long each of them may wait."""
    idle_s: Annotated[Duration, Field(alias="idle")] = 30.0
    """After this an unused connection is closed; keep it below the upstream's own keep-alive."""
