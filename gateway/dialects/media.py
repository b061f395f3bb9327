"""Which media types beside JSON a dialect's rules can find an error in, under a status that says success.

Only what a rule for that status names is read: by `kind` (`xml`, `html`, `text`, `form`) or by `content_type`. All else
streams, so that nobody's download is held because of another API's habits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.dialects.spec import BodyKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.dialects.spec import Condition

_SUCCESSES = range(200, 300)
_XML_SUFFIX = b"+xml"
_PICTURE = b"image/"


def types_read(conditions: Iterable[Condition]) -> Mapping[int, frozenset[bytes]]:
    """Return the media types by status, in lower case; `+xml` stands for every type with that suffix but pictures."""
    found: dict[int, frozenset[bytes]] = {}
    for condition in conditions:
        types = frozenset(_named(condition))
        for status in (condition.status or ()) if types else ():
            if status in _SUCCESSES:
                found[status] = found.get(status, frozenset()) | types
    return found


def is_among(content_type: bytes, types: frozenset[bytes]) -> bool:
    """Say whether a `Content-Type` is one of the types."""
    media_type = _media_type(content_type)
    if media_type in types:
        return True
    return media_type.endswith(_XML_SUFFIX) and not media_type.startswith(_PICTURE) and _XML_SUFFIX in types


@lru_cache(maxsize=64)
def _media_type(content_type: bytes) -> bytes:
    return content_type[:256].partition(b";")[0].strip().lower()


def _named(condition: Condition) -> Iterator[bytes]:
    for kind in condition.kind:
        yield from _TYPES.get(kind, ())
    for name in condition.content_type:
        yield name.lower().encode()
    for inner in condition.any:
        yield from _named(inner)


_TYPES = {
    BodyKind.XML: (b"application/xml", b"text/xml", _XML_SUFFIX),
    BodyKind.HTML: (b"text/html", b"application/xhtml+xml"),
    BodyKind.TEXT: (b"text/plain",),
    BodyKind.FORM: (b"application/x-www-form-urlencoded",),
}
