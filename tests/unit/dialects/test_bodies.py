"""Bytes to tree: what a body is, whatever its content type claims."""

from __future__ import annotations

import json

import pytest

from gateway.dialects.bodies import READ_LIMIT, SHALLOW_MEMBER, parse
from gateway.dialects.members import Members
from gateway.dialects.spec import BodyKind

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
KNOWN = Members("abcdef")
LONG = "x" * (SHALLOW_MEMBER + 1)


@pytest.mark.parametrize(
    ("data", "content_type", "kind", "tree"),
    [
        (b'{"a": 1}', JSON, BodyKind.JSON, {"a": 1}),
        (b'{"a": 1}', "text/html", BodyKind.JSON, {"a": 1}),
        (b"[1, 2]", "", BodyKind.JSON, [1, 2]),
        (b'"plain"', "", BodyKind.JSON, "plain"),
        (b" \r\n{}", "text/plain", BodyKind.JSON, {}),
        (b" " * 100 + b"{}", "", BodyKind.JSON, {}),
        (b"true", JSON, BodyKind.JSON, True),
        (b"-1", "application/vnd.api+json; charset=utf-8", BodyKind.JSON, -1),
        (b"true", "text/plain", BodyKind.TEXT, "true"),
        (b"", JSON, BodyKind.EMPTY, None),
        (b" \n", "", BodyKind.EMPTY, None),
        (b" " * 100, "", BodyKind.EMPTY, None),
        (b"sorry", JSON, BodyKind.TEXT, "sorry"),
        (b'{"a": ', JSON, BodyKind.OPAQUE, None),
        (b'{"a": ', "text/plain", BodyKind.OPAQUE, None),
        (b"<a><b/></a>", "application/xml", BodyKind.XML, {"a": {"b": ""}}),
        (b"<p>One</p>", JSON, BodyKind.HTML, {"p": "One"}),
        (b"<Title>One</Title>", "application/xml", BodyKind.XML, {"Title": "One"}),
        (b"<Problem>One</Problem>", JSON, BodyKind.XML, {"Problem": "One"}),
        (b"<?xml version='1.0'?><!-- x --><html><p>One</p></html>", "application/xml", BodyKind.HTML, {"p": "One"}),
        (b"<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0'><html><p>One</p>", "", BodyKind.HTML, {"p": "One"}),
        (b"<", "application/xml", BodyKind.OPAQUE, None),
        (b"< no", "text/plain", BodyKind.OPAQUE, None),
        (b"PK\x03\x04\x00", "application/zip", BodyKind.OPAQUE, None),
        (b"\xff\xfa\xfb" * 9, "text/plain", BodyKind.OPAQUE, None),
        (b"a=1&b=two+words", FORM, BodyKind.FORM, {"a": "1", "b": "two words"}),
        (b"&".join([b"a=1"] * 65), FORM, BodyKind.OPAQUE, None),
        (b"a=1&b=2", "", BodyKind.TEXT, "a=1&b=2"),
    ],
)
def test_the_bytes_tell_the_kind(data: bytes, content_type: str, kind: BodyKind, tree: object) -> None:
    """Content types lie, so the first bytes decide where they can; what is neither JSON nor text is opaque."""
    body = parse(data, content_type)
    assert (body.kind, body.tree) == (kind, tree)


