"""Whole requests through a real gateway: what goes upstream, what comes back, and on which connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness import gateway, get, on_uvloop, post, upstream
from tests.integration.origin import body, close, head, last_chunk, send, serve
from tests.integration.wire import PATIENCE_S, ask, connect

if TYPE_CHECKING:
    from pathlib import Path

BAD = b'{"status":422,"success":false,"error":{"code":"error","message":"alert.invalid_fields","fields":{"a":["b"]}}}'
GOOD = b'{"status":200,"success":true,"data":{"big":12345678901234567890,"a":[1.50]}}'


def reply(status: int, body: bytes, *fields: bytes, kind: bytes = b"application/json") -> bytes:
    """Return a reply of an origin, as bytes."""
    lines = [b"HTTP/1.1 %d Whatever" % status, b"Content-Type: " + kind, b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join([*lines, b"", body])


@on_uvloop
async def test_an_upstream_error_becomes_a_problem_document(tmp_path: Path) -> None:
    """Whatever the dialect, a client reads one format."""
    async with serve((head(), send(reply(422, BAD)))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.get("/api/customers")
        assert answer.status == 422
        assert answer.header("Content-Type") == b"application/problem+json"
        assert answer.header("Cache-Control") == b"no-store"
        assert answer.header("Proxy-Status") == b"accord; received-status=422"
        assert answer.header("Via") == b"1.1 accord"
        assert answer.header("Server") is None
        document = answer.json()
        assert document["code"] == "validation_failed"
        assert document["request_id"].encode() == answer.header("X-Request-Id")
        assert [error["field"] for error in document["errors"]] == ["a"]


@on_uvloop
async def test_a_success_is_taken_out_of_its_envelope_byte_for_byte(tmp_path: Path) -> None:
    """Numbers of any size and spelling survive."""
    async with serve((head(), send(reply(200, GOOD)))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.get("/api/orders")
        assert answer.status == 200
        assert answer.header("Accord-Format") == b"unified"
        assert answer.body.startswith(b'{"data":{"big":12345678901234567890,"a":[1.50]},"meta":{')


@on_uvloop
async def test_what_is_not_json_passes_as_it_came(tmp_path: Path) -> None:
    """Header values go out as the bytes that they came as, repeats and order too."""
    fields = (b"Set-Cookie: a=1", b"X-Odd: caf\xe9 \xd8\xa7", b"Set-Cookie: b=2")
    page = reply(200, b"<p>hello", *fields, kind=b"text/html")
    async with serve((head(), send(page))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.get("/api/page")
        assert answer.body == b"<p>hello"
        assert answer.header("Accord-Format") == b"passed"
        assert answer.all("Set-Cookie") == [b"a=1", b"b=2"]
        assert answer.header("X-Odd") == b"caf\xe9 \xd8\xa7"


@on_uvloop
async def test_what_goes_upstream_is_written_anew(tmp_path: Path) -> None:
    """One Host, one framing, the target byte for byte, no field of one connection."""
    async with serve((head(), send(reply(200, GOOD)))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        target = "/api/a%2Fb//c%3a?q=%20&x=/?&"
        await accord.get(target, "Connection: close, X-Private", "X-Private: 1", "X-Kept: 2", "Keep-Alive: 5")
        received = bytes(origin.conversations[0].received)
    lines = received.split(b"\r\n")
    assert lines[0] == b"GET /a%2Fb//c%3a?q=%20&x=/?& HTTP/1.1"
    assert [line for line in lines if line.startswith(b"Host:")] == [b"Host: 127.0.0.1:%d" % origin.port]
    assert b"X-Kept: 2" in lines
    assert not any(line.lower().startswith((b"x-private", b"connection", b"keep-alive")) for line in lines)
    assert b"Via: 1.1 accord" in lines


@on_uvloop
async def test_a_request_id_is_minted_and_the_clients_own_is_logged(tmp_path: Path) -> None:
    """The same id stands in the answer, in the log, and in the request that goes upstream."""
    async with serve((head(), send(reply(200, GOOD)))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.get("/api/a", "X-Request-Id: mine")
        minted = answer.header("X-Request-Id")
        assert minted is not None
        assert b"X-Request-Id: " + minted in origin.conversations[0].received
        (line,) = accord.log()
    assert line["request_id"] == minted.decode()
    assert line["client_request_id"] == "mine"
    assert minted[14:15] == b"7"


@on_uvloop
async def test_requests_follow_each_other_on_one_connection(tmp_path: Path) -> None:
    """Keep-alive, and pipelining in order."""
    script = (head(), send(reply(200, GOOD)), head(), send(reply(422, BAD)), head(), send(reply(200, GOOD)))
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/1"))
        assert (await wire.reply()).status == 200
        await wire.send(get("/api/2") + get("/nowhere") + get("/api/3"))
        assert [(await wire.reply()).status for _ in range(3)] == [422, 404, 200]


@on_uvloop
async def test_head_has_the_head_and_no_body(tmp_path: Path) -> None:
    """What follows a HEAD's answer on the connection is the next answer."""
    script = (head(), send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"))
    missing = (head(), send(b"HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\n"))
    async with (
        serve((*script, *missing)) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a", method="HEAD"))
        answer = await wire.reply(head=True)
        assert (answer.status, answer.header("Content-Length")) == (200, b"5")
        await wire.send(get("/api/b", method="HEAD"))
        answer = await wire.reply(head=True)
        assert (answer.status, answer.header("Content-Type")) == (404, b"application/problem+json")
        await wire.send(get("/-/health"))
        assert (await wire.reply()).json() == {"status": "ok"}


@on_uvloop
async def test_an_old_client_gets_no_chunks(tmp_path: Path) -> None:
    """To HTTP/1.0 the end of a body of unknown length is the end of the connection (RFC 9112 section 6.3)."""
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    async with serve((head(), send(chunked))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.ask(b"GET /api/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (answer.body, answer.closed, answer.header("Connection")) == (b"abc", True, b"close")
        answer = await accord.ask(b"GET /-/health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert answer.header("Connection") == b"keep-alive"
        answer = await accord.ask(b"GET /-/health HTTP/1.0\r\n\r\n")
        assert answer.header("Connection") == b"close"


@on_uvloop
async def test_an_old_client_sees_that_an_answer_was_cut(tmp_path: Path) -> None:
    """By a reset: the end of the connection alone would make the part look like the whole."""
    begun = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\npart"
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n"
    for reply in (begun, chunked):
        async with serve((head(), send(reply), close())) as origin, gateway(tmp_path, upstream(origin)) as accord:
            async with await connect(accord.port) as wire:
                await wire.send(b"GET /api/a HTTP/1.0\r\nHost: gateway.test\r\n\r\n")
                with pytest.raises(ConnectionResetError):
                    async with asyncio.timeout(PATIENCE_S):
                        await wire.reader.read()
            assert (await accord.outcomes.next()).outcome == "cut"


@pytest.mark.parametrize("method", ["CONNECT", "TRACE"])
@on_uvloop
async def test_a_method_that_is_not_served_is_told_which_are(tmp_path: Path, method: str) -> None:
    """RFC 9110 section 15.5.6 wants `Allow` on every 405."""
    async with gateway(tmp_path, upstream(1)) as accord:
        answer = await accord.ask(get("gateway.test:443" if method == "CONNECT" else "/api/a", method=method))
        assert answer.status == 405
        assert b"GET" in (answer.header("Allow") or b"")
        assert answer.header("Proxy-Status") == b"accord; error=http_request_denied"


@on_uvloop
async def test_our_own_pages_are_only_read(tmp_path: Path) -> None:
    """On either port."""
    async with gateway(tmp_path, upstream(1)) as accord:
        answer = await accord.ask(post("/-/health", b""))
        assert (answer.status, answer.header("Allow")) == (405, b"GET, HEAD")
        assert answer.header("Proxy-Status") == b"accord; error=http_request_denied"
        answer = await ask(accord.application.admin_port, post("/metrics", b""))
        assert (answer.status, answer.header("Allow")) == (405, b"GET, HEAD")


@pytest.mark.parametrize(
    ("status", "phrase"), [(413, "Content Too Large"), (414, "URI Too Long"), (422, "Unprocessable Content")]
)
@on_uvloop
async def test_phrases_are_those_of_the_standard(tmp_path: Path, status: int, phrase: str) -> None:
    """RFC 9110 section 15, whatever Python calls them."""
    reply = b"HTTP/1.1 %d Old\r\nContent-Length: 0\r\n\r\n" % status
    async with (
        serve((head(), send(reply))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        assert await wire.reader.readline() == f"HTTP/1.1 {status} {phrase}\r\n".encode()


@on_uvloop
async def test_a_reply_of_unknown_length_goes_on_in_chunks(tmp_path: Path) -> None:
    """Whatever chunks it came in."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    async with serve((head(), send(chunked))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.get("/api/a")
    assert (answer.body, answer.header("Transfer-Encoding")) == (b"abcde", b"chunked")


@on_uvloop
async def test_a_small_chunked_body_goes_upstream_with_its_length(tmp_path: Path) -> None:
    """It is all here before the upstream is asked, so its length is known."""
    async with (
        serve((head(), body(3), send(reply(200, GOOD)))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        request = get("/api/a", "Transfer-Encoding: chunked", method="POST") + b"3\r\nxyz\r\n0\r\n\r\n"
        assert (await accord.ask(request)).status == 200
        assert origin.conversations[0].received.endswith(b"Content-Length: 3\r\n\r\nxyz")


@on_uvloop
async def test_a_large_chunked_body_goes_upstream_in_chunks(tmp_path: Path) -> None:
    """What is more than the gateway holds streams through."""
    async with (
        serve((head(), last_chunk(), send(reply(200, GOOD)))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        chunks = b"".join(b"%x\r\n%s\r\n" % (10_000, b"x" * 10_000) for _ in range(30))
        request = get("/api/a", "Transfer-Encoding: chunked", method="POST") + chunks + b"0\r\n\r\n"
        assert (await accord.ask(request)).status == 200
        received = bytes(origin.conversations[0].received)
    assert b"Transfer-Encoding: chunked" in received
    assert received.count(b"x") == 300_000


@on_uvloop
async def test_statuses_without_content_have_none(tmp_path: Path) -> None:
    """204 and 304, whatever their headers say (RFC 9110 section 6.4.1)."""
    script = (
        head(),
        send(b"HTTP/1.1 204 No Content\r\n\r\n"),
        head(),
        send(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 5\r\n\r\n'),
    )
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a") + get("/api/b") + get("/-/health"))
        empty, same, health = [await wire.reply() for _ in range(3)]
    assert (empty.status, empty.header("Content-Length")) == (204, None)
    assert (same.status, same.header("ETag")) == (304, b'"a"')
    assert health.status == 200


@on_uvloop
async def test_an_upload_arrives_as_it_was_sent(tmp_path: Path) -> None:
    """A compressed body is not inflated on the way."""
    script = (head(), body(8), send(reply(200, GOOD)))
    async with serve(script) as origin, gateway(tmp_path, upstream(origin)) as accord:
        await accord.ask(post("/api/a", b"\x1f\x8b\x08\x00abcd", "Content-Encoding: gzip"))
        received = bytes(origin.conversations[0].received)
    assert received.endswith(b"\r\n\r\n\x1f\x8b\x08\x00abcd")
    assert b"Content-Encoding: gzip" in received


@on_uvloop
async def test_options_of_the_server_is_answered_here(tmp_path: Path) -> None:
    """`OPTIONS *` asks about the server as a whole; TRACE and CONNECT are not for clients."""
    async with gateway(tmp_path, upstream(1)) as accord:
        about = await accord.ask(get("*", method="OPTIONS"))
        assert (about.status, about.header("Content-Length")) == (204, None)
        assert b"GET" in (about.header("Allow") or b"")
        assert (await accord.ask(get("/api/a", method="TRACE"))).json()["code"] == "method_not_allowed"
        answer = await accord.ask(get("api.test:443", method="CONNECT"))
        assert (answer.status, answer.json()["code"]) == (405, "method_not_allowed")
