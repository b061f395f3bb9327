"""Sees when there is another configuration to take, has it taken, and tells what became of it.

Invariants: one attempt at a time; all or nothing; what is not taken is told in full and changes nothing. Files are
taken as they were seen: by themselves only when two looks have seen the same, at a signal at once, and in no case when
they changed while they were loaded. What was tried is not tried again before it changes, or somebody asks.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from gateway.app.loading import load_all
from gateway.config.files import FileSet, changes, seen_in
from gateway.errors import AccordError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

    from gateway.config.files import Seen
    from gateway.config.load import Configuration
    from gateway.edge.clock import Clock
    from gateway.edge.config_record import ConfigRecord


_NS_IN_S: Final = 1_000_000_000


class Taker(Protocol):
    """What serves, and can serve another configuration."""

    @property
    def config(self) -> Configuration:
        """The configuration that is served."""

    async def take(self, config: Configuration) -> None:
        """Serve by `config`. Raises AccordError, ValueError or OSError where that cannot be, and serves as before."""


class Reloads:
    """Reloads the configuration whose gateway file is at `path`."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        taker: Taker,
        *,
        record: ConfigRecord,
        log: FilteringBoundLogger,
        clock: Clock,
    ) -> None:
        """Look at the files as they are now: what was loaded before and is another by now will be seen."""
        self._path = path
        self._environ = environ
        self._taker = taker
        self._record = record
        self._log = log
        self._clock = clock
        self._files = FileSet(path)
        self._asked = asyncio.Event()
        self._tried = self._files.look(self._now_ns()) | seen_in(taker.config)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Watch from now on."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def ask(self) -> None:
        """Reload now, whatever has changed."""
        self._asked.set()

    async def aclose(self) -> None:
        """Take nothing any more; an attempt under way is left."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        before: Seen | None = None
        while True:
            asked = await self._wait()
            seen = await self._look()
            due = asked or (seen == before and seen != self._tried)
            if due and not await self._try(seen):
                before = None
                if asked:
                    self._asked.set()
            else:
                before = seen

    async def _wait(self) -> bool:
        """Wait until it is time to look; tell whether somebody asked."""
        watch_s = self._taker.config.gateway.reload.watch_s
        with suppress(TimeoutError):
            async with asyncio.timeout(watch_s or None):
                await self._asked.wait()
        asked = self._asked.is_set()
        self._asked.clear()
        return asked

    async def _look(self) -> Seen:
        return await asyncio.to_thread(self._files.look, self._now_ns())

    def _now_ns(self) -> int:
        return int(self._clock.now_s() * _NS_IN_S)

    async def _try(self, seen: Seen) -> bool:
        """Take what was seen, or tell why not; return False where the files have changed since, and nothing is told."""
        try:
            config = await asyncio.to_thread(self._loaded)
            if await self._moved(seen):
                return False
            await self._take(config)
        except (AccordError, ValueError, OSError) as error:
            if await self._moved(seen):
                return False
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next configuration may be taken
            self._failed(error)
            self._log.error("unexpected", exc_info=error)
        self._tried = seen
        return True

    def _loaded(self) -> Configuration:
        return load_all(self._path, self._environ, self._taker.config)

    async def _moved(self, seen: Seen) -> bool:
        return await self._look() != seen

    async def _take(self, config: Configuration) -> None:
        before = self._taker.config
        await self._taker.take(config)
        self._record.reloaded(config.digest, self._clock.now_s())
        added, removed, changed = changes(_by_name(before), _by_name(config))
        self._log.info(
            "configuration reloaded",
            hash=config.digest,
            gateway_changed=config.document.text != before.document.text,
            upstreams_added=added,
            upstreams_removed=removed,
            upstreams_changed=changed,
        )

    def _failed(self, error: Exception) -> None:
        faults = error.faults if isinstance(error, ConfigError) else (error,)
        self._record.failed()
        self._log.error(
            "configuration not reloaded", serving=self._taker.config.digest, faults=[str(fault) for fault in faults]
        )


def _by_name(config: Configuration) -> Mapping[str, str]:
    return {upstream.settings.name: upstream.document.text for upstream in config.upstreams}
