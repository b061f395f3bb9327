"""A connection whose requests repeat their fields, and then do not: what was remembered of one never serves another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.harness import gateway, get, on_uvloop, upstream
from tests.integration.origin import head, send, serve
from tests.integration.wire import connect

if TYPE_CHECKING:
    from pathlib import Path

OK = send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
REQUESTS = (
    get("/api/a", "Authorization: Bearer one"),
    get("/api/a", "Authorization: Bearer one"),
    get("/api/b", "Authorization: Bearer one"),
    get("/api/a", "Authorization: Bearer two"),
    get("/api/a"),
    get("/second/a", "Authorization: Bearer one"),
    get("/api/a", "Authorization: Bearer one", "X-Forwarded-For: 203.0.113.9"),
)


def said(received: bytes) -> tuple[bytes, frozenset[bytes]]:
    """Return a request's line and its fields, less the id, which must differ."""
    line, *fields = received.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    return line, frozenset(field for field in fields if not field.startswith(b"X-Request-Id: "))


@on_uvloop
async def test_each_request_goes_upstream_as_it_does_alone(tmp_path: Path) -> None:
    """On one connection, whatever came before it, and on a connection of its own."""
    script = (head(), OK) * (2 * len(REQUESTS))
    async with (
        serve(script) as origin,
        gateway(tmp_path, upstream(origin), upstream(origin, name="second")) as accord,
    ):
        async with await connect(accord.port) as wire:
            for request in REQUESTS:
                await wire.send(request)
                assert (await wire.reply()).status == 200
        for request in REQUESTS:
            async with await connect(accord.port) as alone:
                await alone.send(request)
                assert (await alone.reply()).status == 200
    seen = [bytes(conversation.received).split(b"\r\n\r\n")[:-1] for conversation in origin.conversations]
    for heads in seen:
        together, alone_ = heads[: len(heads) // 2], heads[len(heads) // 2 :]
        assert [said(text) for text in together] == [said(text) for text in alone_]
    everything = [text for heads in seen for text in heads]
    ids = {line for text in everything for line in text.split(b"\r\n") if line.startswith(b"X-Request-Id: ")}
    assert len(ids) == len(everything) == 2 * len(REQUESTS)
    assert sum(b"Authorization: Bearer two" in text for text in everything) == 2
