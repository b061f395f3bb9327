"""Names of keys in Redis tell nobody who was counted."""

from __future__ import annotations

from gateway.limits import Policy
from gateway.limits.stores.redis.rows import Rows

POLICY = Policy(name="per-address", requests=1, per_us=1_000_000, burst=1, key=("ip",))


def test_only_who_has_the_secret_can_tell_who_was_counted() -> None:
    """Else whoever reads Redis could hash all addresses and look which are there; replicas with one secret agree."""
    ours, again, theirs = (
        Rows(secret).row(POLICY, b"ip=192.0.2.1", 1, 0)[0] for secret in (b"ours", b"ours", b"theirs")
    )
    assert ours == again != theirs
    assert b"192.0.2.1" not in ours
