"""What a reply of the largest size costs, whatever is in it: in calls, on which no machine has a say."""

from __future__ import annotations

from typing import Final

import pytest

from gateway.config import presets
from gateway.model import Problem, Reply
from gateway.pipeline.examples import answer, plan_for
from tests.property.calls import counted

SIZE: Final = 256 * 2**10
"""Bytes of an error that are read."""
LARGE: Final = 8 * 2**20
"""Bytes of a success that are read."""
DIALECTS: Final = ("auto", "generic", "problem-json", "graphql", "soap", "html-pages", "google-rpc", "shopify")
JSON, XML, HTML, TEXT = b"application/json", b"text/xml", b"text/html", b"text/plain"


def _filled(unit: bytes, size: int) -> bytes:
    return unit * (size // len(unit))


def _listed(item: bytes, size: int) -> bytes:
    return b"[" + _filled(item + b",", size)[:-1] + b"]"


def _object(value: bytes, size: int) -> bytes:
    return b"{" + b",".join(b'"k%06d":%b' % (number, value) for number in range(size // (11 + len(value)))) + b"}"


ITEMS: Final = {
    "objects": b"{}",
    "lists": b"[]",
    "texts": b'""',
    "markup": b'"<b>"',
    "entities": b'"&amp;"',
    "traces": b'"at a.b(c:1)              "',
    "messages": b'{"message":""}',
    "fields": b'{"field":"","message":"<i>"}',
}


def _json_bodies(size: int) -> dict[str, bytes]:
    found = {}
    for member in (b"errors", b"error", b"message", b"detail", b"violations"):
        for name, item in ITEMS.items():
            found[f"{member.decode()}: {name}"] = b'{"%b":%b}' % (member, _listed(item, size))
        for name, value in {"nulls": b"null", "lists": b"[]", "objects": b"{}", "deep": b"[[{}]]"}.items():
            found[f"{member.decode()} of {name}"] = b'{"%b":%b}' % (member, _object(value, size))
        found[f"{member.decode()}: placeholders"] = b'{"%b":"%b","params":["%b"]}' % (
            *(member, _filled(b"{0}%1", size - 600)),
            b"x" * 500,
        )
        found[f"{member.decode()}: NaN"] = b'{"%b":[NaN,%b]}' % (member, _filled(b"{},", size)[:-1])
    return found


def _other_bodies(size: int) -> dict[str, tuple[bytes, bytes]]:
    return {
        "a list of objects": (JSON, _listed(b"{}", size)),
        "a list of texts": (JSON, _listed(b'"a"', size)),
        "members": (JSON, _object(b'"a"', size)),
        "cut off": (JSON, b'{"errors":[' + _filled(b'{"a":"b"},', size)),
        "cut off in a text": (JSON, b'{"message":"' + _filled(b"\\ud83d", size)),
        "open and open": (JSON, _filled(b'[{"a":[', size)),
        "behind junk": (JSON, b"Warning: " + _filled(b'{"a ', size)),
        "behind tags": (HTML, b"<br>" + _filled(b'>{"a":[', size)),
        "elements": (XML, b"<Error>" + _filled(b"<Message/>", size)),
        "deep elements": (XML, _filled(b"<a>", size)),
        "attributes": (XML, b"<a " + b" ".join(b'a%d=""' % number for number in range(size // 10)) + b"/>"),
        "XML entities": (XML, b"<a>" + _filled(b"&lt;", size) + b"</a>"),
        "instructions": (XML, _filled(b"<?a?>", size) + b"<a/>"),
        "comments": (XML, _filled(b"<!---->", size) + b"<a/>"),
        "deep markup": (HTML, b"<html>" + _filled(b"<b>", size)),
        "tables": (HTML, b"<html>" + _filled(b"<table><tr><td>", size)),
        "words": (TEXT, _filled(b"at a.b(", size)),
        "brackets": (TEXT, _filled(b"\n{ \n[ ", size)),
        "a form": (b"application/x-www-form-urlencoded", _filled(b"a=b&", size)),
    }


ERRORS: Final = {name: (JSON, body) for name, body in _json_bodies(SIZE).items()} | _other_bodies(SIZE)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_error_of_the_largest_size_costs_a_bounded_number_of_calls(dialect: str) -> None:
    """However the 256 KiB are filled: no more than a few calls for each of the values that can stand in them."""
    plan = plan_for(presets.preset(dialect), "shop")
    costs = {}
    for name, (kind, body) in ERRORS.items():
        reply = Reply(status=422, headers=((b"Content-Type", kind),), body=body)
        result, costs[name] = counted(lambda reply=reply: answer(reply, plan)[0])  # type: ignore[misc]
        assert isinstance(result, Problem)
    assert {name: cost for name, cost in costs.items() if cost > 2 * SIZE} == {}


@pytest.mark.parametrize("name", [*_other_bodies(0)])
def test_a_success_of_the_largest_size_costs_a_bounded_number_of_calls(name: str) -> None:
    """Of 8 MiB that are perhaps an error, no more is looked at than of an error."""
    kind, body = _other_bodies(LARGE)[name]
    reply = Reply(status=200, headers=((b"Content-Type", kind),), body=body)
    _, calls = counted(lambda: answer(reply, plan_for(presets.preset("auto"), "shop"))[0])
    assert calls < 2 * SIZE
