"""Which words of an upstream may be shown to a person, and in what state.

Usable text is a sentence: not the word "null", not an untranslated key such as `alert.invalid_fields`. What is not
usable still stands in `upstream.message`; it never becomes `detail`. A stack trace is no text: it is shown nowhere.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import re2
from selectolax.lexbor import LexborHTMLParser

LONGEST_TEXT = 2_000
"""Characters kept of any one text of an upstream (a bound on memory and on what a log line can be made to hold)."""

_MARKUP_BOUND = 8_192  # characters: what is nested deeply costs the square of its length
_TRACE_BOUND = 20_000
_DEEPEST_SHOWN = 32
_ECHOED = frozenset(
    ("input", "rejectedValue", "rejected_value", "rejected-value", "invalidValue", "invalid_value", "attemptedValue")
)
"""Members in which frameworks repeat what they were sent, a password as well as a date."""
_SHORTEST_TRACE = 24
_TRACE_MARKS = ("at ", "File ", "race", "#", "goroutine")  # one of them is in whatever `_TRACE` finds
_ENTITY_BOUND = 2 * LONGEST_TEXT  # below the 4,300 digits of which Python makes a number
_is_key = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._][A-Za-z0-9]+)+").fullmatch
_NOTHING = frozenset({"", "null", "none", "undefined", "nil", "[object object]"})
# RE2, for an upstream's text meets these patterns: they take linear time whatever it is.
_TRACE = re2.compile(
    r"Traceback \(most recent call last\)"  # Python
    r"|File \"[^\"\n]+\" ?, line \d+"
    r"|\bat [\w$.<>/]+\([^()\n]*(?::\d+|Native Method|Unknown Source)\)"  # Java, and Node with a name
    r"|\bat [^\s()]*[/\\][^\s()]*:\d+:\d+"  # Node without one
    r"|\bat [\w.`<>\[\]]+ \([^()\n]+:\d+:\d+\)"
    r"|\bat [\w.`<>+]+\([^()\n]*\) in \S+:line \d+"  # .NET
    r"|[Ss]tack ?[Tt]race:"  # PHP and others
    r"|#\d+ \S+\(\d+\)"
    r"|goroutine \d+ \["  # Go
)
_MARKUP = re2.compile(
    r"(?i)</?(?:a|abbr|address|article|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|footer|h[1-6]|head"
    r"|header|hr|html|i|img|li|main|nav|ol|p|pre|s|script|section|small|span|strong|style|sub|sup|table|tbody|td|th"
    r"|thead|title|tr|tt|u|ul)\b[^<>]*>|<!--|<!doctype"
)
_UNSEEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))


def clean(text: str) -> str:
    """Return `text` without markup, control characters and surplus space, at most `LONGEST_TEXT` characters long.

    A stack trace gives the empty text.
    """
    if len(text) < _SHORTEST_TRACE and text.isprintable() and "<" not in text and "&" not in text:
        return text.strip()  # nearly every text of a field
    if is_trace(text):
        return ""
    if "<" in text or "&" in text:
        text = _without_markup(text[:_MARKUP_BOUND])
        if is_trace(text):  # that its markup hid
            return ""
    text = text[:LONGEST_TEXT].strip()
    return text if text.isprintable() else text.translate(_UNSEEN).encode("utf-8", "replace").decode("utf-8")


def is_usable(text: str) -> bool:
    """Say whether a cleaned text tells a person anything."""
    if len(text) < 20 and text.lower() in _NOTHING:
        return False
    return " " in text or _is_key(text) is None


def is_trace(text: str) -> bool:
    """Say whether a text holds a stack trace of any common runtime."""
    if len(text) >= _SHORTEST_TRACE:
        for mark in _TRACE_MARKS:
            if mark in text:
                return _TRACE.search(text[:_TRACE_BOUND]) is not None
    return False


def is_shown(value: Any) -> bool:
    """Say whether a value of a body may be shown as it came: no stack trace is in it, and nothing that was sent.

    What is nested too deeply to be looked at may not.
    """
    level = [value]
    for _ in range(_DEEPEST_SHOWN):
        below: list[Any] = []
        for one in level:
            if type(one) is str and is_trace(one):
                return False
            if type(one) is dict:
                if not _ECHOED.isdisjoint(one):
                    return False
                below += one.values()
            elif type(one) is list:
                below += one
        if not below:
            return True
        level = below
    return False


def _without_markup(text: str) -> str:
    if _MARKUP.search(text) is None:
        return unescape(text[:_ENTITY_BOUND])
    body = LexborHTMLParser(text).body
    return " ".join(body.text(separator=" ", strip=True).split()) if body is not None else ""
