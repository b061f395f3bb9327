"""The words of the problem pages in every language, from `labels.yaml`."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

import msgspec

from gateway.catalog.documents import entries, package_text
from gateway.errors import ConfigError, Fault
from gateway.model import Category, Party

Language = Literal["en", "ar"]

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

_Words = Annotated[str, msgspec.Meta(pattern=r"^\S.*$")]


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same words in every language."""

    en: _Words
    ar: _Words

    def of(self, language: Language) -> str:
        """Return the words in `language`."""
        return self.ar if language == "ar" else self.en


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`labels.yaml` in memory: words by their use, and a name for every party and every category."""

    page: dict[str, Label]
    fault: dict[Party, Label]
    category: dict[Category, Label]

    def __post_init__(self) -> None:
        """Refuse a file that leaves a party or a category without a name."""
        if nameless := [*(set(Party) - self.fault.keys()), *(set(Category) - self.category.keys())]:
            raise ValueError(f"no label for {', '.join(sorted(nameless))}")


def parse_labels(text: str, file: str) -> Labels:
    """Read the labels from the YAML `text`. Raises `ConfigError`."""
    content = {entry.key: entry.value for entry in entries(text, file)}
    try:
        return msgspec.convert(content, Labels)
    except msgspec.ValidationError as error:
        raise ConfigError([Fault(file=file, message=str(error))]) from error


LABELS: Final = parse_labels(package_text("labels.yaml"), "labels.yaml")
