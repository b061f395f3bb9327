"""Which requests a budget counts: by their paths, and by who is chosen for what is kept.

A path that some server might read as one that is counted is counted: it is the upstream's reading that spends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.pipeline.paths import is_plain, readings, segments_of
from gateway.pipeline.routes import ONE, REST, pattern_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.limits import Facts
    from gateway.pipeline.paths import Segments


class Counted:
    """The requests that one policy of a budget is for.

    `paths` are patterns of what goes upstream, none meaning all. `clients` and `routes` are the chosen; the policy is
    for them (`chosen` true), for all others (false), or for everybody (None).
    """

    __slots__ = ("_chosen", "_clients", "_patterns", "_routes")

    def __init__(
        self,
        paths: Sequence[str] = (),
        clients: Collection[str] = (),
        routes: Collection[str] = (),
        *,
        chosen: bool | None = None,
    ) -> None:
        """Compile the patterns."""
        self._patterns = [pattern_of(path) for path in paths]
        self._clients = frozenset(clients)
        self._routes = frozenset(routes)
        self._chosen = chosen

    def __call__(self, facts: Facts) -> bool:
        """Tell whether a request is counted."""
        return self.may_be(facts) and (not self._patterns or self._covers(facts.path))

    def may_be(self, facts: Facts) -> bool:
        """Tell whether a request is counted if its path is one that is."""
        if self._chosen is None:
            return True
        return self._chosen is (facts.client in self._clients or facts.route in self._routes)

    @property
    def by_path(self) -> bool:
        """Tell whether a request's path matters."""
        return bool(self._patterns)

    def _covers(self, path: bytes) -> bool:
        segments = segments_of(path)
        if self._meets(segments):
            return True
        if is_plain(path):
            return False
        others = readings(segments)
        return others is None or any(self._meets(one) for one in others)

    def _meets(self, segments: Segments) -> bool:
        end = len(segments) - (segments[-1:] == [b""])  # a slash at the end says nothing
        return any(_fits(pattern, segments[:end]) for pattern in self._patterns)


def _fits(pattern: Segments, segments: Segments) -> bool:
    if pattern[-1:] == [REST]:
        pattern = pattern[:-1]
        segments = segments[: len(pattern)]
    if len(pattern) != len(segments):
        return False
    return all(wanted in (ONE, segment) for wanted, segment in zip(pattern, segments, strict=True))
