"""Credentials of ours in what an upstream says: found in the forms in which they are echoed, and taken out.

An upstream that quotes its request ("the token … is not valid") must not hand our credential to the client. This is a
net below the rules that keep credentials out of sight, not a wall: an upstream that *wants* to give one away can spell
it in ways that nobody lists.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REDACTED: Final = b"[redacted]"
SHORTEST: Final = 6
"""Shorter values, in characters, cannot be told from ordinary text: a shop's number is in every price."""

_TOKENS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*', re.DOTALL)
_ESCAPED_FOR_PAGES: Final = ("<>&", "<>&'", "<>&'\"", "<>&'=", "<>&'\"+`")
"""Characters that encoders of several languages write as `\\u003c` and the like."""
_ENCODED: Final = re.compile(r"%[0-9A-F]{2}")


@dataclass(frozen=True, slots=True)
class Secrets:
    """The forms in which one upstream's credentials may appear, the longest first. None of them is ever shown."""

    forms: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, values: Iterable[str]) -> Secrets:
        """Return the forms of values: as they are, percent-encoded, and either of these in the spellings of JSON."""
        forms = {form for value in values if len(value) >= SHORTEST for form in _forms(value)}
        return cls(_longest_first(form.encode() for form in forms))

    def joined(self, other: Secrets) -> Secrets:
        """Return the forms of both."""
        return Secrets(_longest_first({*self.forms, *other.forms}))

    def shown_in(self, text: bytes) -> bool:
        """Tell whether any form stands in `text`."""
        return any(form in text for form in self.forms)

    def redact(self, text: bytes) -> bytes:
        """Return `text` without the credentials."""
        for form in self.forms:
            text = text.replace(form, REDACTED)
        return text

    def redact_text(self, text: str) -> str:
        """Return `text` without the credentials."""
        data = text.encode("utf-8", "surrogatepass")
        return self.redact(data).decode("utf-8", "surrogatepass") if self.shown_in(data) else text

    def redact_json(self, document: bytes) -> bytes:
        """Return a JSON text without the credentials: still JSON, even where one looks like a number."""
        return _TOKENS.sub(self._token, document) if self.shown_in(document) else document

    def _token(self, found: re.Match[bytes]) -> bytes:
        token = found[0]
        if token.startswith(b'"'):
            return b'"' + self.redact(token[1:-1]) + b'"'
        return b'"' + REDACTED + b'"' if self.shown_in(token) else token


def _longest_first(forms: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _forms(value: str) -> Iterator[str]:
    for form in (value, quote(value, safe=""), quote(value), quote_plus(value)):
        for spelled in (form, _ENCODED.sub(lambda found: found[0].lower(), form)):
            yield spelled
            for escaped in (json.dumps(spelled)[1:-1], json.dumps(spelled, ensure_ascii=False)[1:-1]):
                yield escaped
                yield escaped.replace("/", "\\/")
            yield from _safe_for_pages(spelled)


def _safe_for_pages(text: str) -> Iterator[str]:
    """Give the spellings of encoders whose JSON may be put into a page."""
    for characters in _ESCAPED_FOR_PAGES:
        for form in ("\\u%04x", "\\u%04X"):
            yield "".join(form % ord(one) if one in characters else json.dumps(one)[1:-1] for one in text)
