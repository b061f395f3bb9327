"""Bytes to tree: what a body is, whatever its content type claims."""

from __future__ import annotations

import json

import pytest

from gateway.dialects.bodies import READ_LIMIT, SHALLOW_MEMBER, parse
from gateway.dialects.bodies.repair import completed
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
        (b'{"a": 1]', JSON, BodyKind.OPAQUE, None),
        (b'{"a" 1, ', JSON, BodyKind.OPAQUE, None),
        (b'{"a": 1} {"b": 2}', JSON, BodyKind.OPAQUE, None),
        (b"[2026-01-01] no", "text/plain", BodyKind.TEXT, "[2026-01-01] no"),
        (b"[error", JSON, BodyKind.TEXT, "[error"),
        (b"{}, they say", "text/plain", BodyKind.TEXT, "{}, they say"),
        (b'"plain', JSON, BodyKind.TEXT, '"plain'),
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
        (b"a=1&b=two%20words\n", "text/plain", BodyKind.FORM, {"a": "1", "b": "two words"}),
        (b"a[0]=1&b=", "text/html", BodyKind.FORM, {"a[0]": "1"}),
        (b"a=1", "text/plain", BodyKind.TEXT, "a=1"),
        (b"a=1&b=2 are wrong", "text/plain", BodyKind.TEXT, "a=1&b=2 are wrong"),
        (b"a=1 & b=2", "text/plain", BodyKind.TEXT, "a=1 & b=2"),
        (b"see https://a.example/?a=1&b=2", "text/plain", BodyKind.TEXT, "see https://a.example/?a=1&b=2"),
    ],
)
def test_the_bytes_tell_the_kind(data: bytes, content_type: str, kind: BodyKind, tree: object) -> None:
    """Content types lie, so the first bytes decide where they can; what is neither JSON nor text is opaque."""
    body = parse(data, content_type)
    assert (body.kind, body.tree) == (kind, tree)


_PREFIXES = [b")]}',\n", b")]}'\n", b")]}\n", b"while(1);", b"while (1);", b"for(;;);", b"for (;;);\n", b" \n)]}',"]
_PREFIXES += [b"throw 1; ", b"{}&&", b"{} && ", b"&&&START&&&", b"/*-secure-\n", b"/*"]


@pytest.mark.parametrize("prefix", _PREFIXES)
@pytest.mark.parametrize("content_type", [JSON, "text/plain"])
def test_a_prefix_against_scripts_is_taken_off(prefix: bytes, content_type: str) -> None:
    """JSON behind what keeps it from being run as a script is JSON; the prefix is not passed on."""
    suffix = b"\n*/ " if prefix.startswith(b"/*") else b""
    body = parse(prefix + b'{"a": 1}' + suffix, content_type)
    assert (body.tree, body.spliceable) == ({"a": 1}, b'{"a": 1}')


@pytest.mark.parametrize("call", [b'done({"a": [1]});', b'/**/ jQuery1.cb_2 ( {"a": [1]} )\n', b'cb([{"a": 1}])'])
@pytest.mark.parametrize("content_type", [JSON, "application/javascript", ""])
def test_the_argument_of_a_call_is_read(call: bytes, content_type: str) -> None:
    """JSONP is JSON in a call; its bytes without the call are strict JSON."""
    body = parse(call, content_type)
    assert body.tree in ({"a": [1]}, [{"a": 1}])
    assert body.spliceable in (b'{"a": [1]}', b'[{"a": 1}]')


@pytest.mark.parametrize("text", ['no({"a": ', "no({x})", "call me (please)"])
def test_what_only_looks_like_a_call_is_text(text: str) -> None:
    """A sentence with a bracket is no call, and a call with something else in it neither."""
    body = parse(text.encode(), "text/plain")
    assert (body.kind, body.tree) in ((BodyKind.TEXT, text), (BodyKind.OPAQUE, None))


