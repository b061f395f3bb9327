"""XML to a tree: local names, no declarations, bounds on everything."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from gateway.dialects.bodies import READ_LIMIT, parse
from gateway.dialects.bodies.xmltree import DEEPEST, LONGEST_TEXT, MOST_ATTRIBUTES, MOST_ELEMENTS
from gateway.dialects.spec import BodyKind

XML = "application/xml"
MiB = 2**20


def _read(text: str | bytes, content_type: str = XML) -> Any:  # noqa: ANN401 - a foreign tree
    body = parse(text if isinstance(text, bytes) else text.encode(), content_type)
    assert body.kind is BodyKind.XML
    assert body.spliceable is None
    return body.tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("<E><Code>No</Code><Why> It is\n gone </Why></E>", {"E": {"Code": "No", "Why": "It is\n gone"}}),
        ("<e><x>1</x><x>2</x><x a='3'/></e>", {"e": {"x": ["1", "2", {"@a": "3"}]}}),
        ("<e code='7' x:kind='k'>Sorry<b/></e>", {"e": {"@code": "7", "@kind": "k", "b": "", "#text": "Sorry"}}),
        ("<e a='1'/>", {"e": {"@a": "1"}}),
        ("<e>a &lt;b&gt; &#233; <![CDATA[<i>&amp;]]></e>", {"e": "a <b> é <i>&amp;"}),
        ("<e>one<!-- two --><?php three?> four</e>", {"e": "one four"}),
        ("\n <?xml version='1.0'?>\n<!-- a > b --><?b c?><e>x</e>\n<!-- d -->", {"e": "x"}),
        ("<e/>", {"e": ""}),
    ],
)
def test_a_document_is_a_tree_like_that_of_json(text: str, tree: object) -> None:
    """Elements are members, repeated ones lists, attributes begin with @, text beside others is #text."""
    assert _read(text) == tree


def test_namespaces_and_what_speaks_of_the_document_are_dropped() -> None:
    """Whatever the prefixes: names are local, and `xmlns`, `xsi:…`, `i:nil`, `xml:lang` say nothing of the error."""
    envelope = """<?xml version="1.0"?>
    <soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
      <soap:Body><soap:Fault><faultcode xmlns="urn:x">soap:Server</faultcode>
        <detail><n1:why xml:lang="en" xsi:type="xsd:string" i:nil="false" soap:of="x">Late</n1:why></detail>
      </soap:Fault></soap:Body>
    </soap:Envelope>"""
    fault = {"faultcode": "soap:Server", "detail": {"why": {"@of": "x", "#text": "Late"}}}
    assert _read(envelope) == {"Envelope": {"Body": {"Fault": fault}}}


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        ("<?xml version='1.0' encoding='windows-1256'?><e>خطأ</e>".encode("cp1256"), XML),
        ('<?xml version="1.0" encoding = "Windows-1256" ?><e>خطأ</e>'.encode("cp1256"), "text/plain"),
        ("<e>خطأ</e>".encode("cp1256"), "text/xml; charset=windows-1256"),
        ("<?xml version='1.0' encoding='utf-16'?><e>خطأ</e>".encode("utf-16"), XML),
        ("<?xml version='1.0'?><e>خطأ</e>".encode("utf-16-le"), XML),
        ("<?xml version='1.0'?><e>خطأ</e>".encode("utf-16-be"), ""),
        ("<?xml version='1.0' encoding='iso-8859-1'?><e>خطأ</e>".encode(), XML),
        ("<?xml version='1.0'?><e>خطأ</e>".encode("utf-8-sig"), XML),
    ],
)
def test_a_document_is_read_in_its_encoding(data: bytes, content_type: str) -> None:
    """A mark, then UTF-8 where it is valid, then the content type, then the document's own declaration."""
    assert _read(data, content_type) == {"e": "خطأ"}


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "text",
    [
        f'<?xml version="1.0"?><!DOCTYPE e [<!ENTITY l0 "ha">{LAUGHS}]><e>&l11;</e>',
        f'<!DOCTYPE e [<!ENTITY l0 "{"x" * 30_000}">]><e>{"&l0;" * 5_000}</e>',
        f'<!-- a --><!DOCTYPE e [<!ENTITY l0 "ha">{LAUGHS}]><e a="&l11;"/>',
        '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]><e>&x;</e>',
        '<!DOCTYPE e [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]><e>&x;</e>',
        '<!DOCTYPE e [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]><e/>',
        '<!DOCTYPE e SYSTEM "http://127.0.0.1:9/x.dtd"><e/>',
        '<!DOCTYPE e [<!ATTLIST e a CDATA "default">]><e/>',
        "<!doctype e><e/>",
        "<?xml version='1.0'?>" + " " * 100 + "<!DOCTYPE e><e/>",
    ],
    ids=["laughs", "quadratic", "attribute", "file", "network", "parameter", "external", "defaults", "case", "late"],
)
def test_what_declares_a_document_type_is_opaque(text: str) -> None:
    """No entity is expanded, no default filled in, nothing fetched: such a document is not given to the parser."""
    tracemalloc.start()
    body = parse(text.encode(), XML)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (body.kind, body.tree) == (BodyKind.OPAQUE, None)
    assert peak < MiB


