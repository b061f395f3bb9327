"""The store of limits in memory that the processes of one machine share. `store` is what others use of it.

`layout` says where everything stands, `memory` maps and locks it, `counts` finds a key's state, `cells` reads and
writes states, `seat` is one key under one policy while a request is decided.
"""

from gateway.limits.stores.shared.store import SharedStore, SharedTable

__all__ = ["SharedStore", "SharedTable"]
