"""Strategies for replies: what upstreams send, what they should not, and what nobody would think of."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import brotli
import msgspec
from hypothesis import strategies as st

from gateway.config import presets
from gateway.model import Reply
from gateway.pipeline.examples import plan_for, reply_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.model import Headers
    from gateway.pipeline.plan import Plan

DIALECTS = (*presets.names(), "auto")
EXAMPLES = [reply_of(example.reply) for name in presets.names() for example in presets.specs()[name].examples]

# Keys and texts on which rules turn, so that arbitrary JSON runs into them.
KEYS = """
    status statusCode success ok error errors message code type title detail data body text fields field param
    retry_after request_id loc msg name path source pointer _errors non_field_errors extensions invalid-params
    pagination links next total failed index error_description fieldViolations details result reason 0 1 12345678901
""".split()  # noqa: SIM905 - a table of words
WORDS = """
    error invalid_grant authorization_pending slow_down not_found 404 "200" null alert.invalid_fields
    2026-01-01T00:00:00Z #/data/attributes/size body query &#99999999999; &#xD800; <b>no</b> x=1&y=2
""".split()  # noqa: SIM905 - a table of words
TOKENS = (
    b"NaN", b"-Infinity", b"1e400", b"-0", b"1" * 5_000, b'"\\ud800"', b'"\\udc00\\ud800"', b'"\x00"', b'"\xff\xfe"',
    b'"&#' + b"9" * 5_000 + b';"', b"[" * 2_000 + b"]" * 2_000, b'{"_errors":' * 700 + b"1" + b"}" * 700,
    b"[" * 700 + b'"x"' + b"]" * 700, b'"' + b"a" * 20_000 + b'"', b"1e999", b"01", b"'a'", b"{,}", b"",
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "cp1256")
PREFIXES = (b" \r\n", b"\xef\xbb\xbf", b")]}',\n", b")]}'", b"while(1);", b"for(;;);", b"\xff\xfe", b" " * 100)
CHARSETS = (
    "utf-8", "ascii", "iso-8859-1", "windows-1256", "utf-16", "utf-32", "shift_jis", "utf-7", "unicode_escape", "idna",
    "punycode", "hex", "undefined", "rot13", "\0", "x" * 9_000, "",
)  # fmt: skip
MEDIA_TYPES = (
    "application/json", "application/problem+json", "text/html", "text/plain", "application/xml", "image/png", "",
    "application/x-www-form-urlencoded", "APPLICATION/JSON", ";;",
)  # fmt: skip
FIELDS = """
    Date Retry-After Retry-After-Ms X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset RateLimit-Reset
    X-RateLimit-Reset-After WWW-Authenticate X-Request-Id Cache-Control Content-Length X-Rate-Limit-Remaining
""".split()  # noqa: SIM905 - a table of words
VALUES = (
    "0", "-5", "--5", "12", "1e300", "1e999", "nan", "-inf", "1_0", "9" * 400, "Thu, 01 Jan 2026 00:00:00 GMT",
    "Thu Jan  1 00:00:00 2026", "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0001 00:00:00 +2359", "1767225660",
    "1767225660000", 'Bearer error="invalid_token", error_description="no"', 'Bearer error="' + "\\" * 99,
    "Bearer ====",     "60;w=1, 3", "2026-01-01T00:00:00+00:00", "0001-01-01T00:00:00+23:59", "٣", "",
)  # fmt: skip

texts = st.one_of(st.text(max_size=12), st.sampled_from(WORDS), st.sampled_from(KEYS))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.sampled_from([0, 200, 401, 404, 422]),
    st.floats(allow_nan=False), texts,
)  # fmt: skip
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), inner, max_size=6),
    ),
    max_leaves=12,
)


class Shape(NamedTuple):
    """A way to write a reply: the dialects that know it, the statuses it comes with, and the body around any value."""

    dialects: Sequence[str]
    statuses: Sequence[int]
    body: Callable[[Any], Any]


ERRORS = (400, 401, 403, 404, 422, 429, 500, 503)
SHAPES = (
    Shape(DIALECTS, ERRORS, lambda value: value),
    Shape(["salla"], ERRORS, lambda value: {"status": 422, "success": False, "error": value}),
    Shape(["salla"], [422], lambda value: {"error": {"code": value, "message": "no", "fields": value}}),
    Shape(["salla"], [422], lambda value: {"error": {"message": "no", "fields": {"name": value, "_errors": value}}}),
    Shape(["salla"], [200], lambda value: {"status": 404, "success": False, "error": {"message": value}}),
    Shape(["salla"], [200], lambda value: {"status": 200, "success": True, "data": value}),
    Shape(
        ["salla"], [200], lambda value: {"status": 1, "success": True, "data": {"message": value}, "pagination": value}
    ),
    Shape(
        ["salla"], [200], lambda value: {"status": 1, "success": True, "pagination": {"total": value, "links": value}}
    ),
    Shape(["status-message-body"], [200], lambda value: [{"status": "200", "message": "a", "body": {"data": value}}]),
    Shape(["status-message-body"], [200], lambda value: {"status": "404", "message": value, "body": {"text": value}}),
    Shape(
        ["status-message-body", "auto"],
        [400],
        lambda value: [{"status": "400", "message": "no", "body": {"text": "no", "fields": value}}],
    ),
    Shape(
        ["type-code-param", "auto"], ERRORS, lambda value: {"type": "a", "code": "b", "message": "no", "param": value}
    ),
    Shape(
        ["type-code-param"],
        ERRORS,
        lambda value: {"error": {"type": "a", "code": value, "message": "no", "param": value}},
    ),
    Shape(
        ["type-code-param"], [200, 202], lambda value: {"failed": [{"index": value, "error": value, "message": value}]}
    ),
    Shape(["type-code-param"], [200], lambda value: {"failed": value, "errors": value}),
    Shape(["oauth2", "auto"], ERRORS, lambda value: {"error": "invalid_grant", "error_description": value}),
    Shape(
        ["problem-json", "auto"],
        ERRORS,
        lambda value: {
            "type": "about:blank",
            "title": "no",
            "status": value,
            "errors": value,
            "more": value,
            "code": value,
        },
    ),
    Shape(["problem-json"], ERRORS, lambda value: [{"type": "about:blank", "title": "no", "more": value}]),
    Shape(["generic", "auto"], ERRORS, lambda value: {"message": value, "errors": value, "retry_after": value}),
    Shape(
        ["generic", "auto"], [400, 422], lambda value: {"errors": [{"field": value, "message": "no", "code": value}]}
    ),
    Shape(["generic"], [400], lambda value: {"errors": [{"source": {"pointer": value}, "detail": value}]}),
    Shape(
        ["generic"],
        [400],
        lambda value: {"detail": [{"loc": value, "msg": "no"}, {"loc": ["body", value], "msg": "no"}]},
    ),
    Shape(["generic"], [200], lambda value: {"ok": False, "error": value, "code": value}),
    Shape(["generic"], [422], lambda value: {"one": value, "other": [value, {"deeper": value}]}),
)


def _encoded(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """An example of a preset, cut, or with a token of trouble in the place of some of its bytes."""
    body = draw(st.sampled_from(EXAMPLES)).body
    start = draw(st.integers(0, len(body)))
    if draw(st.booleans()):
        return body[:start]
    return body[:start] + draw(st.sampled_from(TOKENS)) + body[start + draw(st.integers(0, 9)) :]


_pages = st.builds(
    lambda text: f"<!DOCTYPE html><title>{text}</title><h1>{text}</h1><pre>{text}".encode("utf-8", "replace"), texts
)


@st.composite
def _bodies(draw: st.DrawFn, shape: Shape) -> bytes:
    """Any body: JSON of a shape above all, and what happens to it on the way."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        body = draw(st.one_of(_mutated(), _pages, st.binary(max_size=200)))
    elif kind == 1:
        body = _encoded(shape.body("@token@")).replace(b'"@token@"', draw(st.sampled_from(TOKENS)))
    else:
        body = _encoded(shape.body(draw(values)))
    change = draw(st.integers(0, 19))
    if change == 0:
        return draw(st.sampled_from(PREFIXES)) + body
    if change == 1:
        return body.decode("utf-8", "replace").encode(draw(st.sampled_from(ENCODINGS)), "replace")
    return body


