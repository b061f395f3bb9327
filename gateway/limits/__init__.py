"""Limits: how much a client may ask for. Pure arithmetic and a table in memory; time is always an argument.

`policy` is what a limit says, `values` what it is asked with and answers, `gcra` the arithmetic, `keys` whom it counts,
`memory` where the counts are, `fields` and `members` what a client sees of it, and `address` finds out who a client is
behind trusted proxies.
"""

from gateway.limits.address import Network, client_address
from gateway.limits.fields import rate_fields
from gateway.limits.gcra import refund, take
from gateway.limits.keys import KeyOf, Keys
from gateway.limits.memory import MemoryStore
from gateway.limits.policy import Policy
from gateway.limits.values import Charge, Decision, Facts, Verdict

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
