"""Where limits keep their counts. `port` says what a store is; each of the others is one.

The only part of `limits` that may do I/O. A store decides all policies of a request in one step, all or none. `remote`
says what a store on another machine is, and `guarded` makes a `Store` of it.
"""

from gateway.limits.stores.budgeted import BudgetedStore
from gateway.limits.stores.guarded import GuardedStore
from gateway.limits.stores.memory import MemoryStore
from gateway.limits.stores.port import Store
from gateway.limits.stores.remote import Remote
from gateway.limits.stores.tally import StoreStats

__all__ = ["BudgetedStore", "GuardedStore", "MemoryStore", "Remote", "Store", "StoreStats"]
