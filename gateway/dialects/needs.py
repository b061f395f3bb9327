"""What has to be there for a condition to hold, so that it need not be tested where that is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from gateway.dialects.paths import Step, plain_steps
from gateway.dialects.spec import TypeName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.dialects.spec import Condition

FIRST: Final = 0
"""The step into a list that is followed: only its first item is looked at."""


class Need(Struct, frozen=True):
    """Every one of the paths and of the header fields (in lower case), one of the kinds, and one of the media types.

    What is empty is not needed.
    """

    paths: tuple[tuple[Step, ...], ...]
    fields: tuple[bytes, ...]
    kinds: tuple[str, ...]
    media: tuple[str, ...]


def needs_of(condition: Condition) -> list[Need]:
    """Return what a condition needs: one of several where only the alternatives of its `any` say something."""
    media = tuple(name.lower() for name in condition.content_type)
    own = Need(tuple(_paths(condition)), tuple(_fields(condition)), condition.kind, media)
    if own.paths or own.fields or own.kinds or own.media or not condition.any:
        return [own]
    return [need for option in condition.any for need in needs_of(option)]


def _paths(condition: Condition) -> Iterator[tuple[Step, ...]]:
    """Give the paths that find something wherever the condition holds, as far as they lead through firsts of lists."""
    body = condition.body
    if body is None:
        return
    typed = (path for path, types in body.type.items() if TypeName.NULL not in types)
    equal = (path for path, values in body.equals.items() if None not in values)
    for path in (*body.has, *typed, *equal, *body.items, *body.status, *body.contains, *body.matches):
        steps: list[Step] = []
        for step in plain_steps(path) or ():
            if isinstance(step, int) and step != FIRST:
                break
            steps.append(step)
        if steps:
            yield tuple(steps)


def _fields(condition: Condition) -> Iterator[bytes]:
    test = condition.headers
    if test is not None:
        yield from (name.lower().encode() for name in (*test.has, *test.equals, *test.contains, *test.matches))
