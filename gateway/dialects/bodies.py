"""Bytes to tree: what a body is, whatever its content type claims.

Total and bounded: any bytes give a `Body`; only the first `READ_LIMIT` bytes of text are looked at, JSON that is
nested too deep is opaque, and markup is parsed by a real parser from a bounded prefix.

In a *shallow* tree only the members that the rules name are there, and of those that are larger than `SHALLOW_MEMBER`
only an empty value of their type, so that a large payload is never decoded only to find the envelope around it.
"""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Raw, Struct
from selectolax.lexbor import LexborHTMLParser

from gateway.dialects.spec import BodyKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.dialects.members import Members

READ_LIMIT = 65_536
"""Bytes of HTML, text and form bodies that are looked at: a security limit on time."""
SHALLOW_MEMBER = 65_536
"""Bytes above which a member is left out of a shallow tree."""
_SHALLOW_DEPTH = 3
_LENIENT_LIMIT = 1_048_576  # bytes that the slower, lenient decoder may be given
_HTML_LIMIT = 16_384  # bytes: what is nested deeply costs the square of its length
_FORM_FIELDS = 64

# Charsets that occur. No other name is looked up: Python knows codecs that are none, and remembers each name for ever.
_WIDE_CHARSETS = frozenset({"utf-16", "utf-16le", "utf-16be"})
_CHARSETS = _WIDE_CHARSETS.union(
    ("latin1", "latin-1", "cp1252", "koi8-r", "koi8-u", "gbk", "gb2312", "gb18030", "big5", "euc-kr", "euc-jp"),
    ("shift_jis", "shift-jis"),
    (f"windows-{page}" for page in range(1250, 1259)),
    (f"iso-8859-{part}" for part in range(1, 17) if part != 12),
)
_XSSI = (b")]}',", b")]}'", b"while(1);", b"for(;;);")
_SPACE = b" \t\r\n"
_JSON_BRACKETS = frozenset({b"{", b"["})
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<h1", b"<center")
_EMPTY_OF = {ord("{"): dict, ord("["): list, ord('"'): str}


class Body(Struct, frozen=True):
    """A body's kind, its tree (None where there is none), and its bytes as JSON that may be spliced (or None)."""

    kind: BodyKind
    tree: Any = None
    spliceable: bytes | None = None


JSON = BodyKind.JSON
_EMPTY = Body(kind=BodyKind.EMPTY)
_OPAQUE = Body(kind=BodyKind.OPAQUE)
_decode = msgspec.json.Decoder().decode
_decode_raw = msgspec.json.Decoder(Raw).decode


def parse(data: bytes, content_type: str, members: Members | None = None) -> Body:
    """Read a body.

    Args:
        data: its bytes.
        content_type: the field's value in lower case, or empty.
        members: the members that matter, where the tree may be shallow.
    """
    if not data:
        return _EMPTY
    if data[:1] in _JSON_BRACKETS and is_utf8(content_type):
        return _json(data, data[:1], members)
    media_type, _, parameters = content_type.partition(";")
    data = _decoded(data, parameters)
    start = data[:64].lstrip(_SPACE)
    if not start:
        data = data.strip(_SPACE)
        start = data[:64]
        if not start:
            return _EMPTY
    if start[:1] in b'{["' or "json" in media_type:
        return _json(data, start, members)
    if start[:1] == b"<":
        return _markup(data, start)
    if start.startswith(_XSSI):
        return _json(_without_prefix(data), start, members)
    if media_type.strip() == "application/x-www-form-urlencoded":
        return _form(data)
    return _text(data)


def plain_tree(data: bytes) -> Any:
    """Decode what nearly every body is, a JSON object, or return None; `data` is in UTF-8, and what `parse` is for."""
    try:
        return _decode(data) if data[:1] == b"{" and len(data) <= SHALLOW_MEMBER else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_utf8(content_type: str) -> bool:
    """Say whether a `Content-Type` in lower case leaves JSON in UTF-8, its only charset (RFC 8259 section 8.1)."""
    return _charset(content_type.partition(";")[2]) not in _CHARSETS


def _charset(parameters: str) -> str:
    return parameters.partition("charset=")[2].strip(' "').partition(";")[0].strip(' "')


def _decoded(data: bytes, parameters: str) -> bytes:
    """Return the text as UTF-8 without a byte order mark."""
    if data.startswith(codecs.BOM_UTF8):
        return data[3:]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode()
    charset = _charset(parameters)
    if charset not in _CHARSETS or (charset not in _WIDE_CHARSETS and _is_utf8(data)):
        return data  # JSON is UTF-8 (RFC 8259 section 8.1), and what can be read as UTF-8 hardly ever is anything else
    return data.decode(charset, "replace").encode()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_prefix(data: bytes) -> bytes:
    data = data.lstrip(_SPACE)
    for prefix in _XSSI:
        if data.startswith(prefix):
            return data[len(prefix) :].lstrip(_SPACE)
    return data


