"""YAML with places; that any text gives a document is a property (tests/property/test_document.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.document import Document, path_text


def test_a_path_begins_where_the_file_is() -> None:
    """Whatever folder the process was started in."""
    document = Document("", "etc/upstreams/a.yaml")
    assert document.beside("../tls/a.pem") == Path("etc/upstreams/../tls/a.pem")
    assert document.beside("/run/x.sock") == Path("/run/x.sock")


def _faults(text: str) -> list[str]:
    return [str(fault) for fault in Document(text, "a.yaml").faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", 1),
        ("a: -0", 0),
        ("a: +7", 7),
        ("a: 1.50", 1.5),
        ("a: 2.5e3", 2500.0),
        ("a: true", True),
        ("a: FALSE", False),
        ("a: null", None),
        ("a: ~", None),
        ("a:", None),
        ("a: yes", "yes"),
        ("a: off", "off"),
        ("a: 0123", "0123"),
        ("a: 0x1f", "0x1f"),
        ("a: 1_000", "1_000"),
        ("a: 1:30", "1:30"),
        ("a: .5", ".5"),
        ("a: 1e3", "1e3"),
        ("a: .inf", ".inf"),
        ("a: 2026-01-01", "2026-01-01"),
        ("a: 1234567890123456789", "1234567890123456789"),
        ("a: '1'", "1"),
        ('a: "true"', "true"),
        ("a: ''", ""),
        ("a: |\n  null\n", "null\n"),
        ("a: >-\n  null\n", "null"),
        ("a: [1, {b: c}]", [1, {"b": "c"}]),
        ("a: {1: x, true: y, null: z}", {"1": "x", "true": "y", "null": "z"}),
        ("a: salla  # the preset", "salla"),
    ],
)
def test_a_value_is_what_it_looks_like(text: str, value: object) -> None:
    """Only `true`, `false`, `null` and numbers in plain notation are more than text; keys are always text."""
    document = Document(text, "a.yaml")
    assert document.faults == []
    assert repr(document.value) == repr({"a": value})


@pytest.mark.parametrize(("text", "value"), [("", {}), ("# nothing\n", {}), ("~", None), ("- 1", [1]), ("x", "x")])
def test_a_file_may_hold_anything(text: str, value: object) -> None:
    """A file without a word is an empty mapping; whether a mapping is needed is for the model to say."""
    document = Document(text, "a.yaml")
    assert (document.value, document.faults) == (value, [])


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("a: 1\nb: 2\na: 3\n", ["a.yaml:3:1 a: this key is given twice (it stands first in line 1)"]),
        (
            "a:\n  b: {c: 1, c: 2}\n  b: 3\n",
            [
                "a.yaml:2:13 a.b.c: this key is given twice (it stands first in line 2)",
                "a.yaml:3:3 a.b: this key is given twice (it stands first in line 2)",
            ],
        ),
        ("[a, b]: 1\n{c: 1}: 2", ["a.yaml:1:1: a key must be a plain text", "a.yaml:2:1: a key must be a plain text"]),
        ("a:\n  <<: 1\n", ["a.yaml:2:3 a: a key must be a plain text"]),
        (
            "a: &one [1]\nb: *one\n",
            [
                "a.yaml:1:4: anchors are not allowed (leave the anchor out)",
                "a.yaml:2:4: aliases are not allowed (write the value out)",
            ],
        ),
        ("a: &only 1\n", ["a.yaml:1:4: anchors are not allowed (leave the anchor out)"]),
        (
            "a: !!str 1\nb: !python/x 2",
            [
                "a.yaml:1:4: tags are not allowed (leave the tag out)",
                "a.yaml:2:4: tags are not allowed (leave the tag out)",
            ],
        ),
        ("a: ! 1", ["a.yaml:1:4: tags are not allowed (leave the tag out)"]),
        ("a: " + "[" * 64 + "]" * 64, ["a.yaml:1:67: nested too deep"]),
        ("a: [1", ["a.yaml:1:6: not YAML: did not find expected ',' or ']'"]),
        ("a: [1\n", ["a.yaml:1:6: not YAML: did not find expected ',' or ']'"]),
        ("a: 'x\nb: 1\n", ["a.yaml:2:5: not YAML: found unexpected end of stream"]),
        ("a: b: c", ["a.yaml:1:5: not YAML: mapping values are not allowed in this context"]),
        ("a: 1\n---\nb: 2\n", ["a.yaml:2:1: not YAML: but found another document"]),
        (
            "a: *x b",
            [
                "a.yaml:1:4: aliases are not allowed (write the value out)",
                "a.yaml:1:7: not YAML: did not find expected key",
            ],
        ),
        ("a: \0", ["a.yaml: not YAML: unacceptable character #x0000: control characters are not allowed"]),
        (
            "a: \ud800",
            [r"a.yaml: not YAML: 'utf-8' codec can't encode character '\ud800' in position 3: surrogates not allowed"],
        ),
    ],
)
def test_what_means_something_else_than_it_shows_is_a_fault(text: str, faults: list[str]) -> None:
    """Duplicate keys, anchors, aliases, tags, merge keys, depth, and what is no YAML: all told, each with its place."""
    assert _faults(text) == faults


def test_64_levels_are_not_too_deep() -> None:
    """The bound is far above what anyone writes."""
    assert _faults("[" * 64 + "]" * 64) == []


def test_of_a_key_given_twice_the_first_is_read() -> None:
    """The rest of the file is read on, so that all its faults come at once."""
    assert Document("a: 1\na: {b: 2}\nc: 3\n", "a.yaml").value == {"a": 1, "c": 3}


TEXT = """\
name: salla
limits:
  - {name: one, per: 60s}
  -
    name: two
match: {prefix: /salla}
"""


@pytest.mark.parametrize(
    ("location", "place", "path"),
    [
        ((), (1, 1), ""),
        (("name",), (1, 1), "name"),
        (("limits", 0, "per"), (3, 17), "limits[0].per"),
        (("limits", 0), (3, 5), "limits[0]"),
        (("limits", 1, "name"), (5, 5), "limits[1].name"),
        (("limits", 1, "per"), (5, 5), "limits[1]"),
        (("match", "UpstreamMatch", "prefix"), (6, 9), "match.prefix"),
        (("match", "prefix", 0), (6, 9), "match.prefix"),
        (("nowhere",), (1, 1), ""),
    ],
)
def test_places(location: tuple[str | int, ...], place: tuple[int, int], path: str) -> None:
    """Each key and each item has a line and a column; what is not in the file has the place of what is around it."""
    assert Document(TEXT, "a.yaml").place(location) == (place, path)


def test_an_unreadable_file_has_no_places() -> None:
    """What was not read is told for the file as a whole."""
    assert Document("a: [", "a.yaml").place(("a",)) == ((0, 0), "")


@pytest.mark.parametrize(
    ("at", "text"), [((), ""), (("a",), "a"), (("a", 0, "b", "c"), "a[0].b.c"), ((1,), "[1]"), ((1, "a"), "[1].a")]
)
def test_paths_read_as_people_write_them(at: tuple[str | int, ...], text: str) -> None:
    """Keys with dots, indexes in brackets."""
    assert path_text(at) == text
