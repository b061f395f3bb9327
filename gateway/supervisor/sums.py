"""Several processes' samples as those of one gateway. Pure.

What only grows (counters, histograms) is added up. What a gauge means when there are several of it stands in `GAUGES`,
for each by name; one that is not there keeps a sample for each process, told apart by the label `process`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from gateway.supervisor.samples import COUNTED, Family, joined, parted
from gateway.supervisor.steps import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.supervisor.samples import Key, Scrape
    from gateway.supervisor.steps import Steps

PROCESS: Final = "process"


class Rule(Enum):
    """What becomes of the same gauge of several processes."""

    SUM = auto()
    MAX = auto()
    EACH = auto()


GAUGES: Final = {
    "accord_budget_in_flight": Rule.SUM,
    "accord_budget_limit": Rule.EACH,
    "accord_budget_paused_seconds": Rule.MAX,
    "accord_budget_remaining": Rule.EACH,  # less what is in flight from each
    "accord_budget_reset_seconds": Rule.EACH,
    "accord_build_info": Rule.MAX,  # the same build everywhere
    "accord_config_info": Rule.MAX,  # of the supervisor alone, which reloads for all
    "accord_config_last_reload_successful": Rule.MAX,
    "accord_config_loaded_timestamp_seconds": Rule.MAX,
    "accord_in_flight_requests": Rule.SUM,
    "accord_limit_keys": Rule.SUM,
    "accord_limit_replicas": Rule.MAX,
    "accord_limit_store_up": Rule.EACH,  # each gives the store up, and finds it again, by itself
    "accord_limit_waiting": Rule.SUM,
    "accord_open_tunnels": Rule.SUM,
    "accord_pool_idle_connections": Rule.SUM,
    "accord_pool_open_connections": Rule.SUM,
    "accord_pool_waiting_requests": Rule.SUM,
    "accord_supervisor_children": Rule.SUM,
    "accord_unknown_shapes_kept": Rule.MAX,  # most shapes are met by several: their sum would be far too many
    "process_max_fds": Rule.EACH,
    "process_open_fds": Rule.EACH,
    "process_resident_memory_bytes": Rule.EACH,
    "process_start_time_seconds": Rule.EACH,
    "process_virtual_memory_bytes": Rule.EACH,
    "python_info": Rule.MAX,  # the same interpreter everywhere
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one process told. `name` is the value of its label; where it is not told `now`, its gauges are left out."""

    name: str
    scrape: Scrape
    now: bool = True


def total(parts: Iterable[Part]) -> Steps[Scrape]:
    """Put the parts together. The order of families and samples is that of the first part that has them."""
    result: Scrape = {}
    for part in parts:
        for family in part.scrape.values():
            if family.kind in COUNTED or part.now:
                yield from _add(result, family, part.name)
    return result


def _add(result: Scrape, family: Family, process: str) -> Steps[None]:
    """Add the samples of one family."""
    rule = Rule.SUM if family.kind in COUNTED else GAUGES.get(family.name, Rule.EACH)
    into = result.setdefault(family.name, Family(family.name, family.kind, family.about)).samples
    for count, (key, value) in enumerate(family.samples.items()):
        if count % AT_ONCE == 0:
            yield
        if rule is Rule.EACH:
            into[_of_process(key, process)] = value
        elif rule is Rule.MAX:
            into[key] = max(into.get(key, value), value)
        else:
            into[key] = into.get(key, 0.0) + value


def _of_process(key: Key, process: str) -> Key:
    name, pairs = parted(key)
    return joined(name, (*pairs, (PROCESS, process)))


def no_less(scrape: Scrape, before: Scrape) -> Steps[None]:
    """Raise what only grows to what was shown before: sums of fractions differ in their last digit by their order.

    To Prometheus a counter that is less by any amount began anew.
    """
    for name, family in before.items():
        now = scrape.get(name)
        if now is None or family.kind not in COUNTED:
            continue
        for count, (key, value) in enumerate(family.samples.items()):
            if count % AT_ONCE == 0:
                yield
            if now.samples.get(key, value) < value:
                now.samples[key] = value
