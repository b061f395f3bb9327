"""The closed list of codes, from `codes.yaml`.

Invariants: every code has its sentences in every language, its category and its fault come from the enums of
`gateway.model`, and nothing in the file is ignored. The list is complete at import and never changes after.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import msgspec

from gateway.catalog.documents import Entry, entries, package_text
from gateway.errors import ConfigError
from gateway.model import Category, Code, Party

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"[a-z]+(_[a-z]+)*")

_Title = Annotated[str, msgspec.Meta(pattern=r"^[A-Z].*[^.]$")]
_Sentence = Annotated[str, msgspec.Meta(pattern=r"^\S.*\.$")]
_ErrorStatus = Annotated[int, msgspec.Meta(ge=400, le=599)]


class _Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence in every language that the catalogue speaks."""

    en: _Sentence
    ar: _Sentence

    def by_language(self) -> Mapping[str, str]:
        return MappingProxyType({"en": self.en, "ar": self.ar})


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `codes.yaml` says under a code's name."""

    category: Category
    title: _Title
    status: _ErrorStatus
    fault: Party
    retryable: bool
    happened: _Sentences
    action: _Sentences
    credential: bool = False
    happened_without_fields: _Sentences | None = None

    def code(self, name: str) -> Code:
        return Code(
            name=name,
            category=self.category,
            title=self.title,
            status=self.status,
            fault=self.fault,
            retryable=self.retryable,
            happened=self.happened.by_language(),
            happened_without_fields=(self.happened_without_fields or self.happened).by_language(),
            action=self.action.by_language(),
            credential=self.credential,
        )


def parse_codes(text: str, file: str) -> Mapping[str, Code]:
    """Read the catalogue from the YAML `text`, in its order. Raises `ConfigError` with every entry that is wrong."""
    codes: dict[str, Code] = {}
    faults = []
    for entry in entries(text, file):
        try:
            codes[entry.key] = _code(entry)
        except ValueError as error:  # msgspec.ValidationError is one
            faults.append(entry.fault(str(error)))
    if faults:
        raise ConfigError(faults)
    return MappingProxyType(codes)


def _code(entry: Entry) -> Code:
    if not (isinstance(entry.key, str) and _NAME.fullmatch(entry.key)):
        raise ValueError("a code is a name in snake_case, of the letters a to z")
    return msgspec.convert(entry.value, _Row).code(entry.key)


CODES: Mapping[str, Code] = parse_codes(package_text("codes.yaml"), "codes.yaml")
