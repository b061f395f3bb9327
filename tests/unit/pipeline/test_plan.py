"""What is to be done with the replies of a route, settled at load."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config import presets
from gateway.config.document import Document
from gateway.config.load import Upstream
from gateway.config.models import GatewayFile, RouteConfig, UpstreamFile
from gateway.dialects.reader import Dialect
from gateway.pipeline.plan import Links, Plan, plan_of


def _plan(upstream: dict[str, Any], route: dict[str, Any] | None = None, gateway: dict[str, Any] | None = None) -> Plan:
    facts = {"version": 1, "name": "shop", "base_url": "https://api.shop.example/v2", "match": {"prefix": "/shop"}}
    settings = UpstreamFile.model_validate({**facts, **upstream})
    loaded = Upstream(
        settings=settings, dialect=presets.preset(str(settings.dialect.preset)), document=Document("", "shop.yaml")
    )
    chosen = RouteConfig.model_validate({"match": {"path": "/a"}, **route}) if route is not None else None
    return plan_of(GatewayFile.model_validate({"version": 1, **(gateway or {})}), loaded, chosen)


@pytest.mark.parametrize(
    ("dialect", "route", "unify", "translate"),
    [
        ("salla", None, True, True),
        ("salla", {}, True, True),
        ("salla", {"success": "pass"}, False, True),
        ("salla", {"success": "unify"}, True, True),
        ("salla", {"errors": "pass"}, True, False),
        ("auto", None, False, True),
        ("auto", {}, False, True),
        ("auto", {"success": "unify"}, False, True),
    ],
)
def test_a_route_may_say_what_the_dialect_does_not(
    dialect: str, route: dict[str, Any] | None, *, unify: bool, translate: bool
) -> None:
    """Successes are unified where dialect or route say so, and only by a dialect that knows how."""
    plan = _plan({"dialect": dialect}, route)
    assert (plan.unify, plan.translate) == (unify, translate)


def test_a_dialect_that_passes_successes_can_be_told_to_unify_them() -> None:
    """`success: pass` in a dialect is a default; the route knows better."""
    spec = presets.specs()["type-code-param"]
    assert spec.success is not None
    passing = spec.model_copy(update={"success": spec.success.model_copy(update={"unify": False})})
    settings = UpstreamFile.model_validate(
        {"version": 1, "name": "s", "base_url": "https://a.example", "match": {"prefix": "/"}}
    )
    upstream = Upstream(settings=settings, dialect=Dialect([passing]), document=Document("", "s.yaml"))
    gateway = GatewayFile.model_validate({"version": 1})
    route = RouteConfig.model_validate({"match": {"path": "/a"}, "success": "unify"})
    assert not plan_of(gateway, upstream, None).unify
    assert plan_of(gateway, upstream, route).unify


def test_what_else_an_upstream_says() -> None:
    """Limits in bytes, whose the credential is, and whether the upstream's own words are shown."""
    plan = _plan(
        {
            "capture": {"success": "1MiB", "error": "1KiB"},
            "expose_upstream": False,
            "credentials": {"inject": [{"header": "X-Key", "value_env": "KEY"}]},
        }
    )
    assert (plan.upstream, plan.success_bytes, plan.error_bytes) == ("shop", 2**20, 2**10)
    assert (plan.owns_credential, plan.expose_upstream) == (True, False)
    assert (_plan({}).owns_credential, _plan({}).expose_upstream) == (False, True)


@pytest.mark.parametrize(
    ("upstream", "gateway", "links"),
    [
        ({}, {}, Links(upstream="https://api.shop.example/v2", public="/shop")),
        (
            {},
            {"public_url": "https://gateway.example"},
            Links(upstream="https://api.shop.example/v2", public="https://gateway.example/shop"),
        ),
        ({"match": {"prefix": "/"}}, {}, Links(upstream="https://api.shop.example/v2", public="")),
        ({"match": {"prefix": "/shop/"}}, {}, Links(upstream="https://api.shop.example/v2", public="/shop")),
        ({"match": {"prefix": "/shop", "strip": False}}, {}, Links(upstream="https://api.shop.example/v2", public="")),
    ],
)
def test_where_links_lead(upstream: dict[str, Any], gateway: dict[str, Any], links: Links) -> None:
    """What is under the upstream's base is under ours, with the prefix if that was taken off."""
    assert _plan(upstream, gateway=gateway).links == links


@pytest.mark.parametrize(
    ("url", "rewritten"),
    [
        ("https://api.shop.example/v2/orders?page=2", "https://gateway.example/shop/orders?page=2"),
        ("https://api.shop.example/v2", "https://gateway.example/shop"),
        ("https://api.shop.example/v2?page=2", "https://gateway.example/shop?page=2"),
        ("https://api.shop.example/v2#top", "https://gateway.example/shop#top"),
        ("https://api.shop.example/v21/orders", "https://api.shop.example/v21/orders"),
        ("https://api.shop.example/v3/orders", "https://api.shop.example/v3/orders"),
        ("https://other.example/v2/orders", "https://other.example/v2/orders"),
        ("/orders?page=2", "/orders?page=2"),
        (None, None),
    ],
)
def test_links_are_rewritten(url: str | None, rewritten: str | None) -> None:
    """Addresses under the base are mapped to ours, by whole segments; others stay as they are."""
    links = Links(upstream="https://api.shop.example/v2", public="https://gateway.example/shop")
    assert links.rewrite(url) == rewritten
