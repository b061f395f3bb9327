"""The store in shared memory, by itself: bounded, never forgetful of what counts, and only for those it was made for.

What many processes do with it is in tests/integration/test_shared_store.py.
"""

from __future__ import annotations

import os
import re
import signal
from fcntl import LOCK_EX, lockf
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from gateway.limits import Decision, Policy
from gateway.limits.stores.shared import SharedStore, SharedTable
from gateway.limits.stores.shared.counts import KEYS_REMEMBERED, Counts
from gateway.limits.stores.shared.handle import Handle
from gateway.limits.stores.shared.layout import DIGESTS_WORD, WORD_BYTES
from gateway.limits.stores.shared.memory import Memory, make_table, nameless_file
from tests.integration.contenders import fork
from tests.policies import places, sliding_log

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW_US = 10**12
UNIX_US = 1_700_000_000_000_000
SECRET = bytes(range(16))
TWO = Policy(name="two", requests=1, per_us=1_000_000, burst=2, key=("ip",))
LOG = sliding_log("log", 3)
PLACES = places("places", 3)
ALL = (TWO, LOG, PLACES)
PROCESSES = 2
MAX_KEYS = 400
LOCKS = Path("/proc/locks")


@pytest.fixture(name="table")
def _table() -> Iterator[SharedTable]:
    """Make a table of which nothing is left to chance."""
    table = SharedStore.create(ALL, processes=PROCESSES, max_keys=MAX_KEYS, secret=SECRET)
    yield table
    table.close()


@pytest.fixture(name="stores")
def _stores(table: SharedTable) -> Iterator[list[SharedStore]]:
    """Open it for both processes."""
    stores = [SharedStore.open(table.fileno(), ALL, index=index) for index in range(PROCESSES)]
    yield stores
    for store in stores:
        store.close()


def ask(store: SharedStore, policy: Policy, key: bytes, cost: int = 1, later_us: int = 0) -> bool:
    """Ask one policy."""
    return store.decide([(policy, key, cost)], NOW_US + later_us, UNIX_US + later_us).admitted


def test_no_policy(stores: list[SharedStore]) -> None:
    """A request that no policy is for is admitted, and there is nothing to tell of it."""
    assert stores[0].decide((), NOW_US, UNIX_US) == Decision(admitted=True, verdicts=(), tightest=None)


def test_one_count(stores: list[SharedStore]) -> None:
    """What one process charges or gives back, the other sees at once."""
    here, there = stores
    charged = here.decide([(TWO, b"one", 2)], NOW_US, UNIX_US)
    assert not ask(there, TWO, b"one")
    there.refund(charged.charges, NOW_US, UNIX_US)
    assert ask(there, TWO, b"one", 2)
    assert not ask(here, TWO, b"one")


def test_many_keys(table: SharedTable, stores: list[SharedStore]) -> None:
    """However many keys come, the table does not grow, and neither does anybody's quota: not of those that it holds,
    and the rest together have no more than one key has.
    """
    store = stores[0]
    honest = [b"honest %d" % number for number in range(100)]
    strangers = [b"%d" % number for number in range(10 * KEYS_REMEMBERED)]
    assert all(ask(store, TWO, key, 2) for key in honest)
    passed = sum(ask(store, TWO, key, 2) for key in strangers)
    assert not any(ask(store, TWO, key) for key in honest)
    assert passed == 2 * MAX_KEYS - len(honest) + 1
    assert os.fstat(table.fileno()).st_size == table.size_bytes
    assert all(ask(store, TWO, key, 2, later_us=2_000_000) for key in (*honest, b"new"))


@pytest.mark.parametrize("policy", ALL, ids=lambda policy: policy.name)
def test_overflow(stores: list[SharedStore], policy: Policy) -> None:
    """Keys without room share one limit; what one of them gives back, the others may have."""
    here, there = stores
    whole = policy.burst
    held = [here.decide([(policy, b"%d" % number, whole)], NOW_US, UNIX_US) for number in range(10_000)]
    admitted = [decision.charges[0] for decision in held if decision.admitted]
    assert len(admitted) == 2 * MAX_KEYS + 1
    shared = next(charge for charge in admitted if not charge.key)
    assert not ask(there, policy, b"one more")
    here.refund([shared], NOW_US, UNIX_US)
    assert ask(there, policy, b"one more", whole)
    assert not ask(here, policy, b"and another")


def test_places_of_a_predecessor(table: SharedTable, stores: list[SharedStore]) -> None:
    """A process that begins holds none of the places that its predecessor held, and the others keep theirs."""
    assert ask(stores[0], PLACES, b"one", 1)
    assert ask(stores[1], PLACES, b"one", 2)
    assert not ask(stores[0], PLACES, b"one", 1)
    successor = SharedStore.open(table.fileno(), ALL, index=1)
    assert [ask(successor, PLACES, b"one", 1) for _ in range(3)] == [True, True, False]
    successor.close()