_WARNING = "<br />\n<b>Warning</b>:  no such thing in <b>/srv/a.php</b> on line <b>3</b><br />\n"


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (_WARNING + '{"a": 1}', JSON),
        (_WARNING * 3 + '{"a": 1}\n', "text/html; charset=utf-8"),
        (_WARNING + '{"a": 1}<br />\n<b>Notice</b>: and more', JSON),
        ('\nWarning: no such {thing} in /srv/a.php on line 3\n{"a": 1}', "text/plain"),
        ('Deprecated: []{} in /srv/a.php\n[] {"a": 1}', JSON),
        ('{"a": 1}<br />\n<b>Warning</b>: late', JSON),
        ('{"a": 1}<!-- 0.3 s -->', "text/html"),
        ('{"a": 1}\nWarning: late', "text/html"),
        ('ok{"a": 1}', JSON),
        ('\ufeff\ufeff{"a": 1}', JSON),
        ('<p>{"a": 1}', "text/html"),
    ],
)
def test_json_behind_or_before_something_else_is_read(text: str, content_type: str) -> None:
    """Scripts print warnings before and behind their JSON; what is around it cannot be passed on."""
    body = parse(text.encode(), content_type)
    assert (body.kind, body.tree, body.spliceable) == (BodyKind.JSON, {"a": 1}, None)
    assert not body.truncated


@pytest.mark.parametrize(
    ("text", "content_type", "kind"),
    [
        ('<html><script>\n{"a": 1}\n</script></html>', JSON, BodyKind.HTML),
        ('<p>See\n{"a": 1}\nfor more', "text/html", BodyKind.HTML),
        ('See {"a": 1}', "text/plain", BodyKind.TEXT),
        ('See\n{"a": 1}\nfor more', "text/plain", BodyKind.TEXT),
        ('See\n{"a: 1}', "text/plain", BodyKind.TEXT),
        ("See\n{}", "text/plain", BodyKind.TEXT),
        ('{"x"\n' * 4 + '{"a": 1}', "text/plain", BodyKind.OPAQUE),
        ('See\n{"x"\n' * 4 + '{"a": 1}', "text/plain", BodyKind.TEXT),
    ],
)
def test_a_page_or_a_text_that_quotes_json_stays_what_it_is(text: str, content_type: str, kind: BodyKind) -> None:
    """Where nobody says that it is JSON, it has to begin a line and end the body; a whole page is always a page."""
    assert parse(text.encode(), content_type).kind is kind


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('{"message": "it was cu', {"message": "it was cu"}),
        ('{"a": {"b": [1, 2', {"a": {"b": [1]}}),
        ('{"a": {"b": [1, 2 ', {"a": {"b": [1, 2]}}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": 1, "b"', {"a": 1}),
        ('{"a": 1, "b":', {"a": 1}),
        ('{"a": 1, "b": tru', {"a": 1}),
        ('{"a": 1, "b": true', {"a": 1, "b": True}),
        ('{"a": 1, "b": null', {"a": 1, "b": None}),
        ('[{"a": "x"}, {"b": ', [{"a": "x"}, {}]),
        ('["a", "b"', ["a", "b"]),
        ('["a", ', ["a"]),
        ('["a\\', ["a"]),
        ('["a\\u00e', ["a"]),
        ('["a\\u00e9', ["aé"]),
        ('["a\\ud83d', ["a"]),
        ('["a\\ud83d\\', ["a"]),
        ('["a\\ud83d\\ude0', ["a"]),
        ('["a\\ud83d\\ude00', ["a😀"]),
        ('["a\\ud83dx', ["a?x"]),
        ('["a\\\\u12', ["a\\u12"]),
        ('["a\\"', ['a"']),
        ('[{}, ["{[,:', [{}, ["{[,:"]]),
        ('{"a": "é', {"a": "é"}),
    ],
)
def test_json_that_was_cut_off_is_read_as_far_as_it_goes(text: str, tree: object) -> None:
    """A last number or word may have been longer, and is left out; a last text is kept; and it is said."""
    body = parse(text.encode(), JSON)
    assert (body.kind, body.tree, body.spliceable, body.truncated) == (BodyKind.JSON, tree, None, True)


def test_half_a_character_is_left_out() -> None:
    """Bytes that are cut off do not become a sign for what cannot be read."""
    assert parse('{"a": "né'.encode()[:-1], JSON).tree == {"a": "n"}
    assert parse('{"a": "né'.encode("utf-16")[:-1], JSON).tree == {"a": "n"}


