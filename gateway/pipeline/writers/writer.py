"""What a view is to those who use it: a media type, what it carries, and a function that writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.dialects.spec.writing import ERROR_MEMBERS, MEMBERS
from gateway.model import Problem

Write = Callable[[Problem, str, str | None, str], bytes]
"""From a problem, the request's id, the gateway's public address and a language to the body of the answer."""


WHOLE: Final = (*MEMBERS, *(f"errors[].{name}" for name in ERROR_MEMBERS))
"""All members of a document, by their paths."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Writer:
    """One way to write a problem.

    `carries` are the members of the document that are in the body, by their paths; of `first.…` only the first field
    error's are. `lines` are the header fields that describe the body, as they stand in a head.
    """

    name: str
    media_type: bytes
    carries: tuple[str, ...]
    write: Write
    lines: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Write the header fields once."""
        object.__setattr__(self, "lines", b"Content-Type: %b\r\nCache-Control: no-store\r\n" % self.media_type)
