"""The demo APIs over real sockets: every row of their tables, and what is no row."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from gateway.demo import salla, servers, status_message_body, type_code_param
from gateway.demo.rows import PAUSE_LIMIT_S, SOON_S, Asked, DemoApi, Row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW_S = 1_767_225_600.5
APIS = (salla.API, status_message_body.API, type_code_param.API)
EVERY_ROW = [
    pytest.param(api, row, id=f"{api.dialect}:{number}:{row.method}:{row.path}:{row.status}")
    for api in APIS
    for number, row in enumerate(api.rows)
]
DOCUMENTED = {
    "salla": {200, 201, 202, 204, 400, 401, 403, 404, 405, 406, 410, 422, 429, 500, 503},
    "status-message-body": {200, 201, 204, 400, 401, 402, 404, 406, 412, 422, 429, 500, 503},
    "type-code-param": {200, 201, 202, 204, 400, 401, 403, 404, 409, 429, 500, 502, 503, 504},
}


class Answer(NamedTuple):
    """What came back; `whole` is false where the body ended before its promised length."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    whole: bool


class Demo:
    """The demo APIs while they run, with the pauses that they would have made."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.urls: dict[str, str] = {}

    async def pause(self, seconds: float) -> None:
        """Note the pause and make none."""
        self.pauses.append(seconds)

    async def ask(
        self, dialect: str, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Send one request to the API of `dialect` on a connection of its own."""
        return await asyncio.to_thread(exchange, self.urls[dialect], method, target, headers or {}, body)


def exchange(url: str, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
    """Send one request with a client that shares nothing with the servers."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, target, body=body or None, headers=headers)
        reply = connection.getresponse()
        try:
            content, whole = reply.read(), True
        except http.client.IncompleteRead as cut:
            content, whole = cut.partial, False
        return Answer(reply.status, reply.headers, content, whole)
    finally:
        connection.close()


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    """The three demo APIs at a fixed time, without their pauses."""
    running = Demo()
    upstreams = await servers.start(pause=running.pause, wall_clock=lambda: NOW_S)
    running.urls.update(upstreams.urls)
    yield running
    await upstreams.stop()


def sample(api: DemoApi, row: Row) -> tuple[str, str, dict[str, str]]:
    """Return the method, the target and the headers of a request that `row` answers."""
    method = "GET" if row.method == "*" else row.method
    headers = dict(api.usual_headers + row.sample_headers)  # the row's own come last and win
    return method, row.path, {name.decode(): value.decode() for name, value in headers.items()}


@pytest.mark.parametrize(("api", "row"), EVERY_ROW)
async def test_every_row_is_answered(demo: Demo, api: DemoApi, row: Row) -> None:
    """Each row's sample request gets that row: status, header fields, body, and a cut where it says so."""
    method, target, headers = sample(api, row)
    answer = await demo.ask(api.dialect, method, target, headers, row.sample_body)
    assert answer.status == row.status
    for name, value in row.headers_at(NOW_S):
        assert answer.headers[name.decode()] == value.decode()
    assert answer.body == row.body_for(Asked(method=method, body=row.sample_body), demo.urls[api.dialect])
    assert answer.whole is not bool(row.missing_bytes)
    assert demo.pauses == [row.pause_s] * bool(row.pause_s)


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.dialect)
def test_every_documented_status_has_its_path(api: DemoApi) -> None:
    """`/status/N` answers N, for every status in the API's own documentation and for no other."""
    paths = {row.path: row.status for row in api.rows if row.path.startswith("/status/")}
    assert paths == {f"/status/{status}": status for status in DOCUMENTED[api.dialect]}


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.dialect)
async def test_root_lists_the_paths(demo: Demo, api: DemoApi) -> None:
    """`/` tells what there is to try, without any header."""
    answer = await demo.ask(api.dialect, "GET", "/")
    listed = json.loads(answer.body)[api.dialect]
    assert [(entry["path"], entry["status"]) for entry in listed] == [(row.path, row.status) for row in api.rows]
    assert all(entry["about"].endswith(".") for entry in listed)


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.dialect)
async def test_unknown_path(demo: Demo, api: DemoApi) -> None:
    """A path that no row has is 404 in the API's dialect."""
    answer = await demo.ask(api.dialect, "GET", "/no/such/path", {"Accept": "application/json"})
    assert (answer.status, answer.body) == (404, api.not_found.body)


async def test_wrong_method(demo: Demo) -> None:
    """A path that rows have under other methods is 405 where the API documents it, else 404."""
    assert (await demo.ask("salla", "PATCH", "/products")).status == 405
    assert (await demo.ask("type-code-param", "PATCH", "/products")).status == 404


async def test_head_is_answered_like_get_without_a_body(demo: Demo) -> None:
    """HEAD gives the status and the length of GET."""
    head = await demo.ask("salla", "HEAD", "/products/missing")
    get = await demo.ask("salla", "GET", "/products/missing")
    assert (head.status, head.body, head.headers["Content-Length"]) == (404, b"", str(len(get.body)))


async def test_any_method_gets_a_status(demo: Demo) -> None:
    """The paths that are there for their status take every method, with or without a body."""
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await demo.ask("salla", method, "/status/422", body=b"{}")).status == 422


