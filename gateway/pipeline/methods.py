"""Which methods are forwarded without being listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.config.methods import REGISTERED

if TYPE_CHECKING:
    from collections.abc import Iterable

FORWARDED: Final = REGISTERED - {"TRACE"}
"""What is forwarded unless a list says otherwise: no tunnel, and no echo of the request with its credentials."""


def listed(methods: Iterable[str]) -> frozenset[str]:
    """Return the methods that a list in the configuration allows; HEAD is GET without its content (section 9.3.2)."""
    named = frozenset(methods)
    return named | {"HEAD"} if "GET" in named else named
