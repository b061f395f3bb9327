"""This process's exceptions.

    AccordError
    ├── ConfigError         the configuration cannot be used; carries every fault found
    ├── TransportFailure    no usable answer came from an upstream (RFC 9209 names the reason)
    ├── ClientGone          the client left before its answer was complete
    └── StoreFailure        a store of limits on another machine did not decide

Expected results are values (see `gateway.model`); an exception here crosses an I/O boundary or ends a command.
Fields live in the exception, the sentence in `__str__`; none of them ever holds a secret or a header value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class AccordError(Exception):
    """The root of every exception that Accord raises on purpose."""


class Severity(StrEnum):
    """How much a fault matters: an `ERROR` stops a load, a `WARNING` is only said."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a configuration file, with its place.

    Lines and columns count from 1; line 0 stands for the whole file.
    """

    file: str
    line: int = 0
    column: int = 0
    path: str = ""
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        path = f" {self.path}" if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        label = "" if self.severity is Severity.ERROR else f"{self.severity}: "
        return f"{place}{path}: {label}{self.message}{hint}"


class ConfigError(AccordError):
    """A configuration that cannot be used, with all its faults at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep `faults` in the order of their places."""
        super().__init__(faults)
        self.faults: tuple[Fault, ...] = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line, fault.column)))

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class TransportReason(StrEnum):
    """Why no usable answer came: the error types of RFC 9209 section 2.3 that Accord can tell apart."""

    DNS_ERROR = "dns_error"
    CONNECTION_REFUSED = "connection_refused"
    DESTINATION_IP_UNROUTABLE = "destination_ip_unroutable"
    CONNECTION_TERMINATED = "connection_terminated"
    TLS_PROTOCOL_ERROR = "tls_protocol_error"
    TLS_CERTIFICATE_ERROR = "tls_certificate_error"
    CONNECTION_LIMIT_REACHED = "connection_limit_reached"
    CONNECTION_TIMEOUT = "connection_timeout"
    HTTP_RESPONSE_TIMEOUT = "http_response_timeout"
    HTTP_RESPONSE_INCOMPLETE = "http_response_incomplete"
    HTTP_PROTOCOL_ERROR = "http_protocol_error"


class TransportFailure(AccordError):  # noqa: N818 - named for what happened; it becomes a problem, not a crash
    """An exchange with an upstream that gave no usable answer.

    `detail` is for the log of the operator; it may name addresses and is never shown to a client.
    """

    def __init__(self, reason: TransportReason, detail: str = "") -> None:
        """Keep the RFC 9209 reason and a note for the operator."""
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)


class ClientGone(AccordError):  # noqa: N818 - an event, not a mistake of this process
    """The client closed its connection, or stopped sending or reading, before the exchange was complete."""


class StoreReason(StrEnum):
    """Why a store of limits did not decide; the words of logs and metrics."""

    TIMEOUT = "timeout"
    """No answer came in time."""
    REFUSED = "refused"
    """No connection, or it broke."""
    AUTH = "auth"
    """It does not let us in, or not do what we must: the user, the password, or the rights of the user are wrong."""
    READONLY = "readonly"
    """It answers but takes no writes: a replica, or a primary that has lost its own."""
    LOADING = "loading"
    """It has just been started and still reads its data."""
    FULL = "full"
    """It has no memory, no disk or no connection left."""
    PROTOCOL = "protocol"
    """It answered what we do not understand."""
    OTHER = "other"


class StoreFailure(AccordError):  # noqa: N818 - named for what happened; a policy says what follows from it
    """A store of limits on another machine did not answer, or not in a way that we understand.

    Holds the reason and nothing else: what the store or its client wrote may name addresses and passwords.
    """

    def __init__(self, reason: StoreReason) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the store of limits did not decide: {self.reason}"
