"""What two configurations say differently."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.models import GatewayFile, UpstreamFile
from gateway.pipeline.changes import SettingChange, gateway_changes, upstream_changes


def _upstream(**keys: Any) -> UpstreamFile:  # noqa: ANN401 - as YAML gives it
    given = {"version": 1, "name": "shop", "base_url": "https://api.example", "match": {"prefix": "/shop"}, **keys}
    return UpstreamFile.model_validate(given)


def _told(old: UpstreamFile, new: UpstreamFile) -> list[tuple[str, str, str | None, str | None]]:
    found = upstream_changes({"shop": old}, {"shop": new})
    return [(change.kind, change.key, change.old, change.new) for change in found]


def test_upstreams_that_come_and_go() -> None:
    """Those that go first, each told as a whole."""
    found = list(upstream_changes({"old": _upstream(), "shop": _upstream()}, {"shop": _upstream(), "new": _upstream()}))
    assert found == [
        SettingChange(upstream="old", kind="removed", key=""),
        SettingChange(upstream="new", kind="added", key=""),
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({}, {}, []),
        (
            {},
            {"match": {"prefix": "/s", "host": "s.example"}},
            [("changed", "match", '{"prefix": "/shop"}', '{"prefix": "/s", "host": ["s.example"]}')],
        ),
        ({}, {"expose_upstream": False}, [("changed", "expose_upstream", "(default)", "false")]),
        ({"dialect": "salla"}, {}, [("changed", "dialect", '"salla"', "(default)")]),
        ({"dialect": "salla"}, {"dialect": {}}, [("changed", "dialect", '"salla"', "(rules of its own)")]),
        ({"dialect": {}}, {"dialect": {"codes": {"a": "gone"}}}, []),
        ({}, {"examples": [{"name": "a", "reply": {"status": 200}, "expect": "pass"}]}, []),
        (
            {"request": {"headers": {"set": {"X-Key": "s3cret"}}}},
            {"request": {"headers": {"set": {"X-Key": "0ther"}}}},
            [("changed", "request", None, None)],
        ),
        (
            {},
            {"credentials": {"inject": [{"header": "X-Key", "value_env": "KEY"}]}},
            [("changed", "credentials", None, None)],
        ),
    ],
)
def test_keys_that_differ(
    old: dict[str, Any], new: dict[str, Any], told: list[tuple[str, str, str | None, str | None]]
) -> None:
    """Each key as its file spells it; what may be secret is told without its value."""
    assert _told(_upstream(**old), _upstream(**new)) == told


def test_routes() -> None:
    """A route is known by its path and methods: those that come, go, or say something else."""
    old = [
        {"match": {"path": "/a"}, "success": "pass"},
        {"name": "posted", "match": {"path": "/a", "methods": ["POST"]}},
        {"match": {"path": "/same"}},
    ]
    new = [
        {"name": "all", "match": {"path": "/a"}, "errors": "pass"},
        {"match": {"path": "/b", "methods": ["GET"]}},
        {"match": {"path": "/same"}},
    ]
    assert _told(_upstream(routes=old), _upstream(routes=new)) == [
        ("changed", "routes[all].success", '"pass"', "(default)"),
        ("changed", "routes[all].errors", "(default)", '"pass"'),
        ("removed", "routes[posted]", None, None),
        ("added", "routes[GET /b]", None, None),
    ]


def test_the_gateways_own_file() -> None:
    """Its keys are those of no upstream."""
    old = GatewayFile.model_validate({"version": 1})
    new = GatewayFile.model_validate(
        {
            "version": 1,
            "via": "edge",
            "clients": [{"name": "a", "api_key_sha256": ["0" * 64]}],
            "limits": [{"name": "all", "requests": 5, "per": "1s"}],
        }
    )
    assert [(one.upstream, one.key, one.new) for one in gateway_changes(old, new)] == [
        (None, "via", '"edge"'),
        (None, "limits", '[{"name": "all", "requests": 5, "per": "1s"}]'),
        (None, "clients", None),
    ]
