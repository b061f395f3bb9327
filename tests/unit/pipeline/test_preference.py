"""Which view and which language a client asks for."""

from __future__ import annotations

import pytest

from gateway.pipeline.preference import DEFAULT, offers, preference, preference_of


def view_of(accept: bytes) -> str:
    """Return the name of the view that an `Accept` gets."""
    return preference((accept,), ()).writer.name


@pytest.mark.parametrize(
    ("accept", "view"),
    [
        (b"*/*", "problem-json"),
        (b"application/json", "problem-json"),
        (b"application/problem+json", "problem-json"),
        (b"application/json, text/plain, */*", "problem-json"),
        (b"application/*", "problem-json"),
        (b"image/png", "problem-json"),
        (b"text/plain;q=0", "problem-json"),
        (b"application/problem+xml", "problem-xml"),
        (b"application/xml", "problem-xml"),
        (b"text/xml;q=0.9, text/plain;q=0.8", "problem-xml"),
        (b"application/vnd.api+json", "json-api"),
        (b"application/json;q=0.1, application/vnd.api+json;q=0.2", "json-api"),
        (b"text/plain", "text"),
        (b"text/*", "text"),
    ],
)
def test_views(accept: bytes, view: str) -> None:
    """By weight; problem+json where nothing says otherwise, or nothing can be had."""
    assert view_of(accept) == view


@pytest.mark.parametrize(
    ("accept", "view"),
    [
        (b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "problem-json"),
        (b"text/html, application/problem+xml", "problem-xml"),
        (b"text/html, application/vnd.api+json;q=0.5, */*;q=0.1", "json-api"),
        (b"text/html;q=0, application/xml", "problem-xml"),
    ],
)
def test_a_browser_does_not_mean_xml(accept: bytes, view: str) -> None:
    """Where HTML is wanted too, the general names of XML ask for a page."""
    assert view_of(accept) == view


@pytest.mark.parametrize(
    ("headers", "view", "language"),
    [
        ([], "problem-json", "en"),
        ([(b"Host", b"a"), (b"Accept-Encoding", b"gzip")], "problem-json", "en"),
        ([(b"ACCEPT", b"text/plain"), (b"accept-language", b"ar-EG")], "text", "ar"),
        ([(b"Accept", b"text/plain;q=0.1"), (b"Accept", b"text/xml;q=0.2")], "problem-xml", "en"),
        ([(b"Accept-Language", b"fr"), (b"Accept-Language", b"ar;q=0.1")], "problem-json", "ar"),
        ([(b"Accept-Language", b"fr")], "problem-json", "en"),
    ],
)
def test_of_a_request(headers: list[tuple[bytes, bytes]], view: str, language: str) -> None:
    """Over all lines of both fields, in any case of their names."""
    found = preference_of(tuple(headers))
    assert (found.writer.name, found.language) == (view, language)


def test_nothing_said_is_worked_out_by_nobody() -> None:
    """The usual request gets the one default."""
    assert preference_of(((b"Host", b"a"),)) is DEFAULT


def test_short_fields_are_remembered_and_long_ones_are_not() -> None:
    """So that what all clients say costs nothing, and one that says much fills no memory."""
    assert preference((b"text/plain",), (b"ar",)) is preference((b"text/plain",), (b"ar",))
    long = (b"text/plain," + b"a/b," * 100,)
    assert preference(long, ()) is not preference(long, ())
    assert preference(long, ()) == preference((b"text/plain",), ())


@pytest.mark.parametrize("wanted", [b"text/plain", b"application/problem+xml"])
def test_fields_longer_than_anybody_needs_ask_for_nothing(wanted: bytes) -> None:
    """Each element of a field costs time, so that of thousands none is looked at."""
    assert preference((wanted + b",a/b" * 400,), ()).writer is not DEFAULT.writer
    assert preference((wanted + b",a/b" * 1_000,), ()) is DEFAULT
    assert preference((wanted,), (b"ar" + b"-x" * 2_000,)) is DEFAULT


def test_offers() -> None:
    """What the reference shows is what is asked."""
    for name, media_type, also in offers():
        for asked in (media_type.partition(b";")[0], *also):
            assert view_of(asked) == name
