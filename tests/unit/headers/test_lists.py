"""The syntax that fields share."""

from __future__ import annotations

import pytest

from gateway.headers import elements, has_control, is_json, is_token, media_type
from gateway.headers.lists import split_quoted, unquoted


@pytest.mark.parametrize("text", [b"a", b"X-Request-Id", b"!#$%&'*+-.^_`|~09AZaz"])
def test_token(text: bytes) -> None:
    """Letters, digits, and the marks of RFC 9110."""
    assert is_token(text)


@pytest.mark.parametrize("text", [b"", b"a b", b"a:", b"a(b)", b"a\x00", b"a\xff", b'"a"', b"a,b", b"a/b", b"a@b"])
def test_no_token(text: bytes) -> None:
    """Nothing else, and not nothing."""
    assert not is_token(text)


def test_control() -> None:
    """All control characters but the tab; bytes above ASCII are none."""
    refused = [byte for byte in range(256) if has_control(b"a" + bytes([byte]))]
    assert refused == [*range(9), *range(10, 32), 127]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (b"", [b""]),
        (b"a,b", [b"a", b"b"]),
        (b'a="x,y",b', [b'a="x,y"', b"b"]),
        (b'"x\\",y",b', [b'"x\\",y"', b"b"]),
        (b'"x\\\\",b', [b'"x\\\\"', b"b"]),
        (b'\\"a,b"', [b'\\"a,b"']),
        (b'"a,b', None),
        (b'a,"b\\"', None),
    ],
)
def test_split_quoted(text: bytes, pieces: list[bytes] | None) -> None:
    """A separator within quotes separates nothing; a quoted string that does not end is no list."""
    assert split_quoted(text, b",") == pieces


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (b"a", b"a"),
        (b'"a b"', b"a b"),
        (b'"a\\"b\\\\"', b'a"b\\'),
        (b'"\\a"', b"a"),
        (b'""', b""),
        (b'"', b'"'),
        (b'"a', b'"a'),
        (b'a"', b'a"'),
        (b"", b""),
    ],
)
def test_unquoted(text: bytes, content: bytes) -> None:
    """The content of a quoted string; whatever is none stays as it is."""
    assert unquoted(text) == content


def test_elements() -> None:
    """All lines are one list; empty elements do not count; a broken line is one element."""
    assert elements([b"a, b;q=0.5 ,,", b"\tc", b'd,"e']) == [b"a", b"b;q=0.5", b"c", b'd,"e']


def test_media_type() -> None:
    """Parameters and case do not matter."""
    assert media_type(b"Application/JSON ; charset=utf-8") == b"application/json"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"application/json", True),
        (b"text/json", True),
        (b"application/problem+json; charset=utf-8", True),
        (b"APPLICATION/VND.API+JSON", True),
        (b"application/json-seq", False),
        (b"application/x-ndjson", False),
        (b"application/jsonp", False),
        (b"text/html; a=application/json", False),
        (b"json", False),
        (b"", False),
    ],
)
def test_is_json(content_type: bytes, *, expected: bool) -> None:
    """One JSON text, by its type or its suffix."""
    assert is_json(content_type) is expected
