"""Limits: how much a client may ask for, and how much an upstream grants. Time is always an argument.

A **policy** (`policy`) is a limit's definition. A request **asks** each of its policies for what it costs, under the
**key** (`keys`, `address`) that the policy counts it by; each gives a **verdict**, together they are the **decision**,
and what was **charged** can be given back (`values`). How a policy counts is arithmetic on a few integers: `gcra`,
`log`, `calendar` and `concurrency`, all of one shape in `algorithms`; `joint` decides all policies of a request, which
are charged all or none.

Where the integers are kept is the business of `stores`, the one part that may do I/O; `shares` is what a replica counts
by while its store is away. `queue` and `patience` are about those who wait in place of being refused, `budget` about
what upstreams grant. `fields` and `members` are what a client sees of it all, and `tighter` what an operator is warned
of.
"""

from gateway.limits.address import client_address
from gateway.limits.fields import legacy_fields, rate_fields
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
    "OnStoreError",
    "Period",
    "Policy",
    "Verdict",
    "client_address",
    "legacy_fields",
    "rate_fields",
]
