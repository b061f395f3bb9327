"""Counting: every request once, under labels from closed sets, in bounded memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gateway.edge.counters import BUCKETS_S, Counters
from gateway.edge.exposition import LINES_AT_ONCE, SAMPLES_AT_ONCE, exposition
from gateway.edge.metrics import KINDS_REMEMBERED, Metrics, Tables
from gateway.edge.series_budget import SIZES
from gateway.edge.words import OUTCOMES, WITHOUT_UPSTREAM
from gateway.model import Origin, Party, Translation
from tests.unit.edge.outcomes import outcome


def metrics() -> tuple[Metrics, CollectorRegistry]:
    """Return metrics of nothing yet."""
    registry = CollectorRegistry()
    observer = Metrics(registry, lambda: 3, lambda: 5)
    observer.serve(("api", "second", *[f"api{number}" for number in range(50)]))
    return observer, registry


def lines(registry: CollectorRegistry) -> dict[str, float]:
    """Return each sample of a scrape and its value."""
    text = generate_latest(registry).decode()
    pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {sample: float(value) for sample, _, value in pairs}


def test_sizes_and_durations_add_up() -> None:
    """In bytes, and in seconds."""
    observer, registry = metrics()
    for _ in range(2):
        observer.observe(outcome(request_bytes=3, response_bytes=40, duration_ms=2.5, upstream_ms=1.0))
    samples = lines(registry)
    assert samples['accord_request_bytes_total{upstream="api"}'] == 6
    assert samples['accord_response_bytes_total{upstream="api"}'] == 80
    assert samples['accord_request_duration_seconds_sum{upstream="api"}'] == pytest.approx(0.005)
    assert samples['accord_upstream_duration_seconds_sum{upstream="api"}'] == pytest.approx(0.002)


@pytest.mark.parametrize("bound_s", BUCKETS_S)
def test_a_bucket_holds_what_is_not_longer_than_its_bound(bound_s: float) -> None:
    """And so do all behind it."""
    observer, registry = metrics()
    observer.observe(outcome(duration_ms=bound_s * 1000))
    observer.observe(outcome(duration_ms=bound_s * 1000 + 0.001))
    samples = lines(registry)
    counts = {b: samples[f'accord_request_duration_seconds_bucket{{le="{b}",upstream="api"}}'] for b in BUCKETS_S}
    assert counts == {b: 0 if b < bound_s else 1 if b == bound_s else 2 for b in BUCKETS_S}
    assert samples['accord_request_duration_seconds_bucket{le="+Inf",upstream="api"}'] == 2
    assert samples['accord_request_duration_seconds_count{upstream="api"}'] == 2


def test_a_failure_is_counted_by_who_failed() -> None:
    """Its category is the code's; without an upstream the label is `none`, and there is no upstream duration."""
    observer, registry = metrics()
    failed = outcome(
        upstream=None,
        upstream_status=None,
        upstream_ms=None,
        status=404,
        outcome="no_route",
        code="route_not_found",
        origin=Origin.GATEWAY,
        fault=Party.CLIENT,
        translation=Translation.NONE,
    )
    observer.observe(failed)
    observer.observe(failed)
    samples = lines(registry)
    labels = 'category="not_found",code="route_not_found",fault="client",origin="gateway",upstream="none"'
    assert samples[f"accord_errors_total{{{labels}}}"] == 2
    assert (
        samples['accord_requests_total{fault="client",method="GET",outcome="no_route",status="404",upstream="none"}']
        == 2
    )
    assert not any(sample.startswith(("accord_upstream_duration", "accord_translations")) for sample in samples)


CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"upstream": "second"},
    {"method": "PUT"},
    {"status": 204},
    {"outcome": "cancelled"},
    {"dialect": "salla"},
    {"translation": Translation.UNIFIED},
    {"reason": "connection_refused"},
    {"code": "internal", "origin": Origin.GATEWAY, "fault": Party.GATEWAY},
    {"code": "internal", "origin": Origin.UPSTREAM, "fault": Party.GATEWAY},
    {"code": "internal", "origin": Origin.UPSTREAM, "fault": Party.UPSTREAM},
    {"upstream_status": None},
    {"upstream_ms": None},
)


@pytest.mark.parametrize("changes", [CHANGES, CHANGES[::-1]], ids=["forth", "back"])
def test_what_differs_in_any_label_is_counted_apart(changes: tuple[dict[str, Any], ...]) -> None:
    """Though only one of them differs, and whichever came first."""
    observer, registry = metrics()
    for change in changes:
        observer.observe(outcome(**change))
    samples = lines(registry)

    def counts(family: str) -> list[float]:
        return sorted(
            count for sample, count in samples.items() if sample.startswith(f"accord_{family}_total") and count
        )

    assert counts("requests") == [1, 1, 1, 1, 9]
    assert counts("errors") == [1, 1, 1]
    assert counts("translations") == [1, 1, 1, 9]
    assert counts("transport_failures") == [1]
    assert samples['accord_upstream_duration_seconds_count{upstream="api"}'] == 11


def test_made_up_methods_are_one_label_and_lose_no_count() -> None:
    """However many there are: what was bound is forgotten, what was counted is not."""
    observer, registry = metrics()
    observer.observe(outcome())
    for number in range(KINDS_REMEMBERED + 10):
        observer.observe(outcome(method=f"M{number}"))
        assert observer.kinds <= KINDS_REMEMBERED
    observer.observe(outcome())
    samples = lines(registry)
    assert samples['accord_requests_total{fault="none",method="other",outcome="ok",status="200",upstream="api"}'] == (
        KINDS_REMEMBERED + 10
    )
    assert samples['accord_requests_total{fault="none",method="GET",outcome="ok",status="200",upstream="api"}'] == 2


