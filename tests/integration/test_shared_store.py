"""Limits in shared memory, among real processes: exact, and as exact when some of them are killed.

What the processes do is in `contenders`. Nobody sleeps: a process is killed when it told of a certain number of
requests, or at a certain line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.limits.stores.shared import SharedStore
from tests.integration.contenders import (
    ACTS,
    ALL,
    FEW,
    KEYS,
    MANY,
    NOW_US,
    STEP_US,
    STEPS,
    UNIX_US,
    VICTIMS,
    new_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.limits.stores.shared import SharedTable

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
PROCESSES = 4


@pytest.fixture(name="table")
def _table() -> Iterator[SharedTable]:
    """Make a table for four processes and one that looks on."""
    table = new_table(processes=PROCESSES + 1)
    yield table
    table.close()


def contend(scenario: str, table: SharedTable) -> list[Any]:
    """Let four processes play a scenario at the same time, and return what each says."""
    fd = table.fileno()
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    command(scenario, str(fd), str(index)),
                    cwd=ROOT,
                    pass_fds=(fd,),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for index in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [json.loads(process.communicate(timeout=PATIENCE_S)[0]) for process in processes]


def play(scenario: str, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """Let one process play a scenario, which makes the others itself."""
    done = subprocess.run(
        command(scenario, *arguments), cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert not done.stderr
    return json.loads(done.stdout)


def command(*arguments: str) -> list[str]:
    """Return what starts a scenario."""
    return [sys.executable, "-m", "tests.integration.contenders", *arguments]


def test_exact(table: SharedTable) -> None:
    """However many processes ask at once, exactly the burst passes at one moment."""
    assert sum(contend("spending", table)) == MANY.burst


def test_exact_as_time_passes(table: SharedTable) -> None:
    """As time passes exactly the burst and the rate pass, though each process gets there at its own pace."""
    assert sum(contend("walking", table)) == FEW.burst + STEPS * STEP_US * FEW.requests // FEW.per_us


def test_several_policies(table: SharedTable) -> None:
    """Processes that ask several policies in any order never wait for each other in a ring, and all is counted once."""
    told = contend("crossing", table)
    store = SharedStore.open(table.fileno(), ALL, index=PROCESSES)
    for policy in ALL:
        looks = [store.peek([(policy, key, 0)], NOW_US, UNIX_US) for key in KEYS]
        left = sum((*look.verdicts, *look.shadowed)[0].remaining for look in looks)
        assert left == len(KEYS) * policy.burst - sum(charged[policy.name] for charged in told)
    store.close()


@pytest.mark.parametrize("seed", ["1", "2"])
def test_killed_anywhere(seed: str) -> None:
    """Processes that are killed hold nobody up. What they did not live to tell of is charged, one request at most."""
    result = play("killed-anywhere", seed)
    assert result["killed"] > VICTIMS
    assert result["told"] > result["killed"]
    assert result["told"] <= result["charged"] <= result["told"] + result["killed"]


@pytest.mark.parametrize("act", ACTS)
def test_killed_at_each_line(act: str) -> None:
    """Wherever a process is killed, each policy has what it had before, or would have had, or something between."""
    result = play("killed-at-each-line", act)
    before, lived = result["before"], result["lived"]
    assert result["killed"]
    assert before != lived
    for left in result["killed"]:
        for name in before:
            assert min(before[name], lived[name]) <= left[name] <= max(before[name], lived[name])


def test_places_of_the_dead() -> None:
    """The places of a process that was killed are taken until it is cleared, and then free; the living keep theirs."""
    assert play("holding-places") == {
        "mine": True,
        "held": "y",
        "beside": False,
        "after": False,
        "cleared": [True, True, False],
    }
