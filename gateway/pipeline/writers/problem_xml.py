"""`application/problem+xml`: the document as in RFC 9457, Appendix B.

Every member is an element of its name, an object an element with elements in it, a list an element with an `i` for each
of its items. What is null or empty has no element.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec

from gateway.pipeline.document import document_of
from gateway.pipeline.writers.writer import EXTENSIONS, WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Problem

TYPE: Final = b"application/problem+xml"
CARRIES: Final = {**WHOLE, **EXTENSIONS}

_NAMESPACE: Final = "urn:ietf:rfc:7807"
_DEEPEST: Final = 16
"""Levels of an upstream's extension members that are written: a security limit, for each is a call."""
_is_name: Final = re.compile(r"[A-Za-z_][\w.\-]*", re.ASCII).fullmatch
_EMPTY: Final[tuple[Any, ...]] = (None, {}, [], ())
_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, however they are written (section 2.2)."""


def write(problem: Problem, request_id: str, public_url: str | None, language: str) -> bytes:
    """Write a problem as XML, in UTF-8. Members of an upstream whose names are no names in XML are left out."""
    root = Element("problem", {"xmlns": _NAMESPACE})
    document = document_of(problem, request_id, public_url, language)
    members = msgspec.to_builtins(document, enc_hook=_foreign) | _plain(problem.extensions or {})
    _fill(root, members, 0)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}'.encode()


def _fill(element: Element, value: Any, depth: int) -> None:  # noqa: ANN401 - an extension member is any JSON
    """Put a value into an element."""
    if isinstance(value, dict | list | tuple):
        if depth > _DEEPEST:
            return
        members = value.items() if isinstance(value, dict) else [("i", item) for item in value]
        for name, inner in members:
            if name == "i" or (inner not in _EMPTY and _is_name(name)):
                _fill(SubElement(element, name), inner, depth + 1)
    elif value is not None:
        element.text = _spelled(value)


def _plain(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _foreign(value) for name, value in members.items()}


def _foreign(value: Any) -> Any:  # noqa: ANN401 - as above
    """Read a member of an upstream's; what no number holds, and what is nested too deeply, stands as it came."""
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return bytes(value).decode("utf-8", "replace")


def _spelled(value: str | float | bool) -> str:  # noqa: FBT001 - what JSON has for plain values
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NOT_XML.sub("", str(value))
