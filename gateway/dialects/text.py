"""Which words of an upstream may be shown to a person, and in what state.

Usable text is a sentence: not the word "null", not an untranslated key such as `alert.invalid_fields`, no stack trace.
What is not usable still stands in `upstream.message`; it never becomes `detail`.
"""

from __future__ import annotations

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser

LONGEST_TEXT = 2_000
"""Characters kept of any one text of an upstream (a bound on memory and on what a log line can be made to hold)."""

_MARKUP_BOUND = 20_000
_ENTITY_BOUND = 2 * LONGEST_TEXT  # below the 4,300 digits of which Python makes a number
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._][A-Za-z0-9]+)+")
_NOTHING = frozenset({"", "null", "none", "undefined", "nil", "[object object]"})
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|^\s+at [\w$.<>]+\(|^#\d+ [/\w]|^\s*File \"[^\"]+\", line \d+"
    r"|^goroutine \d+ \[",
    re.MULTILINE,
)
_UNSEEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))


def clean(text: str) -> str:
    """Return `text` without markup, control characters and surplus space, at most `LONGEST_TEXT` characters long."""
    if "<" in text or "&" in text:
        text = _without_markup(text[:_MARKUP_BOUND])
    text = text[:LONGEST_TEXT].strip()
    if not text.isprintable():
        text = text.translate(_UNSEEN).encode("utf-8", "replace").decode("utf-8")
    return text


def is_usable(text: str) -> bool:
    """Say whether a cleaned text tells a person anything."""
    if len(text) < 20 and text.lower() in _NOTHING:
        return False
    if " " not in text:
        return _KEY.fullmatch(text) is None
    return "\n" not in text or _TRACE.search(text) is None


def _without_markup(text: str) -> str:
    if "<" not in text or ">" not in text:
        return unescape(text[:_ENTITY_BOUND])
    body = LexborHTMLParser(text).body
    return " ".join(body.text(separator=" ", strip=True).split()) if body is not None else ""
