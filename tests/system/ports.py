"""Free ports, for programs that must be told one."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST: Final = 16_000
_LAST: Final = 32_000
_BEGIN: Final = _FIRST + os.getpid() * 64 % (_LAST - _FIRST)
_PORTS: Final[Iterator[int]] = iter([*range(_BEGIN, _LAST), *range(_FIRST, _BEGIN)])


def free_port() -> int:
    """Return a port that nobody has at this moment, nor is likely to have before it is used.

    The system takes the ports of connections from above 32767; here no port is looked at twice, and each process of a
    test run begins at a place of its own.
    """
    for port in _PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")
