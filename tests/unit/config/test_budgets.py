"""Budgets as an upstream's file writes them, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.budgets import BudgetConfig
from gateway.config.document import Document
from gateway.config.granted import granted, terms, unknown_clients
from gateway.config.load import Upstream, upstream_of
from gateway.config.models import GatewayFile
from gateway.limits.budget.values import Reserve

BASE = """version: 1
name: shop
base_url: https://api.example
match: {prefix: /shop}
"""
OURS = "credentials: {inject: [{header: Authorization, value_env: TOKEN}]}\n"
ROUTES = "routes: [{name: pay, match: {path: /pay}}]\n"


def read(text: str, dialect: str = "salla") -> tuple[Upstream | None, list[str]]:
    """Read an upstream's file with a budget."""
    upstream, faults = upstream_of(Document(f"{BASE}dialect: {dialect}\n{OURS}{ROUTES}budget: {text}\n", "shop.yaml"))
    return upstream, [str(fault) for fault in faults]


def members(text: str, dialect: str = "salla") -> list[bytes]:
    """Return the policies that a budget becomes, as clients see them."""
    upstream, faults = read(text, dialect)
    assert faults == []
    assert upstream is not None
    return [policy.member for one in granted(upstream.settings) for policy in one.declared.policies()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{plan: plus}", [b'"shop";q=120;w=61', b'"shop-customers";q=465;w=600']),
        ("{requests: 100, per: 1m}", [b'"shop";q=93;w=60']),
        ("{name: all, requests: 100, per: 1m, shape: leaky_bucket}", [b'"all";q=100;w=61']),
        ("[{requests: 100, per: 1m}, {requests: 1000, per: 1h}]", [b'"shop";q=93;w=60', b'"shop-2";q=930;w=3600']),
        (
            "{requests: 100, per: 1m, reserve: 20%, reserved_for: {clients: a, routes: pay}}",
            [b'"shop-open";q=75;w=60', b'"shop";q=93;w=60'],
        ),
        ("{learn: false}", []),
    ],
)
def test_a_budget_becomes_policies(text: str, expected: list[bytes]) -> None:
    """A plan of the preset, numbers of one's own, or several of either."""
    assert members(text) == expected


def test_a_dialect_of_one_s_own_has_the_plans_of_what_it_extends() -> None:
    """And `auto` has none."""
    assert members("{plan: plus}", "{extends: salla}")[0] == b'"shop";q=120;w=61'
    assert read("{plan: plus}", "auto")[1] == [
        "shop.yaml:8:10 budget.plan: the dialect knows no such plan (its preset declares none: give requests and per)"
    ]
    assert members("{requests: 100, per: 1m}", "auto") == [b'"shop";q=93;w=60']


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{plan: plos}", "budget.plan: the dialect knows no such plan (did you mean plus?)"),
        ("{plan: zzz}", "the dialect knows no such plan (it knows plus, pro, special)"),
        ("[{plan: zzz}]", "budget[0].plan: "),
        ("{plan: plus, requests: 5}", "give a plan, or requests and per: a plan says all of that"),
        ("{requests: 5}", "give requests and per"),
        ("{paths: /a}", "give requests and per"),
        ("{requests: 100, per: 1m, reserve: 5}", "reserve and reserved_for belong together"),
        ("{requests: 100, per: 1m, reserved_for: {routes: pay}}", "reserve and reserved_for belong together"),
        ("{requests: 100, per: 1m, reserve: 100, reserved_for: {routes: pay}}", "leaves nothing to anybody else"),
        ("{plan: plus, reserve: 120, reserved_for: {routes: pay}}", "leaves nothing to anybody else"),
        ("{requests: 100, per: 1m, reserve: 100%, reserved_for: {routes: pay}}", "leaves nothing to anybody else"),
        ("{requests: 100, per: 1m, reserve: true, reserved_for: {routes: pay}}", "a reserve is a percentage"),
        ("{requests: 100, per: 1m, reserve: 5, reserved_for: {routes: [pay, pey]}}", "routes[1]: there is no route"),
        ("{requests: 100, per: 1m, queue: 5}", "max_wait and queue are for when_exceeded: wait"),
        ("{requests: 1000, per: 1ms}", "finer than whole microseconds"),
    ],
)
def test_what_cannot_work_is_told(text: str, fault: str) -> None:
    """With its place."""
    upstream, faults = read(text)
    assert upstream is None
    assert any(fault in one for one in faults), faults


def test_a_client_that_does_not_exist_has_no_reserve() -> None:
    """Which is known only with the gateway's file."""
    gateway = GatewayFile.model_validate({"version": 1, "clients": [{"name": "a", "api_key_sha256": ["0" * 64]}]})
    for text, place in ("{}", "budget"), ("[{}]", "budget[0]"):
        said = text.replace("{}", "{requests: 100, per: 1m, reserve: 5, reserved_for: {clients: [a, b]}}")
        upstream, _ = read(said)
        assert upstream is not None
        faults = unknown_clients(gateway, upstream.settings, upstream.document)
        assert [str(fault).partition(" ")[2] for fault in faults] == [
            f"{place}.reserved_for.clients[1]: there is no client of this name"
        ]


def test_where_clients_bring_their_own_credentials_theirs_is_only_watched() -> None:
    """What the API counts by our address is ours all the same."""
    upstream, _ = upstream_of(Document(f"{BASE}dialect: salla\nbudget: {{plan: plus}}\n", "shop.yaml"))
    assert upstream is not None
    theirs, ours = (one.declared for one in granted(upstream.settings))
    assert (theirs.shadow, theirs.key) == (True, ("client",))
    assert (ours.shadow, ours.key) == (False, ("upstream",))
    assert not terms(upstream.settings).paces


def test_how_the_learned_part_is_spent_is_said_first() -> None:
    """Without a budget it is learned, and refuses."""
    upstream, _ = read(
        "[{reserve: 7, reserved_for: {routes: pay}, when_exceeded: wait, max_wait: 3s, queue: 9}, {plan: pro}]"
    )
    assert upstream is not None
    said = terms(upstream.settings)
    assert (said.learns, said.paces, said.reserve, said.routes) == (True, True, Reserve(requests=7), frozenset({"pay"}))
    assert (said.max_wait_us, said.queue) == (3_000_000, 9)
    policy = granted(upstream.settings)[0].declared.whole()
    assert (policy.max_wait_us, policy.queue) == (0, 0)
    plain, _ = upstream_of(Document(BASE, "shop.yaml"))
    assert plain is not None
    assert granted(plain.settings) == ()
    assert (terms(plain.settings).learns, terms(plain.settings).max_wait_us) == (True, 0)


@pytest.mark.parametrize(("reserve", "written"), [("10%", "10%"), (5, 5), ("7", 7), (Reserve(percent=3), "3%")])
def test_a_reserve_is_written_back_as_it_is_read(reserve: Any, written: object) -> None:  # noqa: ANN401 - any form
    """A percentage, or a number."""
    config = BudgetConfig.model_validate({"reserve": reserve, "reserved_for": {}})
    assert config.model_dump()["reserve"] == written
