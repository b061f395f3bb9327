"""What a credential of ours changes: who the client is stays here, and what we are does not come back."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser

from gateway.pipeline.methods import FORWARDED
from tests.integration.harness import gateway, get, on_uvloop, upstream
from tests.integration.origin import head, send, serve
from tests.integration.test_answers import GOOD, reply
from tests.integration.wire import connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.origin import Conversation, Step

ENVIRON = {"KEY": "s3cr/et", "TOKEN": "t0kenvalue", "USER": "u", "PASSWORD": "passw0rd"}
QUERY = {"inject": [{"query": "key", "value_env": "KEY"}]}
HEADER = {"inject": [{"header": "X-Token", "value_env": "TOKEN"}]}
BASIC = {"inject": [{"basic": {"user_env": "USER", "password_env": "PASSWORD"}}]}
PAIR = b"dTpwYXNzdzByZA=="


def at_home(make: Callable[[str], bytes]) -> Step:
    """Send what `make` makes of the origin's own address."""

    async def step(conversation: Conversation) -> None:
        port = conversation.writer.get_extra_info("sockname")[1]
        await send(make(f"http://127.0.0.1:{port}"))(conversation)

    return step


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/api/a?key=mine&b=%20+&%6bey=mine", b"GET /a?b=%20+&key=s3cr%2Fet HTTP/1.1"),
        ("/api/a?key=mine", b"GET /a?key=s3cr%2Fet HTTP/1.1"),
        ("/api/a?", b"GET /a?key=s3cr%2Fet HTTP/1.1"),
        ("/api/a", b"GET /a?key=s3cr%2Fet HTTP/1.1"),
    ],
)
@on_uvloop
async def test_our_parameter_is_the_only_one_of_its_name(tmp_path: Path, target: str, sent: bytes) -> None:
    """A server that takes the first would take the client's; the rest of the query goes byte for byte."""
    async with (
        serve((head(), send(reply(200, GOOD)))) as origin,
        gateway(tmp_path, upstream(origin, credentials=QUERY), environ=ENVIRON) as accord,
    ):
        await accord.get(target)
        received = bytes(origin.conversations[0].received)
    assert received.startswith(sent)


@pytest.mark.parametrize("cookies", [False, True])
@on_uvloop
async def test_the_client_is_not_told_apart_upstream(tmp_path: Path, *, cookies: bool) -> None:
    """Its credentials stay here, and no session that was opened for us comes back, unless cookies are mapped."""
    settings: dict[str, Any] = {"credentials": HEADER, "rewrite": {"cookies": cookies}}
    async with (
        serve((head(), send(reply(200, GOOD, b"Set-Cookie: a=1")))) as origin,
        gateway(tmp_path, upstream(origin, **settings), environ=ENVIRON) as accord,
    ):
        answer = await accord.get("/api/a", "Authorization: Bearer mine", "Cookie: b=2")
        received = bytes(origin.conversations[0].received)
    assert b"X-Token: t0kenvalue\r\n" in received
    assert b"Authorization" not in received
    assert (b"Cookie: b=2" in received, answer.header("Set-Cookie")) == (cookies, b"a=1" if cookies else None)


@pytest.mark.parametrize("place", ["Location", "Content-Location", "Link"])
@on_uvloop
async def test_our_parameter_does_not_come_back(tmp_path: Path, place: str) -> None:
    """A server that redirects to its own address repeats the query that it got."""
    said, told = (
        ("</a?key=s3cr%2Fet&b=1>", b"</api/a?b=1>") if place == "Link" else ("/a?key=s3cr%2Fet&b=1", b"/api/a?b=1")
    )
    async with (
        serve((head(), send(reply(302, b"", f"{place}: {said}".encode())))) as origin,
        gateway(tmp_path, upstream(origin, credentials=QUERY), environ=ENVIRON) as accord,
    ):
        answer = await accord.get("/api/a?b=1")
    assert answer.header(place) == told


@on_uvloop
async def test_a_page_link_does_not_tell_our_credential(tmp_path: Path) -> None:
    """Nor does the text beside it."""
    page = {"count": 1, "links": {"next": "@HERE@/a?key=s3cr%2Fet&page=2"}, "currentPage": 1, "totalPages": 2}
    whole: dict[str, Any] = {"status": 200, "success": True, "data": [{"used": "s3cr/et"}], "pagination": page}
    async with (
        serve((head(), at_home(lambda here: reply(200, json.dumps(whole).replace("@HERE@", here).encode())))) as origin,
        gateway(tmp_path, upstream(origin, credentials=QUERY), environ=ENVIRON) as accord,
    ):
        answer = await accord.get("/api/a")
    assert answer.json()["meta"]["pagination"]["next"] == "/api/a?page=2"
    assert answer.json()["data"] == [{"used": "[redacted]"}]


