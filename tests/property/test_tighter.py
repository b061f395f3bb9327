"""What `is_tighter` says of two policies holds for requests of any costs at any time."""

from __future__ import annotations

from itertools import permutations

from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.limits import Algorithm, Period, Policy
from gateway.limits.policy import PERIOD_US
from gateway.limits.stores import MemoryStore
from gateway.limits.tighter import is_tighter

START_US = 1_795_000_000_000_000
SMALL = st.integers(1, 12)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A policy of small numbers and any algorithm, whose dearest request still passes."""
    algorithm = draw(st.sampled_from(Algorithm))
    period = draw(st.sampled_from([Period.MINUTE, Period.HOUR])) if algorithm is Algorithm.CALENDAR else None
    requests = draw(SMALL) * draw(st.sampled_from([1, 5]))
    per_us = draw(SMALL) * 10_000_000 if period is None else PERIOD_US[period]
    burst = draw(SMALL) if algorithm is Algorithm.GCRA else requests
    return Policy(
        name="a",
        requests=requests,
        per_us=0 if algorithm is Algorithm.CONCURRENCY else per_us,
        burst=burst,
        key=("ip",),
        algorithm=algorithm,
        period=period,
        cost=draw(st.integers(1, min(2, burst))),
        costs=draw(st.sampled_from([(), (("POST", min(3, burst)),), (("POST", 0),)])),
    )


@given(
    some=st.lists(policies(), min_size=4, max_size=6, unique_by=lambda policy: policy.id),
    steps=st.lists(st.tuples(st.integers(0, 30_000_000), st.sampled_from(["GET", "POST"])), min_size=5, max_size=60),
)
def test_the_looser_one_never_refuses_alone(some: list[Policy], steps: list[tuple[int, str]]) -> None:
    """Beside a tighter policy under the same key, the looser one refuses no request that the tighter admits."""
    pairs = [(first, second) for first, second in permutations(some, 2) if is_tighter(first, second)]
    assume(pairs)
    for pair in pairs:
        store, now_us = MemoryStore(), 0
        for after_us, method in steps:
            now_us += after_us
            asks = [(policy, b"key", policy.cost_of(method)) for policy in pair]
            tighter, looser = store.decide(asks, now_us, START_US + now_us).verdicts
            assert looser.admitted or not tighter.admitted
