"""What redis-py raises, as the reasons that a store of limits fails for. One table, the first that fits.

Only the reason goes on: the texts of redis-py and of servers name addresses.
"""

from __future__ import annotations

from typing import Final

from redis import exceptions

from gateway.errors import StoreReason

REASONS: Final[tuple[tuple[type[BaseException], StoreReason], ...]] = (
    (exceptions.BusyLoadingError, StoreReason.LOADING),
    (exceptions.ReadOnlyError, StoreReason.READONLY),
    (exceptions.MasterDownError, StoreReason.READONLY),
    (exceptions.OutOfMemoryError, StoreReason.FULL),
    (exceptions.MaxConnectionsError, StoreReason.FULL),
    (exceptions.NoPermissionError, StoreReason.AUTH),
    (exceptions.AuthenticationError, StoreReason.AUTH),
    (exceptions.AuthenticationWrongNumberOfArgsError, StoreReason.AUTH),
    (exceptions.TimeoutError, StoreReason.TIMEOUT),
    (exceptions.ConnectionError, StoreReason.REFUSED),
    (exceptions.InvalidResponse, StoreReason.PROTOCOL),
    (TimeoutError, StoreReason.TIMEOUT),
    (OSError, StoreReason.REFUSED),
)
_WORDS: Final = {"MISCONF": StoreReason.FULL, "NOREPLICAS": StoreReason.READONLY}
"""Errors that redis-py has no class for, by the word with which the server's text begins."""


def reason_of(error: BaseException) -> StoreReason:
    """Return why the store failed."""
    for kind, reason in REASONS:
        if isinstance(error, kind):
            return reason
    return _WORDS.get(str(error).partition(" ")[0], StoreReason.OTHER)