@pytest.mark.parametrize(
    ("credentials", "echo"),
    [(HEADER, b"t0kenvalue"), (BASIC, PAIR), (BASIC, b"passw0rd"), (QUERY, b"s3cr%2fet"), (QUERY, b"s3cr\\/et")],
)
@on_uvloop
async def test_an_error_that_quotes_our_credential(tmp_path: Path, credentials: Any, echo: bytes) -> None:  # noqa: ANN401
    """Neither its text nor its fields tell it."""
    text = b'{"status":422,"success":false,"error":{"code":"%s","message":"Not with %s","fields":{"a":["%s"]}}}'
    error = reply(422, text % (echo, echo, echo), b"X-Debug: got " + echo)
    async with (
        serve((head(), send(error))) as origin,
        gateway(tmp_path, upstream(origin, credentials=credentials), environ=ENVIRON) as accord,
    ):
        answer = await accord.get("/api/a")
    assert answer.json()["detail"] == "Not with [redacted]"
    assert answer.json()["errors"][0]["detail"] == "[redacted]"
    assert answer.json()["upstream"]["code"] == "[redacted]"
    assert answer.header("X-Debug") == b"got [redacted]"


@on_uvloop
async def test_what_is_said_of_our_credential_is_not_told(tmp_path: Path) -> None:
    """A client cannot mend it, and the words may quote it."""
    text = b'{"status":401,"success":false,"error":{"code":"Unauthorized","message":"Bad key of shop 7"}}'
    async with (
        serve((head(), send(reply(401, text)))) as origin,
        gateway(tmp_path, upstream(origin, credentials=HEADER), environ=ENVIRON) as accord,
    ):
        document = (await accord.get("/api/a")).json()
    assert (document["code"], document["upstream"]["message"]) == ("upstream_credentials_rejected", None)
    assert "shop 7" not in json.dumps(document)


@on_uvloop
async def test_a_path_of_the_upstream_stays_a_path(tmp_path: Path) -> None:
    """Two slashes at its beginning would make another host of it."""
    async with serve((head(), send(reply(302, b"", b"Location: /v2//evil.example/")))) as origin:
        settings: dict[str, Any] = {"base_url": f"http://127.0.0.1:{origin.port}/v2", "match": {"prefix": "/"}}
        async with gateway(tmp_path, upstream(origin, **settings)) as accord:
            answer = await accord.get("/a")
    assert answer.header("Location") == b"/.//evil.example/"


@on_uvloop
async def test_an_internal_address_is_not_shown(tmp_path: Path) -> None:
    """A redirect outside of what clients can reach has nowhere to lead."""
    login = at_home(lambda here: reply(302, b"", f"Location: {here}/login".encode()))
    async with serve((head(), login)) as origin:
        settings = {"base_url": f"http://127.0.0.1:{origin.port}/v2"}
        async with gateway(tmp_path, upstream(origin, **settings)) as accord:
            answer = await accord.get("/api/a")
    assert (answer.status, answer.header("Location")) == (302, None)


@on_uvloop
async def test_head_is_not_told_of_a_body_that_get_would_not_give(tmp_path: Path) -> None:
    """The upstream's length, type and tag are those of its envelope; what passes keeps them."""
    envelope = reply(200, b"", b'ETag: "a"').replace(b"Content-Length: 0", b"Content-Length: 77")
    page = reply(200, b"", b'ETag: "b"', kind=b"text/html").replace(b"Content-Length: 0", b"Content-Length: 77")
    async with (
        serve((head(), send(envelope), head(), send(page))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        async with await connect(accord.port) as wire:
            await wire.send(get("/api/a", method="HEAD"))
            unified = await wire.reply(head=True)
            await wire.send(get("/api/b", method="HEAD"))
            passed = await wire.reply(head=True)
        assert len(origin.conversations) == 1
    for name in ("Content-Length", "Content-Type", "ETag", "Accord-Format"):
        assert unified.header(name) is None, name
    assert (passed.header("Content-Length"), passed.header("ETag")) == (b"77", b'"b"')
    assert passed.header("Accord-Format") == b"passed"


@on_uvloop
async def test_reset_content_brings_no_body(tmp_path: Path) -> None:
    """A client that knows 205 would take its bytes for the next answer."""
    async with (
        serve((head(), send(reply(205, b"bytes")), head(), send(reply(200, GOOD)))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        reset = await wire.reply()
        await wire.send(get("/api/a"))
        after = await wire.reply()
    assert (reset.status, reset.body, reset.header("Content-Length")) == (205, b"", b"0")
    assert (reset.header("Content-Type"), after.status) == (None, 200)


@on_uvloop
async def test_methods_that_are_forwarded_are_those_that_the_parser_takes() -> None:
    """An `Allow` that lists others would be a lie: the server refuses them before anybody asks for a way."""
    loop = asyncio.get_running_loop()
    for method in FORWARDED:
        parser = HttpRequestParser(BaseProtocol(loop), loop, 2**16)
        messages, _, _ = parser.feed_data(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert [message.method for message, _ in messages] == [method]
