"""Sees when there is another configuration to take, has it taken, and tells what became of it.

Invariants: one attempt at a time; all or nothing; what is not taken is told in full and changes nothing. Files are
taken as they were seen: by themselves only when two looks have seen the same, at a signal at once, and in no case when
they changed while they were loaded. What was tried is not tried again before it changes, or somebody asks.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from gateway.app.apart import Apart
from gateway.app.loading import load_all
from gateway.config.files import FileSet, changes, seen_in
from gateway.errors import AccordError, ConfigError
from gateway.units import NS_IN_S

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

    from gateway.config.files import Seen
    from gateway.config.load import Configuration
    from gateway.edge.clock import Clock
    from gateway.edge.config_record import ConfigRecord


MOST_TRIES: Final = 5
"""How often files that change while they are loaded are loaded again for one who asked."""


class Moving(AccordError):  # noqa: N818 - named for what happened
    """The files were never the same for long enough to be loaded."""

    def __str__(self) -> str:
        return f"the files changed each of {MOST_TRIES} times while they were loaded; they are taken once they rest"


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
        files: FileSet | None = None,
    ) -> None:
        """Look at the files as they are now: what was loaded before and is another by now will be seen.

        `files` were looked at before anything was made of what the configuration's own ones name.
        """
        self._path = path
        self._environ = environ
        self._taker = taker
        self._record = record
        self._log = log
        self._clock = clock
        self._files = files or FileSet(path)
        self._asked = asyncio.Event()
        first = self._files.seen or self._files.look(self._now_ns())
        named = {name: digest for name, digest in first.items() if name not in self._files.own}
        self._tried = named | seen_in(taker.config)
        self._task: asyncio.Task[None] | None = None
        self.apart = Apart()

    def start(self) -> None:
        """Watch from now on."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def ask(self) -> None:
        """Reload now, whatever has changed."""
        self._asked.set()

    async def aclose(self) -> None:
        """Take nothing any more; an attempt under way is left, and what of it is `apart`."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        before: Seen | None = None
        tries = 0
        while True:
            asked = await self._wait()
            seen = await self._look()
            due = asked or (seen == before and seen != self._tried)
            if not due or await self._try(seen):
                before, tries = seen, 0
                continue
            before, tries = None, tries + asked
            if tries == MOST_TRIES:
                tries = 0
                self._failed(Moving())
            elif asked:
                self._asked.set()

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
        """Look at the files; where even that cannot be, what became of it is what was seen, and loading will tell."""
        try:
            return await self.apart.do(self._files.look, self._now_ns())
        except Exception as error:  # noqa: BLE001 - whatever is in the files, they are looked at again
            return {"": repr(error).encode()}

    def _now_ns(self) -> int:
        return int(self._clock.now_s() * NS_IN_S)

    async def _try(self, seen: Seen) -> bool:
        """Take what was seen, or tell why not; return False where the files have changed since, and nothing is told.

        Meanwhile nobody looks for garbage: next to nothing is, and to look through all that is made stops everything
        for a tenth of a second and more.
        """
        collected = gc.isenabled()
        gc.disable()
        try:
            return await self._tried_as(seen)
        finally:
            if collected:
                gc.enable()

    async def _tried_as(self, seen: Seen) -> bool:
        try:
            config = await self.apart.do(self._loaded)
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
        digest = await self.apart.do(lambda: config.digest)
        await self._taker.take(config)
        gc.freeze()  # it lives as long as the process, or goes as soon as nothing refers to it
        self._record.reloaded(digest, self._clock.now_s())
        added, removed, changed = changes(_by_name(before), _by_name(config))
        self._log.info(
            "configuration reloaded",
            hash=digest,
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
