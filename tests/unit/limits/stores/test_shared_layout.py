"""Where counts stand in shared memory: the same for all processes, each in its own words."""

from __future__ import annotations

import pytest

from gateway.limits import Policy
from gateway.limits.stores.shared.layout import HEADER_WORDS, SLOTS, STATES_WORD, Area, Layout, lay_out
from tests.policies import calendar_window, places, sliding_log

GCRA = Policy(name="gcra", requests=5, per_us=1_000_000, burst=9, key=("ip",))
LOG = sliding_log("log", 5)
DAY = calendar_window("day", 5)
PLACES = places("places", 5)
ALL = (GCRA, LOG, DAY, PLACES)
PROCESSES = 3


def laid_out(policies: tuple[Policy, ...] = ALL, processes: int = PROCESSES, max_keys: int = 10) -> Layout:
    """Lay a small table out."""
    return lay_out(policies, processes=processes, max_keys=max_keys)


def words_of(area: Area) -> list[range]:
    """Return the words that are an area's."""
    return [range(area.start, area.end), range(area.overflow, area.overflow + area.width)]


def test_all_agree() -> None:
    """The layout depends on neither the order of policies nor on how often one is named."""
    assert laid_out(ALL) == laid_out((*ALL[::-1], GCRA))


def test_no_word_is_shared() -> None:
    """Every word behind the header and the processes' own belongs to one area, and the table ends with the last."""
    layout = laid_out()
    taken = sorted(word for area in layout.areas.values() for words in words_of(area) for word in words)
    assert taken == list(range(HEADER_WORDS + PROCESSES, layout.words))


def test_overflow_cells_are_last() -> None:
    """Every overflow cell stands behind every bucket, so that it is locked last."""
    areas = laid_out().areas.values()
    assert min(area.overflow for area in areas) == max(area.end for area in areas)


def test_widths() -> None:
    """A state has as many words as its algorithm needs, and a bucket has room for eight."""
    layout = laid_out()
    assert [layout.areas[policy.id].width for policy in ALL] == [1, 5, 2, PROCESSES]
    area = layout.areas[DAY.id]
    assert area.stride == STATES_WORD + SLOTS * 2
    assert area.buckets * SLOTS >= 2 * 10


@pytest.mark.parametrize(
    "other",
    [
        laid_out(ALL[1:]),
        laid_out(processes=PROCESSES + 1),
        laid_out(max_keys=11),
        laid_out((Policy(name="gcra", requests=5, per_us=1_000_000, burst=8, key=("ip",)), *ALL[1:])),
    ],
)
def test_others_are_told_apart(other: Layout) -> None:
    """Another policy, another number in it, of processes or of keys gives another fingerprint."""
    assert other.fingerprint != laid_out().fingerprint
