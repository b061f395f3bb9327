"""What replies look like that no dialect's own rules knew: the shapes, how often, since when.

Invariants: no value of a client or an upstream is kept, only names of members, types and lengths (`shapes`,
`markers`). Memory is bounded for each upstream: so many shapes, each with a sample of so many bytes. When all places
are taken, the shape that was seen least often goes, and of several such the one that was not seen for longest; what it
counted stays in `seen`. Time is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.spec import BodyKind
from gateway.pipeline.shapes import LEVELS, fingerprint, sample, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.dialects.spec import DialectSpec
    from gateway.dialects.view import View
    from gateway.headers import Secrets
    from gateway.pipeline.shapes import Shape

SHAPES_KEPT: Final = 32
SAMPLE_BYTES: Final = 4_096
STATUSES_KEPT: Final = 16
_SHORTEST_WORD: Final = 3


def known_words(specs: Iterable[DialectSpec]) -> frozenset[str]:
    """Return the codes that dialects know: the only texts that a sample may show. Numbers are no words."""
    words = {word for spec in specs for word in (*spec.codes, *spec.types)}
    return frozenset(word for word in words if len(word) >= _SHORTEST_WORD and any(map(str.isalpha, word)))


class UnknownShape(Struct):
    """One shape: times in Unix seconds, the HTTP statuses it came with, and a redacted sample in JSON."""

    fingerprint: str
    kind: BodyKind
    count: int
    first_seen: float
    last_seen: float
    statuses: list[int]
    sample: Raw
    suggested_rule: str | None = None


class Sightings:
    """The unknown shapes of one upstream. `seen` counts all replies that had one."""

    def __init__(self, words: frozenset[str], secrets: Secrets | None) -> None:
        """Begin with none. `words` may be shown; `secrets` are credentials of ours, not even as a member's name."""
        self._words = words
        self._secrets = secrets
        self._shapes: dict[str, UnknownShape] = {}
        self.seen = 0

    def keep_out(self, secrets: Secrets | None) -> None:
        """Keep these credentials out too from now on; those that were ours before may still come back in a reply."""
        if secrets is not None:
            self._secrets = secrets if self._secrets is None else self._secrets.joined(secrets)

    def __len__(self) -> int:
        return len(self._shapes)

    def see(self, status: int, view: View, now_s: float) -> None:
        """Take note of a reply's shape. A reply without a body has none."""
        if view.kind is BodyKind.EMPTY:
            return
        self.seen += 1
        now_s = round(now_s, 3)
        shape = shape_of(view.tree)
        name = fingerprint(view.kind, shape)
        one = self._shapes.get(name)
        if one is None:
            one = self._keep(UnknownShape(name, view.kind, 0, now_s, now_s, [], self._sample(shape)))
        one.count += 1
        one.last_seen = now_s
        if status not in one.statuses and len(one.statuses) < STATUSES_KEPT:
            one.statuses.append(status)

    def shapes(self) -> list[UnknownShape]:
        """Return the shapes, the one that was seen most often first."""
        return sorted(self._shapes.values(), key=lambda one: (-one.count, -one.last_seen))

    def _keep(self, one: UnknownShape) -> UnknownShape:
        if len(self._shapes) >= SHAPES_KEPT:
            least = min(self._shapes.values(), key=lambda kept: (kept.count, kept.last_seen))
            del self._shapes[least.fingerprint]
        self._shapes[one.fingerprint] = one
        return one

    def _sample(self, shape: Shape) -> Raw:
        """Return a sample that fits, of as many levels as can be."""
        levels = LEVELS
        text = msgspec.json.encode(sample(shape, self._words, levels))
        while len(text) > SAMPLE_BYTES:
            levels -= 1
            text = msgspec.json.encode(sample(shape, self._words, levels))
        return Raw(text if self._secrets is None else self._secrets.redact_json(text))
