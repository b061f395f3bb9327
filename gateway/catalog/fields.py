"""What is wrong with one field, from the upstream's own words for it; the words are data, in `field_codes.yaml`.

Text decides here, and only here, because a field error seldom carries anything else; what no phrase knows is `other`,
never a guess. Only the first characters of a text are read, and what was read lately is remembered: both bounds hold
however long or however varied the texts of an upstream are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from gateway.catalog.documents import entries, package_text
from gateway.errors import ConfigError, Fault
from gateway.model import FieldCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TEXT_LIMIT: Final = 256
"""Characters of a field's text that are read: a bound on time and, with `REMEMBERED`, on memory."""
CODE_LIMIT: Final = 64
"""Characters of an upstream's field code that are read."""
REMEMBERED: Final = 2048
"""Pairs of text and code whose answer is kept, least recently used first to go: about 2 MB when all are long."""

_GAP = "…"
_SEPARATORS = re.compile(r"[\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Arabic is written with or without vowel signs and stretching, and with several forms of alef, yaa and taa marbuta.
_VOWEL_SIGNS, _STRETCHING = "".join(map(chr, (*range(0x064B, 0x0660), 0x0670))), "\u0640"
_FOLDING = str.maketrans("أإآٱىةؤئ", "اااايهوي", _VOWEL_SIGNS + _STRETCHING)


def fold(text: str) -> str:
    """Return `text` as single-spaced lower-case words with a space in front, Arabic letters in one form each."""
    return " " + _SEPARATORS.sub(" ", text.translate(_FOLDING).lower()).strip()


def fold_code(code: str) -> str:
    """Return the words of an identifier: `missing_field`, `missingField` and `MISSING-FIELD` are one."""
    return fold(_HUMP.sub(" ", code))


class Phrase(NamedTuple):
    """Parts that occur in a folded text one after another; a part of Latin letters begins a word."""

    first: str
    rest: tuple[str, ...]
    code: FieldCode

    def goes_on_in(self, text: str) -> bool:
        """Say whether the rest follows the first part, which is in `text`, in order."""
        position = text.index(self.first) + len(self.first)
        for part in self.rest:
            position = text.find(part, position)
            if position < 0:
                return False
            position += len(part)
        return True


class Vocabulary(NamedTuple):
    """`field_codes.yaml` in memory. Codes are folded; `latin` are those phrases that a text of ASCII alone can hold."""

    decisive: Mapping[str, FieldCode]
    vague: Mapping[str, FieldCode]
    phrases: tuple[Phrase, ...]
    latin: tuple[Phrase, ...]

    def by_phrase(self, text: str) -> FieldCode | None:
        """Return the code of the first phrase in the folded `text`, or None."""
        for phrase in self.latin if text.isascii() else self.phrases:
            if phrase[0] in text and phrase.goes_on_in(text):
                return phrase.code
        return None

    def by_words(self, text: str, code: str) -> FieldCode:
        """Decide from the text and the upstream's field code, each bounded and perhaps empty."""
        name = fold_code(code)
        if name in self.decisive:
            return self.decisive[name]
        return self.by_phrase(fold(text)) or self.vague.get(name) or self.by_phrase(name) or FieldCode.OTHER


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    upstream_codes: dict[FieldCode, list[str]]
    vague_codes: dict[FieldCode, list[str]]
    phrases: list[dict[FieldCode, list[str]]]


def parse_field_codes(text: str, file: str) -> Vocabulary:
    """Read the vocabulary from the YAML `text`. Raises `ConfigError`."""
    content = {entry.key: entry.value for entry in entries(text, file)}
    try:
        return _vocabulary(msgspec.convert(content, _File))
    except ValueError as error:  # msgspec.ValidationError is one
        raise ConfigError([Fault(file=file, message=str(error))]) from error


def _vocabulary(words: _File) -> Vocabulary:
    decisive, vague = _by_code(words.upstream_codes), _by_code(words.vague_codes)
    if both := sorted(decisive.keys() & vague.keys()):
        raise ValueError(f"{both[0].strip()!r} is both decisive and vague")
    phrases = tuple(_phrases(words.phrases))
    latin = tuple(phrase for phrase in phrases if phrase.first.isascii())
    return Vocabulary(decisive=decisive, vague=vague, phrases=phrases, latin=latin)


def _by_code(table: Mapping[FieldCode, Sequence[str]]) -> Mapping[str, FieldCode]:
    codes: dict[str, FieldCode] = {}
    for code, names in table.items():
        for name in map(fold_code, names):
            if name in codes:
                raise ValueError(f"{name.strip()!r} is there twice")
            codes[name] = code
    return MappingProxyType(codes)


def _phrases(groups: Sequence[Mapping[FieldCode, Sequence[str]]]) -> Iterator[Phrase]:
    for group in groups:
        for code, texts in group.items():
            for text in texts:
                first, *rest = (_part(part) for part in text.split(_GAP))
                yield Phrase(first=first, rest=tuple(rest), code=code)


def _part(text: str) -> str:
    folded = fold(text)
    # Arabic writes its particles together with the word: there a phrase may begin inside one.
    return folded if folded.isascii() else folded.removeprefix(" ")


VOCABULARY: Final = parse_field_codes(package_text("field_codes.yaml"), "field_codes.yaml")

_remembered = lru_cache(maxsize=REMEMBERED)(VOCABULARY.by_words)


def field_code_of(detail: str | None, upstream_code: str | None) -> FieldCode:
    """Return our code for a field error with the text `detail` and the upstream's own `upstream_code`."""
    return _remembered(detail[:TEXT_LIMIT] if detail else "", upstream_code[:CODE_LIMIT] if upstream_code else "")