def test_a_declaration_in_the_wrong_place_is_malformed() -> None:
    """Behind the first element nothing can be declared; what stood before it counts."""
    body = parse(b'<e><a>1</a><!DOCTYPE e [<!ENTITY x "y">]><b>&x;</b></e>', XML)
    assert (body.tree, body.truncated) == ({"e": {"a": "1"}}, True)


def _depth(tree: Any) -> int:  # noqa: ANN401 - a foreign tree
    depth = 0
    while isinstance(tree, dict):
        tree, depth = next(iter(tree.values())), depth + 1
    return depth


@pytest.mark.parametrize("text", ["<a>" * 20_000, "<a>" * 500 + "x" + "</a>" * 500])
def test_depth_is_bounded(text: str) -> None:
    """What is nested deeper is not there, and the reading ends."""
    body = parse(text.encode(), XML)
    assert _depth(body.tree) == DEEPEST
    assert body.truncated


def test_the_number_of_elements_is_bounded() -> None:
    """As many as are allowed are read."""
    body = parse(b"<r>" + b"<a/>" * 10_000 + b"</r>", XML)
    assert len(body.tree["r"]["a"]) == MOST_ELEMENTS - 1
    assert body.truncated


@pytest.mark.parametrize(("count", "truncated"), [(MOST_ATTRIBUTES, False), (MOST_ATTRIBUTES + 1, True), (6_000, True)])
def test_the_number_of_attributes_is_bounded(count: int, *, truncated: bool) -> None:
    """An element with more of them ends the reading; what stood before it counts."""
    attributes = "".join(f' a{n}=""' for n in range(count))
    body = parse(f"<r><b>1</b><c{attributes}/><d>2</d></r>".encode(), XML)
    assert body.tree["r"]["b"] == "1"
    assert body.truncated == ("c" not in body.tree["r"]) == ("d" not in body.tree["r"]) == truncated


def test_texts_and_bytes_are_bounded() -> None:
    """Of a long text the beginning is there, and of a long document its first 64 KiB."""
    long = "x" * (LONGEST_TEXT + 9)
    assert _read(f"<r a='{long}'><b>{long}</b><c>1</c></r>") == {
        "r": {"@a": "x" * LONGEST_TEXT, "b": "x" * LONGEST_TEXT, "c": "1"}
    }
    lines = _read(f"<r>{('y' * 99 + chr(10)) * 400}</r>")["r"]
    assert len(lines) <= LONGEST_TEXT
    assert lines.startswith("y" * 99 + "\n" + "y" * 99)
    body = parse(b"<r><a>1</a><!--" + b"x" * READ_LIMIT + b"--><b>2</b></r>", XML)
    assert (body.tree, body.truncated) == ({"r": {"a": "1"}}, True)


@pytest.mark.parametrize(
    ("text", "tree", "truncated"),
    [
        ("<e><a>1</a><b>2", {"e": {"a": "1", "b": "2"}}, True),
        ("<e><a>1</a><b", {"e": {"a": "1"}}, True),
        ("<e><a>1</a></e", {"e": {"a": "1"}}, True),
        ("<e><a>1</b><c>3</c></e>", {"e": {"a": "1"}}, True),
        ("<e>Tom & Jerry</e>", {"e": "Tom"}, True),
        ("<e>no&nbsp;entity</e>", {"e": "no"}, True),
        ("<e a='1' a='2'>x</e>", None, False),
        ("<e>x\x01y</e>", {"e": "x"}, True),
        ("<e>1</e><f>2</f>", {"e": "1"}, False),
        ("<e>1</e> and more", {"e": "1"}, False),
        ("<?xml version='1.0'?>", None, False),
        ("<?xml version='1.0'", None, False),
        ("<!-- <e/>", None, False),
        ("<e", None, False),
        ("</e>", None, False),
    ],
)
def test_what_is_malformed_is_read_as_far_as_it_goes(text: str, tree: object, *, truncated: bool) -> None:
    """It never raises; what is left out behind the error is said to be, but not what follows a whole document."""
    body = parse(text.encode(), XML)
    assert (body.kind, body.tree) == (BodyKind.XML if tree else BodyKind.OPAQUE, tree)
    assert body.truncated == truncated


@pytest.mark.platform
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell a process's memory so")
@pytest.mark.parametrize("prolog", ["<?a?>", "<!---->", " "])
def test_the_prolog_is_bounded(prolog: str) -> None:
    """What stands before the first element is looked at no farther than anything else."""
    assert parse((f"<?xml?>{prolog * READ_LIMIT}<Error/>").encode(), XML, None).kind is BodyKind.OPAQUE


def test_names_are_forgotten_with_the_document() -> None:
    """Documents full of names that never come again leave nothing behind."""
    documents = [b"<r>" + b"".join(b"<n%dx%d/>" % (n, m) for m in range(3_000)) + b"</r>" for n in range(60)]
    for document in documents[:20]:
        parse(document, XML)
    before = _resident()
    for document in documents[20:]:
        parse(document, XML)
    assert _resident() - before < 2 * MiB


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096
