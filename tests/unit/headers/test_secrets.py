"""Credentials of ours, in what an upstream says."""

from __future__ import annotations

import json

import pytest

from gateway.headers import Secrets

SECRETS = Secrets.of(['s3cret/+"\u0645', "12345678", "short"])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('a s3cret/+"\u0645 b', "a [redacted] b"),
        ("a s3cret%2F%2B%22%D9%85 b", "a [redacted] b"),
        ("a s3cret%2f%2b%22%d9%85 b", "a [redacted] b"),
        ("12345678 and 12345678", "[redacted] and [redacted]"),
        ("short", "short"),
        ("nothing \ud800", "nothing \ud800"),
    ],
)
def test_texts(text: str, clean: str) -> None:
    """As they are and percent-encoded; what is too short to be told from ordinary text stays."""
    assert SECRETS.redact_text(text) == clean


@pytest.mark.parametrize(
    ("document", "clean"),
    [
        (b'{"a":1.50, "b":"x"}', b'{"a":1.50, "b":"x"}'),
        (json.dumps({"a": 'x s3cret/+"\u0645', "b": 1}).encode(), b'{"a": "x [redacted]", "b": 1}'),
        (b'["s3cret\\/+\\"\xd9\x85", "\\""]', b'["[redacted]", "\\""]'),
        (b'{"12345678":12345678,"c":-0.5e3}', b'{"[redacted]":"[redacted]","c":-0.5e3}'),
    ],
)
def test_documents(document: bytes, clean: bytes) -> None:
    """However JSON spells them; JSON remains, and the rest of it byte for byte."""
    assert SECRETS.redact_json(document) == clean
    json.loads(clean)


@pytest.mark.parametrize(
    "spelled",
    [
        "tok\\u0026en\\u003d+\\u003c\\u0027x/",
        "tok\\u0026en=\\u002B\\u003C\\u0027x/",
        "tok\\u0026en=+\\u003c'x/",
    ],
)
def test_documents_that_may_stand_in_pages(spelled: str) -> None:
    """Encoders of several languages write signs of markup as escapes; the last has those of Go."""
    secret = json.loads(f'"{spelled}"')
    assert Secrets.of([secret]).redact_json(f'{{"a":"{spelled}"}}'.encode()) == b'{"a":"[redacted]"}'


def test_never_shown() -> None:
    """Not even in a traceback."""
    assert "s3cret" not in repr(SECRETS)


def test_joined_secrets_have_the_forms_of_both() -> None:
    """The longest first, as ever."""
    one, other = Secrets.of(["first-secret"]), Secrets.of(["the-longer-secret"])
    joined = one.joined(other)
    assert joined == other.joined(one)
    assert joined.redact(b"first-secret the-longer-secret").count(b"secret") == 0
    assert set(joined.forms) == {*one.forms, *other.forms}
