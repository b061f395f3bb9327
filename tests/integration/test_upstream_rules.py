"""What an upstream's own settings do: credentials, routes that pass, capture limits, addresses in replies."""

from __future__ import annotations

import gzip
import sys
from typing import TYPE_CHECKING

import brotli
import pytest

from tests.integration.harness import gateway, on_uvloop, upstream
from tests.integration.origin import head, send, serve
from tests.integration.test_answers import BAD, GOOD, reply

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.origin import Conversation, Step

UNKNOWN = b'{"status":401,"success":false,"error":{"code":"Unauthorized","message":"Who goes there"}}'
CHALLENGE = b'WWW-Authenticate: Bearer realm="api"'
LEFT = b"X-RateLimit-Remaining: 7"


@on_uvloop
async def test_the_clients_own_credential_and_its_challenge_pass(tmp_path: Path) -> None:
    """It is between the client and the upstream; what is left of its quota, too."""
    async with (
        serve((head(), send(reply(401, UNKNOWN, CHALLENGE, LEFT)))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        answer = await accord.get("/api/a", "Authorization: Bearer mine")
        assert b"Authorization: Bearer mine" in origin.conversations[0].received
    assert answer.status == 401
    assert answer.header("WWW-Authenticate") == b'Bearer realm="api"'
    assert answer.header("X-RateLimit-Remaining") == b"7"


@on_uvloop
async def test_our_credential_is_nobody_elses_business(tmp_path: Path) -> None:
    """It replaces the client's; its challenge and its quota do not reach the client, nor does its rejection."""
    environ = {"USER": "u", "PASSWORD": "p"}
    credentials = {"inject": [{"basic": {"user_env": "USER", "password_env": "PASSWORD"}}]}
    async with (
        serve((head(), send(reply(401, UNKNOWN, CHALLENGE, LEFT)))) as origin,
        gateway(tmp_path, upstream(origin, credentials=credentials), environ=environ) as accord,
    ):
        answer = await accord.get("/api/a", "Authorization: Bearer mine")
        received = bytes(origin.conversations[0].received)
    assert b"mine" not in received
    assert b"Authorization: Basic dTpw" in received
    assert (answer.status, answer.json()["code"]) == (502, "upstream_credentials_rejected")
    assert answer.header("WWW-Authenticate") is None
    assert answer.header("X-RateLimit-Remaining") is None


@on_uvloop
async def test_a_route_that_passes_is_not_touched(tmp_path: Path) -> None:
    """Neither its successes nor its errors; failures of our own are still ours."""
    routes = [{"match": {"path": "/raw/**"}, "success": "pass", "errors": "pass"}]
    script = (head(), send(reply(422, BAD)), head(), send(reply(200, GOOD)), head(), send(b"nonsense\r\n\r\n"))
    async with serve(script) as origin, gateway(tmp_path, upstream(origin, routes=routes)) as accord:
        bad, good, broken = [await accord.get("/api/raw/a") for _ in range(3)]
        outcomes = [await accord.outcomes.next() for _ in range(3)]
    assert (bad.status, bad.body, bad.header("Accord-Format")) == (422, BAD, b"passed")
    assert (good.status, good.body, good.header("Accord-Format")) == (200, GOOD, b"passed")
    assert broken.json()["code"] == "upstream_protocol_error"
    assert [outcome.outcome for outcome in outcomes] == ["upstream_4xx", "ok", "transport"]


@pytest.mark.parametrize("known", [True, False], ids=["by its length", "by counting"])
@on_uvloop
async def test_a_success_over_the_capture_limit_streams_through_untouched(tmp_path: Path, known: bool) -> None:
    """Whole, byte for byte, in its own envelope."""
    data = b'{"status":200,"success":true,"data":"' + b"x" * 100_000 + b'"}'
    whole = reply(200, data)
    if not known:
        start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        pieces = [data[at : at + 10_000] for at in range(0, len(data), 10_000)]
        whole = start + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    settings = upstream(0, capture={"success": "64KiB"})
    async with (
        serve((head(), send(whole))) as origin,
        gateway(tmp_path, settings | {"base_url": f"http://127.0.0.1:{origin.port}"}) as accord,
    ):
        answer = await accord.get("/api/a")
    assert answer.body == data
    assert answer.header("Accord-Format") == b"passed"
    assert answer.header("Content-Length") == (b"%d" % len(data) if known else None)


@on_uvloop
async def test_an_error_over_the_capture_limit_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """It becomes a problem all the same, and the rest of it is never shown."""
    async with (
        serve((head(), send(reply(500, b"<html>" + b"x" * 300_000)))) as origin,
        gateway(tmp_path, upstream(origin, capture={"error": "64KiB"})) as accord,
    ):
        answer = await accord.get("/api/a")
        again = await accord.get("/api/a")
    assert (answer.status, answer.json()["code"]) == (500, "upstream_error")
    assert len(answer.body) < 2000
    assert again.status == 500


@on_uvloop
async def test_a_compressed_reply_is_read_and_written_plain(tmp_path: Path) -> None:
    """Only codings that we can undo are asked for; what passes keeps its own."""
    packed = reply(200, gzip.compress(GOOD), b"Content-Encoding: gzip", b'ETag: "a"')
    image = reply(200, gzip.compress(b"pixels"), b"Content-Encoding: gzip", b'ETag: "b"', kind=b"image/x")
    async with (
        serve((head(), send(packed), head(), send(image))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        read = await accord.get("/api/a", "Accept-Encoding: compress, gzip")
        passed = await accord.get("/api/b", "Accept-Encoding: compress, gzip")
        received = bytes(origin.conversations[0].received)
    assert read.json()["data"]["a"] == [1.5]
    assert (read.header("Content-Encoding"), read.header("ETag")) == (None, None)
    assert gzip.decompress(passed.body) == b"pixels"
    assert (passed.header("Content-Encoding"), passed.header("ETag")) == (b"gzip", b'"b"')
    assert b"Accept-Encoding: gzip\r\n" in received


@pytest.mark.parametrize(("coding", "pack"), [(b"br", brotli.compress), (b"zstd", zstd.compress)], ids=["br", "zstd"])
@on_uvloop
async def test_what_clients_accept_is_asked_for_and_undone(
    tmp_path: Path, coding: bytes, pack: Callable[[bytes], bytes]
) -> None:
    """With the client's weights; an error that the upstream breaks off inside its coding is read as far as it came."""
    text = (
        b'{"status":400,"success":false,"error":{"code":"error","message":"Not so"},"a":"' + bytes(range(35, 91)) * 99
    )
    bad = reply(400, pack(text), b"Content-Encoding: " + coding)
    good = reply(200, pack(GOOD), b"Content-Encoding: " + coding)
    async with (
        serve((head(), send(bad), head(), send(good))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        problem = await accord.get("/api/a", "Accept-Encoding: zstd;q=0.5, compress, br")
        read = await accord.get("/api/a", "Accept-Encoding: zstd;q=0.5, compress, br")
        received = bytes(origin.conversations[0].received)
    assert problem.json()["detail"] == "Not so"
    assert problem.json()["upstream"]["truncated"] is True
    assert read.json()["data"]["a"] == [1.5]
    assert read.header("Content-Encoding") is None
    assert b"Accept-Encoding: zstd;q=0.5, br\r\n" in received


HIDDEN = {
    "errors": [{"when": {"status": 200, "kind": "xml", "body": {"has": "Error.Code"}}, "code": "Error.Code"}],
    "codes": {"Busy": "service_unavailable"},
}


@on_uvloop
async def test_an_error_in_xml_under_200_is_found(tmp_path: Path) -> None:
    """Where a rule looks for one; what is none goes through byte for byte, as does all that is larger than an error."""
    list_ = b"<List>" + b"<Key>a</Key>" * 100 + b"</List>"
    file = b"<List>" + b"<Key>a</Key>" * 10_000 + b"</List>"
    answers = [
        reply(200, b"<?xml version='1.0'?><Error><Code>Busy</Code></Error>", kind=b"application/xml"),
        reply(200, list_, kind=b"application/xml"),
        reply(200, file, kind=b"application/xml"),
        reply(200, b"<Error><Code>Busy</Code></Error>", kind=b"text/html"),
    ]
    script = [step for answer in answers for step in (head(), send(answer))]
    async with (
        serve(tuple(script)) as origin,
        gateway(tmp_path, upstream(origin, capture={"error": "64KiB"}) | {"dialect": HIDDEN}) as accord,
    ):
        found, small, large, page = [await accord.get("/api/a") for _ in answers]
    assert (found.status, found.json()["code"]) == (503, "service_unavailable")
    assert (found.json()["upstream"]["status"], found.json()["upstream"]["code"]) == (200, "Busy")
    assert (small.status, small.body, small.header("Accord-Format")) == (200, list_, b"passed")
    assert (large.status, large.body) == (200, file)
    assert (page.status, page.body) == (200, b"<Error><Code>Busy</Code></Error>")


def redirect_to(location: str) -> Step:
    """Send a redirect; `@HERE@` in its address is the origin's own."""

    async def step(conversation: Conversation) -> None:
        here = "http://127.0.0.1:{}".format(conversation.writer.get_extra_info("sockname")[1])
        field = b"Location: " + location.replace("@HERE@", here).encode()
        await send(reply(302, b"", field))(conversation)

    return step


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("@HERE@/orders/7?a=b", b"https://gateway.test/api/orders/7?a=b"),
        ("/orders/7", b"https://gateway.test/api/orders/7"),
        ("https://elsewhere.test/orders/7", b"https://elsewhere.test/orders/7"),
    ],
)
@on_uvloop
async def test_addresses_of_the_upstream_become_ours(tmp_path: Path, said: str, told: bytes) -> None:
    """In `Location`; an address elsewhere stays."""
    async with (
        serve((head(), redirect_to(said))) as origin,
        gateway(tmp_path, upstream(origin), public_url="https://gateway.test") as accord,
    ):
        answer = await accord.get("/api/a")
    assert (answer.status, answer.header("Location")) == (302, told)


@on_uvloop
async def test_static_fields_are_set_and_removed(tmp_path: Path) -> None:
    """On every request to the upstream."""
    request = {"headers": {"set": {"X-Api-Version": "3"}, "remove": ["X-Internal"]}, "host": "api.test"}
    async with (
        serve((head(), send(reply(200, GOOD)))) as origin,
        gateway(tmp_path, upstream(origin, request=request)) as accord,
    ):
        await accord.get("/api/a", "X-Internal: 1", "X-Api-Version: 1")
        received = bytes(origin.conversations[0].received)
    assert b"X-Api-Version: 3\r\n" in received
    assert b"X-Api-Version: 1" not in received
    assert b"X-Internal" not in received
    assert b"Host: api.test\r\n" in received


@on_uvloop
async def test_the_longest_prefix_wins_and_the_prefix_is_whole_segments(tmp_path: Path) -> None:
    """`/api/v2` before `/api`; `/apis` is neither's."""
    async with (
        serve((head(), send(reply(200, b"old", kind=b"text/plain")))) as old,
        serve((head(), send(reply(200, b"new", kind=b"text/plain")))) as new,
    ):
        newer = upstream(new, name="newer", match={"prefix": "/api/v2", "strip": False})
        async with gateway(tmp_path, upstream(old), newer) as accord:
            assert (await accord.get("/api/v2/a")).body == b"new"
            assert (await accord.get("/api/v1/a")).body == b"old"
            assert (await accord.get("/apis")).status == 404
        assert new.conversations[0].received.startswith(b"GET /api/v2/a ")
        assert old.conversations[0].received.startswith(b"GET /v1/a ")


@on_uvloop
async def test_an_error_under_200_is_told_as_what_it_is(tmp_path: Path) -> None:
    """`success: false` under HTTP 200 reaches the client as a failure, and the log as one that was masked."""
    masked = b'{"status":404,"success":false,"error":{"code":"error","message":"Gone fishing"}}'
    async with serve((head(), send(reply(200, masked)))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.get("/api/a")
        outcome = await accord.outcomes.next()
    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    assert answer.header("Proxy-Status") == b"accord; received-status=200"
    assert (outcome.outcome, outcome.status, outcome.upstream_status) == ("upstream_masked", 404, 200)
