"""What a view is to those who use it: a media type, what it carries, and a function that writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway.dialects.spec.writing import ERROR_MEMBERS, MEMBERS
from gateway.model import Problem

Write = Callable[[Problem, str, str | None, str], bytes]
"""From a problem, the request's id, the gateway's public address and a language to the body of the answer."""


class Extent(StrEnum):
    """How much of a member is in a body."""

    WHOLE = "yes"
    FIRST = "the first"
    """Of field errors: that of the first alone."""
    WORDS = "in words"
    """As a word of the dialect, which may stand for other values, too."""
    ELSE = "else"
    """Where another member has nothing to say."""


Carries = Mapping[str, Extent]
"""What a view carries: members of the document, by their paths."""

ERRORS: Final = tuple(f"errors[].{name}" for name in ERROR_MEMBERS)
WHOLE: Final[Carries] = dict.fromkeys((*MEMBERS, *ERRORS), Extent.WHOLE)
EXTENSIONS: Final[Carries] = {"extensions": Extent.WHOLE}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Writer:
    """One way to write a problem.

    `lines` are the header fields that describe the body, as they stand in a head. `says_first`: where the first field
    error has a text, that text stands for the detail.
    """

    name: str
    media_type: bytes
    carries: Carries
    write: Write
    lines: bytes = field(init=False)
    says_first: bool = field(init=False)

    def __post_init__(self) -> None:
        """Write the header fields once."""
        object.__setattr__(self, "says_first", self.carries.get("errors[].detail") is Extent.FIRST)
        object.__setattr__(self, "lines", b"Content-Type: %b\r\nCache-Control: no-store\r\n" % self.media_type)

    def language_of(self, problem: Problem, language: str) -> str | None:
        """Return the language of what is said: `language` where the catalogue's sentence is, else the upstream's."""
        said = problem.detail
        if self.says_first and problem.errors:
            said = problem.errors[0].detail or said
        return language if said is None else problem.language
