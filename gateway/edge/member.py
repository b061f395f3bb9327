"""One process's place among those that serve one port together."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.limits.stores.shared.handle import Handle  # noqa: TC001 - msgspec needs the types at run time


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What a process is told by the supervisor that started it.

    `index` counts from 0 to `processes` - 1, and a restarted process has that of the one whose place it takes. All
    listen on `port`, each by a socket of its own. `tables` are of the memory that they share, none
    where they share none; `secret` keys their hashes of credentials, so that a key is the same in all of them. It is
    never shown.
    """

    index: int
    processes: int
    port: int
    secret: bytes = field(repr=False)
    tables: tuple[Handle, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a place that cannot be, by a ValueError."""
        if not 0 <= self.index < self.processes:
            message = f"process {self.index} of {self.processes}"
            raise ValueError(message)
