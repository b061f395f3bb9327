"""What the word of an upstream's code means in the catalogue, where the word itself leaves no doubt.

A phrase alone, or with words that say nothing (`E_NOT_FOUND`, `ErrNotFound`), is sure; with others (`ORDER_NOT_FOUND`)
it is likely, and a person has to look.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway.pipeline.suggest.vocabulary import VOCABULARY
from gateway.pipeline.suggest.words import folded


class Meaning(NamedTuple):
    """A code of the catalogue, and whether the word leaves no doubt."""

    code: str
    sure: bool


_LONGEST_FIRST: Final = sorted(
    ((f" {phrase} ", code) for code, phrases in VOCABULARY.meanings.items() for phrase in phrases),
    key=lambda one: -len(one[0]),
)


def meaning_of(code: str) -> Meaning | None:
    """Return what a code means, by its longest phrase, or None where no phrase is in it."""
    text = f" {folded(code)} "
    for phrase, name in _LONGEST_FIRST:
        if phrase in text:
            return Meaning(name, sure=VOCABULARY.silent.issuperset(text.replace(phrase, " ", 1).split()))
    return None
