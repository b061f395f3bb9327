"""One table from the exceptions of sockets, resolvers and TLS to the reasons of RFC 9209."""

from __future__ import annotations

import errno
import socket
import ssl

from gateway.errors import TransportFailure, TransportReason

_KINDS: tuple[tuple[type[BaseException], TransportReason], ...] = (
    (ssl.SSLCertVerificationError, TransportReason.TLS_CERTIFICATE_ERROR),
    (ssl.SSLError, TransportReason.TLS_PROTOCOL_ERROR),
    (socket.gaierror, TransportReason.DNS_ERROR),
    (UnicodeError, TransportReason.DNS_ERROR),  # a host that IDNA cannot encode never reaches the resolver
    (ConnectionRefusedError, TransportReason.CONNECTION_REFUSED),
    (ConnectionError, TransportReason.CONNECTION_TERMINATED),
    (TimeoutError, TransportReason.CONNECTION_TIMEOUT),
)
"""By type, the narrower before the wider."""

_NUMBERS: dict[int, TransportReason] = {
    errno.ENETUNREACH: TransportReason.DESTINATION_IP_UNROUTABLE,
    errno.EHOSTUNREACH: TransportReason.DESTINATION_IP_UNROUTABLE,
    errno.ENETDOWN: TransportReason.DESTINATION_IP_UNROUTABLE,
    errno.EHOSTDOWN: TransportReason.DESTINATION_IP_UNROUTABLE,
    errno.EAFNOSUPPORT: TransportReason.DESTINATION_IP_UNROUTABLE,
    errno.EACCES: TransportReason.DESTINATION_IP_UNROUTABLE,  # how a firewall's "prohibited" comes out of connect()
    errno.EPERM: TransportReason.DESTINATION_IP_UNROUTABLE,
    errno.EMFILE: TransportReason.CONNECTION_LIMIT_REACHED,  # out of descriptors, or of local ports
    errno.ENFILE: TransportReason.CONNECTION_LIMIT_REACHED,
    errno.ENOBUFS: TransportReason.CONNECTION_LIMIT_REACHED,
    errno.EADDRNOTAVAIL: TransportReason.CONNECTION_LIMIT_REACHED,
}
"""By number, for an OSError that has no type of its own."""


def reason_of(error: BaseException) -> TransportReason:
    """Return why no connection came to be, or why one ended. What nobody knows counts as refused."""
    for kind, reason in _KINDS:
        if isinstance(error, kind):
            return reason
    number = error.errno if isinstance(error, OSError) else None
    return _NUMBERS.get(number or 0, TransportReason.CONNECTION_REFUSED)


def failure_of(error: BaseException, place: str) -> TransportFailure:
    """Return `error` as a TransportFailure; `place` (host and port) is for the operator's log."""
    return TransportFailure(reason_of(error), f"{place}: {str(error) or type(error).__name__}")


def refused(detail: str) -> TransportFailure:
    """Return the failure of an upstream that broke HTTP."""
    return TransportFailure(TransportReason.HTTP_PROTOCOL_ERROR, detail)
