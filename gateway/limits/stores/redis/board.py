"""Where replicas tell each other of budgets: a hash for each upstream in Redis, merged there by a few lines of Lua.

Invariants: one round trip a call, on connections of its own, which are made when they are needed and dropped after any
failure; nothing waits longer than a twentieth of a second, and nothing raises: a board that cannot be reached knows
`NOTHING`. After a failure it is left alone for a second. In a cluster the first node that is asked names the one that
has the key, which is asked from then on.
"""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import MovedError, RedisError

from gateway.errors import StoreReason
from gateway.limits.budget.board import NOTHING, SKEW_US, Left, News
from gateway.limits.stores.redis.failures import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio.connection import AbstractConnection

    from gateway.limits.stores.redis.dial import Dialler

    Heard = Callable[[StoreReason | None], None]
    Node = tuple[str, int] | None
    """A node by its address; None for the one that the configuration names."""

_DEADLINE_S: Final = 0.05
_REST_S: Final = 1.0
_KEPT_MS: Final = 3_600_000
_MOST_WINDOWS: Final = 16
_PREFIX: Final = "accord:budget:"
_DIGEST_BYTES: Final = 16

# The pause is the longest that was told. Of a window that may end at the same moment the least counts, of two the later
# one. Numbers go to text by %.0f, for Lua's own way loses digits beyond 10^14.
_SCRIPT: Final = """
local key, skew = KEYS[1], tonumber(ARGV[1])
if #ARGV > 3 or tonumber(ARGV[3]) > 0 then
  local paused = tonumber(redis.call('HGET', key, 'p') or '0')
  if tonumber(ARGV[3]) > paused then redis.call('HSET', key, 'p', string.format('%.0f', tonumber(ARGV[3]))) end
  for i = 4, #ARGV, 5 do
    local limit, base = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    local low, ends = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
    local known = redis.call('HGET', key, 'w' .. ARGV[i])
    local keep = false
    if known then
      local had_base, had_low, had_ends = string.match(known, ' (%d+) (%d+) (%d+)$')
      if low > tonumber(had_ends) + skew then keep = false
      elseif tonumber(had_low) > ends + skew then keep = true
      else keep = tonumber(had_base) <= base end
    end
    if not keep then
      redis.call('HSET', key, 'w' .. ARGV[i], string.format('%.0f %.0f %.0f %.0f', limit, base, low, ends))
    end
  end
  redis.call('PEXPIRE', key, ARGV[2])
end
return redis.call('HGETALL', key)
"""


class RedisBoard:
    """A board in Redis. `dial` makes a connection.

    A key is `accord:budget:` and a digest of the upstream's name with `secret`, of at most 64 bytes, which all replicas
    must have: who reads Redis does not learn whom we call.
    """

    def __init__(self, dial: Dialler, *, secret: bytes = b"", heard: Heard = lambda _reason: None) -> None:
        """Open nothing yet. `heard` is told of each call: why it failed, or None when Redis did what it should."""
        self._dial = dial
        self._heard = heard
        self._secret = secret
        self._connections: dict[Node, AbstractConnection] = {}
        self._homes: dict[str, Node] = {}
        self._rests_until_s = 0.0
        self._turn = asyncio.Lock()

    async def exchange(self, upstream: str, news: News) -> News:
        """Tell what is new, and return what is known by all; `NOTHING` where Redis does not answer in time."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            if loop.time() < self._rests_until_s:
                return NOTHING
            try:
                async with asyncio.timeout(_DEADLINE_S):
                    known = _read(await self._ask(upstream, news))
                self._heard(None)
                return known
            except (RedisError, OSError, ValueError) as error:
                self._heard(StoreReason.PROTOCOL if isinstance(error, ValueError) else reason_of(error))
                self._rests_until_s = loop.time() + _REST_S
                await self._drop()
            except asyncio.CancelledError:
                await self._drop()
                raise
        return NOTHING

    async def aclose(self) -> None:
        """Close the connection."""
        await self._drop()

    def key(self, upstream: str) -> str:
        """Return the key of an upstream."""
        return _PREFIX + blake2b(upstream.encode(), digest_size=_DIGEST_BYTES, key=self._secret).hexdigest()

    async def _ask(self, upstream: str, news: News) -> Any:  # noqa: ANN401 - whatever the server says
        key = self.key(upstream)
        told = [
            word
            for one in news.left[:_MOST_WINDOWS]
            for word in (one.window, one.limit, one.base, one.low_us, one.ends_us)
        ]
        command = ("EVAL", _SCRIPT, 1, key, SKEW_US, _KEPT_MS, news.paused_until_us, *told)
        try:
            return await self._call(self._homes.get(key), command)
        except MovedError as moved:
            home = self._homes[key] = (moved.host, moved.port)
            return await self._call(home, command)

    async def _call(self, node: Node, command: tuple[Any, ...]) -> Any:  # noqa: ANN401 - as above
        connection = self._connections.get(node)
        if connection is None:
            connection = await (self._dial() if node is None else self._dial.to(*node))
            self._connections[node] = connection
        await connection.send_command(*command)
        return await connection.read_response()

    async def _drop(self) -> None:
        connections, self._connections = self._connections, {}
        self._homes.clear()
        for connection in connections.values():
            await connection.disconnect(nowait=True)


def _read(said: Any) -> News:  # noqa: ANN401 - as above
    """Read the hash. Raises ValueError for what no replica wrote."""
    if not isinstance(said, list):
        raise ValueError("not a hash")
    pause_us, left = 0, []
    for name, value in zip(said[::2], said[1::2], strict=True):
        if name == b"p":
            pause_us = int(value)
        else:
            limit, base, low_us, ends_us = map(int, value.split())
            left.append(Left(int(name[1:]), limit, base, low_us, ends_us))
    return News(pause_us, tuple(sorted(left, key=lambda one: one.window)))