@pytest.mark.parametrize("prefix", [b")]}',\n", b")]}'\n", b"while(1);", b"for(;;);", b" \n)]}',"])
@pytest.mark.parametrize("content_type", [JSON, "text/plain"])
def test_a_prefix_against_scripts_is_taken_off(prefix: bytes, content_type: str) -> None:
    """JSON behind what keeps it from being run as a script is JSON; the prefix is not passed on."""
    body = parse(prefix + b'{"a": 1}', content_type)
    assert (body.tree, body.spliceable) == ({"a": 1}, b'{"a": 1}')


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        ('{"a": "é لا"}'.encode("utf-8-sig"), JSON),
        ('{"a": "é لا"}'.encode("utf-16"), JSON),
        (b"\xfe\xff" + '{"a": "é لا"}'.encode("utf-16-be"), "text/plain"),
        ('{"a": "é لا"}'.encode("utf-16-le"), "application/json; charset=utf-16le"),
        ('{"a": "é لا"}'.encode(), "application/json; charset=iso-8859-1"),
        ('{"a": "é لا"}'.encode(), "application/json; charset=us-ascii"),
        ('{"a": "é لا"}'.encode(), "application/json; charset=no-such-charset"),
        ('{"a": "é لا"}'.encode(), "application/json; charset=unicode_escape"),
    ],
)
def test_text_is_read_in_its_charset(data: bytes, content_type: str) -> None:
    """A byte order mark counts, then valid UTF-8, which JSON has to be, whatever the content type declares."""
    body = parse(data, content_type)
    assert body.tree == {"a": "é لا"}
    assert body.spliceable == '{"a": "é لا"}'.encode()


@pytest.mark.parametrize(
    ("text", "charset", "declared"),
    [
        ("Größe", "iso-8859-1", "iso-8859-1"),
        ("غير موجود", "cp1256", '"windows-1256"'),
        ("見つかりません", "shift_jis", "shift_jis; format=flowed"),
    ],
)
def test_a_declared_charset_is_used_for_what_is_not_utf_8(text: str, charset: str, declared: str) -> None:
    """Older servers send what their content type says; as UTF-8 it could not be read."""
    assert parse(text.encode(charset), f"text/plain; charset={declared}").tree == text


@pytest.mark.parametrize(
    ("data", "tree"),
    [
        (b'{"a": NaN, "b": -Infinity}', {"a": None, "b": None}),
        (rb'{"a\ud800": "\udc00b"}', {"a?": "?b"}),
        (rb'["\ud83d\ude00", "\ud83d"]', ["\U0001f600", "?"]),
        (b'{"a": "\xff"}', {"a": "\N{REPLACEMENT CHARACTER}"}),
        (b'{"a": "one\ntwo"}', {"a": "one\ntwo"}),
        (b"[NaN, 123456789012345678901, 7]", [None, 123456789012345678901.0, 7]),
    ],
)
def test_what_strict_json_refuses_is_read_and_not_passed_on(data: bytes, tree: object) -> None:
    """People send NaN, lone surrogates and broken UTF-8: errors in it are understood, its bytes are never spliced."""
    body = parse(data, JSON)
    assert (body.kind, body.tree, body.spliceable) == (BodyKind.JSON, tree, None)


@pytest.mark.parametrize("members", [KNOWN, None], ids=["shallow", "whole"])
@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1e400, "b": 1}',
        b'{"a": ' + b"9" * 5_000 + b', "b": 1}',
        b'{"a":' + b" " * SHALLOW_MEMBER + b'1e400, "b": 1}',
    ],
    ids=["exponent", "digits", "large"],
)  # fmt: skip
def test_a_number_that_no_machine_holds_is_json(data: bytes, members: Members | None) -> None:
    """JSON sets no bound to numbers (RFC 8259 section 6): they are passed on as they came."""
    body = parse(data, JSON, members)
    assert body.tree["b"] == 1
    assert body.spliceable == data


@pytest.mark.parametrize("rest", [b", NaN", rb', "\ud800"', b', "\xff"', b"] x", b"], 2"])
def test_behind_such_a_number_json_is_still_strict(rest: bytes) -> None:
    """What follows a number out of range is not passed on unless it is sound."""
    assert parse(b"[1e400" + rest + b"]", JSON).spliceable is None


@pytest.mark.parametrize("data", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000])
@pytest.mark.parametrize("members", [KNOWN, None], ids=["shallow", "whole"])
def test_what_is_nested_too_deep_is_opaque(data: bytes, members: Members | None) -> None:
    """Depth is bounded, whatever the length."""
    assert parse(data, JSON, members).kind is BodyKind.OPAQUE


