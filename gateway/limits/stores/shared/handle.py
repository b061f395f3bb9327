"""What a process must be told of a table of limits so that it can count in it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.limits.policy import Policy  # noqa: TC001 - msgspec needs the types at run time


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """A table: an open descriptor of its memory, and the policies that it was laid out for."""

    fd: int
    policies: tuple[Policy, ...]
