"""Limits: how much a client may ask for. Pure arithmetic; time is always an argument.

`policy` is what a limit says, `values` what it is asked with and answers; `gcra`, `log`, `calendar` and `concurrency`
are the arithmetic, `algorithms` gives it one shape, and `joint` decides all policies of a request. `keys` is whom it
counts, `stores` where the counts are, `fields` and `members` what a client sees of it, and `address` finds out who a
client is behind trusted proxies.
"""

from gateway.limits.address import Network, client_address
from gateway.limits.fields import legacy_fields, rate_fields
from gateway.limits.gcra import refund, take
from gateway.limits.keys import KeyOf, Keys
from gateway.limits.policy import Algorithm, OnStoreError, Period, Policy
from gateway.limits.values import Ask, Charge, Decision, Facts, Verdict

__all__ = [
    "Algorithm",
    "Ask",
    "Charge",
    "Decision",
    "Facts",
    "KeyOf",
    "Keys",
    "Network",
    "OnStoreError",
    "Period",
    "Policy",
    "Verdict",
    "client_address",
    "legacy_fields",
    "rate_fields",
    "refund",
    "take",
]
