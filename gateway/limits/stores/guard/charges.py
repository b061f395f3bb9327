"""Charges that a store on another machine did not make for the request: each says where it is to be given back.

To all others they are charges like any, under the policy that was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.limits.values import Charge

if TYPE_CHECKING:
    from gateway.limits.policy import Policy


class LeasedCharge(Charge, frozen=True, gc=False):
    """Spent of a lease, whose number is the mark."""


class ShareCharge(Charge, frozen=True, kw_only=True, gc=False):
    """Counted here while the store was away, under `share` of the policy."""

    share: Policy
