"""The configuration's models: what holds where a file is silent, and what no file may say."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from gateway.config.addresses import Address
from gateway.config.limits import PolicyConfig
from gateway.config.models import Credentials, DialectChoice, GatewayFile, UpstreamFile
from gateway.config.stores import MemoryConfig, StoreConfig
from gateway.dialects.spec import DialectSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

MiB = 2**20
PARTS: dict[str, Any] = {
    "version": 1,
    "name": "parts",
    "base_url": "https://api.parts.example",
    "match": {"prefix": "/parts"},
}


def _at(value: Any, path: str) -> object:  # noqa: ANN401 - any model
    for name in path.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("listen", Address(host="127.0.0.1", port=8080)),
        ("admin", Address(host="127.0.0.1", port=8081)),
        ("public_url", None),
        ("upstreams", ("upstreams/*.yaml",)),
        ("store", StoreConfig(memory=MemoryConfig())),
        ("via", "accord"),
        ("trusted_proxies", ()),
        ("limits", ()),
        ("clients", ()),
        ("client_header", "X-Api-Key"),
        ("bounds.target_bytes", 8_192),
        ("bounds.head_bytes", 32_768),
        ("bounds.body_bytes", 2_048 * MiB),
        ("client_timeouts.head_s", 10.0),
        ("client_timeouts.body_s", 10.0),
        ("client_timeouts.min_rate_bytes_s", 100),
        ("client_timeouts.keepalive_s", 15.0),
        ("client_timeouts.write_s", 30.0),
        ("shutdown.delay_s", 0.0),
        ("shutdown.grace_s", 30.0),
        ("access_log.query_parameters", ()),
    ],
)
def test_defaults_of_the_gateway(path: str, default: object) -> None:
    """A file with nothing but its version is safe to serve: it listens on this machine alone."""
    assert _at(GatewayFile.model_validate({"version": 1}), path) == default


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("match.hosts", ()),
        ("match.methods", ()),
        ("match.strip", True),
        ("dialect.preset", "auto"),
        ("dialect.own", None),
        ("credentials", None),
        ("request.headers.set", {}),
        ("request.headers.remove", ()),
        ("request.host", None),
        ("socket", None),
        ("tls", None),
        ("timeouts.connect_s", 2.0),
        ("timeouts.first_byte_s", 15.0),
        ("timeouts.idle_s", 30.0),
        ("timeouts.total_s", 300.0),
        ("pool.max_connections", 100),
        ("pool.max_waiting", 1_000),
        ("pool.wait_s", 2.0),
        ("pool.idle_s", 30.0),
        ("capture.success_bytes", 8 * MiB),
        ("capture.error_bytes", MiB // 4),
        ("rewrite.location", True),
        ("rewrite.cookies", False),
        ("expose_upstream", True),
        ("limits", ()),
        ("routes", ()),
        ("examples", ()),
    ],
)
def test_defaults_of_an_upstream(path: str, default: object) -> None:
    """Four keys are enough for an upstream."""
    assert _at(UpstreamFile.model_validate(PARTS), path) == default


@pytest.mark.parametrize(
    ("limit", "key", "burst"),
    [
        ({}, ("client",), None),
        ({"key": "ip"}, ("ip",), None),
        ({"key": ["header:X-A", "route"], "burst": 5}, ("header:X-A", "route"), 5),
    ],
)
def test_limits(limit: dict[str, Any], key: tuple[str, ...], burst: int | None) -> None:
    """A limit counts by client unless it says otherwise."""
    policy = PolicyConfig.model_validate({"name": "a", "requests": 10, "per": "1m", **limit})
    assert (policy.key, policy.requests, policy.per_s, policy.burst) == (key, 10, 60.0, burst)


@pytest.mark.parametrize(
    ("model", "feature"),
    [
        (GatewayFile, {"store": "redis"}),
        (GatewayFile, {"mode": "shadow"}),
        (GatewayFile, {"views": ["json-api"]}),
        (GatewayFile, {"tracing": {"endpoint": "a"}}),
        (UpstreamFile, {"budget": {"requests": 120, "per": "60s", "share": "even"}}),
        (UpstreamFile, {"view": 7}),
        (UpstreamFile, {"mode": "observe"}),
        (UpstreamFile, {"retries": 3}),
        (UpstreamFile, {"breaker": {}}),
        (UpstreamFile, {"endpoints": []}),
        (UpstreamFile, {"tls": {"verify": False}}),
        (UpstreamFile, {"tls": {"insecure_skip_verify": True}}),
        (UpstreamFile, {"dialect": {"writer": {}}}),
        (UpstreamFile, {"credentials": {"oauth2": {}}}),
        (UpstreamFile, {"credentials": {"inject": [{"header": "A", "value": "secret"}]}}),
    ],
)
def test_what_is_not_built_is_refused(model: type[BaseModel], feature: dict[str, Any]) -> None:
    """A key without effect would promise something: it is an unknown key, never ignored."""
    required = {"version": 1} if model is GatewayFile else PARTS
    model.model_validate(required)
    with pytest.raises(ValidationError):
        model.model_validate({**required, **feature})


@pytest.mark.parametrize(
    "changes",
    [
        {"match": {"prefix": "/parts", "methods": ["GET", "TRACE"]}},
        {"routes": [{"match": {"path": "/a", "methods": ["TRACE"]}}]},
    ],
    ids=["upstream", "route"],
)
def test_credentials_of_ours_are_not_echoed(changes: dict[str, Any]) -> None:
    """TRACE answers with what was sent: it is not let through where we add a credential."""
    ours = {"credentials": {"inject": [{"header": "X-Key", "value_env": "KEY"}]}}
    UpstreamFile.model_validate({**PARTS, **changes})
    UpstreamFile.model_validate({**PARTS, **ours})
    with pytest.raises(ValidationError, match="TRACE answers with what was sent"):
        UpstreamFile.model_validate({**PARTS, **changes, **ours})


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if model not in seen:
        seen.add(model)
        yield model
        for field in model.model_fields.values():
            for inner in _inside(field.annotation):
                yield from _models(inner, seen)


def _inside(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and get_origin(annotation) is None:
        yield annotation
    elif get_origin(annotation) in {Union, UnionType, tuple, dict}:
        for argument in get_args(annotation):
            yield from _inside(argument)


MODELS = [model for root in (GatewayFile, UpstreamFile) for model in _models(root, set())]


@pytest.mark.parametrize("model", dict.fromkeys(MODELS), ids=lambda model: model.__name__)
def test_every_mapping_is_strict_and_frozen(model: type[BaseModel]) -> None:
    """In no place of a file does an unknown key pass, and nothing that was loaded can be changed."""
    assert model.model_config.get("extra") == "forbid"
    assert model.model_config.get("frozen") is True
    assert model.model_config.get("hide_input_in_errors") is True


def test_all_mappings_were_found() -> None:
    """The walk above reaches from the files down to the rules of a dialect."""
    assert {DialectSpec, Credentials, PolicyConfig} <= set(MODELS)
    assert len(set(MODELS)) > 30


def test_credentials_hold_names_and_no_secrets() -> None:
    """What is configured is the name of a variable; no value that is secret is in memory to be shown."""
    credentials = Credentials.model_validate(
        {
            "inject": [
                {"header": "Authorization", "prefix": "Bearer ", "value_env": "PARTS_TOKEN"},
                {"query": "key", "value_env": "PARTS_KEY"},
                {"basic": {"user_env": "PARTS_USER", "password_env": "PARTS_PASSWORD"}},
            ]
        }
    )
    header, query, basic = credentials.inject
    assert (header.header, header.prefix, header.value_env) == ("Authorization", "Bearer ", "PARTS_TOKEN")
    assert (query.query, query.value_env) == ("key", "PARTS_KEY")
    assert basic.basic is not None
    assert (basic.basic.user_env, basic.basic.password_env, basic.value_env) == ("PARTS_USER", "PARTS_PASSWORD", None)


@pytest.mark.parametrize(
    ("written", "preset", "own"),
    [("salla", "salla", False), ("auto", "auto", False), ({}, None, True), ({"extends": []}, None, True)],
)
def test_a_dialect_is_a_name_or_ones_own(written: object, preset: str | None, *, own: bool) -> None:
    """A text names a preset; a mapping is a dialect, even an empty one."""
    choice = DialectChoice.model_validate(written)
    assert (choice.preset, choice.own is not None) == (preset, own)
