"""Which files a configuration is made of, as they are now, however wrong they may be, and what is in them.

Invariants: a file is told by a digest of its content; one that cannot be read has none. Nothing that was read is kept.
A file that has not changed since it was read, by what the system says of it, is not read again, unless it was written
so shortly before that a second write might not show.
"""

from __future__ import annotations

from hashlib import blake2b
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.config.document import Document
from gateway.config.load import matching, patterns
from gateway.units import NS_IN_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.config.load import Configuration

_DIGEST_BYTES: Final = 16
_SUFFIX: Final = "_file"
_COARSE_NS: Final = 3 * NS_IN_S
"""How coarsely file systems may tell when a file was written: FAT by two seconds, some on the network by one."""

Seen = dict[str, bytes]
"""Digests of what is in files, by their names; b"" for one that cannot be read."""


class _Known(NamedTuple):
    """What was read of a file: what the system said of it then, a digest, and which files and patterns it names."""

    told: tuple[int, ...]
    fresh: bool
    digest: bytes
    patterns: tuple[str, ...]
    named: tuple[str, ...]


class FileSet:
    """The files of the configuration whose gateway file is at `path`."""

    def __init__(self, path: Path) -> None:
        """Know nothing of them yet. What was `seen` last; `own` are those of them that no other file names."""
        self._path = path
        self.own: frozenset[str] = frozenset()
        self.seen: Seen = {}
        self._known: dict[str, _Known] = {}

    def look(self, now_ns: int) -> Seen:
        """Return what is there at `now_ns`, in Unix time. It reads files."""
        known: dict[str, _Known | None] = {}
        gateway = known[str(self._path)] = self._file(self._path, now_ns)
        files, _ = matching(_NOTHING, self._path.parent, _ANY if gateway is None else gateway.patterns)
        self.own = frozenset(map(str, (self._path, *files)))
        for file in (self._path, *files):
            one = known[str(file)] = self._file(file, now_ns)
            for name in () if one is None else one.named:
                named = file.parent / name
                known[str(named)] = self._file(named, now_ns)
        self._known = {name: one for name, one in known.items() if one is not None}
        self.seen = {name: b"" if one is None else one.digest for name, one in known.items()}
        return self.seen

    def _file(self, path: Path, now_ns: int) -> _Known | None:
        """Return what is known of a file, None where it cannot be read."""
        try:
            state = path.stat()
            if not S_ISREG(state.st_mode):
                return None  # a pipe would keep us waiting for ever
            told = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
            known = self._known.get(str(path))
            if known is not None and known.told == told and not known.fresh:
                return known
            content = path.read_bytes()
        except OSError:
            return None
        fresh = now_ns - max(state.st_mtime_ns, state.st_ctime_ns) < _COARSE_NS
        digest = _digest(content)
        if known is not None and known.digest == digest:
            return known._replace(told=told, fresh=fresh)
        return _Known(told, fresh, digest, *self._names(path, content))

    def _names(self, path: Path, content: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return which patterns and files a file names; most name none, and are not worth parsing."""
        if path != self._path and _SUFFIX.encode() not in content:
            return (), ()
        document = Document(content.decode("utf-8", "replace"), str(path))
        return patterns(document), tuple(_named(document.value))


_NOTHING: Final = Document("", "")
_ANY: Final = patterns(_NOTHING)


def seen_in(configuration: Configuration) -> Seen:
    """Return what was seen of a configuration's own files when they were loaded."""
    return {name: _digest(text.encode()) for name, text in configuration.texts.items()}


def _named(value: Any) -> Iterator[str]:
    """Find the files of TLS that an upstream's file names."""
    tls = value.get("tls") if isinstance(value, dict) else None
    for key, name in tls.items() if isinstance(tls, dict) else ():
        if key.endswith(_SUFFIX) and isinstance(name, str) and "\0" not in name:
            yield name


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[list[str], list[str], list[str]]:
    """Return which names came, which went, and whose values are others."""
    added = sorted(after.keys() - before.keys())
    removed = sorted(before.keys() - after.keys())
    return added, removed, sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
