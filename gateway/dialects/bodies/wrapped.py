"""JSON that is not alone: behind a prefix against scripts, in a call, behind a warning, before something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.dialects.bodies.body import SPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIXES = (
    b")]}',",
    b")]}'",
    b")]}",
    b"while(1);",
    b"while (1);",
    b"for(;;);",
    b"for (;;);",
    b"throw 1;",
    b"{}&&",
    b"{} &&",
    b"/*-secure-",
    b"/*",
    b"&&&START&&&",
)
"""What keeps JSON from being run as a script; of two that begin alike the longer first."""
_CALL = re.compile(rb"(?:/\*\*/)?\s*+[A-Za-z_$][\w.$]{0,127}+\s*+\((?=\s*+[{\[])")
_ANYWHERE = re.compile(r'[{\[](?=\s*+["{\[\]}])')
_ON_ITS_OWN = re.compile(r'(?:\A|(?<=[>\n\r]))[{\[](?=\s*+["{\[\]}])')
_MOST_STARTS = 4
"""Places that are tried as the beginning of JSON: with them the time stays in proportion to the text."""


def unwrapped(data: bytes) -> bytes:
    """Return what stands behind a prefix or in a call (JSONP), or the same bytes where there is neither."""
    start = data[:64].lstrip(SPACE)
    if start.startswith(PREFIXES):
        prefix = next(prefix for prefix in PREFIXES if start.startswith(prefix))
        rest = data.lstrip(SPACE)[len(prefix) :].strip(SPACE)
        return rest.removesuffix(b"*/").rstrip(SPACE) if prefix.startswith(b"/*") else rest
    return data


def called(data: bytes) -> bytes | None:
    """Return the argument of a call such as `callback({"a": 1});`, or None where there is no call."""
    found = _CALL.match(data)
    return data[found.end() :].rstrip(b"; \t\r\n").removesuffix(b")").strip(SPACE) if found is not None else None


def starts(text: str, *, anywhere: bool) -> Iterator[int]:
    """Give the first places where JSON may begin: `anywhere`, or only at the beginning of a line or behind a tag."""
    for number, found in enumerate((_ANYWHERE if anywhere else _ON_ITS_OWN).finditer(text), 1):
        yield found.start()
        if number == _MOST_STARTS:
            return


def is_aside(rest: str) -> bool:
    """Say whether what stands behind JSON can be passed over: nothing, markup, or other lines."""
    return not rest or rest.lstrip(" \t")[:1] in ("", "<", "\r", "\n")
