"""`Via`, by which loops are found (RFC 9110 section 7.6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.headers.lists import SPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Header


def via_field(version: tuple[int, int], name: bytes) -> Header:
    """Return the line that we add: the protocol of the message that we received, and our deployment's name."""
    return b"Via", b"%d.%d %s" % (*version, name)


def names_us(values: Sequence[bytes], name: bytes) -> bool:
    """Tell whether a message came through this deployment. `name` in any case.

    Quotes and comments are not minded: an odd quote that somebody left of ours must not hide us from ourselves.
    """
    wanted = name.lower()
    for value in values:
        for element in value.lower().split(b","):
            words = element.strip(SPACE).split(None, 2)
            if len(words) > 1 and words[1] == wanted:
                return True
    return False
