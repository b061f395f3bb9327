"""JSON to a tree: strict, or as people send it: with NaN, in a wrapping, beside something else, cut off.

Only strict JSON can be passed on. What is nested too deep is opaque. In a *shallow* tree only the members that the
rules name are there, and of those that are larger than `SHALLOW_MEMBER` only an empty value of their type, so that a
large payload is never decoded only to find the envelope around it.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from gateway.dialects.bodies.body import JSON, OPAQUE, READ_LIMIT, SHALLOW_MEMBER, SPACE, Body
from gateway.dialects.bodies.repair import completed
from gateway.dialects.bodies.wrapped import is_aside, starts, unwrapped
from gateway.dialects.spec import BodyKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.dialects.members import Members

_SHALLOW_DEPTH = 3
_LENIENT_LIMIT = 1_048_576  # bytes that the slower, lenient decoder may be given
_EMPTY_OF = {ord("{"): dict, ord("["): list, ord('"'): str}
_BEGINS = re.compile(rb'\s*+[{\[]\s*+(?:["{\[]|\Z)')
_decode = msgspec.json.Decoder().decode
_decode_raw = msgspec.json.Decoder(Raw).decode


def plain_tree(data: bytes) -> Any:
    """Decode what nearly every body is, a JSON object, or return None; `data` is in UTF-8, and what `parse` is for."""
    try:
        return _decode(data) if data[:1] == b"{" and len(data) <= SHALLOW_MEMBER else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def read(data: bytes, members: Members | None) -> Body | None:
    """Read what ought to be JSON in UTF-8, or return None for what is none."""
    data = unwrapped(data)
    try:
        return Body(kind=JSON, tree=_tree(data, members), spliceable=data)
    except RecursionError:
        return OPAQUE
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _lenient(data)


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


def _lenient(data: bytes) -> Body | None:
    """Read what strict JSON refuses but people send: NaN, lone surrogates, broken UTF-8, control characters."""
    if len(data) > _LENIENT_LIMIT:
        return OPAQUE
    try:
        tree, end = _raw_decode(text := _text(data).strip())
    except (ValueError, RecursionError):
        return _cut_off(data)
    if is_aside(text[end:]):
        return Body(kind=JSON, tree=_scrubbed(tree))
    return OPAQUE if _BEGINS.match(data) is not None else None


def _cut_off(data: bytes) -> Body | None:
    """Read JSON without its end; opaque where nothing in it is whole, or it is broken otherwise."""
    whole = completed(_text(data[:READ_LIMIT]))
    try:
        tree = _raw_decode(whole)[0] if whole is not None else None
    except (ValueError, RecursionError):
        tree = None
    if tree:
        return Body(kind=JSON, tree=_scrubbed(tree), truncated=True)
    return Body(kind=BodyKind.OPAQUE, truncated=whole is not None) if _BEGINS.match(data) is not None else None


def within(data: bytes, *, anywhere: bool) -> Body | None:
    """Read JSON that stands behind something else, such as the warnings of a script, or return None.

    `anywhere`: the sender says that this is JSON, so it may begin in the middle of a line.
    """
    text = _text(data[:READ_LIMIT])
    for at in starts(text, anywhere=anywhere):
        try:
            tree, end = _raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        if tree and (is_aside(text[end:]) if anywhere else not text[end:].strip()):
            return Body(kind=JSON, tree=_scrubbed(tree))
    return None


def _text(data: bytes) -> str:
    """Return bytes as text, without half a character at the end."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data)


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


_raw_decode = json.JSONDecoder(strict=False, parse_constant=_nothing, parse_int=_whole).raw_decode


def _shallow(data: bytes, members: Members, depth: int) -> Any:
    first = data[:64].lstrip(SPACE)[:1]
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
