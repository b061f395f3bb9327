"""What a pool must be told, as shapes: the configuration's own values fit them, and so does any other value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class Endpoint(Protocol):
    """Where an upstream is."""

    @property
    def scheme(self) -> str:
        """`http` or `https`."""

    @property
    def host(self) -> str:
        """A name, or an address without brackets."""

    @property
    def port(self) -> int:
        """The port's number."""

    @property
    def server_name(self) -> str:
        """What SNI asks for, and what a certificate must be for: a name, or an address without brackets."""

    @property
    def socket(self) -> Path | None:
        """The Unix socket to go to, in place of host and port."""


class Timeouts(Protocol):
    """How long an exchange may take, in seconds; `math.inf` is no limit."""

    @property
    def connect_s(self) -> float:
        """For DNS, TCP and TLS together."""

    @property
    def first_byte_s(self) -> float:
        """From the end of the request to the end of the final reply's head."""

    @property
    def idle_s(self) -> float:
        """Without a byte: of the reply's body while we read it, or taken of the request while we write it."""

    @property
    def total_s(self) -> float:
        """From `send()` to the last byte of the reply."""


class Limits(Protocol):
    """How many connections there may be, and how long anything waits for one or rests in one."""

    @property
    def max_connections(self) -> int:
        """Connections at one time, those being made among them."""

    @property
    def max_waiting(self) -> int:
        """Requests that may wait for a connection at one time."""

    @property
    def wait_s(self) -> float:
        """How long each of them may wait."""

    @property
    def idle_s(self) -> float:
        """How long a connection may rest before it is closed."""
