"""Whom a policy counts."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.limits import Facts, Keys, Policy
from gateway.limits.keys import HASHES_REMEMBERED, REMEMBERED_BYTES

SECRET = b"0123456789abcdef"
TOKEN = (b"Authorization", b"Bearer top-secret")


def facts(**changes: Any) -> Facts:  # noqa: ANN401 - each field has a type of its own
    """Return the facts of a plain request, with changes."""
    plain: dict[str, Any] = {
        "client": None,
        "ip": "192.0.2.1",
        "headers": (),
        "upstream": "salla",
        "route": "orders",
        "method": "GET",
    }
    return Facts(**(plain | changes))


def key(parts: str | tuple[str, ...], **changes: Any) -> bytes:  # noqa: ANN401 - as facts()
    """Return the key of a request with `changes` under a policy of `parts`."""
    parts = (parts,) if isinstance(parts, str) else parts
    policy = Policy(name="p", requests=1, per_us=1_000_000, burst=1, key=parts)
    return Keys(SECRET).of(policy)(facts(**changes))


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("ip", b"ip=192.0.2.1"),
        ("upstream", b"upstream=salla"),
        ("path", b"GET "),
        ("route", b"upstream=salla/route=orders"),
        ("method", b"method=GET"),
        (("ip", "method"), b"ip=192.0.2.1\0method=GET"),
        (("upstream", "ip"), b"upstream=salla\0ip=192.0.2.1"),
    ],
)
def test_parts(part: str | tuple[str, ...], expected: bytes) -> None:
    """Each part says what it is; parts of a list have a byte between them that none can hold."""
    assert key(part) == expected


def test_nothing_found() -> None:
    """A request that no route is for, or no upstream, has a key all the same."""
    assert key("route", route=None) == b"upstream=salla/route="
    assert key("upstream", upstream=None) == b"upstream="


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("2001:db8:1:2::1%eth0", "2001:db8:1:2::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_one_network(one: str, other: str) -> None:
    """IPv6 counts by /64, and IPv4 that is written as IPv6 is the same client."""
    assert key("ip", ip=one) == key("ip", ip=other)


def test_other_network() -> None:
    """Another /64 is another client; so is another IPv4 address."""
    assert key("ip", ip="2001:db8:1:2::1") != key("ip", ip="2001:db8:1:3::1")
    assert key("ip", ip="192.0.2.1") != key("ip", ip="192.0.2.2")


def test_client_by_name() -> None:
    """A configured client is counted by its name, wherever it comes from and whatever else it sends."""
    assert key("client", client="web-shop", headers=(TOKEN,)) == b"client=web-shop"
    assert Keys(SECRET).principal(facts(client="web-shop")) == b"client=web-shop"


def test_client_by_credential() -> None:
    """Without configured clients the credential tells clients apart, as a hash that needs the secret."""
    one = key("client", headers=(TOKEN,))
    assert one == key("client", headers=((b"authorization", TOKEN[1]),), ip="198.51.100.7")
    assert one != key("client", headers=((b"Authorization", b"Bearer other"),))
    assert b"secret" not in one
    policy = Policy(name="p", requests=1, per_us=1_000_000, burst=1, key=("client",))
    assert one != Keys(b"another secret").of(policy)(facts(headers=(TOKEN,)))


def test_a_principal_that_is_known_stands_in_for_who_is_asking() -> None:
    """The key is the one of the request that the principal is of; without one it is that of the facts."""
    policy = Policy(name="p", requests=1, per_us=1_000_000, burst=1, key=("client", "method"))
    keys, request = Keys(SECRET), facts(headers=(TOKEN,))
    assert keys.key(policy, facts(), keys.principal(request)) == keys.of(policy)(request)
    assert keys.key(policy, request, None) == keys.of(policy)(request)
    assert keys.key(policy, facts(), None) != keys.of(policy)(request)


def test_client_by_address() -> None:
    """Who sends no credential is counted by address."""
    assert key("client") == b"ip=192.0.2.1"


def test_header() -> None:
    """A header's values tell clients apart, all of them and in their order, whatever the case of its name."""
    one = key("header:X-Store", headers=((b"X-STORE", b"1"), (b"Y-Store", b"9")))
    assert one.startswith(b"x-store#")
    assert one == key("header:X-Store", headers=((b"x-store", b"1"),))
    both = ((b"x-store", b"1"), (b"x-store", b"2"))
    assert len({one, *(key("header:X-Store", headers=some) for some in (both, both[::-1], both[1:]))}) == 4
    assert key("header:X-Store", headers=both) != key("header:X-Store", headers=((b"x-store", b"12"),))
    assert one != key("header:X-Other", headers=((b"x-other", b"1"),))


def test_header_left_out() -> None:
    """Leaving the header out is no way around the limit: the address stands in."""
    assert key("header:X-Store") == b"ip=192.0.2.1"


def test_hashes_that_are_remembered_stay_apart() -> None:
    """By value and by field; asking again, or after so many others that all were forgotten, gives the same key."""
    keys = Keys(SECRET)
    by_client = keys.of(Policy(name="p", requests=1, per_us=1_000_000, burst=1, key=("client",)))
    by_store = keys.of(Policy(name="p", requests=1, per_us=1_000_000, burst=1, key=("header:X-Store",)))
    first = by_client(facts(headers=(TOKEN,)))
    others = {by_client(facts(headers=((b"Authorization", b"%d" % number),))) for number in range(HASHES_REMEMBERED)}
    assert len(others | {first}) == HASHES_REMEMBERED + 1
    assert by_client(facts(headers=(TOKEN,))) == by_client(facts(headers=(TOKEN,))) == first
    assert by_store(facts(headers=((b"X-Store", TOKEN[1]),))) == b"x-store#" + first.partition(b"#")[2]


@pytest.mark.parametrize("length", [REMEMBERED_BYTES, REMEMBERED_BYTES + 1, 10 * REMEMBERED_BYTES])
def test_long_values_are_told_apart(length: int) -> None:
    """Whether or not they are short enough to be remembered."""
    by_client = Keys(SECRET).of(Policy(name="p", requests=1, per_us=1_000_000, burst=1, key=("client",)))
    one, other = [(b"Authorization", b"x" * length + end) for end in (b"1", b"2")]
    assert by_client(facts(headers=(one,))) == by_client(facts(headers=(one,)))
    assert by_client(facts(headers=(one,))) != by_client(facts(headers=(other,)))


def test_what_is_remembered_is_bounded() -> None:
    """However many credentials come, and however long they are."""
    keys = Keys(SECRET)
    for number in range(2 * HASHES_REMEMBERED):
        keys.principal(facts(headers=((b"Authorization", b"%d" % number),)))
        assert 0 < keys.remembered <= HASHES_REMEMBERED
    known = keys.remembered
    keys.principal(facts(headers=((b"Authorization", b"x" * (REMEMBERED_BYTES + 1)),)))
    assert keys.remembered == known
