"""Shadow mode: everything is worked out, counted and logged, and the client gets what came."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harness import gateway, get, on_uvloop, upstream
from tests.integration.origin import head, reset, send, serve, wait
from tests.integration.wire import ask, connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.harness import Running

FAILED = b'{"status": 404,  "success":false,"error":{"code":"error","message":"None is here"}}'
WORKED = b'{"status":200,"success":true,"data":{"id":7}}'
HIDDEN = b'{"ok":false,"error":"missing_scope"}'


def reply(status: int, body: bytes, *fields: str) -> bytes:
    """Return a reply of known length, as bytes."""
    lines = [f"HTTP/1.1 {status} As Told", "Content-Type: application/json", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(status: int, *pieces: bytes) -> bytes:
    """Return a reply in chunks, as bytes."""
    start = b"HTTP/1.1 %d As Told\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" % status
    return start + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def would(line: dict[str, Any]) -> tuple[object, ...]:
    """Return what a line of the log says of the answer that nobody got."""
    return tuple(line[f"would_{name}"] for name in ("status", "outcome", "code", "dialect", "translation"))


async def only_line(accord: Running) -> dict[str, Any]:
    """Return the line of the one request there was, when it is over."""
    await accord.outcomes.next()
    (line,) = (line for line in accord.log() if line["event"] == "request")
    return line


@pytest.mark.parametrize(
    ("dialect", "raw", "body", "expected"),
    [
        ("salla", reply(404, FAILED), FAILED, (404, "upstream_4xx", "not_found", "salla", "problem")),
        ("salla", chunked(404, FAILED[:9], FAILED[9:]), FAILED, (404, "upstream_4xx", "not_found", "salla", "problem")),
        ("salla", reply(200, WORKED), WORKED, (200, "ok", None, "salla", "unified")),
        ("generic", reply(200, HIDDEN), HIDDEN, (403, "upstream_masked", "insufficient_scope", "generic", "problem")),
        ("salla", reply(200, b"[1, 2"), b"[1, 2", (200, "ok", None, None, "passed")),
        ("salla", reply(302, b"{}"), b"{}", (302, "ok", None, None, "passed")),
    ],
    ids=["error", "error in chunks", "success", "hidden error", "broken success", "redirect"],
)
@on_uvloop
async def test_the_client_gets_what_came_and_the_log_says_what_it_would_have_got(
    tmp_path: Path, dialect: str, raw: bytes, body: bytes, expected: tuple[object, ...]
) -> None:
    """Status and body byte for byte, and the outcome is that of a reply that passes."""
    async with (
        serve((head(), send(raw))) as origin,
        gateway(tmp_path, upstream(origin, dialect=dialect, mode="shadow")) as accord,
    ):
        answer = await accord.get("/api/a")
        line = await only_line(accord)
    received = int(raw.split(b" ")[1])
    assert (answer.status, answer.body, answer.header("Accord-Format")) == (received, body, b"passed")
    assert answer.header("Content-Type") == b"application/json"
    assert answer.header("Proxy-Status") is None
    assert (line["status"], line["translation"], line["code"], line["origin"]) == (received, "passed", None, None)
    assert line["outcome"] == ("upstream_4xx" if received == 404 else "ok")
    assert would(line) == expected


@on_uvloop
async def test_an_answer_in_shadow_is_the_answer_of_a_route_that_passes(tmp_path: Path) -> None:
    """Field for field, but for the id of the request."""
    routes = [
        {"name": "shadowed", "match": {"path": "/shadowed"}, "mode": "shadow"},
        {"name": "passed", "match": {"path": "/passed"}, "errors": "pass", "success": "pass"},
    ]
    coded = gzip.compress(FAILED, mtime=0)
    fields = ("Content-Encoding: gzip", 'ETag: "x"', "Retry-After: 9", "Content-MD5: x", "Date: Thu, 01 Jan 1970")
    script = (head(), send(reply(429, coded, *fields)))
    async with (
        serve((*script, *script)) as origin,
        gateway(tmp_path, upstream(origin, routes=routes)) as accord,
    ):
        shadowed, passed = await accord.get("/api/shadowed"), await accord.get("/api/passed")
        assert (await accord.outcomes.next()).would_code == "not_found"
        assert "would_status" not in accord.log()[1]
    assert (shadowed.status, shadowed.body) == (429, coded)
    assert (passed.status, passed.body) == (429, coded)
    assert _fields(shadowed) == _fields(passed)


def _fields(answer: Any) -> list[tuple[bytes, bytes]]:  # noqa: ANN401 - an answer as the wire gives it
    return [field for field in answer.headers if field[0] != b"X-Request-Id"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("HEAD", 404)])
@on_uvloop
async def test_head_gets_the_head_that_came(tmp_path: Path, method: str, status: int) -> None:
    """Also where GET's answer would be unified: in shadow GET gets the reply, which these fields describe."""
    raw = b"HTTP/1.1 %d As Told\r\nContent-Type: application/json\r\nContent-Length: 44\r\n\r\n" % status
    async with serve((head(), send(raw))) as origin, gateway(tmp_path, upstream(origin, mode="shadow")) as accord:
        answer = await accord.ask(get("/api/a", method=method), head=True)
        line = await only_line(accord)
    assert (answer.status, answer.header("Content-Length")) == (status, b"44")
    assert answer.header("Accord-Format") == b"passed"
    assert line["would_translation"] == ("passed" if status == 200 else "problem")


