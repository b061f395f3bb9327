"""The forms of a target in a request line."""

from __future__ import annotations

import pytest

from gateway.headers import Refusal
from gateway.pipeline.targets import Target, read_target


@pytest.mark.parametrize(
    "raw", [b"/", b"/salla?x=1", b"//evil/x", b"/a%2Fb?", b"/%zz", b"/\xd9\x85", b"/@evil", b"/http://a.example/"]
)
def test_origin_form(raw: bytes) -> None:
    """A path and query are kept as they came, whatever is in them."""
    assert read_target("GET", raw) == Target(path=raw)


@pytest.mark.parametrize(
    ("raw", "authority", "origin"),
    [
        (b"http://gateway.example/salla?x", b"gateway.example", b"/salla?x"),
        (b"HTTPS://Gateway.example:8443", b"Gateway.example:8443", b"/"),
        (b"http://gateway.example?x=/y", b"gateway.example", b"/?x=/y"),
        (b"http://[2001:db8::1]:80/x", b"[2001:db8::1]:80", b"/x"),
    ],
)
def test_absolute_form(raw: bytes, authority: bytes, origin: bytes) -> None:
    """An address is taken apart; its path always begins with a slash."""
    assert read_target("GET", raw) == Target(path=origin, authority=authority)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"salla",
        b"*",
        b"?x=1",
        b"gateway.example:443",
        b"ftp://gateway.example/",
        b"http:///x",
        b"http://user@gateway.example/",
        b"http://a,b/",
        b"/a b",
        b"/a\tb",
        b"/a\x00b",
        b"/a\r\nX: y",
        b"/a\x7f",
        b"/a#fragment",
    ],
)
def test_malformed(raw: bytes) -> None:
    """Whatever fits no form, or holds what no target may hold, is refused."""
    refusal = read_target("GET", raw)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "malformed_request"


def test_asterisk() -> None:
    """`*` is a target for OPTIONS alone."""
    assert read_target("OPTIONS", b"*") == Target(path=b"*")
    assert isinstance(read_target("GET", b"*"), Refusal)


def test_connect() -> None:
    """CONNECT is refused whatever its target."""
    assert read_target("CONNECT", b"gateway.example:443") == Refusal("method_not_allowed", "CONNECT is not served")
