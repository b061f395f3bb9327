"""Processes that share limits, as `test_shared_store` starts them: `python -m tests.integration.contenders NAME ...`.

Each scenario prints one line of JSON. Those that kill do it from a process of their own, which has no threads and can
fork. Time is an argument here too: it stands still, or goes on by steps that every process takes at its own pace.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.limits import Policy
from gateway.limits.stores.shared import SharedStore
from tests.policies import calendar_window, places, sliding_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from _typeshed import TraceFunction

    from gateway.limits import Ask, Charge
    from gateway.limits.stores.shared import SharedTable

NOW_US = 10**12
UNIX_US = 1_700_000_000_000_000
DAY_US = 86_400_000_000
SECRET = bytes(range(16))
MANY = Policy(name="many", requests=10, per_us=1_000_000, burst=20_000, key=("ip",))
FEW = Policy(name="few", requests=10, per_us=1_000_000, burst=40, key=("ip",))
LOG = sliding_log("log", 12, 60_000_000)
DAY = calendar_window("day", 50)
PLACES = places("places", 9)
VAST = Policy(name="vast", requests=10, per_us=1_000_000, burst=10**9, key=("ip",))
SEEN = Policy(name="seen", requests=10, per_us=1_000_000, burst=30, key=("ip",), shadow=True)
ALL = (MANY, VAST, FEW, LOG, DAY, PLACES, SEEN)
KINDS = (FEW, LOG, DAY, PLACES, SEEN)
KEYS = (b"one", b"two")
SOURCE = str(Path("stores", "shared"))
PIPE_BYTES = 65_536
STEPS = 200
STEP_US = 250_000
VICTIMS = 60
HAMMERS = 2
ROUNDS = 2_000


def spend(store: SharedStore, policy: Policy, now_us: int = NOW_US) -> int:
    """Ask until it is refused, and return how many were admitted."""
    asks = ((policy, b"one", 1),)
    return next(number for number in count() if not store.decide(asks, now_us, UNIX_US).admitted)


def spending(fd: str, index: str) -> object:
    """Spend all of one key, at a moment that does not pass."""
    return spend(opened(fd, index), MANY)


def walking(fd: str, index: str) -> object:
    """Spend all of one key, again after each step of time."""
    store = opened(fd, index)
    return sum(spend(store, FEW, NOW_US + step * STEP_US) for step in range(STEPS + 1))


def crossing(fd: str, index: str) -> object:
    """Ask several policies at a time, any of them in any order, and return what each was charged."""
    store = opened(fd, index)
    chance = random.Random(int(index))
    charged = {policy.name: 0 for policy in ALL}
    for _ in range(ROUNDS):
        chosen = chance.sample(ALL, chance.randint(2, len(ALL)))
        asks = [(policy, chance.choice(KEYS), 1) for policy in chosen]
        for charge in store.decide(asks, NOW_US, UNIX_US).charges:
            charged[charge.policy.name] += 1
    return charged


def opened(fd: str, index: str) -> SharedStore:
    """Open the table that was inherited, say so, and begin when all are there."""
    store = SharedStore.open(int(fd), ALL, index=int(index))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    return store


def killed_anywhere(seed: str) -> object:
    """Kill one process after the other, each after it told of some admissions, while two more ask all the time.

    Returns how many were killed, how many admissions were told of, and how many were charged.
    """
    table = new_table(processes=HAMMERS + 2)
    chance = random.Random(int(seed))
    hammers = [fork(partial(_hammer, table, index)) for index in range(HAMMERS)]
    told = killed = 0
    for _ in range(VICTIMS):
        victim = fork(partial(_hammer, table, HAMMERS))
        told += len(os.read(victim[1], chance.randint(1, 40)))
        for process in (*hammers, victim) if killed == VICTIMS - 1 else (victim,):
            os.kill(process[0], signal.SIGKILL)
            killed += os.WIFSIGNALED(os.waitpid(process[0], 0)[1])
            told += drain(process[1])
        told += sum(at_hand(pipe) for _, pipe in hammers) if killed < VICTIMS else 0
    store = SharedStore.open(table.fileno(), ALL, index=HAMMERS + 1)
    left = store.peek([(VAST, b"one", 0)], NOW_US, UNIX_US).verdicts[0].remaining
    return {"killed": killed, "told": told, "charged": VAST.burst - left}


def _hammer(table: SharedTable, index: int, pipe: int) -> None:
    """Ask without an end, and tell of each admission by a byte."""
    store = SharedStore.open(table.fileno(), ALL, index=index)
    while store.decide(((VAST, b"one", 1),), NOW_US, UNIX_US).admitted:
        os.write(pipe, b".")


class Act(NamedTuple):
    """What a process does while it is killed: so much later than `one` and some fillers were charged, to a key."""

    do: Callable[[SharedStore, list[Ask], tuple[Charge, ...], int], object]
    later_us: int
    key: bytes
    fillers: int = 0


def _decide(store: SharedStore, asks: list[Ask], charges: tuple[Charge, ...], later_us: int) -> object:
    return store.decide(asks, NOW_US + later_us, UNIX_US + later_us)


def _refund(store: SharedStore, asks: list[Ask], charges: tuple[Charge, ...], later_us: int) -> object:
    return store.refund(charges, NOW_US + later_us, UNIX_US + later_us)


def _release(store: SharedStore, asks: list[Ask], charges: tuple[Charge, ...], later_us: int) -> object:
    store.release(charges, NOW_US + later_us)
    return None


ACTS = {
    "a key that is there": Act(_decide, 1, b"one"),
    "a new key": Act(_decide, 1, b"two"),
    "a key on a new day": Act(_decide, DAY_US, b"one"),
    "a slot that was another's": Act(_decide, DAY_US, b"two", fillers=7),
    "the overflow key": Act(_decide, 1, b"two", fillers=7),
    "a refund": Act(_refund, 1, b"one"),
    "a release": Act(_release, 1, b"one"),
}


def killed_at_each_line(name: str) -> object:
    """Kill a process at each line of the store that it runs through, each time with a new table.

    Returns what each policy has left: before, after each of the kills, and had it lived.
    """
    act = ACTS[name]
    killed: list[dict[str, int]] = []
    for line in count(1):
        died, before, after = _killed_at(act, line)
        if not died:
            return {"before": before, "killed": killed, "lived": after}
        killed.append(after)
    raise AssertionError


def _killed_at(act: Act, line: int) -> tuple[bool, dict[str, int], dict[str, int]]:
    """Fill a table, let a process act until it comes to so many lines, and ask what is left before and after."""
    table = new_table(processes=1, max_keys=2)
    store = SharedStore.open(table.fileno(), ALL, index=0)
    fillers = [b"%d" % number for number in range(act.fillers)]
    charges = [store.decide(asks_of(key), NOW_US, UNIX_US).charges for key in (b"one", b"one", *fillers)]
    asks = asks_of(act.key)
    before = left_of(store, act.key, act.later_us)
    actor, pipe = fork(lambda _: _act(act, store, asks, charges[0], line))
    drain(pipe)
    died = os.WIFSIGNALED(os.waitpid(actor, 0)[1])
    after = left_of(store, act.key, act.later_us)
    store.close()
    table.close()
    return died, before, after


def _act(act: Act, store: SharedStore, asks: list[Ask], charges: tuple[Charge, ...], last: int) -> None:
    """Act as the process that made the charges, and die at a line."""
    lines = count(1)

    def trace(frame: FrameType, event: str, _: object) -> TraceFunction | None:
        if SOURCE not in frame.f_code.co_filename:
            return None
        if event == "line" and next(lines) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    act.do(store, asks, charges, act.later_us)


def holding_places() -> object:
    """Kill a process that holds places, and return who got in: beside it, after it, and once it was cleared."""
    table = new_table(processes=3)
    store = SharedStore.open(table.fileno(), ALL, index=0)
    asks: list[Ask] = [(PLACES, b"one", 3)]
    mine = store.decide(asks, NOW_US, UNIX_US)
    holder, pipe = fork(partial(_hold, table))
    held = os.read(pipe, 1)
    beside = store.decide(asks, NOW_US, UNIX_US).admitted
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    after = store.decide(asks, NOW_US, UNIX_US).admitted
    table.clear(1)
    cleared = [store.decide(asks, NOW_US, UNIX_US).admitted for _ in range(3)]
    return {
        "mine": mine.admitted,
        "held": held.decode(),
        "beside": beside,
        "after": after,
        "cleared": cleared,
    }


def _hold(table: SharedTable, pipe: int) -> None:
    """Hold all that is left, tell so, and wait to be killed."""
    store = SharedStore.open(table.fileno(), ALL, index=1)
    held = store.decide([(PLACES, b"one", 6)], NOW_US, UNIX_US).admitted
    os.write(pipe, b"y" if held else b"n")
    signal.pause()


def new_table(*, processes: int, max_keys: int = 100) -> SharedTable:
    """Make a table of which nothing is left to chance."""
    return SharedStore.create(ALL, processes=processes, max_keys=max_keys, secret=SECRET)


def asks_of(key: bytes) -> list[Ask]:
    """Ask 2 of a policy of each kind for a key."""
    return [(policy, key, 2) for policy in KINDS]


def left_of(store: SharedStore, key: bytes, later_us: int) -> dict[str, int]:
    """Return what a key has left of each policy."""
    asks = [(policy, key, 0) for policy in KINDS]
    said = store.peek(asks, NOW_US + later_us, UNIX_US + later_us)
    return {verdict.policy.name: verdict.remaining for verdict in (*said.verdicts, *said.shadowed)}


def fork(work: Callable[[int], object]) -> tuple[int, int]:
    """Let another process work, which may write into a pipe; return its id and the pipe's other end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        os.close(reading)
        work(writing)
        os._exit(0)
    finally:
        os._exit(1)


def drain(pipe: int) -> int:
    """Count what comes out of a pipe until its other end is closed."""
    os.set_blocking(pipe, True)
    total = 0
    while data := os.read(pipe, PIPE_BYTES):
        total += len(data)
    os.close(pipe)
    return total


def at_hand(pipe: int) -> int:
    """Count what is in a pipe now."""
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        return len(os.read(pipe, PIPE_BYTES))
    return 0


SCENARIOS: dict[str, Callable[..., object]] = {
    "spending": spending,
    "walking": walking,
    "crossing": crossing,
    "killed-anywhere": killed_anywhere,
    "killed-at-each-line": killed_at_each_line,
    "holding-places": holding_places,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(SCENARIOS[sys.argv[1]](*sys.argv[2:])) + "\n")
