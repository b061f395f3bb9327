"""JSON that is cut off, made whole as far as it goes.

Takes time in proportion to the text, whatever is in it: each token is looked at once.
"""

from __future__ import annotations

import re

DEEPEST = 128
"""Lists and objects within each other."""

# Possessive, so that a text without an end is passed over once, and not again from each quote in it.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:(")|\\?\Z)|[{}\[\]]|[^"{}\[\]]++', re.DOTALL)
_HIGH = r"\\u[dD][89abAB][0-9A-Fa-f]{2}"
_BEFORE_LOW = r"(?!(?:\\(?:u[0-9A-Fa-f]{0,3})?)?\Z)"  # no high surrogate whose low one may have been cut off
_CHARACTERS = re.compile(rf'"(?:[^\\]++|\\[^u]|\\u(?![dD][89abAB])[0-9A-Fa-f]{{4}}|{_HIGH}{_BEFORE_LOW})*+', re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}
_WORDS = frozenset({"true", "false", "null"})


def completed(text: str) -> str | None:
    """Return JSON that was cut off with everything closed that is open; None where nothing is open at its end.

    What cannot be known to be whole is left out: a last number, a last word, a name without its value. A last text is
    kept as far as it goes. What comes out need not be JSON where `text` was none.
    """
    scan = _Scan(text)
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        if not scan.take(text[start], start, end, closed=token.group(1) is not None):
            return None
    return scan.result()


class _Scan:
    """Where the text could be cut so that all before is whole, and what is open there."""

    __slots__ = ("_open", "_rest", "_safe", "_text", "_value")

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[str] = []
        self._safe = 0
        self._value = True  # whether a text that comes now is a value, and not a name
        self._rest = ""  # what closes a text that was cut off

    def take(self, first: str, start: int, end: int, *, closed: bool) -> bool:
        """Take in a token; False where this is not JSON that was cut off."""
        if first in _CLOSING:
            self._open.append(first)
            self._value = first == "["
            self._safe = end
        elif first in "}]":
            self._safe = end
            self._value = True
            return len(self._open) > 1 and _CLOSING[self._open.pop()] == first
        elif first != '"':
            self._between(start, end)
        elif self._value:
            self._take_text(start, end, closed=closed)
        return 0 < len(self._open) <= DEEPEST

    def _take_text(self, start: int, end: int, *, closed: bool) -> None:
        self._safe = end
        if not closed and (found := _CHARACTERS.match(self._text, start)) is not None:
            self._safe = found.end()
            self._rest = '"'

    def _between(self, start: int, end: int) -> None:
        """Take in what stands between texts and brackets: separators, numbers, words."""
        text = self._text
        comma, colon = text.rfind(",", start, end), text.rfind(":", start, end)
        if comma >= 0:
            self._safe = comma
        last = max(comma, colon)
        if last >= 0:
            self._value = colon > comma or self._open[-1:] == ["["]
        value = text[last + 1 if last >= 0 else start : end]
        if end == len(text) and self._value and (word := value.strip()) and (word in _WORDS or value[-1:].isspace()):
            self._safe = end

    def result(self) -> str | None:
        if not self._open:
            return None
        return self._text[: self._safe] + self._rest + "".join(_CLOSING[bracket] for bracket in reversed(self._open))
