"""Where limits keep their counts. `port` says what a store is; each of the others is one.

The only part of `limits` that may do I/O. A store decides all policies of a request in one step, all or none. `remote`
says what a store on another machine is, and `guard` makes a `Store` of it.
"""

from gateway.limits.stores.budgeted import BudgetedStore
from gateway.limits.stores.guard.store import GuardedStore
from gateway.limits.stores.guard.tally import StoreStats
from gateway.limits.stores.memory import MemoryStore
from gateway.limits.stores.port import Store
from gateway.limits.stores.remote import Remote

__all__ = ["BudgetedStore", "GuardedStore", "MemoryStore", "Remote", "Store", "StoreStats"]
