"""Which policies a request meets, and that two of one name are told apart by where they are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.config import policies
from gateway.config.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config.load import Configuration

ONE = {"name": "one", "requests": 1, "per": "1s"}
ADDRESS = {"name": "address", "key": "ip", "requests": 9, "per": "1s"}
DIGEST = "0" * 64


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """Return a configuration with limits at every level."""
    clients = [
        {"name": "gold", "api_key_sha256": [DIGEST], "limits": [ONE]},
        {"name": "plain", "api_key_sha256": ["1" * 64]},
    ]
    gateway = {"version": 1, "upstreams": "api.yaml", "limits": [ONE, ADDRESS], "clients": clients}
    routes = [{"match": {"path": "/a"}, "limits": [ONE]}, {"match": {"path": "/b"}}]
    upstream = {"version": 1, "name": "api", "base_url": "http://a.test", "match": {"prefix": "/api"}}
    (tmp_path / "gateway.yaml").write_text(json.dumps(gateway))
    (tmp_path / "api.yaml").write_text(json.dumps(upstream | {"limits": [ONE], "routes": routes}))
    return load(tmp_path / "gateway.yaml")


def scopes(found: policies.Policies) -> list[str]:
    """Return where policies are written."""
    return [policy.scope for policy in found]


def test_a_client_s_own_stand_in_for_those_that_count_by_client(configuration: Configuration) -> None:
    """Else the general one would always be the tighter; those that count otherwise stay."""
    gateway = configuration.gateway
    gold, plain = gateway.clients
    own = policies.of_client(gateway, gold)
    assert [(policy.name, policy.scope) for policy in own] == [("address", "gateway"), ("one", "client:gold")]
    assert policies.of_client(gateway, plain) == policies.of_gateway(gateway)


def test_a_route_s_come_behind_its_upstream_s(configuration: Configuration) -> None:
    """A route without limits has those of the upstream alone."""
    settings = configuration.upstreams[0].settings
    first, second = settings.routes
    assert scopes(policies.of_way(settings, first)) == ["upstream:api", "route:api:0"]
    assert scopes(policies.of_way(settings, second)) == scopes(policies.of_way(settings, None)) == ["upstream:api"]


def test_all_of_them_once(configuration: Configuration) -> None:
    """However many requests meet a policy, it is one."""
    assert scopes(policies.all_of(configuration)) == [
        "gateway",
        "gateway",
        "client:gold",
        "upstream:api",
        "route:api:0",
    ]


@pytest.mark.parametrize(
    ("scope", "upstream"),
    [
        ("gateway", None),
        ("client:api", None),
        ("upstream:api", "api"),
        ("route:api:orders", "api"),
        ("budget:api", "api"),
        ("fair:api", "api"),
        ("learned:chosen:api", "api"),
    ],
)
def test_whose_a_scope_is(scope: str, upstream: str | None) -> None:
    """An upstream's, whichever of its limits and budgets it is of; or nobody's."""
    assert policies.upstream_of(scope) == upstream