def test_places_are_cleared(table: SharedTable, stores: list[SharedStore]) -> None:
    """Whoever made the table can give back the places of a process, those of the overflow key too."""
    keys = [b"%d" % number for number in range(10_000)]
    assert sum(ask(stores[1], PLACES, key, 3) for key in keys) == 2 * MAX_KEYS + 1
    table.clear(0)
    assert not ask(stores[0], PLACES, b"new")
    table.clear(1)
    assert sum(ask(stores[0], PLACES, key, 3) for key in keys) == 2 * MAX_KEYS + 1


def test_a_stale_clock() -> None:
    """A process that read its clock before another key took a slot cannot find its own quota back by that."""
    table = SharedStore.create([TWO], processes=2, max_keys=1, secret=SECRET)
    early, late = (SharedStore.open(table.fileno(), [TWO], index=index) for index in range(2))
    assert ask(early, TWO, b"one", 2)
    assert ask(late, TWO, b"two", 2, later_us=2_000_000)
    assert ask(early, TWO, b"one", 2, later_us=1)
    assert not ask(late, TWO, b"one", 2, later_us=2_000_001)
    for store in (early, late):
        store.close()
    table.close()


def test_several_keys_of_one_policy() -> None:
    """Two keys of one policy that come with one request are given two slots."""
    table = SharedStore.create([TWO], processes=1, max_keys=1, secret=SECRET)
    store = SharedStore.open(table.fileno(), [TWO], index=0)
    assert store.decide([(TWO, b"one", 2), (TWO, b"two", 1)], NOW_US, UNIX_US).admitted
    assert not ask(store, TWO, b"one")
    assert ask(store, TWO, b"two")
    assert not ask(store, TWO, b"two")
    store.close()
    table.close()


def test_a_digest_across_two(table: SharedTable) -> None:
    """A key is not found where the end of one digest and the beginning of the next happen to spell its own."""
    memory = Memory(table.fileno(), ALL)
    counts = Counts(memory, memory.layout.areas[TWO.id], 0)
    spot = bucket, digest = counts.spot(b"one")
    across = (bucket + DIGESTS_WORD) * WORD_BYTES + len(digest) // 2
    memory.bytes[across : across + len(digest)] = digest
    assert counts.find(spot, NOW_US, []) < 0
    memory.close()


def test_a_file_in_a_folder() -> None:
    """Where there are no files in memory, one without a name in the temporary folder does."""
    fd = nameless_file(in_memory=False)
    assert os.fstat(fd).st_nlink == 0
    make_table(fd, ALL, processes=1, max_keys=10, secret=SECRET)
    store = SharedStore.open(fd, ALL, index=0)
    assert [ask(store, TWO, b"one") for _ in range(3)] == [True, True, False]
    store.close()
    os.close(fd)


def test_other_policies(table: SharedTable) -> None:
    """A process with another configuration is refused, and told why."""
    with pytest.raises(ValueError, match="all processes need the same configuration"):
        SharedStore.open(table.fileno(), ALL[1:], index=0)


def test_the_order_of_policies(table: SharedTable) -> None:
    """The order in which a configuration has its policies does not matter."""
    SharedStore.open(table.fileno(), ALL[::-1], index=0).close()


@pytest.mark.parametrize("index", [-1, PROCESSES])
def test_no_such_process(table: SharedTable, index: int) -> None:
    """A table has a place for each of its processes, and for no other."""
    with pytest.raises(ValueError, match="there is no process"):
        SharedStore.open(table.fileno(), ALL, index=index)


def test_no_table() -> None:
    """A file that is no table is refused, and told so."""
    fd = nameless_file()
    with pytest.raises(ValueError, match="is no table of limits"):
        SharedStore.open(fd, ALL, index=0)
    os.close(fd)


@pytest.mark.parametrize(("processes", "max_keys"), [(0, 1), (1, 0)])
def test_no_room(processes: int, max_keys: int) -> None:
    """A table for nobody or for nothing cannot be made."""
    with pytest.raises(ValueError, match="at least"):
        SharedStore.create(ALL, processes=processes, max_keys=max_keys)


