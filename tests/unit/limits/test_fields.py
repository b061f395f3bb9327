"""What a client sees of limits."""

from __future__ import annotations

from math import inf, nan

import pytest

from gateway.limits import Policy, Verdict, legacy_fields, rate_fields
from gateway.limits.budget.held import Held
from gateway.model import Allowance

CLIENT = Policy(name="per-client", requests=600, per_us=60_000_000, burst=100, key=("client",))
BRISK = Policy(name="brisk", requests=10, per_us=500_000, burst=10, key=("ip",))


def verdict(policy: Policy = CLIENT, *, remaining: int = 12, reset_us: int = 29_000_001, wait_us: int = 0) -> Verdict:
    """Return a verdict; it refuses where there is a wait."""
    return Verdict(policy, admitted=not wait_us, remaining=remaining, retry_after_us=wait_us, reset_us=reset_us)


def test_one_policy() -> None:
    """Seconds are rounded up: nothing comes earlier than was said."""
    assert rate_fields([verdict()], status=200) == (
        (b"RateLimit-Policy", b'"per-client";q=600;w=60'),
        (b"RateLimit", b'"per-client";r=12;t=30'),
    )


def test_short_window() -> None:
    """A window under a second is shown as one: less than is allowed, never more."""
    assert rate_fields([verdict(BRISK, remaining=9, reset_us=1)], status=200) == (
        (b"RateLimit-Policy", b'"brisk";q=10;w=1'),
        (b"RateLimit", b'"brisk";r=9;t=1'),
    )


def test_a_budget_that_is_declared_and_learned_is_told_once() -> None:
    """Under one name it is one thing to a client: the tighter of the two; a limit of that name is another."""
    held = Held("api")
    declared = Policy(name="api", requests=10, per_us=60_000_000, burst=10, key=("upstream",), budget=True)
    learned = verdict(held.everybody, remaining=0, reset_us=3_000_000, wait_us=3_000_000)
    fields = dict(rate_fields([verdict(declared), learned], status=503))
    assert fields == {b"RateLimit-Policy": b'"api";q=10;w=60', b"RateLimit": b'"api";r=0;t=3'}
    spent = verdict(declared, remaining=0, wait_us=40_000_000, reset_us=40_000_000)
    assert dict(rate_fields([spent, learned], status=503))[b"RateLimit"] == b'"api";r=0;t=40'
    other = Policy(name="api", requests=10, per_us=60_000_000, burst=10, key=("ip",))
    assert dict(rate_fields([verdict(other), learned], status=503))[b"RateLimit"] == b'"api";r=0;t=3, "api";r=12;t=30'


def test_tightest_first() -> None:
    """Both lists begin with the policy that a client meets first."""
    fields = dict(rate_fields([verdict(), verdict(BRISK, remaining=3, reset_us=0)], status=200))
    assert fields[b"RateLimit"] == b'"brisk";r=3;t=0, "per-client";r=12;t=30'
    assert fields[b"RateLimit-Policy"] == b'"brisk";q=10;w=1, "per-client";q=600;w=60'
    refused = dict(rate_fields([verdict(BRISK, remaining=0), verdict(wait_us=5)], status=429))
    assert refused[b"RateLimit"].startswith(b'"per-client"')


def test_nothing_to_say() -> None:
    """Without a policy there are no fields."""
    assert rate_fields([], status=200) == ()
    assert rate_fields([], status=200, budget=Allowance()) == ()


def test_redirect_with_nothing_left() -> None:
    """A redirect never says that nothing is left; everything else does."""
    empty = verdict(remaining=0)
    assert rate_fields([empty], status=302) == ()
    assert rate_fields([verdict(), empty], status=307) == ()
    assert rate_fields([verdict()], status=302) != ()
    assert rate_fields([empty], status=200) != ()


@pytest.mark.parametrize("remaining", [0, -1])
def test_redirect_with_nothing_left_upstream(remaining: int) -> None:
    """What the upstream grants is no other case."""
    spent = Allowance(limit=120, remaining=remaining, reset_s=1.5)
    assert rate_fields([verdict()], status=302, budget=spent) == ()
    assert rate_fields([verdict()], status=302, budget=Allowance(remaining=1)) != ()
    assert rate_fields([verdict()], status=302, budget=Allowance(limit=1)) != ()


def test_upstream_budget() -> None:
    """What the upstream still grants is one more policy, under its own name."""
    budget = Allowance(limit=120, remaining=3, reset_s=1.5)
    assert rate_fields([verdict()], status=200, budget=budget, budget_name="salla") == (
        (b"RateLimit-Policy", b'"salla";q=120, "per-client";q=600;w=60'),
        (b"RateLimit", b'"salla";r=3;t=2, "per-client";r=12;t=30'),
    )


@pytest.mark.parametrize(
    ("budget", "policy", "limit"),
    [
        (Allowance(limit=120), b'"upstream";q=120', None),
        (Allowance(remaining=3), None, b'"upstream";r=3'),
        (Allowance(remaining=3, reset_s=nan), None, b'"upstream";r=3'),
        (Allowance(remaining=3, reset_s=inf), None, b'"upstream";r=3'),
        (Allowance(remaining=-3, reset_s=-0.5), None, b'"upstream";r=0;t=0'),
        (Allowance(remaining=10**20, reset_s=1e300), None, b'"upstream";r=999999999999999;t=999999999999999'),
    ],
)
def test_budget_in_part(budget: Allowance, policy: bytes | None, limit: bytes | None) -> None:
    """What an upstream did not say, or said in no number, is left out; no integer is larger than the syntax allows."""
    fields = dict(rate_fields([], status=200, budget=budget))
    assert fields.get(b"RateLimit-Policy") == policy
    assert fields.get(b"RateLimit") == limit


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("50%", b'"50%"'),
        ("%d%s", b'"%d%s"'),
        ('a"b\\c', b'"a\\"b\\\\c"'),
        ("a\nb", b'"a?b"'),
        ("\u0645", b'"?"'),
        ("", b'""'),
    ],
)
def test_names_are_quoted(name: str, quoted: bytes) -> None:
    """A name is a string of structured fields, whatever is in it."""
    policy = Policy(name=name, requests=1, per_us=1_000_000, burst=1, key=("ip",))
    assert dict(rate_fields([verdict(policy)], status=200))[b"RateLimit"].startswith(quoted + b";r=")


def test_older_fields_say_the_tightest() -> None:
    """`Reset` is seconds from now, or Unix time; both rounded up."""
    both = [verdict(), verdict(BRISK, remaining=3, reset_us=2_500_000)]
    expected = ((b"X-RateLimit-Limit", b"10"), (b"X-RateLimit-Remaining", b"3"))
    assert legacy_fields(both, None) == (*expected, (b"X-RateLimit-Reset", b"3"))
    assert legacy_fields(both, 1_000.2) == (*expected, (b"X-RateLimit-Reset", b"1003"))
