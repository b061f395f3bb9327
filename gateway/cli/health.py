"""`accord health`: whether a gateway on this machine takes requests, for a container's HEALTHCHECK.

It runs every few seconds for as long as a container lives, so it asks by a plain socket: an HTTP client of the standard
library alone would double what it takes to start.
"""

from __future__ import annotations

import argparse
import socket
import sys
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

URL: Final = "http://127.0.0.1:8081/-/ready"
"""The operator's port: it speaks for all processes, and what it answers is neither counted nor logged."""
LONGEST_LINE: Final = 256
"""Bytes of the status line that are read at most: whatever listens there may say anything."""
_LONGEST_WAIT_S: Final = 600.0

HELP: Final = "ask a running gateway whether it takes requests"
ABOUT: Final = "Ask a running gateway's readiness page, and exit with 0 when it takes requests, else with 1."
EXAMPLES: Final = f"""\
examples:
  accord health                                          {URL}
  accord health --url http://127.0.0.1:8080/-/health     does the process live? on the client port
"""


class _Target(NamedTuple):
    """Where to ask."""

    host: str
    port: int
    authority: str
    path: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("--url", type=_target, default=URL, metavar="URL", help="the page to ask; default: %(default)s")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=3.0,
        metavar="SECONDS",
        help="how long it may be silent; default: %(default)s",
    )


def _target(text: str) -> _Target:
    """Take an address apart."""
    message = f"not a page of a gateway: write an address such as {URL}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # as the resolver will, which takes no label over 63 characters and no empty one
    except ValueError as error:
        raise argparse.ArgumentTypeError(message) from error
    plain = text.isascii() and text.isprintable() and " " not in text
    if not plain or not host or parts.scheme != "http" or "@" in parts.netloc:
        raise argparse.ArgumentTypeError(message)
    query = f"?{parts.query}" if parts.query else ""
    return _Target(host, port or 80, parts.netloc, (parts.path or "/") + query)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_WAIT_S:
        message = f"not a time: write seconds, at most {_LONGEST_WAIT_S:g}"
        raise argparse.ArgumentTypeError(message)
    return seconds


def run(args: argparse.Namespace) -> int:
    """Ask; 0 when the answer is 200, 1 when it is another or there is none."""
    target: _Target = args.url
    where = f"http://{target.authority}{target.path}"
    try:
        status = _status(target, args.timeout)
    except OSError as error:
        print(f"accord: {where} does not answer: {error.strerror or error}", file=sys.stderr)
        return 1
    if status != "200":
        said = f"answers {status}" if status else "does not speak HTTP"
        print(f"accord: {where} {said}: it takes no requests now", file=sys.stderr)
        return 1
    print(f"accord: {where} answers 200")
    return 0


def _status(target: _Target, timeout_s: float) -> str:
    """Return the status of the answer, or "" where it is none. Raises OSError."""
    request = f"GET {target.path} HTTP/1.1\r\nHost: {target.authority}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((target.host, target.port), timeout_s) as connection:
        connection.sendall(request.encode("ascii"))
        line = b"".join(_line(connection))
    version, _, rest = line.partition(b" ")
    status = rest[:3]
    return status.decode() if version in (b"HTTP/1.1", b"HTTP/1.0") and status.isdigit() and len(status) == 3 else ""


def _line(connection: socket.socket) -> Iterator[bytes]:
    """Yield what arrives until a line is whole, too long, or the end."""
    length = 0
    while length < LONGEST_LINE and (some := connection.recv(LONGEST_LINE - length)):
        yield some
        if b"\n" in some:
            return
        length += len(some)
