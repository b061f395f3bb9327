"""In which view and in which language a client wants to be told of a problem: `Accept` and `Accept-Language`.

Pure, and remembered: clients say the same few things, and most say nothing. The default (problem+json, English) stands
for whatever cannot be had.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from gateway.catalog.labels import LANGUAGES, Language
from gateway.headers.preferences import preferred_language, preferred_type, weights
from gateway.pipeline.writers.table import GENERAL, PROBLEM_JSON, PROBLEM_XML
from gateway.pipeline.writers.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Headers

_REMEMBERED: Final = 256
_LONGEST_REMEMBERED: Final = 256
"""Longer fields are not remembered, so that nobody fills the memory with them."""
_LONGEST_READ: Final = 2_048
"""Longer ones ask for nothing: no client needs them, and each of their elements costs time."""
_WRITERS: Final = tuple(GENERAL.values())
_XML: Final = b"application/xml"
_ALSO: Final = {PROBLEM_JSON.name: (b"application/json",), PROBLEM_XML.name: (_XML, b"text/xml")}
"""General media types that ask for a view, too."""
_PEOPLE: Final = b"text/html"


class Preference(Struct, frozen=True):
    """What a client wants, of what there is."""

    writer: Writer
    language: Language


DEFAULT: Final = Preference(PROBLEM_JSON, LANGUAGES[0])


def preference_of(headers: Headers) -> Preference:
    """Return what the fields of a request ask for."""
    accept: list[bytes] = []
    languages: list[bytes] = []
    for name, value in headers:
        lower = name.lower()
        if lower == b"accept":
            accept.append(value)
        elif lower == b"accept-language":
            languages.append(value)
    if not accept and not languages:
        return DEFAULT
    return preference(tuple(accept), tuple(languages))


def preference(accept: tuple[bytes, ...], languages: tuple[bytes, ...]) -> Preference:
    """Return what the lines of `Accept` and of `Accept-Language` ask for."""
    length = sum(map(len, accept)) + sum(map(len, languages))
    if length > _LONGEST_READ:
        return DEFAULT
    return (_preference if length <= _LONGEST_REMEMBERED else _preference.__wrapped__)(accept, languages)


@lru_cache(maxsize=_REMEMBERED)
def _preference(accept: tuple[bytes, ...], languages: tuple[bytes, ...]) -> Preference:
    return Preference(_writer_of(accept), language_of(languages))


def language_of(lines: Sequence[bytes]) -> Language:
    """Return the language of ours that `Accept-Language` wants most, else English."""
    wanted = preferred_language(lines, LANGUAGES)
    return next((language for language in LANGUAGES if language == wanted), LANGUAGES[0])


def _writer_of(lines: Sequence[bytes]) -> Writer:
    """Return the view that `Accept` wants most, else problem+json.

    A browser takes `application/xml` rather than anything, and means pages by it: where HTML is wanted too, XML has to
    be asked for as what it is.
    """
    browser = any(name == _PEOPLE and weight > 0 for name, weight in weights(lines))
    chosen = preferred_type(lines, _OFFERS_TO_BROWSERS if browser else _OFFERS)
    return PROBLEM_JSON if chosen is None else _WRITERS[chosen]


def offers() -> list[tuple[str, bytes, tuple[bytes, ...]]]:
    """Return each view that can be asked for: its name, its media type, and the general ones that stand for it."""
    return [(writer.name, writer.media_type, offer[1:]) for writer, offer in zip(_WRITERS, _OFFERS, strict=True)]


def _offer(writer: Writer) -> tuple[bytes, ...]:
    return (writer.media_type.partition(b";")[0], *_ALSO.get(writer.name, ()))


_OFFERS: Final = tuple(_offer(writer) for writer in _WRITERS)
_OFFERS_TO_BROWSERS: Final = tuple(offer[:1] if _XML in offer else offer for offer in _OFFERS)
