"""Secrets come from environment variables: where a file names them, and whether what they hold can be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.config.faults import fault_at
from gateway.headers import has_control

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.config.document import Document
    from gateway.errors import Fault

_SUFFIX = "_env"
_USER = "user_env"
_HOLDERS = ("credentials", "store")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentReference:
    """A `*_env` key, the variable it names, and the place where it stands."""

    key: str
    variable: str
    place: Fault

    def fault(self, environ: Mapping[str, str]) -> Fault | None:
        """Return what is wrong with the variable: it is named, its value never shown."""
        reason = self._reason(environ.get(self.variable))
        message = f"the environment variable {self.variable} {reason}"
        return replace(self.place, message=message) if reason else None

    def _reason(self, value: str | None) -> str:
        if not value:
            return "is not set"
        try:
            plain = value.encode()
        except UnicodeEncodeError:  # bytes that are no text come as surrogates
            return "is not UTF-8 text"
        if has_control(plain):
            return "holds a control character, such as a line's end, which no header field may hold"
        return "holds a colon, which would end the user's name" if self.key == _USER and ":" in value else ""


def references(document: Document) -> list[EnvironmentReference]:
    """Find the `*_env` keys under `credentials` and `store`; elsewhere, as in an example, such a key is a name."""
    if not isinstance(document.value, dict):
        return []
    return [one for key in _HOLDERS for one in _below(document, document.value.get(key), (key,))]


def _below(document: Document, value: Any, at: tuple[str | int, ...]) -> Iterator[EnvironmentReference]:
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for name, inner in items:
        if isinstance(name, str) and name.endswith(_SUFFIX) and isinstance(inner, str):
            yield EnvironmentReference(key=name, variable=inner, place=fault_at(document, (*at, name), ""))
        else:
            yield from _below(document, inner, (*at, name))
