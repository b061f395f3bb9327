"""Limits: how much a client may ask for. Pure arithmetic and a table in memory; time is always an argument.

`policy` is what a limit says, `gcra` is what it answers, `keys` is whom it counts, `memory` is where the counts are,
`fields` is what a client sees of it, `members` how that is spelt, and `address` finds out who a client is behind
trusted proxies.
"""

from gateway.limits.address import Network, client_address
from gateway.limits.fields import rate_fields
from gateway.limits.gcra import Charge, Decision, Verdict, refund, take
from gateway.limits.keys import Facts, KeyOf, Keys
from gateway.limits.memory import MemoryStore
from gateway.limits.policy import Policy

__all__ = [
    "Charge",
    "Decision",
    "Facts",
    "KeyOf",
    "Keys",
    "MemoryStore",
    "Network",
    "Policy",
    "Verdict",
    "client_address",
    "rate_fields",
    "refund",
    "take",
]
