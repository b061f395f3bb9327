"""The tables in which processes count limits together: one from the start, and more as configurations bring limits.

Invariants: a policy is in one table, as long as any configuration that has it serves; so it counts on however often the
rest changes. A table goes with the last of its policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.limits.stores.shared import SharedStore
from gateway.limits.stores.shared.handle import Handle

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.limits.policy import Policy
    from gateway.limits.stores.shared import SharedTable


class Tables:
    """All tables, as their owner sees them."""

    def __init__(self, policies: Sequence[Policy], *, processes: int, max_keys: int) -> None:
        """Make the first one. Raises OSError where the system has not what it takes."""
        self._processes = processes
        self._max_keys = max_keys
        self._tables: list[SharedTable] = []
        self._make(policies)

    @property
    def handles(self) -> tuple[Handle, ...]:
        """Return what processes are told, the oldest table first."""
        return tuple(_handle(table) for table in self._tables)

    def widen(self, policies: Sequence[Policy]) -> Handle | None:
        """Make room for policies that have none; None where all of them have. Raises OSError as the first one does."""
        known = {policy.id for table in self._tables for policy in table.policies}
        new = [policy for policy in policies if policy.id not in known]
        return self._make(new) if new else None

    def keep(self, ids: Collection[str]) -> None:
        """Let go of the tables in which none of these policies is."""
        self._let_go([table for table in self._tables if {policy.id for policy in table.policies}.isdisjoint(ids)])

    def narrow(self, handle: Handle) -> None:
        """Take back room that was made and is not needed after all: who has no such room yet would never be told."""
        self._let_go([table for table in self._tables if table.fileno() == handle.fd])

    def _let_go(self, left: Collection[SharedTable]) -> None:
        self._tables = [table for table in self._tables if table not in left]
        for table in left:
            table.close()

    def close(self) -> None:
        """Let go of all."""
        for table in self._tables:
            table.close()

    def _make(self, policies: Sequence[Policy]) -> Handle:
        table = SharedStore.create(policies, processes=self._processes, max_keys=self._max_keys)
        self._tables.append(table)
        return _handle(table)


def _handle(table: SharedTable) -> Handle:
    return Handle(fd=table.fileno(), policies=table.policies)