async def _json(demo: Demo, dialect: str, method: str, target: str, sent: object = None) -> dict[str, Any]:
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    body = b"" if sent is None else json.dumps(sent).encode()
    document = json.loads((await demo.ask(dialect, method, target, headers, body)).body)
    assert isinstance(document, dict)
    return document


async def test_page_links_are_under_the_apis_own_address(demo: Demo) -> None:
    """Pagination links are absolute and lead from page to page; a list without other pages has an empty list."""
    base = demo.urls["salla"]
    first, middle, last = [
        (await _json(demo, "salla", "GET", f"/orders?page={page}"))["pagination"]["links"] for page in (1, 2, 3)
    ]
    assert first == {"next": f"{base}/orders?page=2"}
    assert middle == {"previous": f"{base}/orders?page=1", "next": f"{base}/orders?page=3"}
    assert last == {"previous": f"{base}/orders?page=2"}
    assert (await _json(demo, "salla", "GET", "/brands"))["pagination"]["links"] == []


async def test_rate_headers_tell_a_time_to_come(demo: Demo) -> None:
    """The reset is in epoch seconds by the API's own clock."""
    answer = await demo.ask("salla", "GET", "/status/429")
    assert answer.headers["X-RateLimit-Reset"] == str(int(NOW_S) + SOON_S)


@pytest.mark.parametrize(
    ("customer", "fields"),
    [
        ({}, {"first_name", "mobile"}),
        ("not an object", {"first_name", "mobile"}),
        ({"first_name": "Omar", "mobile": "+966500000001"}, {"mobile"}),
        ({"first_name": "Omar", "mobile": "1", "email": "x"}, {"email"}),
        ({"first_name": "Omar", "mobile": "1", "address": {}}, {"address.city"}),
    ],
)
async def test_customer_with_refused_fields(demo: Demo, customer: object, fields: set[str]) -> None:
    """Each field that is wrong is refused by its dotted name with a list of texts."""
    document = await _json(demo, "salla", "POST", "/customers", customer)
    assert document["status"] == 422
    assert set(document["error"]["fields"]) == fields


async def test_customer_that_is_accepted(demo: Demo) -> None:
    """What was sent comes back with an id."""
    document = await _json(demo, "salla", "POST", "/customers", {"first_name": "Omar", "mobile": "1"})
    assert document["data"] == {"id": 5001, "first_name": "Omar", "mobile": "1"}


@pytest.mark.parametrize(
    ("plan", "fields"),
    [
        ({"name": "a", "colour": "red"}, {"1": "colour"}),
        ({"colour": "red", "shape": "round", "name": "a"}, ["colour", "shape"]),
        ({"price": "1"}, {"0": "name", "2": "interval"}),
        ({"interval": "day"}, ["name", "price"]),
    ],
)
async def test_positions_are_written_as_php_writes_them(
    demo: Demo, plan: dict[str, str], fields: dict[str, str] | list[str]
) -> None:
    """Fields come by position: a list where the positions have no gap from 0 on, else an object."""
    document = await _json(demo, "status-message-body", "POST", "/plans", plan)
    assert document["status"] == "400"
    assert document["body"]["fields"] == fields


@pytest.mark.parametrize("accept", [None, "*/*", "text/html", "application/problem+json"])
async def test_accept_must_say_json(demo: Demo, accept: str | None) -> None:
    """Any path is 406 unless Accept names application/json."""
    answer = await demo.ask("status-message-body", "GET", "/plans", {"Accept": accept} if accept else {})
    assert answer.status == 406


async def test_wrapped_errors_are_lists_of_one(demo: Demo) -> None:
    """The same error comes bare and in a one-element list."""
    headers = {"Accept": "application/json"}
    bare = await demo.ask("status-message-body", "GET", "/status/400", headers)
    wrapped = await demo.ask("status-message-body", "GET", "/wrapped/400", headers)
    assert json.loads(wrapped.body) == [json.loads(bare.body)]


@pytest.mark.parametrize(
    ("target", "pause_s"),
    [("/slow?s=2", 2.0), ("/slow?s=0", None), ("/slow?s=99999", PAUSE_LIMIT_S), ("/slow?s=soon", 5.0)],
)
async def test_pause_can_be_chosen(demo: Demo, target: str, pause_s: float | None) -> None:
    """`/slow` waits for as many seconds as the query says, within a bound."""
    assert (await demo.ask("salla", "GET", target)).status == 200
    assert demo.pauses == ([] if pause_s is None else [pause_s])


async def test_client_that_leaves_ends_its_pause() -> None:
    """Nobody goes on waiting for a client that is gone."""
    waiting, left = asyncio.Event(), asyncio.Event()

    async def pause(_: float) -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    upstreams = await servers.start(pause=pause)
    _, writer = await asyncio.open_connection("127.0.0.1", int(upstreams.urls["salla"].rpartition(":")[2]))
    writer.write(b"GET /slow HTTP/1.1\r\nHost: demo\r\n\r\n")
    await waiting.wait()
    writer.close()
    await writer.wait_closed()
    await left.wait()
    await upstreams.stop()


async def test_stop_frees_the_ports() -> None:
    """Nothing listens once `stop` has returned."""
    upstreams = await servers.start()
    await upstreams.stop()
    for url in upstreams.urls.values():
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(exchange, url, "GET", "/", {}, b"")