def _json(data: bytes, start: bytes, members: Members | None) -> Body:
    if start.startswith(_XSSI):
        data = _without_prefix(data)
    try:
        return Body(kind=JSON, tree=_tree(data, members), spliceable=data)
    except RecursionError:
        return _OPAQUE
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _lenient(data, start)


def _tree(data: bytes, members: Members | None) -> Any:
    if members is not None and len(data) > SHALLOW_MEMBER:
        data.decode()  # members that are left out are not decoded, but they too must be fit to be sent on
        return _shallow(data, members, _SHALLOW_DEPTH)
    return _strict(data)


def _strict(data: bytes) -> Any:
    """Decode strict JSON, numbers beyond those of any machine included: they are JSON, and are sent on as they came."""
    try:
        return _decode(data)
    except msgspec.ValidationError:  # such a number; the rest has not been looked at yet
        if len(data) > _LENIENT_LIMIT:
            raise
        _decode_raw(data)
        return json.loads(data.decode(), parse_int=_whole)


def _lenient(data: bytes, start: bytes) -> Body:
    """Read what strict JSON refuses but people send: NaN, lone surrogates, broken UTF-8, control characters."""
    if len(data) > _LENIENT_LIMIT:
        return _OPAQUE
    try:
        text = data.decode("utf-8", "replace")
        tree = _scrubbed(json.loads(text, strict=False, parse_constant=_nothing, parse_int=_whole))
    except (ValueError, RecursionError):
        return _OPAQUE if start[:1] in b"{[" else _markup(data, start) if start[:1] == b"<" else _text(data)
    return Body(kind=JSON, tree=tree)


def _scrubbed(value: Any) -> Any:
    """Return the value with lone surrogates replaced: they are in no encoding and could not be sent on."""
    if type(value) is str:
        return value.encode("utf-8", "replace").decode()
    if type(value) is list:
        return [_scrubbed(inner) for inner in value]
    if type(value) is dict:
        return {_scrubbed(name): _scrubbed(inner) for name, inner in value.items()}
    return value


def _nothing(_constant: str) -> None:
    """NaN and the infinities are no values."""


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < 20 else float(digits)


def _shallow(data: bytes, members: Members, depth: int) -> Any:
    first = data[:64].lstrip(_SPACE)[:1]
    if first == b"{":
        return {name: _shallow_member(raw, members, depth) for name, raw in members.of(data).items()}
    if first == b"[":
        return _shallow_list(data, members, depth)
    return _strict(data)


def _shallow_list(data: bytes, members: Members, depth: int) -> list[Any]:
    """Read a list of one; of any other only that it is one."""
    try:
        (only,) = msgspec.json.decode(data, type=tuple[Raw])
    except msgspec.ValidationError:
        _decode_raw(data)
        return [None, None]
    return [_shallow_member(bytes(only), members, depth)]


def _shallow_member(raw: bytes, members: Members, depth: int) -> Any:
    if len(raw) <= SHALLOW_MEMBER:
        return _strict(raw)
    if depth and raw[:1] == b"{":
        return _shallow(raw, members, depth - 1)
    empty: Callable[[], Any] = _EMPTY_OF.get(raw[0], int)
    return empty()


def _markup(data: bytes, start: bytes) -> Body:
    """Read the parts of an HTML page that say something. Other markup says nothing that we could show."""
    if not start.lower().startswith(_HTML_STARTS) and b"<html" not in data[:2_000].lower():
        return _OPAQUE
    page = LexborHTMLParser(data[:_HTML_LIMIT].decode("utf-8", "replace"))
    tree = {}
    for tag in ("title", "h1", "h2", "pre", "p"):
        node = page.css_first(tag)
        if node is not None and (text := " ".join(node.text(separator=" ", strip=True).split())):
            tree[tag] = text
    return Body(kind=BodyKind.HTML, tree=tree)


def _form(data: bytes) -> Body:
    try:
        pairs = parse_qsl(data[:READ_LIMIT].decode("utf-8", "replace"), max_num_fields=_FORM_FIELDS)
    except ValueError:
        return _OPAQUE
    return Body(kind=BodyKind.FORM, tree=dict(pairs))


def _text(data: bytes) -> Body:
    if b"\0" in data[:READ_LIMIT]:
        return _OPAQUE
    text = data[:READ_LIMIT].decode("utf-8", "replace").strip()
    if text.count("\N{REPLACEMENT CHARACTER}") > len(text) // 8:  # not text in any charset that we know of
        return _OPAQUE
    return Body(kind=BodyKind.TEXT, tree=text)
