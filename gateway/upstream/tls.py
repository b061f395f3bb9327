"""What is trusted when an upstream is reached by TLS."""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@functools.cache  # to load a system's authorities takes tens of milliseconds, and there may be many upstreams
def client_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return a context that verifies the upstream's certificate and name, against `ca_file` alone where one is given.

    TLS 1.2 and newer (RFC 9325 section 3.1.1). Made by hand, because `ssl.create_default_context()` writes the session
    keys to the file that the environment's SSLKEYLOGFILE names. One context for each file, shared: leave it as it is.
    Raises OSError for a file that cannot be read or used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(ca_file)
    return context
