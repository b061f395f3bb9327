"""What somebody prefers, by weights: media types and languages (RFC 9110 sections 12.4.2, 12.5.1 and 12.5.4).

Total: any bytes give a choice or None. What is offered is known by its names, in lower case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.headers.lists import SPACE, elements, split_quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_WEIGHT: Final = b"q="
_ANYTHING: Final = (b"*/*", b"*")  # the second is what old Java clients write
_NAMED, _SUBTYPES, _ANY = 2, 1, 0
_NO: Final = (0.0, _ANY)


def weights(lines: Iterable[bytes]) -> list[tuple[bytes, float]]:
    """Return the elements of a list field in lower case and without parameters, each with its weight, in their order.

    A weight that is not a number from 0 to 1 counts as 0.
    """
    found = []
    for element in elements(lines):
        name, *parameters = [part.strip(SPACE).lower() for part in split_quoted(element, b";") or [element]]
        said = [part[len(_WEIGHT) :] for part in parameters if part.startswith(_WEIGHT)]
        found.append((name, _number(said[0]) if said else 1.0))
    return found


def preferred_type(lines: Iterable[bytes], offers: Sequence[Sequence[bytes]]) -> int | None:
    """Return the index of the offer that `Accept` wants most, None where it wants none of them, or there is none.

    An offer is a media type, and behind it the more general ones that ask for it, too. Of those wanted alike one that
    is named goes before one that a wildcard stands for; then the first counts.
    """
    ranges: dict[bytes, float] = {}
    for name, weight in weights(lines):
        ranges[name] = max(weight, ranges.get(name, 0.0))
    ranked = [_rank(offer, ranges) for offer in offers]
    best = max(ranked, default=_NO)
    return ranked.index(best) if best[0] > 0 else None


def _rank(offer: Sequence[bytes], ranges: Mapping[bytes, float]) -> tuple[float, int]:
    """Return how much an offer is wanted, by the range that is nearest to it, and how near that is."""
    own, *others = offer
    if own in ranges:
        return ranges[own], _NAMED
    named = [ranges[name] for name in others if name in ranges]
    if named:
        return max(named), _NAMED
    subtypes = own.partition(b"/")[0] + b"/*"
    if subtypes in ranges:
        return ranges[subtypes], _SUBTYPES
    return max([ranges[name] for name in _ANYTHING if name in ranges], default=0.0), _ANY


def preferred_language(lines: Iterable[bytes], offered: Sequence[str]) -> str | None:
    """Return the language that `Accept-Language` wants most, by lookup (RFC 4647 section 3.4); None for no match."""
    wanted = [pair for pair in weights(lines) if pair[1] > 0]
    for range_, _ in sorted(wanted, key=lambda pair: -pair[1]):
        tag = range_.decode("latin-1")
        while tag:
            if tag in offered:
                return tag
            tag = tag.rpartition("-")[0]
    return None


def _number(text: bytes) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