@on_uvloop
async def test_a_205_is_as_bare_as_ever(tmp_path: Path) -> None:
    """It has no body, whatever the upstream sends with it."""
    async with (
        serve((head(), send(reply(205, b"{}")))) as origin,
        gateway(tmp_path, upstream(origin, mode="shadow")) as accord,
    ):
        answer = await accord.get("/api/a")
        line = await only_line(accord)
    assert (answer.status, answer.body) == (205, b"")
    assert would(line) == (205, "ok", None, None, "passed")


@pytest.mark.parametrize("size", [2_000, 200_000])
@pytest.mark.parametrize("raw", [reply, chunked])
@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, (404, "upstream_4xx", "not_found", "salla", "problem")), (200, (200, "ok", None, None, "passed"))],
)
@on_uvloop
async def test_what_is_larger_than_may_be_read_goes_through_whole(
    tmp_path: Path, raw: Callable[[int, bytes], bytes], size: int, status: int, expected: tuple[object, ...]
) -> None:
    """Of an error the beginning counts, as it would; a success would have passed."""
    body = (FAILED if status == 404 else WORKED)[:-1] + b',"more":"' + b"x" * size + b'"}'
    capture = {"error": "1KiB", "success": "1KiB"}
    async with (
        serve((head(), send(raw(status, body)))) as origin,
        gateway(tmp_path, upstream(origin, mode="shadow", capture=capture)) as accord,
    ):
        answer = await accord.get("/api/a")
        line = await only_line(accord)
    assert (answer.status, answer.body) == (status, body)
    assert line["response_bytes"] == len(body)
    assert would(line) == expected


@pytest.mark.parametrize("raw", [reply, chunked])
@on_uvloop
async def test_of_a_large_error_as_much_is_read_as_when_enforced(
    tmp_path: Path, raw: Callable[[int, bytes], bytes]
) -> None:
    """What stands behind the limit would not have counted, and does not."""
    routes = [{"match": {"path": "/enforced"}, "mode": "enforce"}]
    body = b'{"more":"' + b"x" * 2_000 + b'",' + FAILED[1:]
    script = (head(), send(raw(400, body)))
    async with (
        serve((*script, *script)) as origin,
        gateway(tmp_path, upstream(origin, mode="shadow", routes=routes, capture={"error": "1KiB"})) as accord,
    ):
        enforced = (await accord.get("/api/enforced")).json()
        await accord.outcomes.next()
        assert (await accord.get("/api/a")).body == body
        assert (await accord.outcomes.next()).would_code == enforced["code"] == "invalid_request"


@on_uvloop
async def test_a_large_success_would_have_passed_whatever_its_beginning(tmp_path: Path) -> None:
    """No rule is asked, not even one for replies without a body."""
    dialect = {"errors": [{"when": {"status": 200, "kind": "empty"}}]}
    raw = chunked(200, b'{"a":"' + b"x" * 2_000 + b'"}')
    async with (
        serve((head(), send(raw))) as origin,
        gateway(
            tmp_path, upstream(origin, mode="shadow", capture={"success": "1KiB"}) | {"dialect": dialect}
        ) as accord,
    ):
        await accord.get("/api/a")
        assert would(await only_line(accord)) == (200, "ok", None, None, "passed")


