"""What the processes counted, the dead among them, so that no counter goes back when one is started anew.

Each life of a process has a number of its own. Invariant: what was shown once is never shown as less. Nothing here
waits: what takes long is in steps, and may be left in the middle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.supervisor.sums import Part, no_less, total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.supervisor.samples import Scrape
    from gateway.supervisor.steps import Steps


class Ledger:
    """Remembers the last samples of each life."""

    def __init__(self) -> None:
        """Begin with no life."""
        self._living: dict[int, Part] = {}
        self._gone: list[Part] = []
        self._kept: Scrape = {}
        self._shown: Scrape = {}

    def begin(self, life: int, name: str) -> None:
        """Expect samples of a new life, whose process is called `name`."""
        self._living[life] = Part(name=name, scrape={})

    def note(self, life: int, scrape: Scrape) -> None:
        """Take the samples of a life; those of one that has ended meanwhile come too late."""
        part = self._living.get(life)
        if part is not None:
            self._living[life] = Part(name=part.name, scrape=scrape)

    def end(self, life: int) -> None:
        """Keep what a life counted last."""
        part = self._living.pop(life, None)
        if part is not None and part.scrape:
            self._gone.append(part)

    def total(self, answered: Iterable[int], own: Part) -> Steps[Scrape]:
        """Return all that was counted, with the gauges of those who `answered` just now, and what is our `own`."""
        now, gone = frozenset(answered), tuple(self._gone)
        living = [
            Part(name=part.name, scrape=part.scrape, now=life in now) for life, part in sorted(self._living.items())
        ]
        dead = [Part(name=part.name, scrape=part.scrape, now=False) for part in gone]
        kept = (yield from total((Part(name="", scrape=self._kept), *dead))) if dead else self._kept
        result = yield from total((*living, Part(name="", scrape=kept), own))
        yield from no_less(result, self._shown)
        self._kept = kept
        del self._gone[: len(gone)]
        self._shown = result
        return result
