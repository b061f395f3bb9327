"""Places for requests under way: three of them."""

from __future__ import annotations

from gateway.limits import Charge, Verdict, concurrency
from gateway.limits.members import LARGEST
from tests.policies import places

THREE = places("three", 3)
NOW_US = 10**12


def test_places() -> None:
    """Each request holds as many as it costs; nobody knows when one is free again, so a second is said."""
    assert concurrency.take((), NOW_US, 2, THREE) == (
        (2,),
        Verdict(THREE, admitted=True, remaining=1, retry_after_us=0, reset_us=1_000_000),
    )
    assert concurrency.take((2,), NOW_US, 2, THREE) == (
        (2,),
        Verdict(THREE, admitted=False, remaining=1, retry_after_us=1_000_000, reset_us=1_000_000),
    )


def test_look() -> None:
    """A cost of nothing looks, and holds nothing."""
    assert concurrency.take((3,), NOW_US, 0, THREE) == (
        (3,),
        Verdict(THREE, admitted=True, remaining=0, retry_after_us=0, reset_us=1_000_000),
    )
    assert concurrency.take((), NOW_US, 0, THREE) == (
        (),
        Verdict(THREE, admitted=True, remaining=3, retry_after_us=0, reset_us=0),
    )


def test_free_again() -> None:
    """The places of a charge come back, and never more than are held."""
    charge = Charge(THREE, b"k", 2, 3)
    assert concurrency.refund((3,), NOW_US, charge) == (1,)
    assert concurrency.refund((1,), NOW_US, charge) == (0,)
    assert concurrency.refund((), NOW_US, charge) == ()


def test_what_is_kept() -> None:
    """A place that is held never lapses."""
    assert concurrency.ends_us((1,), THREE) == concurrency.until_us(NOW_US, THREE) == LARGEST
    assert concurrency.ends_us((0,), THREE) == concurrency.ends_us((), THREE) == 0
    assert (concurrency.mark((2,)), concurrency.capacity(THREE)) == (2, 1)