def _coded(body: bytes, coding: str) -> tuple[bytes, Headers]:
    coded = {
        "gzip": gzip.compress(body, 1),
        "deflate": zlib.compress(body, 1),
        "deflate, gzip": gzip.compress(zlib.compress(body, 1), 1),
        "br": brotli.compress(body, quality=1),
        "br, cut": brotli.compress(body, quality=1)[:-5],
        "zstd": zstd.compress(body),
        "gzip, zstd": zstd.compress(gzip.compress(body, 1)),
        "zstd, cut": zstd.compress(body)[:-5],
        "gzip, cut": gzip.compress(body, 1)[:-5],
    }
    if not coding:
        return body, ()
    return coded.get(coding, body), ((b"Content-Encoding", coding.partition(", cut")[0].encode()),)


_CODINGS = ["gzip", "deflate", "deflate, gzip", "gzip, cut", "br", "br, cut", "zstd", "gzip, zstd", "zstd, cut"]
_codings = st.sampled_from([*[""] * 12, *_CODINGS, "identity", "gzip,,gzip", "compress"])
_arbitrary_headers = st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=40)), max_size=3)
_known_headers = st.lists(
    st.tuples(st.sampled_from(FIELDS).map(str.encode), st.sampled_from(VALUES).map(str.encode)), max_size=4
)
_content_types = st.builds(
    lambda media_type, charset: ((b"Content-Type", f"{media_type}; charset={charset}".encode()),) if charset else (),
    st.sampled_from([*["application/json"] * 6, *MEDIA_TYPES]),
    st.sampled_from([*["utf-8"] * 10, *CHARSETS]),
)


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[Reply, Plan]:
    """Any reply and any plan to read it by; more often than not the two fit."""
    shape = draw(st.sampled_from(SHAPES))
    known = draw(st.integers(0, 3)) > 0
    status = draw(st.sampled_from(shape.statuses) if known else st.integers(0, 999))
    body, coding = _coded(draw(_bodies(shape)), draw(_codings))
    headers = (*draw(_content_types), *coding, *draw(_known_headers), *draw(_arbitrary_headers))
    name = draw(st.sampled_from(shape.dialects if known else DIALECTS))
    return Reply(status=status, headers=headers, body=body), draw(plans(name))


@st.composite
def plans(draw: st.DrawFn, name: str | None = None) -> Plan:
    """A plan of a dialect, or of any, with its switches in any position."""
    dialect = presets.preset(name or draw(st.sampled_from(DIALECTS)))
    plan = plan_for(dialect, "shop", owns_credential=draw(st.booleans()), expose_upstream=draw(st.booleans()))
    often = st.sampled_from([True] * 9 + [False])
    return msgspec.structs.replace(plan, unify=draw(often), translate=draw(often))
