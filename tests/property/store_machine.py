"""Any store of limits as a machine, whose every answer is compared with an exact model in fractions.

The body is the same for every store. A subclass says how to make one (`make_store`, and `teardown` to end it), whether
its clocks stand still where they go back (`stands_still`), and, where its calls are not what the port has, how to drive
it (`decide`, `peek`, `refund`, `release`).
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gateway.limits import Policy
from gateway.limits.policy import PERIOD_US, Algorithm, Period
from gateway.limits.values import Ask, Charge, Decision, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.limits.stores import Store

EPOCH_US = 1_700_000_000_000_000
KEYS = (b"a", b"b", b"c")
PLACE_WAIT_US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

gaps_us = st.one_of(
    st.just(0), st.integers(0, 10), st.integers(0, 10**6), st.integers(0, 10**8), st.integers(0, 10**10)
)


@st.composite
def gcra_policies(draw: st.DrawFn, name: str = "p", *, shadow: bool = False) -> Policy:
    """Draw any policy of GCRA that may exist."""
    requests = draw(st.integers(1, 1_000))
    per_us = draw(st.integers(1, 10**9))
    burst = draw(st.integers(1, 20))
    cost = draw(st.integers(1, burst))
    assume((-per_us % requests) * 100 <= per_us)
    return Policy(name=name, requests=requests, per_us=per_us, burst=burst, key=("ip",), cost=cost, shadow=shadow)


@st.composite
def policies(draw: st.DrawFn, name: str, algorithms: Sequence[Algorithm]) -> Policy:
    """Draw a policy of one of the algorithms, enforced or not."""
    algorithm = draw(st.sampled_from(algorithms))
    shadow = draw(st.sampled_from([False, False, True]))
    if algorithm is Algorithm.GCRA:
        return draw(gcra_policies(name, shadow=shadow))
    requests = draw(st.integers(1, 6))
    period = draw(st.sampled_from(Period)) if algorithm is Algorithm.CALENDAR else None
    per_us = 0 if algorithm is Algorithm.CONCURRENCY else draw(st.integers(1, 10**9))
    return Policy(
        name=name,
        requests=requests,
        per_us=per_us if period is None else PERIOD_US[period],
        burst=requests,
        key=("ip",),
        algorithm=algorithm,
        period=period,
        shadow=shadow,
    )


def several(algorithms: Sequence[Algorithm]) -> st.SearchStrategy[tuple[Policy, ...]]:
    """Draw four policies."""
    return st.tuples(*(policies(name, algorithms) for name in ("first", "second", "third", "fourth")))


class Model(Protocol):
    """What one key has under one policy, exactly; nothing is ever forgotten that counts."""

    def left(self, at_us: int) -> Fraction:
        """Return what is left."""

    def wait_us(self, at_us: int, cost: int) -> Fraction:
        """Return how long it takes until `cost` fits, which does not now."""

    def reset_us(self, at_us: int) -> Fraction:
        """Return how long it takes until one more is left."""

    def charge(self, at_us: int, cost: int) -> Fraction:
        """Take `cost` away, and return what finds it again."""

    def refund(self, at_us: int, cost: int, mark: Fraction) -> None:
        """Give back what counts still."""


class Bucket:
    """GCRA: a bucket that fills at a rate; what is remembered is when it will be full."""

    def __init__(self, policy: Policy) -> None:
        """Begin full."""
        self.rate = Fraction(1, policy.interval_us)
        self.burst = policy.burst
        self.full_us = Fraction(0)

    def left(self, at_us: int) -> Fraction:
        """Return the level."""
        return self.burst - max(Fraction(0), self.full_us - at_us) * self.rate

    def wait_us(self, at_us: int, cost: int) -> Fraction:
        """Return the time in which what is missing flows in."""
        return (cost - self.left(at_us)) / self.rate

    def reset_us(self, at_us: int) -> Fraction:
        """Return the time to the next whole number, of which 0 is the least."""
        level = self.left(at_us)
        more = max(level // 1, 0) + 1
        return (more - level) / self.rate if level < self.burst else Fraction(0)

    def charge(self, at_us: int, cost: int) -> Fraction:
        """Take from the bucket."""
        self.full_us = max(self.full_us, Fraction(at_us)) + cost / self.rate
        return self.full_us

    def refund(self, at_us: int, cost: int, mark: Fraction) -> None:
        """Pour back what has not flowed in since."""
        self.full_us -= max(Fraction(0), min(cost / self.rate, mark - at_us))


class Log:
    """A sliding log: the moments of all that counts."""

    def __init__(self, policy: Policy) -> None:
        """Begin empty."""
        self.per_us, self.requests = policy.per_us, policy.requests
        self.moments: list[int] = []

    def counted(self, at_us: int) -> list[int]:
        """Return the moments that are in the window."""
        now_us = max([at_us, *self.moments[-1:]])
        return [moment for moment in self.moments if moment > now_us - self.per_us]

    def left(self, at_us: int) -> Fraction:
        """Return what the window has room for."""
        return Fraction(self.requests - len(self.counted(at_us)))

    def wait_us(self, at_us: int, cost: int) -> Fraction:
        """Return when the first moment comes at which enough has left the window: try each that may be one."""
        counted = self.counted(at_us)
        for moment in counted:
            end_us = moment + self.per_us
            if sum(other + self.per_us > end_us for other in counted) + cost <= self.requests:
                return Fraction(end_us - at_us)
        raise AssertionError("an empty window has room for all")

    def reset_us(self, at_us: int) -> Fraction:
        """Return when the oldest leaves."""
        counted = self.counted(at_us)
        return Fraction(min(counted) + self.per_us - at_us if counted else 0)

    def charge(self, at_us: int, cost: int) -> Fraction:
        """Note it as often as it costs."""
        moment = max([at_us, *self.moments[-1:]])
        self.moments = self.counted(at_us) + [moment] * cost
        return Fraction(moment)

    def refund(self, at_us: int, cost: int, mark: Fraction) -> None:
        """Strike it out."""
        for _ in range(min(cost, self.moments.count(int(mark)))):
            self.moments.remove(int(mark))


class Window:
    """A calendar's window, by the calendar of Python."""

    def __init__(self, policy: Policy) -> None:
        """Begin before all windows."""
        self.period, self.requests = policy.period, policy.requests
        self.begin, self.used = _EPOCH, 0

    def at(self, at_us: int) -> tuple[datetime, int]:
        """Return the window that counts, and what is used of it."""
        begin = _beginning(_EPOCH + at_us * _MICROSECOND, self.period)
        return (self.begin, self.used) if self.begin >= begin else (begin, 0)

    def left(self, at_us: int) -> Fraction:
        """Return what is left of the window."""
        return Fraction(self.requests - self.at(at_us)[1])

    def wait_us(self, at_us: int, cost: int) -> Fraction:
        """Return how long the window lasts."""
        assert cost <= self.requests
        begin, _ = self.at(at_us)
        longer = begin + timedelta(microseconds=PERIOD_US[self.period or Period.DAY])
        end = _beginning(longer, self.period)
        return Fraction((end - _EPOCH) // _MICROSECOND - at_us)

    def reset_us(self, at_us: int) -> Fraction:
        """Return how long the window lasts, when some of it is used."""
        return self.wait_us(at_us, 1) if self.at(at_us)[1] else Fraction(0)

    def charge(self, at_us: int, cost: int) -> Fraction:
        """Use some of the window."""
        self.begin, used = self.at(at_us)
        self.used = used + cost
        return Fraction((self.begin - _EPOCH) // _MICROSECOND)

    def refund(self, at_us: int, cost: int, mark: Fraction) -> None:
        """Give it back to the window that it was of."""
        if (self.begin - _EPOCH) // _MICROSECOND == mark:
            self.used -= cost


class Places:
    """Requests under way."""

    def __init__(self, policy: Policy) -> None:
        """Begin with all places free."""
        self.requests, self.held = policy.requests, 0

    def left(self, at_us: int) -> Fraction:
        """Return the free places."""
        return Fraction(self.requests - self.held)

    def wait_us(self, at_us: int, cost: int) -> Fraction:
        """Return what is said, since nobody knows."""
        return Fraction(PLACE_WAIT_US)

    def reset_us(self, at_us: int) -> Fraction:
        """Return what is said."""
        return Fraction(PLACE_WAIT_US if self.held else 0)

    def charge(self, at_us: int, cost: int) -> Fraction:
        """Take places."""
        self.held += cost
        return Fraction(self.held)

    def refund(self, at_us: int, cost: int, mark: Fraction) -> None:
        """Leave places."""
        self.held -= cost


def _beginning(moment: datetime, period: Period | None) -> datetime:
    """Return when the period of a moment began."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    match period:
        case Period.MINUTE:
            return hour.replace(minute=moment.minute)
        case Period.HOUR:
            return hour
        case Period.WEEK:
            return day - timedelta(days=day.weekday())
        case Period.MONTH:
            return day.replace(day=1)
        case _:
            return day


_MODELS: Mapping[Algorithm, type[Bucket | Log | Window | Places]] = {
    Algorithm.GCRA: Bucket,
    Algorithm.SLIDING_LOG: Log,
    Algorithm.CALENDAR: Window,
    Algorithm.CONCURRENCY: Places,
}


class StoreMachine(RuleBasedStateMachine):
    """A store, and beside it an exact model for every policy and key."""

    store: Store
    stands_still = True
    """Whether time stands still in the store while a clock goes back; else it goes by the clock as it is."""

    def make_store(self) -> Store:
        """Return the store under test, empty, for `policies`."""
        raise NotImplementedError

    def decide(self, asks: list[Ask]) -> Decision:
        """Ask the store."""
        decided = self.store.decide(asks, self.now_us, self.unix_us)
        assert isinstance(decided, Decision)
        return decided

    def peek(self, asks: list[Ask]) -> Decision:
        """Look into the store."""
        decided = self.store.peek(asks, self.now_us, self.unix_us)
        assert isinstance(decided, Decision)
        return decided

    def refund(self, charges: Sequence[Charge]) -> Sequence[Verdict] | None:
        """Give charges back, and return what the policies say then; None where the store does not tell."""
        return self.store.refund(charges, self.now_us, self.unix_us)

    def release(self, charges: Sequence[Charge]) -> None:
        """End a request."""
        self.store.release(charges, self.now_us)

    @initialize(drawn=st.one_of(several([Algorithm.GCRA]), several(list(Algorithm))))
    def begin(self, drawn: tuple[Policy, ...]) -> None:
        """Start with four policies: often all of GCRA, as most are, and stores have short cuts for it."""
        self.policies = drawn
        self.store = self.make_store()
        self.models: dict[tuple[str, bytes], Model] = {
            (policy.id, key): _MODELS[policy.algorithm](policy) for policy in drawn for key in KEYS
        }
        self.now_us, self.unix_us = EPOCH_US // 2, EPOCH_US
        self.latest_now_us = self.latest_unix_us = 0
        self.under_way: list[list[tuple[Charge, Fraction]]] = []

    @rule(gap_us=gaps_us)
    def time_passes(self, gap_us: int) -> None:
        """Let both clocks advance."""
        self.now_us += gap_us
        self.unix_us += gap_us

    @rule(which=st.integers(0, 3), eighths=st.integers(1, 17), more_us=st.integers(-1, 1))
    def windows_pass(self, which: int, eighths: int, more_us: int) -> None:
        """Let both clocks advance by about what it takes until a policy is full again, or a part of that."""
        self.time_passes(max(self.policies[which].tau_us * eighths // 8 + more_us, 0))

    @rule(days=st.integers(1, 40), gap_us=gaps_us)
    def days_pass(self, days: int, gap_us: int) -> None:
        """Let both clocks advance by days."""
        self.time_passes(days * PERIOD_US[Period.DAY] + gap_us)

    @rule(step_us=gaps_us)
    def clock_goes_back(self, step_us: int) -> None:
        """Let the clock go back, as no monotonic clock should."""
        self.now_us -= step_us

    @rule(step_us=st.one_of(gaps_us, gaps_us.map(lambda us: -us)))
    def wall_clock_is_set(self, step_us: int) -> None:
        """Let somebody set the wall clock."""
        self.unix_us += step_us

    @rule(
        which=st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True),
        keys=st.lists(st.sampled_from(KEYS), min_size=4, max_size=4),
        costs=st.lists(st.sampled_from([1, 1, 1, 1, 2, 2, 3, 5, 20, 0]), min_size=4, max_size=4),
        times=st.integers(1, 8),
        patient=st.booleans(),
    )
    def request(self, which: list[int], keys: list[bytes], costs: list[int], times: int, *, patient: bool) -> None:
        """Ask some policies, again and again; when they refuse, wait a microsecond too short, and then as was said."""
        asks = [
            (self.policies[at], key, min(cost, self.policies[at].burst))
            for at, key, cost in zip(which, keys, costs, strict=False)
        ]
        refused = self.ask(asks)
        for _ in range(times - 1):
            refused = self.ask(asks)
        if refused.admitted or not patient or not self.knows_when(refused):
            return
        assert refused.tightest is not None
        wait_us = refused.tightest.retry_after_us
        self.now_us, self.unix_us = self.clocks()
        self.time_passes(wait_us - 1)
        assert not self.ask(asks).admitted
        self.time_passes(1)
        assert self.ask(asks).admitted

    @rule(
        which=st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True),
        key=st.sampled_from(KEYS),
        cost=st.integers(0, 20),
    )
    def look(self, which: list[int], key: bytes, cost: int) -> None:
        """Look at some policies: it says what a request would be told, and changes nothing."""
        asks = [(self.policies[at], key, min(cost, self.policies[at].burst)) for at in which]
        seen = self.peek(asks)
        self.tick()
        self.compare(seen, asks)
        assert not seen.charges

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 1_000))
    def give_back(self, which: int) -> None:
        """Refund a request, whenever it was."""
        charged = self.under_way.pop(which % len(self.under_way))
        said = self.refund([charge for charge, _ in charged])
        self.tick()
        for charge, mark in charged:
            self.model(charge.policy, charge.key).refund(self.at(charge.policy), charge.cost, mark)
        if said is not None:
            asks = [(charge.policy, charge.key, 0) for charge, _ in charged if not charge.policy.shadow]
            assert list(said) == [self.verdict(ask, charged=False) for ask in asks]

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 1_000))
    def end(self, which: int) -> None:
        """End a request: the places that it held are free, and nothing else comes back."""
        charged = self.under_way.pop(which % len(self.under_way))
        self.release([charge for charge, _ in charged])
        self.latest_now_us = max(self.latest_now_us, self.now_us)
        for charge, mark in charged:
            if charge.policy.algorithm is Algorithm.CONCURRENCY:
                self.model(charge.policy, charge.key).refund(self.at(charge.policy), charge.cost, mark)

    def ask(self, asks: list[Ask]) -> Decision:
        """Ask the store, compare all that it says with the model, and charge the model."""
        decided = self.decide(asks)
        self.tick()
        self.compare(decided, asks)
        due = [ask for ask in asks if decided.admitted and ask[2] and self.fits(ask)]
        marks = [self.model(policy, key).charge(self.at(policy), cost) for policy, key, cost in due]
        assert [(charge.policy, charge.key, charge.cost) for charge in decided.charges] == due
        charged = list(zip(decided.charges, marks, strict=True))
        for charge, mark in charged:
            assert charge.mark == mark or charge.policy.algorithm is Algorithm.CONCURRENCY
        if charged:
            self.under_way.append(charged)
        return decided

    def compare(self, decided: Decision, asks: list[Ask]) -> None:
        """Compare a decision with the model, which was not charged yet."""
        admitted = all(self.fits(ask) for ask in asks if not ask[0].shadow)
        said = [self.verdict(ask, charged=admitted) for ask in asks]
        assert decided.admitted == admitted
        assert list(decided.verdicts) == [verdict for verdict in said if not verdict.policy.shadow]
        assert list(decided.shadowed) == [verdict for verdict in said if verdict.policy.shadow]
        waits = [verdict.retry_after_us for verdict in decided.verdicts]
        if decided.tightest is None:
            assert not waits
        else:
            assert decided.tightest.retry_after_us == max(waits)
            assert max(waits) or decided.tightest.remaining == min(one.remaining for one in decided.verdicts)

    def verdict(self, ask: Ask, *, charged: bool) -> Verdict:
        """Return what a policy has to say, exactly."""
        policy, key, cost = ask
        model, at_us, fits = deepcopy(self.model(policy, key)), self.at(policy), self.fits(ask)
        wait_us = Fraction(0) if fits else model.wait_us(at_us, cost)
        if charged and fits and cost:
            model.charge(at_us, cost)
        remaining, reset_us = max(model.left(at_us) // 1, 0), model.reset_us(at_us)
        assert wait_us.denominator == reset_us.denominator == 1
        return Verdict(policy, fits, remaining, int(wait_us), int(reset_us))

    def fits(self, ask: Ask) -> bool:
        """Tell whether a policy has room for what is asked; a look fits always."""
        policy, key, cost = ask
        return not cost or self.model(policy, key).left(self.at(policy)) >= cost

    def model(self, policy: Policy, key: bytes) -> Model:
        """Return the model of a key."""
        return self.models[policy.id, key]

    def tick(self) -> None:
        """Note that the store has seen both clocks."""
        self.latest_now_us = max(self.latest_now_us, self.now_us)
        self.latest_unix_us = max(self.latest_unix_us, self.unix_us)

    def clocks(self) -> tuple[int, int]:
        """Return both clocks as the store goes by them."""
        return (self.latest_now_us, self.latest_unix_us) if self.stands_still else (self.now_us, self.unix_us)

    def at(self, policy: Policy) -> int:
        """Return the time by a policy's clock."""
        return self.clocks()[policy.algorithm is Algorithm.CALENDAR]

    @staticmethod
    def knows_when(refused: Decision) -> bool:
        """Tell whether a refusal can know when it ends: a place is free again when somebody leaves."""
        return all(one.admitted or one.policy.algorithm is not Algorithm.CONCURRENCY for one in refused.verdicts)