@pytest.mark.parametrize("start", ['{"a": 1, "b": "', '{"a": 1, "b": ["', '{"a": 1, "b": [[], '])
def test_of_long_json_that_was_cut_off_the_beginning_is_read(start: str) -> None:
    """64 KiB of it, whatever the rest is."""
    body = parse((start + "x" * 200_000).encode(), JSON)
    assert body.truncated
    assert body.tree["a"] == 1


@pytest.mark.parametrize("text", ['{"a": ', '{"a', "{", "[", '["', '[{"', "[["])
def test_what_was_cut_off_before_anything_was_whole_is_opaque(text: str) -> None:
    """An empty object says nothing, and is not shown as a text either; that it was cut off is said."""
    body = parse(text.encode(), JSON)
    assert (body.tree or None, body.truncated) in ((None, True), ([""], True), ([{}], True), ([[]], True))


def test_a_whole_body_is_not_truncated() -> None:
    """Only what lacks its end is."""
    for text in ('{"a": 1}', "[]", "sorry", "<p>One", "<e/>", "", "a=1", '{"a": 1]', "[NaN]"):
        assert not parse(text.encode(), JSON).truncated


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        ('{"a": "é لا"}'.encode("utf-8-sig"), JSON),
        ('{"a": "é لا"}'.encode("utf-16"), JSON),
        (b"\xfe\xff" + '{"a": "é لا"}'.encode("utf-16-be"), "text/plain"),
        ('{"a": "é لا"}'.encode("utf-16-le"), "application/json; charset=utf-16le"),
        ('{"a": "é لا"}'.encode("utf-16-le"), "application/json; charset=utf-16"),
        ('{"a": "é لا"}'.encode("utf-16-le"), JSON),
        ('{"a": "é لا"}'.encode("utf-16-be"), "application/json; charset=utf-8"),
        ('{"a": "é لا"}'.encode("utf-32"), JSON),
        ('{"a": "é لا"}'.encode("utf-32-be"), ""),
        ('{"a": "é لا"}'.encode("utf-32-le"), "application/json; charset=utf-32"),
        ('{"a": "é لا"}'.encode(), "application/json; charset=utf-16"),
        ('{"a": "é لا"}'.encode("cp1256", "replace").replace(b"?", "é".encode("cp1256")), "x; charset=windows-1256"),
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
        ("غير موجود", "cp1256", "cp1256"),
        ("غير موجود", "utf-16-le", "utf-16"),
        ("غير موجود", "utf-16-be", "utf-16be"),
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
        (
            "<html><body><h1>503 Not Now</h1>\nNo server\nis there. <i>None</i>\n</body></html>",
            {"h1": "503 Not Now", "text": "No server is there."},
        ),
        (
            "<HTML><TITLE>No</TITLE><BODY><H1>Denied</H1>You may not see it.<P>Reference&#32;&#35;9&#46;a</BODY>",
            {"title": "No", "h1": "Denied", "p": "Reference #9.a", "text": "You may not see it."},
        ),
        (
            "<div><h2>404 - Not here.</h2><h3>What you look for\nis away.</h3></div>",
            {"h2": "404 - Not here.", "h3": "What you look for is away."},
        ),
        (
            "<html><h1><span>Error</span><span>1015</span></h1><h2>You are too fast</h2><center>edge</center>",
            {"h1": "Error 1015", "h2": "You are too fast"},
        ),
        ("<html><frameset><frame></frameset>", {}),
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


@pytest.mark.parametrize("cut", [b'{"a": true', b'{"a": 17 ', b'{"a": null'])
def test_a_word_that_is_whole_is_kept_of_json_that_is_cut_off(cut: bytes) -> None:
    """A word, or a number with a space behind it, cannot go on: it is what was sent."""
    body = parse(cut, "application/json")
    assert (body.tree, body.truncated) == (json.loads(cut + b"}"), True)


@pytest.mark.parametrize("text", ["", '{"a": 1}'])
def test_where_nothing_is_open_nothing_was_cut_off(text: str) -> None:
    """Neither of nothing nor of what is whole can more be had."""
    assert completed(text) is None
