"""Which requests ask for a WebSocket, and which 101 gives one."""

from __future__ import annotations

import pytest

from gateway.headers import handshake_fault, handshake_key

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
"""The example of RFC 6455 section 1.3, with its answer."""
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

ASKED = {
    b"Host": b"gateway.example",
    b"Connection": b"Upgrade",
    b"Upgrade": b"websocket",
    b"Sec-WebSocket-Key": KEY,
    b"Sec-WebSocket-Version": b"13",
}
ANSWERED = {b"Connection": b"Upgrade", b"Upgrade": b"websocket", b"Sec-WebSocket-Accept": ACCEPT}


def key(changes: dict[bytes, bytes | None], *more: tuple[bytes, bytes], method: str = "GET") -> bytes | None:
    """The key that is found in the usual handshake with `changes`, and with fields behind it."""
    fields = {name: value for name, value in (ASKED | changes).items() if value is not None}
    return handshake_key(method, (1, 1), (*fields.items(), *more))


def fault(changes: dict[bytes, bytes | None], *more: tuple[bytes, bytes]) -> str | None:
    """What is found wrong with the usual answer with `changes`, and with fields behind it."""
    fields = {name: value for name, value in (ANSWERED | changes).items() if value is not None}
    return handshake_fault((*fields.items(), *more), KEY)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {b"Upgrade": b"WebSocket"},
        {b"Connection": b"keep-alive, Upgrade"},
        {b"Connection": b"upgrade,keep-alive"},
        {b"Sec-WebSocket-Key": b" " + KEY + b"\t"},
        {b"Sec-WebSocket-Protocol": b"chat, superchat", b"Sec-WebSocket-Extensions": b"permessage-deflate"},
        {b"Origin": b"https://app.example", b"Cookie": b"a=1"},
    ],
)
def test_a_handshake_is_known(changes: dict[bytes, bytes | None]) -> None:
    """Whatever its spelling, and whatever else it says."""
    assert key(changes) == KEY


@pytest.mark.parametrize(
    "changes",
    [
        {b"Upgrade": None},
        {b"Upgrade": b"h2c"},
        {b"Upgrade": b"websocket, h2c"},
        {b"Upgrade": b"websocket/13"},
        {b"Connection": None},
        {b"Connection": b"close"},
        {b"Connection": b"upgrades"},
        {b"Connection": b"Upgrade, Sec-WebSocket-Key"},
        {b"Connection": b"Upgrade, sec-websocket-version"},
        {b"Sec-WebSocket-Version": None},
        {b"Sec-WebSocket-Version": b"8"},
        {b"Sec-WebSocket-Version": b"13, 8"},
        {b"Sec-WebSocket-Key": None},
        {b"Sec-WebSocket-Key": b""},
        {b"Sec-WebSocket-Key": KEY[:-1]},
        {b"Sec-WebSocket-Key": b"c2hvcnQ="},
        {b"Sec-WebSocket-Key": KEY[:-3] + b"R=="},
        {b"Sec-WebSocket-Key": KEY[:4] + b"\x80" + KEY[4:]},
        {b"Content-Length": b"0"},
        {b"Transfer-Encoding": b"chunked"},
    ],
)
def test_what_is_no_handshake_is_an_ordinary_request(changes: dict[bytes, bytes | None]) -> None:
    """One field that is missing, repeated or wrong, or a body, and nothing is switched."""
    assert key(changes) is None


@pytest.mark.parametrize("field", [(b"upgrade", b"websocket"), (b"SEC-WEBSOCKET-KEY", KEY)])
def test_what_comes_once_is_not_repeated(field: tuple[bytes, bytes]) -> None:
    """The same value twice is one too many."""
    assert key({}, field) is None
    assert key({}, (b"connection", b"keep-alive")) == KEY


@pytest.mark.parametrize(("method", "version"), [("POST", (1, 1)), ("get", (1, 1)), ("GET", (1, 0))])
def test_only_get_on_http_11_asks(method: str, version: tuple[int, int]) -> None:
    """RFC 6455 section 4.1; HTTP/1.0 knows no upgrade (RFC 9110 section 7.8)."""
    assert handshake_key(method, version, tuple(ASKED.items())) is None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {b"Upgrade": b"WebSocket", b"Connection": b"upgrade"},
        {b"Sec-WebSocket-Protocol": b"chat"},
        {b"Content-Length": b"0"},
        {b"Sec-WebSocket-Accept": ACCEPT + b" "},
    ],
)
def test_the_right_answer_switches(changes: dict[bytes, bytes | None]) -> None:
    """Which subprotocol was chosen is the client's to judge."""
    assert fault(changes) is None


@pytest.mark.parametrize(
    "changes",
    [
        {b"Upgrade": None},
        {b"Upgrade": b"h2c"},
        {b"Connection": None},
        {b"Connection": b"close"},
        {b"Connection": b"Upgrade, Sec-WebSocket-Accept"},
        {b"Sec-WebSocket-Accept": None},
        {b"Sec-WebSocket-Accept": KEY},
        {b"Sec-WebSocket-Accept": ACCEPT.lower()},
        {b"Content-Length": b"5"},
        {b"Transfer-Encoding": b"chunked"},
    ],
)
def test_any_other_answer_does_not(changes: dict[bytes, bytes | None]) -> None:
    """RFC 6455 section 4.1: the client would have to fail the connection."""
    assert (fault(changes) or "").startswith("a 101 ")


def test_an_answer_to_the_key_comes_once() -> None:
    """Two are none."""
    assert fault({}, (b"Sec-WebSocket-Accept", ACCEPT)) is not None
