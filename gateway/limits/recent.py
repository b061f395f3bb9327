"""A mapping that forgets: what was put lately is held, and memory is bounded.

For values that are safe to lose at any time. Two generations of a plain dict; when the young one is full it becomes the
old one, and what was old is dropped whole: no timers, no walking over keys.
"""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Holds the last `most` values that were put, and no more than twice as many."""

    __slots__ = ("_most", "_old", "_young")

    def __init__(self, most: int) -> None:
        """Start empty. `most` bounds what others can make this process hold."""
        self._most = most
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: K) -> V | None:
        """Return the value that was put last under `key`, None when it is forgotten."""
        value = self._young.get(key)
        return value if value is not None else self._old.get(key)

    def put(self, key: K, value: V) -> None:
        """Hold a value."""
        if key not in self._young and len(self._young) >= self._most:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def drop(self, key: K) -> None:
        """Forget a value."""
        self._young.pop(key, None)
        self._old.pop(key, None)