@pytest.mark.platform
@pytest.mark.skipif(not LOCKS.exists(), reason="only Linux tells who waits for a lock")
def test_a_ring_that_the_system_sees_is_waited_out(table: SharedTable) -> None:
    """Linux now and then takes a lock that was just handed over for one that is waited for, and refuses to wait."""
    first, second = 1 << 20, 1 << 21
    lockf(table.fileno(), LOCK_EX, 1, first)

    def waiting(pipe: int) -> None:
        lockf(table.fileno(), LOCK_EX, 1, second)
        os.write(pipe, b"1")
        signal.setitimer(signal.ITIMER_REAL, 0.2)  # that ends it
        lockf(table.fileno(), LOCK_EX, 1, first)

    pid, pipe = fork(waiting)
    os.read(pipe, 1)
    while not re.search(rf"-> POSIX  ADVISORY  WRITE {pid} ", LOCKS.read_text()):
        pass
    with pytest.raises(OSError, match="deadlock"):
        lockf(table.fileno(), LOCK_EX, 1, second)
    Memory(table.fileno(), ALL).lock([second])
    os.close(pipe)
    os.waitpid(pid, 0)


def test_locks_that_cannot_be_had() -> None:
    """What else goes wrong is told."""
    table = SharedStore.create(ALL, processes=PROCESSES, max_keys=MAX_KEYS)
    memory = Memory(table.fileno(), ALL)
    memory.close()
    table.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        memory.lock([1])


MORE = Policy(name="more", requests=1, per_us=1_000_000, burst=1, key=("ip",))


@pytest.fixture(name="second")
def _second() -> Iterator[SharedTable]:
    """Make a further table, with so little room that a second key finds none."""
    table = SharedStore.create((MORE,), processes=PROCESSES, max_keys=1, secret=SECRET)
    yield table
    table.close()


def test_a_policy_that_comes_later_is_counted_in_a_further_table(
    stores: list[SharedStore], second: SharedTable
) -> None:
    """With the others in one step: charged together or not at all, by all processes, and given back where it was."""
    one, other = stores
    assert MORE not in one
    for store in stores:
        store.add(second.fileno(), (MORE,))
    assert MORE in one
    both = [(TWO, b"k", 1), (MORE, b"k", 1)]
    first = one.decide(both, NOW_US, UNIX_US)
    assert first.admitted
    refused = other.decide(both, NOW_US, UNIX_US)
    assert [verdict.admitted for verdict in refused.verdicts] == [True, False]
    assert ask(one, TWO, b"k")
    assert not ask(one, TWO, b"k")
    other.refund(first.charges, NOW_US, UNIX_US)
    assert one.decide(both, NOW_US, UNIX_US).admitted


def test_who_has_no_room_in_a_further_table_counts_under_its_overflow_key(
    stores: list[SharedStore], second: SharedTable
) -> None:
    """Beside the keys of the first table, which have room."""
    one, other = stores
    for store in stores:
        store.add(second.fileno(), (MORE,))
    keys = [bytes((number,)) for number in range(32)]
    admitted = [one.decide([(TWO, key, 1), (MORE, key, 1)], NOW_US, UNIX_US).admitted for key in keys]
    assert 8 <= sum(admitted) <= 9
    assert not other.decide([(TWO, b"new", 1), (MORE, b"new", 1)], NOW_US, UNIX_US).admitted


def test_a_table_is_let_go_with_the_last_of_its_policies(stores: list[SharedStore], second: SharedTable) -> None:
    """What requests of before give back then is given back to nobody."""
    one = stores[0]
    one.add(second.fileno(), (MORE, PLACES)[:1])
    held = one.decide([(PLACES, b"k", 1), (TWO, b"k", 1)], NOW_US, UNIX_US).charges
    assert one.keep({MORE.id, TWO.id}) == []
    (left,) = one.keep({MORE.id})
    assert left != second.fileno()
    assert TWO not in one
    assert one.refund(held, NOW_US, UNIX_US) == ()
    one.release(held, NOW_US)
    assert ask(one, MORE, b"k")
    assert one.decide([(TWO, b"k", 1), (MORE, b"z", 1)], NOW_US, UNIX_US).admitted


def test_a_table_can_be_told_of(second: SharedTable) -> None:
    """Its descriptor and what it was laid out for, as text, which is how a process hears of it."""
    handle = Handle(fd=second.fileno(), policies=second.policies)
    assert msgspec.json.decode(msgspec.json.encode(handle), type=Handle) == handle


def test_a_table_that_is_only_opened_changes_nothing(stores: list[SharedStore], second: SharedTable) -> None:
    """Until it is joined nobody counts in it, and it may be let go without a trace."""
    one = stores[0]
    annex = one.annex(second.fileno(), (MORE,))
    assert MORE not in one
    annex.memory.close()
    one.join(one.annex(second.fileno(), (MORE,)))
    assert MORE in one
    assert one.decide([(TWO, b"k", 1), (MORE, b"k", 1)], NOW_US, UNIX_US).admitted
