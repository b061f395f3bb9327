"""What stands in a sample for a text of an upstream: its kind and its length, never the text.

A text is kept only where it is one of `words`, a list that is part of the program: whoever reads a sample then learns
that such a word was there, and nothing that was not in our own files. Texts are looked at up to a bound.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WILDCARD: Final = "*"
"""What stands for a member's name that is data."""

_LOOKED_AT: Final = 200
_HEX_ID: Final = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=[a-f]*[0-9])[0-9a-f]{16,}"


def _form(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.ASCII | re.IGNORECASE).fullmatch


_FORMS: Final[tuple[tuple[str, Callable[[str], object]], ...]] = (
    ("number", _form(r"[+-]?[0-9]+(?:\.[0-9]+)?")),
    ("id", _form(_HEX_ID)),
    ("time", _form(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.+Z -]*)?")),
    ("address", _form(r"[a-z][a-z0-9+.-]*://\S*|[^\s@/]+@[^\s@/]+\.[^\s@/]+")),
    ("pointer", _form(r"#?/\S*")),
    ("word", _form(r"[a-z]+")),
    ("code", _form(r"[a-z0-9]+(?:[_.:-]+[a-z0-9]+)*")),
)
"""Each name with what a whole text of it looks like; the first that fits counts. All else is `text`."""

_STAND_INS: Final[Mapping[str, str]] = {
    "number": "1",
    "id": "00000000-0000-4000-8000-000000000000",
    "time": "2026-01-01T00:00:00Z",
    "address": "https://api.example",
    "pointer": "/name",
    "word": "word",
    "code": "SOME_CODE",
    "text": "Some words that say what happened.",
}
STAND_IN_NAME: Final = "some_stand_in"
_MARKER: Final = re.compile(r"<([a-z]+) [0-9]+>", re.ASCII).fullmatch


def marker(text: str, words: frozenset[str]) -> str:
    """Return what stands for a text in a sample: `<text 34>`, or the text itself where it is one of `words`."""
    if not text or text in words:
        return text
    looked_at = text[:_LOOKED_AT].strip()
    kind = next((name for name, fits in _FORMS if fits(looked_at)), "text")
    return f"<{kind} {len(text)}>"


def stand_ins(sample: Any) -> Any:  # noqa: ANN401 - a sample is JSON
    """Return a sample with a text of its kind in place of each marker, and a name for each wildcard.

    So it can be read like a reply.
    """
    if type(sample) is dict:
        return {STAND_IN_NAME if name == WILDCARD else name: stand_ins(inner) for name, inner in sample.items()}
    if type(sample) is list:
        return [stand_ins(inner) for inner in sample]
    found = _MARKER(sample) if type(sample) is str else None
    return sample if found is None else _STAND_INS.get(found[1], sample)
