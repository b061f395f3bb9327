"""What redis-py raises, as reasons."""

from __future__ import annotations

import pytest
from redis import exceptions

from gateway.errors import StoreReason
from gateway.limits.stores.redis.failures import reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (exceptions.TimeoutError("10.0.0.1"), StoreReason.TIMEOUT),
        (TimeoutError(), StoreReason.TIMEOUT),
        (exceptions.ConnectionError("10.0.0.1"), StoreReason.REFUSED),
        (exceptions.AuthenticationError("WRONGPASS"), StoreReason.AUTH),
        (exceptions.AuthenticationWrongNumberOfArgsError("old server"), StoreReason.AUTH),
        (exceptions.NoPermissionError("no"), StoreReason.AUTH),
        (OSError(113, "no route"), StoreReason.REFUSED),
        (exceptions.BusyLoadingError("loading"), StoreReason.LOADING),
        (exceptions.ReadOnlyError("replica"), StoreReason.READONLY),
        (exceptions.ResponseError("NOREPLICAS not enough good replicas"), StoreReason.READONLY),
        (exceptions.OutOfMemoryError("OOM"), StoreReason.FULL),
        (exceptions.ResponseError("MISCONF errors writing to disk"), StoreReason.FULL),
        (exceptions.InvalidResponse("?"), StoreReason.PROTOCOL),
        (exceptions.ResponseError("ERR user_script:1: oh"), StoreReason.OTHER),
        (exceptions.RedisClusterException("10.0.0.1"), StoreReason.OTHER),
    ],
)
def test_reasons(error: Exception, reason: StoreReason) -> None:
    """Each failure has one of a few words, the nearest; what nobody foresaw is `other`."""
    assert reason_of(error) is reason
