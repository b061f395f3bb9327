"""Parameters of a query, taken out by name; what stays, stays byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


def without_parameters(query: bytes, names: AbstractSet[bytes]) -> bytes:
    """Return `query` less the parameters called one of `names`, however their names are percent-encoded."""
    if not names:
        return query
    return b"&".join([pair for pair in query.split(b"&") if unquote_to_bytes(pair.partition(b"=")[0]) not in names])


def strip_parameters(reference: bytes, names: AbstractSet[bytes]) -> bytes:
    """Return an address or a target less the parameters called one of `names`; a query that gets empty goes whole."""
    whole, mark, fragment = reference.partition(b"#")
    path, question, query = whole.partition(b"?")
    kept = without_parameters(query, names)
    return path + (question + kept if kept or kept == query else b"") + mark + fragment
