"""Captured replies are read in every form in which people have them."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from gateway.pipeline.captures import MOST_BYTES, Capture, CaptureError, captures_in

RAW = b'HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nX-Odd\r\n\r\n{"no": 1}\r\n'


def _one(file: str, data: bytes) -> Capture:
    (found,) = captures_in(file, data)
    return found


@pytest.mark.parametrize(
    ("file", "status"),
    [("409.json", 409), ("422-create-order.json", 422), ("c/order_404.json", 404), ("2024-503-down.html", 503)],
)
def test_status_is_in_the_name(file: str, status: int) -> None:
    """A body alone has its status in the file's name."""
    assert _one(file, b'{"message": "x"}').reply.status == status


def test_content_type_is_that_of_the_ending() -> None:
    """The ending of a name says what the body is; an empty body is nothing."""
    assert _one("503.html", b"<html>").reply.header(b"content-type") == b"text/html"
    assert _one("404.bin", b"x").reply.headers == ()
    assert _one("204.json", b"").reply.headers == ()


def test_no_status_is_told() -> None:
    """A body without a status anywhere is refused, with what to do."""
    with pytest.raises(CaptureError, match=r"422-order\.json"):
        captures_in("order.json", b"{}")


@pytest.mark.parametrize(
    ("file", "failed"),
    [("200-error.json", True), ("200-ok.json", False), ("200-order.json", None), ("404-ok.json", None)],
)
def test_a_name_says_what_the_reply_was(file: str, failed: bool | None) -> None:
    """A name under 2xx with `error` in it is of an error, one with `ok` is of none; otherwise the body decides."""
    assert _one(file, b"{}").failed is failed


def test_raw_reply() -> None:
    """What `curl -si` prints is a whole reply; a line that is no field is passed over."""
    found = _one("stock.http", RAW)
    assert (found.name, found.reply.status, found.reply.body) == ("stock", 409, b'{"no": 1}')
    assert found.reply.headers == ((b"Content-Type", b"application/json"),)


def test_several_raw_replies() -> None:
    """One file may hold several; interim ones, and a proxy's word that it connected, are no replies."""
    data = b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + RAW + b"HTTP/2 204\n\n"
    assert [(one.name, one.reply.status) for one in captures_in("a.txt", data)] == [("a 1", 409), ("a 2", 204)]


def test_interim_replies_alone() -> None:
    """A file without a final reply is refused."""
    with pytest.raises(CaptureError, match="interim"):
        captures_in("a.http", b"HTTP/1.1 100 Continue\r\n\r\n")


def test_content_coding_is_undone() -> None:
    """A body still in its coding is decoded; one that curl decoded already stays, and no framing is kept."""
    head = b"HTTP/1.1 400 Bad\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n"
    assert _one("a.http", head + gzip.compress(b"{}")).reply.body == b"{}"
    plain = _one("a.http", head + b"{}").reply
    assert (plain.body, plain.headers) == (b"{}", ())


def test_lines() -> None:
    """A reply a line, as `accord try --jsonl` takes them; empty lines do not count."""
    lines = b'{"id": "a", "status": 404, "headers": {"X-A": "1"}, "body": "no"}\n\n{"status": 500, "json": {"x": 1}}\n'
    first, second = captures_in("r.jsonl", lines)
    assert (first.name, first.reply.body, first.reply.headers) == ("a", b"no", ((b"X-A", b"1"),))
    assert (second.name, second.reply.body) == ("r line 3", b'{"x":1}')


def test_lines_are_known_without_their_ending() -> None:
    """Lines of replies are known by what they are, and so is one alone."""
    assert len(captures_in("kept", b'{"status": 404, "body": "a"}\n{"status": 500}')) == 2
    assert _one("kept.json", b'{"status": 404, "body": "a"}').reply.status == 404


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"status": 404}\n{"a"', "line 2 is not JSON"),
        (b"[1]", "line 1 is no reply"),
        (b'{"status": 99}', "no HTTP status"),
    ],
)
def test_wrong_lines(data: bytes, reason: str) -> None:
    """A line that is no reply is told by its number."""
    with pytest.raises(CaptureError, match=reason):
        captures_in("r.jsonl", data)


def test_a_body_with_a_status_in_it_is_a_body() -> None:
    """An error's own `status` makes it no line of replies."""
    assert _one("422.json", b'{"status": 404, "message": "x"}').reply.status == 422
    assert _one("422.json", b'{"status": 404}').reply.status == 422
    assert _one("422.json", b'{"status": "404", "body": "a"}').reply.status == 422


def _har(*responses: object) -> bytes:
    asked = {"method": "GET", "url": "https://api.example/v1/orders/7?key=secret"}
    return json.dumps({"log": {"entries": [{"request": asked, "response": one} for one in responses]}}).encode()


def test_har() -> None:
    """What a browser recorded: the names are the request's, without its query; bodies may be in base64."""
    coded = {"text": base64.b64encode(b"{}").decode(), "encoding": "base64"}
    broken = {"text": "a", "encoding": "base64"}
    data = _har(
        {"status": 404, "headers": [{"name": "X-A", "value": "1"}, "odd"], "content": {"text": "no"}},
        {"status": 500, "content": coded},
        {"status": 500, "content": broken},
        {"status": 0},
        "odd",
    )
    first, second, third = captures_in("s.har", data)
    assert (first.name, first.reply.body) == ("404 GET /v1/orders/7", b"no")
    assert (first.url, first.reply.headers) == ("https://api.example/v1/orders/7?key=secret", ((b"X-A", b"1"),))
    assert (second.reply.body, third.reply.body) == (b"{}", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"{", "not JSON"), (b'{"log": {}}', "without a reply"), (b'{"log": {"entries": ["odd"]}}', "without a reply")],
)
def test_wrong_har(data: bytes, reason: str) -> None:
    """A HAR file that is none is refused."""
    with pytest.raises(CaptureError, match=reason):
        captures_in("s.har", data)


def test_size_is_bounded() -> None:
    """A file that is larger than the bound is refused."""
    with pytest.raises(CaptureError, match="larger"):
        captures_in("404.json", b" " * (MOST_BYTES + 1))