def test_gauges_are_asked_at_the_scrape() -> None:
    """Requests under way, and lines that were lost."""
    _, registry = metrics()
    samples = lines(registry)
    assert (samples["accord_in_flight_requests"], samples["accord_log_lines_dropped_total"]) == (3, 5)


def test_every_outcome_is_there_from_the_start() -> None:
    """Of each upstream, at 0, under what is usual for it: the first failure is an increase, which a rate can see."""
    _, registry = metrics()
    started = {sample: value for sample, value in lines(registry).items() if sample.startswith("accord_requests_total")}
    assert set(started.values()) == {0}
    for word, (status, fault) in OUTCOMES.items():
        labels = f'fault="{fault}",method="GET",outcome="{word}",status="{status}",upstream="second"'
        assert f"accord_requests_total{{{labels}}}" in started
    assert len(started) == 52 * len(OUTCOMES) + len(WITHOUT_UPSTREAM)


def test_a_reload_takes_upstreams_away_and_brings_others() -> None:
    """Counts of those that stay go on; of those that are gone nothing is told, and what still ends there is `other`."""
    observer, registry = metrics()
    for upstream in ("api", "second", "second"):
        observer.observe(outcome(upstream=upstream, duration_ms=1.0))
    observer.serve(("second", "third"))
    for upstream in ("api", "second", "third"):
        observer.observe(outcome(upstream=upstream, duration_ms=1.0))
    samples = lines(registry)
    ok = 'accord_requests_total{{fault="none",method="GET",outcome="ok",status="200",upstream="{}"}}'
    assert [samples.get(ok.format(name)) for name in ("api", "second", "third", "other")] == [None, 3, 1, 1]
    counts = [samples.get(f'accord_request_duration_seconds_count{{upstream="{name}"}}') for name in ("api", "second")]
    assert counts == [None, 3]
    assert not any('upstream="api' in sample for sample in samples)


def test_true_statuses_are_counted_and_where_the_client_got_another_one() -> None:
    """Who left got none; what went through as it came was not rewritten."""
    observer, registry = metrics()
    for came, status in ((200, 200), (200, 422), (500, 500), (200, 499), (299, 299)):
        observer.observe(outcome(upstream_status=came, status=status))
    told = {sample: value for sample, value in lines(registry).items() if "rewrites" in sample or "replies" in sample}
    assert told == {
        'accord_upstream_replies_total{status="200",upstream="api"}': 3,
        'accord_upstream_replies_total{status="500",upstream="api"}': 1,
        'accord_upstream_replies_total{status="2xx",upstream="api"}': 1,
        'accord_status_rewrites_total{status="422",upstream="api",upstream_status="200"}': 1,
    }


def test_no_upstream_can_make_series_without_end() -> None:
    """However many statuses it makes up, and methods its clients: outcomes and faults stay true beyond the bound."""
    observer, registry = metrics()
    statuses = range(200, 600)
    for method in ("GET", "PUT", "POST", "BREW"):
        for status in statuses:
            word = "ok" if status < 400 else "upstream_4xx" if status < 500 else "upstream_5xx"
            observer.observe(outcome(method=method, status=status, upstream_status=1000 - status, outcome=word))
    samples = {sample: value for sample, value in lines(registry).items() if 'upstream="api"' in sample}
    for family in Tables().every():
        mine = [
            sample for sample in samples if sample.startswith((f"{family.family.name}_", f"{family.family.name}{{"))
        ]
        assert len(mine) <= (family.at_most(SIZES) if isinstance(family, Counters) else family.lines)
    for word, many in (("ok", 800), ("upstream_4xx", 400), ("upstream_5xx", 400)):
        assert sum(value for sample, value in samples.items() if f'outcome="{word}"' in sample) == many
    rewritten = sum(value for sample, value in samples.items() if "status_rewrites" in sample)
    assert rewritten == 4 * (len(statuses) - 2)  # 500 stayed what it was, and 499 was sent to nobody


async def test_the_page_in_slices_is_the_page() -> None:
    """Byte for byte, each family under one heading, whatever its size; requests have a turn after each slice."""
    observer, registry = metrics()
    for number in range(SAMPLES_AT_ONCE * 2):
        observer.observe(outcome(upstream=f"api{number}"))
    turns = 0

    async def serve() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    serving = asyncio.create_task(serve())
    page = await exposition(registry.collect())
    serving.cancel()
    assert page == generate_latest(registry)
    assert turns >= len(lines(registry)) // LINES_AT_ONCE


async def test_what_comes_up_while_the_page_is_written_spoils_nothing() -> None:
    """Each histogram is of one moment: its buckets are never more than its count."""
    observer, registry = metrics()
    for number in range(SAMPLES_AT_ONCE * 2):
        observer.observe(outcome(upstream=f"api{number}"))
    writing = asyncio.ensure_future(exposition(registry.collect()))
    turn = 0
    while not writing.done():
        for number in range(SAMPLES_AT_ONCE):
            observer.observe(outcome(upstream=f"api{number}"))
        observer.observe(outcome(upstream=f"new{(turn := turn + 1)}"))
        await asyncio.sleep(0)
    samples = dict(
        line.rsplit(" ", 1) for line in (await writing).decode().splitlines() if "request_duration_seconds" in line
    )
    for number in range(SAMPLES_AT_ONCE):
        last = samples[f'accord_request_duration_seconds_bucket{{le="+Inf",upstream="api{number}"}}']
        assert samples[f'accord_request_duration_seconds_count{{upstream="api{number}"}}'] == last
        assert samples[f'accord_request_duration_seconds_bucket{{le="60.0",upstream="api{number}"}}'] == last
