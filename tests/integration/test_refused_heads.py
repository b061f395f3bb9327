"""Heads that two servers could read differently are refused at the level of bytes, and never forwarded.

One row a way to smuggle a request, or to hide one (RFC 9112 sections 2.2, 3, 5 and 6).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.integration.harness import gateway, get, on_uvloop, upstream
from tests.integration.origin import OK, head, send, serve, wait
from tests.integration.wire import connect

if TYPE_CHECKING:
    from pathlib import Path

START = b"POST /api/a HTTP/1.1\r\n"
HOST = b"Host: gateway.test\r\n"


class Case(NamedTuple):
    """A request, and the status and code it is refused with."""

    request: bytes
    status: int = 400
    code: str = "malformed_request"


def framed(*lines: bytes, body: bytes = b"0\r\n\r\n", start: bytes = START) -> bytes:
    """Return a request with these lines that frame its body."""
    return start + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def lengthened(value: bytes) -> bytes:
    """Return a request with this Content-Length."""
    return framed(b"Content-Length:" + value, body=b"abcde")


def hosted(value: bytes) -> bytes:
    """Return a request with this Host."""
    return START + b"Host:" + value + b"\r\n\r\n"


def chunked(body: bytes) -> bytes:
    """Return a request with this chunked body."""
    return framed(b"Transfer-Encoding: chunked", body=body)


CHUNKED = b"Transfer-Encoding: chunked"
CASES = {
    "both framings": Case(framed(b"Content-Length: 5", CHUNKED)),
    "both framings, turned": Case(framed(CHUNKED, b"Content-Length: 5")),
    "two lengths that differ": Case(framed(b"Content-Length: 5", b"Content-Length: 6")),
    "two lengths that agree": Case(framed(b"Content-Length: 5", b"Content-Length: 5")),
    "a list of lengths": Case(lengthened(b" 5, 5")),
    "length with a plus": Case(lengthened(b" +5")),
    "length with a minus": Case(lengthened(b" -5")),
    "length with an underscore": Case(lengthened(b" 1_0")),
    "length in hexadecimal": Case(lengthened(b" 0x5")),
    "length with a space inside": Case(lengthened(b" 5 5")),
    "length with other digits": Case(lengthened(b" \xd9\xa5")),
    "empty length": Case(lengthened(b" ")),
    "length over 64 bits": Case(lengthened(b" 99999999999999999999999")),
    "length of 2^64 - 1": Case(lengthened(b" 18446744073709551615")),
    "empty transfer coding": Case(framed(b"Transfer-Encoding: ")),
    "empty transfer coding beside a length": Case(framed(b"Transfer-Encoding:", b"Content-Length: 5")),
    "gzip": Case(framed(b"Transfer-Encoding: gzip")),
    "gzip, chunked": Case(framed(b"Transfer-Encoding: gzip, chunked"), 400, "malformed_request"),
    "chunked, gzip": Case(framed(b"Transfer-Encoding: chunked, gzip")),
    "chunked twice": Case(framed(b"Transfer-Encoding: chunked, chunked")),
    "chunked on two lines": Case(framed(CHUNKED, CHUNKED)),
    "identity, chunked": Case(framed(b"Transfer-Encoding: identity, chunked"), 400, "malformed_request"),
    "xchunked": Case(framed(b"Transfer-Encoding: xchunked")),
    "chunked behind a vertical tab": Case(framed(b"Transfer-Encoding: \x0bchunked")),
    "chunked on HTTP/1.0": Case(framed(CHUNKED, start=b"POST /api/a HTTP/1.0\r\n")),
    "space before the colon": Case(framed(b"Transfer-Encoding : chunked")),
    "folded line": Case(framed(b"Transfer-Encoding:\r\n chunked")),
    "bare LF after the request line": Case(b"GET /api/a HTTP/1.1\nHost: gateway.test\r\n\r\n"),
    "bare LF after a field": Case(framed(b"X-A: b\nX-C: d")),
    "bare LF at the end": Case(START + HOST + b"\n"),
    "bare CR in a value": Case(framed(b"X-A: b\rX-C: d")),
    "NUL in a value": Case(framed(b"X-A: b\x00c")),
    "control character in a value": Case(framed(b"X-A: b\x01c")),
    "DEL in a value": Case(framed(b"X-A: b\x7fc")),
    "no colon": Case(framed(b"X-A")),
    "empty name": Case(framed(b": a")),
    "name that is no token": Case(framed(b"X(A: a")),
    "name beyond ASCII": Case(framed(b"X\xff: a")),
    "folded first line": Case(b"GET /api/a HTTP/1.1\r\n Host: gateway.test\r\n\r\n"),
    "shadow of a length": Case(framed(b"Content_Length: 5", body=b"")),
    "shadow of a coding": Case(framed(b"Transfer_Encoding: chunked", body=b"")),
    "no Host": Case(START + b"\r\n"),
    "empty Host": Case(hosted(b"")),
    "two Hosts": Case(START + HOST + HOST + b"\r\n"),
    "Host with a user": Case(hosted(b" a@gateway.test")),
    "Host with a path": Case(hosted(b" gateway.test/a")),
    "Host with a comma": Case(hosted(b" gateway.test, evil.test")),
    "Host with a bad port": Case(hosted(b" gateway.test:http")),
    "Host unlike the target's": Case(b"GET http://evil.test/api/a HTTP/1.1\r\n" + HOST + b"\r\n"),
    "Connection that names Host": Case(framed(b"Connection: close, Host", body=b"")),
    "Connection that names Authorization": Case(framed(b"Connection: authorization", body=b"")),
    "Connection that names X-Forwarded-For": Case(framed(b"Connection: x-forwarded-for", body=b"")),
    "HTTP/0.9": Case(b"GET /api/a\r\n\r\n"),
    "HTTP/1.2": Case(b"GET /api/a HTTP/1.2\r\n" + HOST + b"\r\n"),
    "HTTP/2.0": Case(b"GET /api/a HTTP/2.0\r\n" + HOST + b"\r\n"),
    "HTTP/2 preface": Case(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS": Case(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    "space in the target": Case(b"GET /api/a b HTTP/1.1\r\n" + HOST + b"\r\n"),
    "fragment in the target": Case(b"GET /api/a#b HTTP/1.1\r\n" + HOST + b"\r\n"),
    "byte beyond ASCII in the target": Case(b"GET /api/\xff HTTP/1.1\r\n" + HOST + b"\r\n"),
    "NUL in the target": Case(b"GET /api/\x00 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "target without a slash": Case(b"GET api/a HTTP/1.1\r\n" + HOST + b"\r\n"),
    "target of another scheme": Case(b"GET ftp://gateway.test/api/a HTTP/1.1\r\n" + HOST + b"\r\n"),
    "asterisk with GET": Case(b"GET * HTTP/1.1\r\n" + HOST + b"\r\n"),
    "tab after the method": Case(b"GET\t/api/a HTTP/1.1\r\n" + HOST + b"\r\n"),
    "method in lower case": Case(b"get /api/a HTTP/1.1\r\n" + HOST + b"\r\n"),
    "dots that leave the prefix": Case(b"GET /api/../other HTTP/1.1\r\n" + HOST + b"\r\n"),
    "encoded dots that leave the prefix": Case(b"GET /api/%2e%2e/other HTTP/1.1\r\n" + HOST + b"\r\n"),
    "other expectation": Case(framed(b"Expect: 200-ok", body=b""), 417, "expectation_failed"),
    "long target": Case(b"GET /api/" + b"a" * 3000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "target_too_large"),
    "long field": Case(framed(b"X-A: " + b"a" * 6000, body=b""), 431, "head_too_large"),
    "long head": Case(framed(*(b"X-%d: " % n + b"a" * 1000 for n in range(6)), body=b""), 431, "head_too_large"),
    "many fields": Case(framed(*(b"X-%d: a" % n for n in range(200)), body=b""), 431, "head_too_large"),
    "body longer than allowed": Case(lengthened(b" 5000"), 413, "body_too_large"),
}
BROKEN_CHUNKS = {
    "size that is no number": b"zz\r\n",
    "size with a plus": b"+1\r\na\r\n0\r\n\r\n",
    "size with 0x": b"0x1\r\na\r\n0\r\n\r\n",
    "size over 64 bits": b"fffffffffffffffff\r\na\r\n0\r\n\r\n",
    "space behind the size": b"1 \r\na\r\n0\r\n\r\n",
    "bare LF behind the size": b"1\na\r\n0\r\n\r\n",
    "bare LF in an extension": b"1;a\nb\r\na\r\n0\r\n\r\n",
    "chunk longer than its size": b"1\r\nab\r\n0\r\n\r\n",
}
STILL_SENDING_BYTES = 30_000_000
"""More than the buffers of two sockets hold."""
BOUNDS = {"target": "2KiB", "head": "5KiB", "body": "4KiB"}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@on_uvloop
async def test_an_ambiguous_head_is_refused(tmp_path: Path, case: Case) -> None:
    """It gets a problem document of ours without an echo, its connection ends, and no upstream sees it."""
    async with (
        serve((head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin), bounds=BOUNDS) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(case.request)
        answer = await wire.reply()
        assert (answer.status, answer.json()["code"]) == (case.status, case.code)
        assert answer.header("Content-Type") == b"application/problem+json"
        assert answer.json()["source"]["origin"] == "gateway"
        assert b"aiohttp" not in answer.body
        assert b"gateway.test" not in answer.body
        if case.status == 400:
            assert answer.header("Connection") == b"close"
            assert await wire.at_end() == b""
        assert origin.conversations == []


@pytest.mark.parametrize("at_once", [True, False], ids=["with the head", "behind the head"])
@pytest.mark.parametrize("body", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS.keys())
@on_uvloop
async def test_a_body_whose_chunks_break_is_refused(tmp_path: Path, body: bytes, at_once: bool) -> None:
    """Nobody waits for a body that can never end."""
    async with (
        serve((head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        request = get("/api/a", "Transfer-Encoding: chunked", "Expect: 100-continue", method="POST")
        if at_once:
            await wire.send(request + body)
        else:
            await wire.send(request)
            assert (await wire.reply()).status == 100
            await wire.send(body)
        answer = await wire.reply()
        assert (answer.status, answer.json()["code"]) == (400, "malformed_request")
        assert await wire.at_end() == b""
        assert origin.conversations == []


@on_uvloop
async def test_trailers_do_not_become_fields_of_the_next_request(tmp_path: Path) -> None:
    """In aiohttp 3.14.5 a trailer becomes a field of the next request on its connection; so there is no next."""
    async with (
        serve((head(), send(OK), head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(chunked(b"1\r\na\r\n0\r\nX-Injected: 1\r\n\r\n") + get("/api/next"))
        answer = await wire.reply()
        assert (answer.status, answer.header("Connection")) == (200, b"close")
        assert await wire.at_end() == b""
        assert b"/next" not in origin.conversations[0].received
        assert b"Injected" not in origin.conversations[0].received


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
@on_uvloop
async def test_what_follows_an_upgrade_is_not_lost_in_silence(tmp_path: Path, protocol: str) -> None:
    """An upgrade that is not made ends the connection, and so says that what came behind it was not read."""
    async with (
        serve((head(), send(OK))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a", f"Upgrade: {protocol}", "Connection: Upgrade") + get("/api/next"))
        answer = await wire.reply()
        assert (answer.status, answer.header("Connection")) == (200, b"close")
        assert await wire.at_end() == b""
        assert b"Upgrade" not in origin.conversations[0].received


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"GET /", 414),
        (get("/api/a", f"Content-Length: {10**9}", method="POST"), 413),
        (get("/nowhere", f"Content-Length: {10**9}", method="POST"), 404),
    ],
    ids=["endless target", "body too large", "no route"],
)
@on_uvloop
async def test_a_refusal_is_read_although_the_client_still_sends(tmp_path: Path, begun: bytes, status: int) -> None:
    """The connection is not reset under an answer that is on its way."""
    async with gateway(tmp_path, upstream(1), bounds=BOUNDS) as accord, await connect(accord.port) as wire:
        await wire.send(begun + b"a" * STILL_SENDING_BYTES)
        assert (await wire.reply()).status == status


@on_uvloop
async def test_an_early_answer_is_read_although_the_client_still_sends(tmp_path: Path) -> None:
    """Even where reading was paused, because the upstream did not take the body."""
    early = b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"
    pause = asyncio.Event()
    async with (
        serve((head(), wait(pause), send(early))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        request = get("/api/a", f"Content-Length: {10**9}", method="POST")
        sending = asyncio.create_task(wire.send(request + b"a" * STILL_SENDING_BYTES))
        await origin.conversation(0)
        pause.set()
        await sending
        assert (await wire.reply()).status == 413


@on_uvloop
async def test_a_head_that_grows_without_end_is_refused_before_its_end(tmp_path: Path) -> None:
    """However small its fields and its pieces are."""
    async with gateway(tmp_path, upstream(1), bounds=BOUNDS) as accord, await connect(accord.port) as wire:
        await wire.send(b"GET /api/a HTTP/1.1\r\n")
        for number in range(60):
            await wire.send(b"X-%d: " % number + b"a" * 100 + b"\r\n")
        answer = await wire.reply()
        assert (answer.status, answer.json()["code"]) == (431, "head_too_large")


@on_uvloop
async def test_refusals_are_counted_and_their_log_is_sampled(tmp_path: Path) -> None:
    """A port scan fills the metrics, not the disk; the log bears no trace of aiohttp."""
    async with gateway(tmp_path, upstream(1)) as accord:
        for _ in range(5):
            await accord.ask(b"\x00\r\n\r\n")
            await accord.outcomes.next()
        lines = accord.log()
        assert [line["method"] for line in lines] == ["-"]
        labels = 'fault="client",method="other",outcome="client_error",status="400",upstream="none"'
        assert f"accord_requests_total{{{labels}}} 5.0" in accord.metrics()


@pytest.mark.parametrize(
    "target", ["//evil.test/x", "/@evil.test", "/a%2f..", "/%2F", "/a//b", "/a%3Ab", "/a?", "/%c3%a4"]
)
@on_uvloop
async def test_a_target_goes_upstream_byte_for_byte(tmp_path: Path, target: str) -> None:
    """Or it is refused; it never becomes another one, and never changes the host."""
    async with serve((head(), send(OK))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.get("/api" + target)
        if answer.status == 200:
            assert origin.conversations[0].received.startswith(f"GET {target} HTTP/1.1\r\n".encode())
        else:
            assert answer.json()["code"] == "malformed_request"