@on_uvloop
async def test_nothing_waits_for_a_reply_to_be_read(tmp_path: Path) -> None:
    """The first bytes of a reply that is captured otherwise are with the client while the upstream still writes."""
    more = asyncio.Event()
    raw = reply(400, FAILED)
    async with (
        serve((head(), send(raw[:-10]), wait(more), send(raw[-10:]))) as origin,
        gateway(tmp_path, upstream(origin, mode="shadow")) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        begun = await wire.reader.readuntil(FAILED[:20])
        assert begun.startswith(b"HTTP/1.1 400")
        more.set()
        assert await wire.reader.readexactly(len(FAILED) - 20) == FAILED[20:]
        assert (await accord.outcomes.next()).would_code == "not_found"


@on_uvloop
async def test_an_upstream_that_breaks_off_is_not_counted_as_read(tmp_path: Path) -> None:
    """The answer is cut, as that of any reply that passes, and nobody knows what it would have become."""
    async with (
        serve((head(), send(reply(404, FAILED)[:-10]), reset())) as origin,
        gateway(tmp_path, upstream(origin, mode="shadow")) as accord,
        await connect(accord.port) as wire,
    ):
        await wire.send(get("/api/a"))
        assert FAILED[:20] in await wire.at_end()
        line = await only_line(accord)
    assert (line["outcome"], line["code"]) == ("cut", "upstream_protocol_error")
    assert "would_status" not in line


@on_uvloop
async def test_failures_of_our_own_answer_as_ever(tmp_path: Path) -> None:
    """No route, no upstream, a limit: the client gets problem documents, and no line says what would have been."""
    limits = [{"name": "one", "requests": 1, "per": "1h"}]
    async with gateway(tmp_path, upstream(1, mode="shadow", limits=limits)) as accord:
        assert (await accord.get("/api/a")).json()["code"] == "upstream_unreachable"
        assert (await accord.get("/api/a")).json()["code"] == "upstream_unreachable"
        assert (await accord.get("/nowhere")).json()["code"] == "route_not_found"
        assert not any("would_status" in line for line in accord.log())


@on_uvloop
async def test_the_metrics_count_what_would_have_been(tmp_path: Path) -> None:
    """By words of ours alone; and no error is counted as told to a client."""
    script = (head(), send(reply(404, FAILED)), head(), send(reply(200, WORKED)))
    async with serve(script) as origin, gateway(tmp_path, upstream(origin, mode="shadow")) as accord:
        for _ in range(2):
            await accord.get("/api/a")
        samples = accord.metrics()
    name = "accord_shadow_replies_total"
    assert f'{name}{{code="not_found",outcome="upstream_4xx",result="problem",upstream="api"}} 1.0' in samples
    assert f'{name}{{code="none",outcome="ok",result="unified",upstream="api"}} 1.0' in samples
    assert 'accord_translations_total{dialect="none",result="passed",upstream="api"} 2.0' in samples
    assert "accord_errors_total{" not in samples


@on_uvloop
async def test_the_status_page_says_who_is_in_shadow(tmp_path: Path) -> None:
    """Each upstream's mode, and those of its routes that say otherwise."""
    routes = [
        {"name": "tried", "match": {"path": "/tried"}, "mode": "enforce"},
        {"name": "same", "match": {"path": "/same"}, "mode": "shadow"},
        {"name": "silent", "match": {"path": "/silent"}},
    ]
    async with gateway(tmp_path, upstream(1, mode="shadow", routes=routes), upstream(1, "second")) as accord:
        page = (await ask(accord.application.admin_port, get("/status"))).json()
    modes = {one["name"]: (one["mode"], one["route_modes"]) for one in page["upstreams"]}
    assert modes == {"api": ("shadow", {"tried": "enforce"}), "second": ("enforce", {})}


@on_uvloop
async def test_the_log_of_shadow_mode_holds_no_word_of_the_upstream(tmp_path: Path) -> None:
    """Nor our credential, which a reply that passes may quote to the client."""
    quoted = json.dumps({"status": 404, "success": False, "error": {"code": "s3cret-key", "message": "s3cret-key"}})
    credentials = {"inject": [{"header": "X-Token", "value_env": "TOKEN"}]}
    async with (
        serve((head(), send(reply(404, quoted.encode(), "X-Echo: s3cret-key")))) as origin,
        gateway(
            tmp_path, upstream(origin, mode="shadow", credentials=credentials), environ={"TOKEN": "s3cret-key"}
        ) as accord,
    ):
        answer = await accord.get("/api/a")
        await only_line(accord)
        assert b"s3cret" not in accord.lines.data
        assert "s3cret" not in accord.metrics()
    assert answer.body == quoted.encode()
    assert answer.header("X-Echo") == b"[redacted]"
