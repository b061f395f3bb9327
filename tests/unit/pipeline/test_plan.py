"""What is to be done with the replies of a route, settled at load."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config import presets
from gateway.config.document import Document
from gateway.config.load import Upstream
from gateway.config.models import GatewayFile, RouteConfig, UpstreamFile
from gateway.dialects.reader import Dialect
from gateway.headers import AddressMap
from gateway.pipeline.plan import Plan, plan_of


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
    ("upstream", "gateway", "path", "public"),
    [
        ({}, {}, b"/v2", b"/shop"),
        ({}, {"public_url": "https://gateway.example"}, b"/v2", b"https://gateway.example/shop"),
        ({"match": {"prefix": "/"}}, {}, b"/v2", b""),
        ({"match": {"prefix": "/shop/"}}, {}, b"/v2", b"/shop"),
        ({"match": {"prefix": "/shop", "strip": False}}, {}, b"/v2/shop", b"/shop"),
        ({"base_url": "https://API.shop.example:443/"}, {}, b"", b"/shop"),
    ],
)
def test_where_links_lead(upstream: dict[str, Any], gateway: dict[str, Any], path: bytes, public: bytes) -> None:
    """What is under the upstream's base is under our prefix, also where the upstream sees that prefix."""
    expected = AddressMap(authority=b"api.shop.example", path=path, public=public)
    assert _plan(upstream, gateway=gateway).links == expected


def test_parameters_of_ours_never_come_back() -> None:
    """Those in which a credential goes upstream; fields are no parameters."""
    inject = [{"query": "key", "value_env": "KEY"}, {"header": "X-Key", "value_env": "KEY"}]
    links = _plan({"credentials": {"inject": inject}}).links
    assert links is not None
    assert links.parameters == frozenset({b"key"})


@pytest.mark.parametrize(
    ("upstream", "route", "shadow"),
    [
        ({}, None, False),
        ({"mode": "shadow"}, None, True),
        ({"mode": "shadow"}, {}, True),
        ({"mode": "shadow"}, {"mode": "enforce"}, False),
        ({"mode": "enforce"}, {"mode": "shadow"}, True),
    ],
)
def test_a_route_may_be_in_another_mode_than_its_upstream(
    upstream: dict[str, Any], route: dict[str, Any] | None, *, shadow: bool
) -> None:
    """So that a dialect can be tried on a part of an API, or used for a part already."""
    assert _plan(upstream, route).shadow is shadow


@pytest.mark.parametrize(("dialect", "last_resort"), [("salla", "generic"), ("auto", "generic"), ("generic", None)])
def test_who_says_that_an_upstream_speaks_generic_wants_it_read_so(dialect: str, last_resort: str | None) -> None:
    """Its readings are no guesses then."""
    assert _plan({"dialect": dialect}).last_resort == last_resort
