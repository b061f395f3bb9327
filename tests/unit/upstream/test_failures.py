"""From the world's exceptions to RFC 9209's reasons."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import pytest

from gateway.errors import TransportReason
from gateway.upstream.failures import failure_of, reason_of


def numbered(number: int) -> OSError:
    """The OSError that Python raises for `number`."""
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), TransportReason.DNS_ERROR),
        (UnicodeError("label too long"), TransportReason.DNS_ERROR),
        (numbered(errno.ECONNREFUSED), TransportReason.CONNECTION_REFUSED),
        (numbered(errno.ECONNRESET), TransportReason.CONNECTION_TERMINATED),
        (numbered(errno.EPIPE), TransportReason.CONNECTION_TERMINATED),
        (numbered(errno.ECONNABORTED), TransportReason.CONNECTION_TERMINATED),
        (numbered(errno.ETIMEDOUT), TransportReason.CONNECTION_TIMEOUT),
        (TimeoutError(), TransportReason.CONNECTION_TIMEOUT),
        (numbered(errno.ENETUNREACH), TransportReason.DESTINATION_IP_UNROUTABLE),
        (numbered(errno.EHOSTUNREACH), TransportReason.DESTINATION_IP_UNROUTABLE),
        (numbered(errno.EACCES), TransportReason.DESTINATION_IP_UNROUTABLE),
        (numbered(errno.EMFILE), TransportReason.CONNECTION_LIMIT_REACHED),
        (numbered(errno.EADDRNOTAVAIL), TransportReason.CONNECTION_LIMIT_REACHED),
        (ssl.SSLCertVerificationError("expired"), TransportReason.TLS_CERTIFICATE_ERROR),
        (ssl.SSLError("wrong version"), TransportReason.TLS_PROTOCOL_ERROR),
        (ssl.SSLEOFError("end"), TransportReason.TLS_PROTOCOL_ERROR),
        (OSError("Multiple exceptions: a, b"), TransportReason.CONNECTION_REFUSED),
        (RuntimeError("unable to perform operation"), TransportReason.CONNECTION_REFUSED),
    ],
)
def test_each_exception_has_its_reason(error: Exception, reason: TransportReason) -> None:
    """A narrower type decides before a wider one, a type before a number."""
    assert reason_of(error) is reason


def test_a_failure_names_the_place_for_the_operator() -> None:
    """An exception without words is told by its name."""
    assert failure_of(TimeoutError(), "a:1").detail == "a:1: TimeoutError"
    assert failure_of(ssl.SSLError(1, "bad"), "a:1").detail.startswith("a:1: ")