@pytest.mark.parametrize("data", [b'{"a": NaN, "b": "%s"}', b'{"a": 1e400, "b": "%s"}'])
def test_the_lenient_decoder_is_given_no_huge_body(data: bytes) -> None:
    """The slower decoder reads at most a megabyte; above that, what is not plain strict JSON is opaque."""
    assert parse(data % (b"x" * 2**20), JSON).kind is BodyKind.OPAQUE


@pytest.mark.parametrize(
    ("value", "tree"),
    [
        ({"a": 1, "b": LONG}, {"a": 1, "b": ""}),
        ({"a": [1], "b": [LONG]}, {"a": [1], "b": []}),
        ({"a": {"b": {"c": {"d": {"e": 1, "f": LONG}}}}}, {"a": {"b": {"c": {"d": {}}}}}),
        ({"a": {"b": LONG, "c": {"d": None}}}, {"a": {"b": "", "c": {"d": None}}}),
        ([{"a": 1, "b": LONG}], [{"a": 1, "b": ""}]),
        ([1, LONG, 3], [None, None]),
        ({"a": 1, "z": LONG}, {"a": 1}),
        (LONG, LONG),
    ],
)
def test_in_a_shallow_tree_large_members_are_empty(value: object, tree: object) -> None:
    """Only members that a rule names are decoded; an empty value stands for a large one, and others are not there."""
    data = json.dumps(value).encode()
    body = parse(data, JSON, KNOWN)
    assert (body.tree, body.spliceable) == (tree, data)
    assert parse(data, JSON).tree == value


def test_a_large_number_is_left_out_as_a_number() -> None:
    """A number of many digits counts as a number, not as something empty."""
    assert parse(b'{"a": ' + b"1" * (SHALLOW_MEMBER + 1) + b"}", JSON, KNOWN).tree == {"a": 0}


@pytest.mark.parametrize("bad", [b"\xff", rb"\ud800"])
def test_members_that_are_left_out_must_be_sound_too(bad: bytes) -> None:
    """A payload that is not looked at is still sent on, so it must be UTF-8 without lone surrogates."""
    assert parse(b'{"a": "' + b"x" * SHALLOW_MEMBER + bad + b'"}', JSON, KNOWN).spliceable is None


@pytest.mark.parametrize(
    ("page", "tree"),
    [
        (
            "<!DOCTYPE html><title> Not  here </title><h1>Gone<br>away</h1><p></p><p>Second</p>",
            {"title": "Not here", "h1": "Gone away"},
        ),
        ("<html><body><h2>Oh</h2><pre>at\nonce</pre>", {"h2": "Oh", "pre": "at once"}),
        ("<CENTER><h1>502</h1>", {"h1": "502"}),
        ("<!-- proxy --><html><p>Late</p>", {"p": "Late"}),
        ("<title>broken", {"title": "broken"}),
    ],
)
def test_the_parts_of_a_page_that_say_something(page: str, tree: dict[str, str]) -> None:
    """An HTML page is read by a real parser: title, headings, first paragraph, preformatted text."""
    body = parse(page.encode(), "text/html")
    assert (body.kind, body.tree) == (BodyKind.HTML, tree)


@pytest.mark.parametrize(
    ("data", "content_type", "found"),
    [
        (b"<html>" + b" " * READ_LIMIT + b"<p>late</p>", "text/html", {}),
        (b"word " + b"x" * READ_LIMIT, "text/plain", "word " + "x" * (READ_LIMIT - 5)),
        (b"a=" + b"x" * READ_LIMIT + b"&b=1", FORM, {"a": "x" * (READ_LIMIT - 2)}),
    ],
)
def test_only_the_beginning_of_a_text_is_read(data: bytes, content_type: str, found: object) -> None:
    """Of pages, texts and forms 64 KiB are looked at."""
    assert parse(data, content_type).tree == found
