"""What the counts of limits take up, in a process of their own: as much as the cap says, whoever asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.limits import Policy
from gateway.limits.stores import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")

NOW_US = 10**12
MEGABYTE = 10**6
PATIENCE_S = 100.0
FIVE = Policy(name="five", requests=5, per_us=60_000_000, burst=5, key=("client",))


def resident_bytes() -> int:
    """Return how much memory this process has."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def many_keys(keys: int, max_keys: int) -> dict[str, int]:
    """Ask once for each of many keys, while a client is blocked and another is not; return what came of it."""
    store, growth = MemoryStore(max_keys), 0
    before = resident_bytes()
    blocked, modest = [(FIVE, b"client=blocked", 1)], [(FIVE, b"client=modest", 1)]
    for _ in range(5):
        store.decide(blocked, NOW_US, NOW_US)
    store.decide(modest, NOW_US, NOW_US)
    freed = admitted = 0
    for number in range(keys):
        key = b"authorization" + number.to_bytes(16, "big")
        admitted += store.decide([(FIVE, key, 1)], NOW_US, NOW_US).admitted
        if number % 1_000 == 0:
            freed += store.decide(blocked, NOW_US, NOW_US).admitted
            growth = max(growth, resident_bytes() - before)
    left = store.peek([(FIVE, b"client=modest", 0)], NOW_US, NOW_US).verdicts[0].remaining
    return {"bytes": growth, "held": len(store), "admitted": admitted, "freed": freed, "left": left}


def apart(work: Callable[[int, int], dict[str, int]], keys: int, max_keys: int) -> dict[str, int]:
    """Run it in a process that has done nothing else, and return what came of it."""
    code = (
        "import json, runpy, sys\n"
        f"print(json.dumps(runpy.run_path({__file__!r})[{work.__name__!r}]({keys}, {max_keys})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, int] = json.loads(done.stdout)
    return result


def test_a_million_keys() -> None:
    """A million keys of one policy take less than 200 MB, as what hashes of credentials are counted by."""
    result = apart(many_keys, 1_000_000, 1_100_000)
    assert result["held"] == 1_000_002
    assert result["bytes"] < 200 * MEGABYTE


def test_more_keys_than_there_is_room_for() -> None:
    """Made-up keys share one limit once the room is used, free nobody, and take no more memory."""
    result = apart(many_keys, 300_000, 10_000)
    assert result["held"] == 10_001
    assert result["admitted"] == 10_000 - 2 + FIVE.burst
    assert result["freed"] == 0
    assert result["left"] == 4, "a client that was known before keeps a count of its own"
    assert result["bytes"] < 5 * MEGABYTE
