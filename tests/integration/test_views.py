"""One problem in the view and the language that its client wants, over real sockets."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from tests.integration.harness import gateway, get, on_uvloop, post, upstream
from tests.integration.origin import head, send, serve
from tests.integration.test_answers import reply
from tests.integration.wire import connect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.wire import Reply

REFUSED = (
    b'{"status": 422, "success": false, "error": {"code": "error", "message": "alert.invalid_fields",'
    b' "fields": {"mobile": ["a number is needed"]}}}'
)
GONE = b'{"status": 404, "success": false, "error": {"code": 404, "message": "No such order"}}'
DONE = b'{"status": 200, "success": true, "data": {"id": 7}}'
XML = "{urn:ietf:rfc:7807}"
BOTH = b"Accept, Accept-Language"
KEY = "shop-key"
SHOP = {"name": "shop", "api_key_sha256": [sha256(KEY.encode()).hexdigest()]}
TYPES = {
    "problem-json": b"application/problem+json",
    "problem-xml": b"application/problem+xml",
    "json-api": b"application/vnd.api+json",
    "text": b"text/plain; charset=utf-8",
}


def shown(answer: Reply) -> tuple[int, bytes | None, bytes | None]:
    """Return what says which view an answer is in, and why."""
    return answer.status, answer.header("Content-Type"), answer.header("Vary")


@pytest.mark.parametrize(
    ("accept", "view"),
    [
        ([], "problem-json"),
        (["*/*"], "problem-json"),
        (["image/png"], "problem-json"),
        (["application/problem+xml;q=0.5, text/plain;q=0.7"], "text"),
        (["application/problem+xml;q=0.5", "application/*;q=0.4"], "problem-xml"),
        (["text/*;q=0.3, application/vnd.api+json;q=0.2, application/xml;q=0.4"], "problem-xml"),
        (["application/vnd.api+json, */*;q=0.1"], "json-api"),
        (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], "problem-json"),
    ],
)
@on_uvloop
async def test_accept_chooses(tmp_path: Path, accept: list[str], view: str) -> None:
    """By weight, over several lines, with wildcards; whatever cannot be had is problem+json."""
    async with (
        serve((head(), send(reply(422, REFUSED)))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        answer = await accord.get("/api", *[f"Accept: {line}" for line in accept])
        assert shown(answer) == (422, TYPES[view], BOTH)
        assert b"a number is needed" in answer.body
        assert answer.header("Cache-Control") == b"no-store"


@on_uvloop
async def test_views_say_the_same(tmp_path: Path) -> None:
    """The same code, the same field, the same request id, in each shape; on one connection, in any order."""
    async with (
        serve(tuple([head(), send(reply(422, REFUSED))] * 6)) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as client,
    ):
        for _ in range(2):
            await client.send(get("/api", "Accept: application/problem+xml"))
            answer = await client.reply()
            root = ET.fromstring(answer.body)  # noqa: S314 - our own answer
            assert (root.findtext(f"{XML}code"), root.findtext(f"{XML}errors/{XML}i/{XML}field")) == (
                "validation_failed",
                "mobile",
            )
            assert root.findtext(f"{XML}request_id", "").encode() == answer.header("X-Request-Id")
            await client.send(get("/api", "Accept: application/vnd.api+json"))
            document = (await client.reply()).json()
            assert document["errors"][0]["source"] == {"parameter": "mobile"}
            assert document["errors"][0]["code"] == "validation_failed"
            await client.send(get("/api", "Accept: text/plain"))
            text = (await client.reply()).body.decode()
            assert text.startswith("422 validation_failed: ")
            assert "\n  mobile (query, other): a number is needed\n" in text


@on_uvloop
async def test_failures_of_our_own(tmp_path: Path) -> None:
    """No route, no upstream, a limit, a body that is too large, a page of ours: all in the view that is asked for."""
    limits = [{"name": "one", "key": "ip", "requests": 1, "per": "1h"}]
    bounds = {"body": "1KiB"}
    wanted = "Accept: text/plain"
    async with (
        serve((head(), send(reply(200, DONE)))) as origin,
        gateway(tmp_path, upstream(1, "dead"), upstream(origin, "tight", limits=limits), bounds=bounds) as accord,
    ):
        assert (await accord.get("/tight")).status == 200
        for request, line in (
            (get("/nowhere", wanted), b"404 route_not_found: "),
            (get("/dead", wanted), b"503 upstream_unreachable: "),
            (get("/tight", wanted), b"429 rate_limited: "),
            (post("/dead", b"x" * 2000, wanted), b"413 body_too_large: "),
            (get("/-/nothing", wanted), b"404 route_not_found: "),
            (get("/-/health", wanted, method="POST"), b"405 method_not_allowed: "),
            (get("/dead", wanted, "Expect: more"), b"417 expectation_failed: "),
            (get("/dead", wanted, method="TRACE"), b"405 method_not_allowed: "),
        ):
            answer = await accord.ask(request)
            assert answer.body.startswith(line)
            assert answer.header("Content-Type") == TYPES["text"]
            assert answer.header("Vary") == BOTH


@on_uvloop
async def test_what_is_no_request_has_no_wishes(tmp_path: Path) -> None:
    """What could not even be parsed is answered with problem+json."""
    async with gateway(tmp_path, upstream(1)) as accord:
        answer = await accord.ask(b"GET / HTTP/1.1\r\nAccept: text/plain\r\n\x00\r\n\r\n")
        assert shown(answer) == (400, TYPES["problem-json"], BOTH)
        for request in (
            get("/" + "a" * 9000, "Accept: text/plain"),
            get("/", "Accept: text/plain", "A: " + "a" * 70_000),
        ):
            answer = await accord.ask(request)
            assert shown(answer) == (answer.status, TYPES["problem-json"], BOTH)
            assert answer.status in (414, 431)


@on_uvloop
async def test_head_has_the_fields_of_get(tmp_path: Path) -> None:
    """An answer to HEAD has the type and the length that GET's would have, and no body."""
    async with (
        serve(tuple([head(), send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")] * 2)) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        fields = ("Accept: application/xml", "Accept-Language: ar")
        answer = await accord.ask(get("/api", *fields, method="HEAD"), head=True)
        assert shown(answer) == (404, TYPES["problem-xml"], BOTH)
        assert answer.header("Content-Language") == b"ar"
        whole = await accord.get("/api", *fields)
        assert answer.header("Content-Length") == whole.header("Content-Length") == b"%d" % len(whole.body)


@on_uvloop
async def test_the_configuration_goes_before_accept(tmp_path: Path) -> None:
    """Client before route before upstream, and what none of them says is for `Accept`."""
    routes = [{"match": {"path": "/routed"}, "view": "type-code-param"}]
    settings = upstream(1, "a", view="text", routes=routes)
    clients = [SHOP | {"view": "salla"}]
    async with gateway(tmp_path, settings, upstream(1, "b"), clients=clients) as accord:

        async def code(target: str, *fields: str) -> Any:  # noqa: ANN401 - JSON
            answer = await accord.get(target, "Accept: application/problem+xml", *fields)
            assert answer.header("Vary") == b"Accept-Language"
            assert answer.status in (404, 503)
            return answer.body if answer.header("Content-Type") == TYPES["text"] else answer.json()

        own = f"X-Api-Key: {KEY}"
        assert (await code("/a/routed", own))["error"]["code"] == "upstream_unreachable"
        assert (await code("/a/routed"))["code"] == "upstream_unreachable"
        assert (await code("/a/x")).startswith(b"503 upstream_unreachable")
        assert (await code("/b", own))["success"] is False
        assert (await code("/nowhere", own))["error"]["code"] == "route_not_found"
        answer = await accord.get("/b", "Accept: application/problem+xml", "X-Api-Key: other")
        assert shown(answer) == (503, TYPES["problem-xml"], BOTH)


@on_uvloop
async def test_a_dialect_of_ones_own_is_a_view(tmp_path: Path) -> None:
    """What one upstream's file says of writing, another's clients may get; the status is the problem's own."""
    own = {"write": {"content_type": "application/x.own+json", "body": {"why": "$detail", "n": "$status"}}}
    async with (
        serve((head(), send(reply(404, GONE)))) as origin,
        gateway(tmp_path, upstream(origin, view="parts"), upstream(1, "parts") | {"dialect": own}) as accord,
    ):
        answer = await accord.get("/api")
        assert shown(answer) == (404, b"application/x.own+json", b"Accept-Language")
        assert answer.json() == {"why": "No such order", "n": 404}


@on_uvloop
async def test_successes_stay_what_they_are(tmp_path: Path) -> None:
    """A unified success is JSON, whatever was asked for; no view is told of it."""
    async with (
        serve((head(), send(reply(200, DONE)))) as origin,
        gateway(tmp_path, upstream(origin, view="text")) as accord,
    ):
        answer = await accord.get("/api", "Accept: application/problem+xml")
        assert shown(answer) == (200, b"application/json", None)
        assert answer.json()["data"] == {"id": 7}


@on_uvloop
async def test_our_views_are_not_asked_of_the_upstream(tmp_path: Path) -> None:
    """What only we can give is taken out of `Accept`; languages go on byte for byte."""
    async with (
        serve(tuple([head(), send(reply(404, GONE))] * 3)) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
        await connect(accord.port) as client,
    ):
        for accept in ("application/problem+xml;q=0.9, text/plain", "application/vnd.api+json", "application/json"):
            await client.send(get("/api", f"Accept: {accept}", "Accept-Language: ar-SA;q=0.9,  en"))
            await client.reply()
        asked = bytes(origin.conversations[0].received).split(b"\r\n")
    assert [line for line in asked if line.startswith(b"Accept:")] == [
        b"Accept: text/plain",
        b"Accept: */*",
        b"Accept: application/json",
    ]
    assert asked.count(b"Accept-Language: ar-SA;q=0.9,  en") == 3


@pytest.mark.parametrize(
    ("wanted", "language"),
    [([], "en"), (["fr, ar-SA;q=0.8, en;q=0.7"], "ar"), (["fr"], "en"), (["en;q=0.1", "ar;q=0.2"], "ar")],
)
@on_uvloop
async def test_our_sentence_is_in_the_clients_language(tmp_path: Path, wanted: list[str], language: str) -> None:
    """Where the upstream's message is of no use, and for failures of our own; `title` stays English."""
    sentences = {"en": "One or more fields", "ar": "رُفض حقل واحد"}
    async with (
        serve((head(), send(reply(422, REFUSED)))) as origin,
        gateway(tmp_path, upstream(origin), upstream(1, "dead")) as accord,
    ):
        fields = [f"Accept-Language: {line}" for line in wanted]
        answer = await accord.get("/api", *fields)
        document = answer.json()
        assert document["detail"].startswith(sentences[language])
        assert document["title"] == "The request has invalid fields"
        assert document["errors"][0]["detail"] == "a number is needed"
        assert answer.header("Content-Language") == language.encode()
        assert (await accord.get("/dead", *fields)).header("Content-Language") == language.encode()


@pytest.mark.parametrize(("said", "told"), [(b"", None), (b"Content-Language: fr-CA\r\n", b"fr-CA")])
@on_uvloop
async def test_the_upstreams_words_are_in_its_language(tmp_path: Path, said: bytes, told: bytes | None) -> None:
    """We do not know which, unless it says so; what the client would have liked is not what it gets."""
    raw = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n" % (
        said,
        len(GONE),
    )
    async with (
        serve((head(), send(raw + GONE))) as origin,
        gateway(tmp_path, upstream(origin)) as accord,
    ):
        answer = await accord.get("/api", "Accept-Language: ar")
        assert answer.json()["detail"] == "No such order"
        assert answer.header("Content-Language") == told


@on_uvloop
async def test_why_a_head_is_refused_is_told_in_english(tmp_path: Path) -> None:
    """The reasons of our own checks are for engineers."""
    async with gateway(tmp_path, upstream(1)) as accord:
        answer = await accord.get("/api", "Accept-Language: ar", "Content-Length: x")
        assert (answer.status, answer.header("Content-Language")) == (400, b"en")


@on_uvloop
async def test_pages_negotiate_by_the_same_rules(tmp_path: Path) -> None:
    """The page of a problem is HTML for whoever wants that most, in his language."""
    async with gateway(tmp_path, upstream(1)) as accord:
        page = await accord.get("/-/problems/gone", "Accept: text/html", "Accept-Language: fr, ar-SA;q=0.5")
        assert 'lang="ar"' in page.body.decode()
        assert page.header("Vary") == BOTH
        data = await accord.get("/-/problems/gone", "Accept: text/html;q=0.5, */*")
        assert data.header("Content-Type") == b"application/json"
