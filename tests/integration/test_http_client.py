"""The standard library's client as an oracle: what it reads of the gateway is what the origin said."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harness import gateway, on_uvloop, upstream
from tests.integration.origin import Conversation, Step, body, half_close, head, send, serve
from tests.integration.talks import LARGE, chunks
from tests.integration.wire import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
SENT = b"what the client sent"
FIELDS = ((b"X-A", b"1"), (b"Set-Cookie", b"a=1"), (b"x-a", b"2, 3"), (b"Set-Cookie", b"b=2"), (b"X-Odd", b"caf\xe9"))
UNTOUCHED: dict[str, Any] = {"routes": [{"match": {"path": "/**"}, "success": "pass", "errors": "pass"}]}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A reply: `framing` is `length`, `chunked` or `close`; `before` comes ahead, `trailers` behind its chunks."""

    status: int = 200
    framing: str = "length"
    body: bytes = b"hello"
    before: bytes = b""
    trailers: bytes = b""

    @property
    def bodiless(self) -> bool:
        """Whether its status says that it has no body."""
        return self.status in {204, 304}

    def written(self, method: str) -> bytes:
        """Return its bytes, in answer to `method`."""
        lines = [b"HTTP/1.1 %d Whatever" % self.status, *(b": ".join(field) for field in FIELDS), *self._frame()]
        whole = method != "HEAD" and not self.bodiless
        return self.before + b"\r\n".join(lines) + b"\r\n\r\n" + (self._content() if whole else b"")

    def _frame(self) -> list[bytes]:
        lines = {"length": [b"Content-Length: %d" % len(self.body)], "chunked": [b"Transfer-Encoding: chunked"]}
        return lines.get(self.framing, [])

    def _content(self) -> bytes:
        return chunks(self.body, 3000) + b"0\r\n" + self.trailers + b"\r\n" if self.framing == "chunked" else self.body


KINDS = {
    "length": Kind(),
    "no content": Kind(body=b""),
    "large": Kind(body=LARGE),
    "chunked": Kind(framing="chunked"),
    "chunked, large": Kind(framing="chunked", body=LARGE),
    "chunked, nothing": Kind(framing="chunked", body=b""),
    "chunked with trailers": Kind(framing="chunked", trailers=b"X-Sum: 1\r\n"),
    "close-delimited": Kind(framing="close"),
    "close-delimited, large": Kind(framing="close", body=LARGE),
    "behind interim replies": Kind(before=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nLink: </a>\r\n\r\n"),
    "201": Kind(status=201),
    "204": Kind(status=204, framing="none", body=b""),
    "206": Kind(status=206),
    "302": Kind(status=302),
    "304": Kind(status=304),
    "404": Kind(status=404),
    "422 in chunks": Kind(status=422, framing="chunked"),
    "500": Kind(status=500, framing="close"),
    "599": Kind(status=599),
}


class Old(HTTPConnection):
    """A client that speaks HTTP/1.0."""

    _http_vsn = 10
    _http_vsn_str = "HTTP/1.0"


CLIENTS: dict[str, type[HTTPConnection]] = {"HTTP/1.1": HTTPConnection, "HTTP/1.0": Old}


@dataclass(frozen=True)
class Read:
    """What a client read: what the origin said, in its order, and the body."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes


def read(connection: HTTPConnection, method: str) -> Read:
    """Send a request, and read its answer to the end."""
    connection.request(method, "/api/a", body=SENT if method in WITH_BODY else None)
    with connection.getresponse() as response:
        names = {name.lower().decode() for name, _ in FIELDS}
        fields = tuple((name, value) for name, value in response.getheaders() if name.lower() in names)
        return Read(response.status, fields, response.read())


def answered(kind: Kind, method: str) -> tuple[Step, ...]:
    """Take one request, and give a reply of this kind."""
    taken = (head(), body(len(SENT))) if method in WITH_BODY else (head(),)
    end = (half_close(),) if kind.framing == "close" and not kind.bodiless and method != "HEAD" else ()
    return (*taken, send(kind.written(method)), *end)


@pytest.mark.parametrize("version", CLIENTS)
@pytest.mark.parametrize("name", KINDS)
@on_uvloop
async def test_the_standard_client_reads_what_the_origin_said(tmp_path: Path, name: str, version: str) -> None:
    """Every kind of reply, to every method, in both versions: the same status, fields and body, one after the other."""
    kind = KINDS[name]
    fields = tuple((name.decode(), value.decode("latin-1")) for name, value in FIELDS)
    for method in METHODS:
        async with (
            serve(answered(kind, method) * 2, answered(kind, method)) as origin,
            gateway(tmp_path, upstream(origin, **UNTOUCHED)) as accord,
        ):
            connection = CLIENTS[version]("127.0.0.1", accord.port, timeout=PATIENCE_S)
            content = b"" if kind.bodiless or method == "HEAD" else kind.body
            for _ in range(2):
                assert await asyncio.to_thread(read, connection, method) == Read(kind.status, fields, content), method
                assert (connection.sock is not None) == (version == "HTTP/1.1"), "whether the connection stays"
            connection.close()


def cut_short() -> Step:
    """Give less than was promised, and end."""

    async def step(conversation: Conversation) -> None:
        await head()(conversation)
        chunked = b"/chunked" in conversation.received
        framing = b"Transfer-Encoding: chunked\r\n\r\n9\r\n" if chunked else b"Content-Length: 9\r\n\r\n"
        await send(b"HTTP/1.1 200 OK\r\n" + framing + b"hello")(conversation)
        await half_close()(conversation)

    return step


@pytest.mark.parametrize("version", CLIENTS)
@pytest.mark.parametrize("target", ["/api/length", "/api/chunked"])
@on_uvloop
async def test_the_standard_client_sees_that_an_answer_is_not_whole(tmp_path: Path, target: str, version: str) -> None:
    """It raises, and takes no part for the whole: in HTTP/1.0, too, where a connection's end can be a body's."""

    def ask(port: int) -> None:
        connection = CLIENTS[version]("127.0.0.1", port, timeout=PATIENCE_S)
        try:
            connection.request("GET", target)
            connection.getresponse().read()
        finally:
            connection.close()

    async with serve((cut_short(),)) as origin, gateway(tmp_path, upstream(origin)) as accord:
        with pytest.raises((HTTPException, ConnectionError)):
            await asyncio.to_thread(ask, accord.port)
