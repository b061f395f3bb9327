"""Where limits keep their counts. `port` says what a store is; each of the others is one.

The only part of `limits` that may do I/O. A store decides all policies of a request in one step, all or none.
"""

from gateway.limits.stores.budgeted import BudgetedStore
from gateway.limits.stores.memory import MemoryStore
from gateway.limits.stores.port import Store

__all__ = ["BudgetedStore", "MemoryStore", "Store"]
