"""How an upstream is reached: TLS, how long it may take, how many connections there are.

Files are named, never held: no key takes a certificate or a private key itself.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.config.addresses import Host  # noqa: TC001 - pydantic needs the types at run time
from gateway.config.values import Duration, FileName  # noqa: TC001 - as above
from gateway.dialects.spec import Strict


class Tls(Strict, title="tls"):
    """TLS to an upstream whose `base_url` is `https`. Its certificate and name are always verified; TLS 1.2 or newer.

    Files are in PEM. They are read when the process starts, and again with every reload.
    """

    ca_file: FileName | None = None
    """The certificates of the authorities that are trusted, in place of the system's."""
    cert_file: FileName | None = None
    """The certificate that we show, and behind it those between it and its authority. Needs `key_file`."""
    key_file: FileName | None = None
    """The private key of `cert_file`, without a passphrase."""
    server_name: Host | None = None
    """What is asked for by SNI, and what the upstream's certificate must be for; left out, the host of `base_url`."""

    @model_validator(mode="after")
    def _certificate_with_its_key(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            message = "give cert_file and key_file together"
            raise ValueError(message)
        return self


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
    tunnel_idle_s: Annotated[Duration, Field(alias="tunnel_idle")] = 600.0
    """How long a WebSocket may rest, both ways together; none of the others counts once it is open."""


class PoolConfig(Strict, title="pool"):
    """Connections to this upstream.

    An upstream is one endpoint, whatever number of addresses its name has: the first that answers is taken (RFC 8305).
    """

    max_connections: Annotated[int, Field(ge=1)] = 100
    """How many there may be at one time, to all of its addresses together."""
    max_waiting: Annotated[int, Field(ge=0)] = 1_000
    """Requests that may wait for a connection; more are refused with 503."""
    wait_s: Annotated[Duration, Field(alias="wait")] = 2.0
    """How long each of them may wait."""
    idle_s: Annotated[Duration, Field(alias="idle")] = 30.0
    """After this an unused connection is closed; keep it below the upstream's own keep-alive."""
