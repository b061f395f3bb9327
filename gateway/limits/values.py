"""What limits are asked with, and what they answer."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gateway.limits.policy import Policy
from gateway.model import Headers


class Facts(Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a request when limits decide.

    `client` is the configured name of an authenticated client, else None. `ip` is the address by `client_address`.
    `headers` are the client's fields. `upstream` and `route` are names, None where there is none. `path` is what
    goes upstream.
    """

    client: str | None
    ip: str
    headers: Headers
    upstream: str | None
    route: str | None
    method: str
    path: bytes = b""


Ask = tuple[Policy, bytes, int]
"""What a request asks of one policy: the policy, the key it is counted under, and what it costs."""


Words = Sequence[int]
"""What is known of a key under a policy, as a few integers of 64 bits; `algorithms` says which. Nobody changes them."""


class Verdict(Struct, frozen=True, gc=False):
    """What one policy says to one request.

    `remaining` is what is left afterwards, in requests of cost 1. `retry_after_us` is how long this same request has to
    wait until it is admitted, exactly; 0 when it was. `reset_us` is how long until `remaining` grows by one; 0 when it
    is full.
    """

    policy: Policy
    admitted: bool
    remaining: int
    retry_after_us: int
    reset_us: int


class Charge(Struct, frozen=True, gc=False):
    """What a request was charged under one policy, so that it can be given back.

    `mark` is what its algorithm finds it again by: GCRA's TAT behind the request, the time at which a sliding log noted
    it, the beginning of the calendar's window, the number of places that were held with it. `key` is the one that was
    charged, be it the one that principals beyond a store's room share. What costs nothing is no charge.
    """

    policy: Policy
    key: bytes
    cost: int
    mark: int


class Decision(Struct, frozen=True, gc=False):
    """What all policies of a request say together. `verdicts` are in the order of the policies, as are `charges`.

    `tightest` is the verdict that a client meets first: of those that refuse the longest wait, else the least left.
    None when no policy applied. A refused request has no charges. `shadowed` are the verdicts of policies in shadow
    mode, which are in `charges` where they admit (and the request is) but neither in `verdicts` nor in `admitted`.
    `unavailable`: it was refused since the store does not answer and a policy wants it so.
    """

    admitted: bool
    verdicts: tuple[Verdict, ...]
    tightest: Verdict | None
    charges: tuple[Charge, ...] = ()
    shadowed: tuple[Verdict, ...] = ()
    unavailable: bool = False
