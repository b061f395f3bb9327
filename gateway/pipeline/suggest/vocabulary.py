"""What inference knows of names and of words in codes: `words.yaml` in memory."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.catalog import CODES
from gateway.config.document import Document

if TYPE_CHECKING:
    from collections.abc import Mapping

    Weights = Mapping[str, int]


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parts that a member can play: how well a name fits -> the names."""

    message: dict[int, list[str]]
    code: dict[int, list[str]]
    type: dict[int, list[str]]
    field: dict[int, list[str]]
    fields: dict[int, list[str]]


class Vocabulary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `meanings` are our codes -> phrases, `silent` words that add nothing to a phrase."""

    names: Names
    meanings: dict[str, list[str]]
    silent: frozenset[str]


def parse_words(text: str) -> Vocabulary:
    """Read the vocabulary.

    Raises:
        ValueError: something in it is not as it must be, or a code is not in the catalogue.
    """
    found = msgspec.convert(Document(text, "words.yaml").value, Vocabulary, strict=False)
    if strangers := found.meanings.keys() - CODES.keys():
        raise ValueError(f"not in the catalogue: {', '.join(sorted(strangers))}")
    return found


def weights(names: Mapping[int, list[str]]) -> Weights:
    """Return the names of a part, each with how well it fits."""
    return {name: weight for weight, several in names.items() for name in several}


VOCABULARY: Final = parse_words(files("gateway.pipeline.suggest").joinpath("words.yaml").read_text(encoding="utf-8"))
