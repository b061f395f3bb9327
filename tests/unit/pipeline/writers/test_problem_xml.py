"""`application/problem+xml`."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from msgspec import Raw

from gateway.pipeline.writers.problem_xml import write
from tests.unit.pipeline.writers.problems import FULL, ID, PLAIN, URL

NAMESPACE = "{urn:ietf:rfc:7807}"


def read(body: bytes) -> Any:  # noqa: ANN401 - whatever was written
    """Read as RFC 9457's Appendix B says: children are members, but those called `i` are items; else it is text."""
    return _value(ET.fromstring(body))  # noqa: S314 - our own body


def _value(element: ET.Element) -> Any:  # noqa: ANN401 - as above
    assert element.tag.startswith(NAMESPACE)
    children = [(child.tag.removeprefix(NAMESPACE), _value(child)) for child in element]
    if not children:
        return element.text
    return [value for _, value in children] if {name for name, _ in children} == {"i"} else dict(children)


def test_whole() -> None:
    """Every member has its element, with objects and lists as the RFC writes them; what is null has none."""
    assert read(write(FULL, ID, URL, "en")) == {
        "type": f"{URL}/-/problems/validation_failed",
        "title": "The request has invalid fields",
        "status": "422",
        "detail": "Two are wrong",
        "instance": f"urn:uuid:{ID}",
        "code": "validation_failed",
        "category": "validation",
        "source": {"origin": "upstream", "fault": "client", "upstream": "shop", "stage": "response"},
        "retry": {"retryable": "true", "after": "1.5"},
        "errors": [
            {"field": "size", "pointer": "#/size", "location": "body", "code": "invalid", "detail": "too small"},
            {
                "field": "paint.colour",
                "pointer": "#/paint/colour",
                "location": "body",
                "code": "required",
                "position": "4",
            },
        ],
        "upstream": {"status": "400", "code": "E1", "message": "no", "dialect": "salla", "request_id": "r-7"},
        "request_id": ID,
        "balance": "1e400",
        "accounts": ["/a", {"b": ["1", None]}, "true"],
    }


def test_declares_itself() -> None:
    """An XML declaration, UTF-8, and one namespace for everything."""
    body = write(PLAIN, ID, None, "en")
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<problem xmlns="urn:ietf:rfc:7807"><type>/-/')


def test_language() -> None:
    """Where the upstream said nothing, the catalogue's sentence in the language that is asked for."""
    silent = msgspec.structs.replace(PLAIN, detail=None)
    assert read(write(silent, ID, None, "ar"))["detail"] == PLAIN.code.happened["ar"]


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("a<b>&amp;]]>\"'", "a<b>&amp;]]>\"'"),
        ("a\x00b\x0bc\x1b[3m\ufffe\ud800d", "abc[3md"),
        ("قيمة\n😀", "قيمة\n😀"),
    ],
)
def test_foreign_text_is_text(detail: str, shown: str) -> None:
    """Nothing in it is markup, and what XML cannot hold is left out."""
    assert read(write(msgspec.structs.replace(PLAIN, detail=detail), ID, None, "en"))["detail"] == shown


@pytest.mark.parametrize("name", ["", "@type", "a b", "1a", "a:b", "<x>", "-a", "ä", "xmlns:a"])
def test_members_without_a_name_in_xml(name: str) -> None:
    """An upstream's member whose name would break the document is left out."""
    found = read(write(msgspec.structs.replace(PLAIN, extensions={name: Raw(b"1"), "b": Raw(b"2")}), ID, None, "en"))
    assert found["b"] == "2"
    assert set(found) == set(read(write(PLAIN, ID, None, "en"))) | {"b"}


@pytest.mark.parametrize("raw", [b"[" * 8_000 + b"]" * 8_000, b'{"a":' * 100 + b"1" + b"}" * 100, b"1" * 5_000, b"{]"])
def test_hostile_members(raw: bytes) -> None:
    """Depth is bounded, and what cannot be read stands as it came."""
    body = write(msgspec.structs.replace(PLAIN, extensions={"a": Raw(raw)}), ID, None, "en")
    assert "detail" in read(body)
    assert len(body) < 20_000


def test_members_that_clash_are_kept() -> None:
    """Extension members of an upstream's that moved under `upstream.extensions` are there, too."""
    assert FULL.upstream is not None
    upstream = msgspec.structs.replace(FULL.upstream, extensions={"category": Raw(b'"coins"')})
    found = read(write(msgspec.structs.replace(FULL, upstream=upstream), ID, None, "en"))
    assert found["upstream"]["extensions"] == {"category": "coins"}
