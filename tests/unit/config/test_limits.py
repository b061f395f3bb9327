"""Limits and stores as a configuration writes them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.config.limits import PolicyConfig
from gateway.config.stores import RedisConfig, StoreConfig
from gateway.limits import Algorithm, OnStoreError, Period, Policy


def policy(**keys: Any) -> Policy:  # noqa: ANN401 - each key has a type of its own
    """Return the policy of a limit named `a`."""
    return PolicyConfig.model_validate({"name": "a", **keys}).policy("here")


def fault(model: type[PolicyConfig | StoreConfig | RedisConfig], value: object) -> str:
    """Return what is wrong with a value."""
    with pytest.raises(ValidationError) as raised:
        model.model_validate(value)
    return str(raised.value.errors()[0]["msg"])


def test_three_kinds() -> None:
    """What a limit counts by is said by the keys that it has."""
    smooth = policy(requests=10, per="1s", burst=3)
    assert (smooth.algorithm, smooth.per_us, smooth.burst) == (Algorithm.GCRA, 1_000_000, 3)
    exact = policy(requests=10, per="1s", algorithm="sliding_log")
    assert (exact.algorithm, exact.burst) == (Algorithm.SLIDING_LOG, 10)
    daily = policy(requests=10, calendar="day")
    assert (daily.algorithm, daily.period, daily.per_us) == (Algorithm.CALENDAR, Period.DAY, 86_400_000_000)
    places = policy(concurrent=5)
    assert (places.algorithm, places.requests, places.per_us) == (Algorithm.CONCURRENCY, 5, 0)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"requests": 1},
        {"per": "1s"},
        {"calendar": "day"},
        {"requests": 1, "per": "1s", "calendar": "day"},
        {"requests": 1, "per": "1s", "concurrent": 1},
        {"calendar": "day", "concurrent": 1},
    ],
)
def test_one_kind(keys: dict[str, Any]) -> None:
    """A limit is of exactly one kind."""
    expected = "give one of these: requests with per, requests with calendar, or concurrent"
    assert expected in fault(PolicyConfig, {"name": "a", **keys})


RATE = {"name": "a", "requests": 10, "per": "1s"}


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"name": "a", "requests": 1, "calendar": "day", "algorithm": "sliding_log"}, "only a limit with per has"),
        ({"name": "a", "concurrent": 3, "lease": 2}, "cannot be leased"),
        (RATE | {"local": True, "lease": 2}, "it cannot lease"),
        (RATE | {"max_wait": "1s"}, "are for when_exceeded: wait"),
        (RATE | {"cost": {"POST": 11}}, "a request costs 11, more than the burst of 10"),
        (RATE | {"algorithm": "sliding_log", "burst": 3}, "knows no burst but all of its requests"),
        (RATE | {"algorithm": "sliding_log", "requests": 1001}, "it counts 1000 at most"),
    ],
)
def test_what_does_not_go_together(keys: dict[str, Any], sentence: str) -> None:
    """Each fault says what it is."""
    assert sentence in fault(PolicyConfig, keys)


def test_cost_by_method() -> None:
    """What is not listed costs 1, and HEAD what GET does unless it is listed."""
    costs = policy(requests=10, per="1s", cost={"GET": 0, "POST": 5})
    assert [costs.cost_of(method) for method in ("GET", "HEAD", "POST", "PUT")] == [0, 0, 5, 1]
    assert policy(requests=10, per="1s", cost={"GET": 2, "HEAD": 1}).cost_of("HEAD") == 1
    assert policy(requests=10, per="1s", cost={"POST": 2}).cost_of("HEAD") == 1
    assert policy(requests=10, per="1s", cost=3).cost_of("POST") == 3


def test_what_is_done() -> None:
    """Waiting, shadow mode and the store's failure are the policy's own."""
    plain = policy(requests=10, per="1s")
    assert (plain.shadow, plain.max_wait_us, plain.queue, plain.on_store_error) == (False, 0, 0, OnStoreError.LOCAL)
    more = policy(requests=10, per="1s", mode="shadow", when_exceeded="wait", on_store_error="refuse", lease=5)
    assert (more.shadow, more.max_wait_us, more.queue, more.lease) == (True, 2_000_000, 100, 5)
    assert more.on_store_error is OnStoreError.REFUSE


@pytest.mark.parametrize(
    ("written", "again"),
    [
        ("memory", "memory"),
        ("shared", "shared"),
        ({"memory": {"max_keys": 5}}, {"memory": {"max_keys": 5}}),
    ],
)
def test_a_store_is_a_name_or_settings(written: object, again: object) -> None:
    """A name stands for a store with its defaults, and is written so again."""
    store = StoreConfig.model_validate(written)
    dumped = TypeAdapter(StoreConfig).dump_python(store, mode="json", exclude_defaults=True)
    assert dumped == again


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("redis", "must be memory, shared, or redis with its settings, as in {redis: {url_env: REDIS_URL}}"),
        ({}, "give one of memory, shared and redis"),
        ({"memory": {}, "shared": {}}, "give one of memory, shared and redis"),
    ],
)
def test_no_store(written: object, sentence: str) -> None:
    """What names no store, or several, is refused."""
    assert sentence in fault(StoreConfig, written)


def test_redis() -> None:
    """A cluster finds its masters by itself: it has no sentinels."""
    both = {"url_env": "A", "cluster": True, "sentinel": {"service": "m", "nodes": ["a:1"]}}
    assert "cluster or sentinel, not both" in fault(RedisConfig, both)
    store = StoreConfig.model_validate({"redis": {"url_env": "ACCORD_REDIS_URL"}})
    assert store.redis is not None
    assert (store.redis.deadline_s, store.memory) == (0.05, None)
