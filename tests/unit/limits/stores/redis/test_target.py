"""Which Redis is meant, from what is configured."""

from __future__ import annotations

import pytest

from gateway.limits.stores.redis.target import Kind, RedisTarget, parse

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache", RedisTarget(kind=Kind.SERVER, addresses=(("cache", 6379),))),
        ("redis://cache:1/2", RedisTarget(kind=Kind.SERVER, addresses=(("cache", 1),), db=2)),
        ("redis://[::1]:1?db=2", RedisTarget(kind=Kind.SERVER, addresses=(("::1", 1),), db=2)),
        ("rediss://cache", RedisTarget(kind=Kind.SERVER, addresses=(("cache", 6379),), tls=True)),
        (
            "redis://:p%40ss@cache",
            RedisTarget(kind=Kind.SERVER, addresses=(("cache", 6379),), password="p@ss"),
        ),
        (
            "redis://us%3Aer:p%2Fss@cache",
            RedisTarget(kind=Kind.SERVER, addresses=(("cache", 6379),), username="us:er", password="p/ss"),
        ),
        ("unix:///run/a%20b.sock", RedisTarget(kind=Kind.SERVER, path="/run/a b.sock")),
        ("unix://:pass@/run/r.sock?db=3", RedisTarget(kind=Kind.SERVER, path="/run/r.sock", db=3, password="pass")),
    ],
)
def test_one_server(url: str, expected: RedisTarget) -> None:
    """A URL names a host or a Unix socket, a database, a user and a password; what is special is percent-encoded."""
    assert parse(url) == expected


def test_cluster() -> None:
    """Of a cluster one node is named."""
    target = parse("rediss://node:1", cluster=True, ca_file="ca.pem", timeout_s=0.1)
    assert target == RedisTarget(kind=Kind.CLUSTER, addresses=(("node", 1),), tls=True, ca_file="ca.pem", timeout_s=0.1)


def test_sentinels() -> None:
    """Sentinels are named each as host:port; of the URL user, password and database count, and a host means nothing."""
    target = parse(
        "redis://user:pass@ignored/4",
        service="limits",
        sentinels=["one:1", "[::1]:2", "three"],
        sentinel_password="own",
    )
    assert target == RedisTarget(
        kind=Kind.SENTINEL,
        addresses=(("one", 1), ("::1", 2), ("three", 26379)),
        service="limits",
        db=4,
        username="user",
        password="pass",
        sentinel_password="own",
    )
    assert parse("redis://", service="limits", sentinels=["one:1"]).addresses == (("one", 1),)


@pytest.mark.parametrize(
    ("url", "more", "sentence"),
    [
        (f"http://u:{SECRET}@cache", {}, "must begin with redis://"),
        (SECRET, {}, "must begin with redis://"),
        (f"redis://u:{SECRET}/x@cache", {}, "cannot be read"),
        (f"redis://u:{SECRET}#x@cache", {}, "cannot be read"),
        (f"redis://u:p@cache#{SECRET}", {}, "no fragment"),
        (f"redis://u:[{SECRET}@cache", {}, "cannot be read"),
        (f"redis://u:{SECRET}@", {}, "needs a host"),
        (f"redis://u:{SECRET}@cache:99999", {}, "a number up to 65535"),
        (f"unix://:{SECRET}@run/redis.sock", {}, "three slashes"),
        (f"redis://u:{SECRET}@cache/x{SECRET}", {}, "must be a number"),
        (f"redis://cache?password={SECRET}", {}, "no option but db"),
        (f"redis://{SECRET}@cache", {}, "needs a password"),
        (f"unix://:{SECRET}@", {}, "needs an address"),
        (f"unix://:{SECRET}@/run/r.sock", {"cluster": True}, "not of a cluster"),
        (f"redis://:{SECRET}@cache/1", {"cluster": True}, "database 0 alone"),
        (f"redis://:{SECRET}@cache", {"ca_file": "ca.pem"}, "needs TLS"),
        (f"redis://:{SECRET}@cache", {"service": "limits"}, "needs an address"),
        (f"redis://:{SECRET}@cache", {"sentinels": ["one:1"]}, "need the name of a service"),
        (f"redis://:{SECRET}@cache", {"service": "limits", "sentinels": [f":{SECRET}@one:1"]}, "host:port"),
        (f"redis://:{SECRET}@cache", {"service": "limits", "sentinels": [f"one:{SECRET}"]}, "host:port"),
        (f"redis://:{SECRET}@cache", {"timeout_s": 0}, "above 0"),
    ],
)
def test_faults(url: str, more: dict[str, object], sentence: str) -> None:
    """What cannot be meant is refused with a sentence, which quotes nothing that may be a secret."""
    with pytest.raises(ValueError, match=sentence) as refused:
        parse(url, **more)  # type: ignore[arg-type]
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


def test_one_server_has_one_address() -> None:
    """Nobody would know which of two servers has a count."""
    with pytest.raises(ValueError, match="one address"):
        RedisTarget(kind=Kind.SERVER, addresses=(("one", 1), ("two", 2)))


def test_no_secret_is_shown() -> None:
    """No user and no password stands in a representation."""
    target = parse(f"redis://{SECRET}:{SECRET}@cache", service="limits", sentinels=["one:1"], sentinel_password=SECRET)
    assert SECRET not in f"{target!r} {target}"
