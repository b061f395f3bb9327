"""The memory that processes share: a file without a name, mapped, and the locks on its parts.

Invariants: a lock is of a process and of a byte of the file (POSIX), so it vanishes with its process, however that
ends; what it stands for is the bucket or the cell that begins at the word of that number. Closing *any* descriptor of
the file gives back all locks of the process: nothing here closes one between a lock and its release. A word is written
by one instruction, so whoever dies leaves each word as it was or as it should be.
"""

from __future__ import annotations

import os
import tempfile
from errno import EDEADLK
from mmap import mmap
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Final

from gateway.limits.policy import Algorithm
from gateway.limits.stores.shared.layout import DIGEST_BYTES, HEADER_WORDS, SLOTS, STATES_WORD, WORD_BYTES, lay_out

try:
    from fcntl import LOCK_EX, LOCK_UN, lockf
except ImportError as error:  # pragma: no cover - not a POSIX system
    raise OSError("limits cannot be shared by processes here: this system has no locks on parts of a file") from error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.limits.policy import Policy
    from gateway.limits.stores.shared.layout import Area, Layout

_HEADER: Final = Struct(f"=8s{DIGEST_BYTES}s{DIGEST_BYTES}sqq8x")
_MAGIC: Final = b"accordL1"
_NAME: Final = "accord"


def make_table(fd: int, policies: Iterable[Policy], *, processes: int, max_keys: int, secret: bytes) -> None:
    """Make an empty file an empty table.

    `secret` (16 bytes) keys the hashes of keys, so that nobody outside can choose whose bucket to fill. Raises OSError
    where the system grants no room, and ValueError for numbers below 1.
    """
    layout = lay_out(policies, processes=processes, max_keys=max_keys)
    os.ftruncate(fd, layout.words * WORD_BYTES)
    os.pwrite(fd, _HEADER.pack(_MAGIC, layout.fingerprint, secret, processes, max_keys), 0)


def nameless_file(*, in_memory: bool = hasattr(os, "memfd_create")) -> int:
    """Return the descriptor of an empty file without a name: in memory, or else (on macOS) in the temporary folder.

    It lives on only in those who are handed the descriptor. Raises OSError.
    """
    if in_memory:
        return os.memfd_create(_NAME, os.MFD_CLOEXEC)
    fd, path = tempfile.mkstemp(prefix=_NAME)
    Path(path).unlink()
    return fd


class Memory:
    """One process's view of the table. `words` are all of it; `secret` and `layout` are its own."""

    __slots__ = ("bytes", "fd", "layout", "processes", "secret", "words")

    def __init__(self, fd: int, policies: Iterable[Policy]) -> None:
        """Map the table behind `fd`, which stays the caller's and must be kept open.

        Raises ValueError when it is no table, or was made for other policies; OSError when it cannot be mapped.
        """
        self.secret, self.processes, self.layout = _read_header(fd, policies)
        self.fd = fd
        self.bytes = mmap(fd, self.layout.words * WORD_BYTES)
        self.words = memoryview(self.bytes).cast("q")

    def lock(self, places: Iterable[int]) -> None:
        """Lock buckets and cells, by the word where each begins, in ascending order, so that nobody waits in a ring."""
        for place in sorted(places):
            while not self._locked(place):
                pass

    def _locked(self, place: int) -> bool:
        """Wait for one lock and take it; return False where that has to be tried again.

        Linux sees rings that are none: who was just handed a lock may still be on the list of those that wait.
        """
        try:
            lockf(self.fd, LOCK_EX, 1, place)
        except OSError as error:
            if error.errno != EDEADLK:
                raise
            return False
        return True

    def unlock(self) -> None:
        """Give back every lock of this process at once."""
        lockf(self.fd, LOCK_UN)

    def enter(self, index: int) -> None:
        """Begin as the process `index`, and give back what an earlier one of that index held."""
        self.clear(index)
        self.words[HEADER_WORDS + index] = 1

    def clear(self, index: int) -> None:
        """Give back all places that the process `index` held. It must have ended.

        Needs no locks: nobody but that process writes these words.
        """
        if not 0 <= index < self.processes:
            raise ValueError(f"there is no process {index} among the {self.processes} that share limits")
        if not self.words[HEADER_WORDS + index]:
            return  # there was none yet; to write would only take up memory
        for area in self.layout.areas.values():
            if area.policy.algorithm is Algorithm.CONCURRENCY:
                self._clear(area, index)

    def _clear(self, area: Area, index: int) -> None:
        zeros = memoryview(bytes(area.buckets * WORD_BYTES)).cast("q")
        for slot in range(SLOTS):
            first = area.start + STATES_WORD + slot * area.width + index
            self.words[first : area.end : area.stride] = zeros
        self.words[area.overflow + index] = 0

    def close(self) -> None:
        """Let go of the mapping; the descriptor stays open."""
        self.words.release()
        self.bytes.close()


def _read_header(fd: int, policies: Iterable[Policy]) -> tuple[bytes, int, Layout]:
    """Return the secret, the number of processes and the layout of a table, once it is sure that it is ours."""
    header = os.pread(fd, _HEADER.size, 0)
    if len(header) < _HEADER.size or not header.startswith(_MAGIC):
        raise ValueError(f"descriptor {fd} is no table of limits that processes share")
    _, fingerprint, secret, processes, max_keys = _HEADER.unpack(header)
    layout = lay_out(policies, processes=processes, max_keys=max_keys)
    if fingerprint != layout.fingerprint or os.fstat(fd).st_size != layout.words * WORD_BYTES:
        raise ValueError("the table of limits was made for other policies: all processes need the same configuration")
    return secret, processes, layout
