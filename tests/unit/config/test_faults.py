"""Faults of a file: all at once, each with its place, its path, its reason and a suggestion; values are never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import pytest
from pydantic import Field

from gateway.config.document import Document
from gateway.config.faults import fault_at, validate
from gateway.config.models import GatewayFile, UpstreamFile
from gateway.dialects.spec import DialectSpec, Strict

if TYPE_CHECKING:
    from pydantic import BaseModel

GATEWAY = "version: 1\n"
UPSTREAM = "version: 1\nname: parts\nbase_url: https://api.parts.example\nmatch: {prefix: /parts}\n"


def _faults(model: type[BaseModel], text: str) -> list[str]:
    value, faults = validate(model, Document(text, "a.yaml"))
    assert (value is None) == bool(faults)
    return [str(fault) for fault in faults]


@pytest.mark.parametrize(("model", "text"), [(GatewayFile, GATEWAY), (UpstreamFile, UPSTREAM), (DialectSpec, "")])
def test_a_file_without_faults_is_a_value(model: type[BaseModel], text: str) -> None:
    """What is right gives the model's value, and nothing to say."""
    assert _faults(model, text) == []


def test_all_faults_are_told_at_once() -> None:
    """A person mends a file once: what is no YAML value, and what is no value of the model, come together."""
    text = (
        UPSTREAM
        + "tiemouts: {connect: 2}\n"
        + "timeouts: {connect: 2, fisrt_byte: 1s}\n"
        + "timeouts: {}\n"
        + "routes:\n"
        + "  - {match: {path: orders}, errors: pas}\n"
        + "  - {match: {}, limits: {name: one, requests: 0, per: 1s}}\n"
    )
    assert set(_faults(UpstreamFile, text)) == {
        "a.yaml:5:1 tiemouts: this key is not known (did you mean timeouts?)",
        "a.yaml:6:12 timeouts.connect: a duration needs a unit: ms, s, m, h or d, as in 500ms or 2s",
        "a.yaml:6:24 timeouts.fisrt_byte: this key is not known (did you mean first_byte?)",
        "a.yaml:7:1 timeouts: this key is given twice (it stands first in line 6)",
        r"a.yaml:9:14 routes[0].match.path: does not have the form ^/[^?#\s%\\;]*$",
        "a.yaml:9:29 routes[0].errors: must be 'translate' or 'pass'",
        "a.yaml:10:6 routes[1].match: a key is missing: path",
        "a.yaml:10:17 routes[1].limits: must be a list",
    }


MAPPING = "must be a mapping of keys to values"
PICK = "dialect: {errors: [{code: 'a['}]}"
PATTERN = "dialect: {errors: [{when: {body: {matches: {a: '('}}}}]}"
STATUS = "dialect: {errors: [{when: {status: 6xx}}]}"
NO_PATH = "write the path of a file, not what is in it"
KEY = "must be client, ip, upstream, route, method or header:NAME, or a list of them"
HEX = 'must be 64 digits of lower-case hex: printf %s "$KEY" | sha256sum'
VARIABLE = "write the name of an environment variable, as in REDIS_URL, not what is in it"
NODE = "must be host:port, as in 10.0.0.1:26379"
NODES = "{service: limits, nodes: [one]}"
RATE = "name: a, requests: 1, per: 1s"
WAYS = "give one of: header with value_env, query with value_env, basic with user_env and password_env"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("version: 2", "1:1 version", "must be 1"),
        ("version: 1\nvia: 7", "2:1 via", "must be a text (put it in quotes)"),
        ("version: 1\nbounds: 7", "2:1 bounds", MAPPING),
        ("version: 1\ntrusted_proxies: 7", "2:1 trusted_proxies", "must be a list"),
        ("version: 1\nupstreams: []", "2:1 upstreams", "must not be empty"),
        ("version: 1\nclient_timeouts: {min_rate: 0}", "2:19 client_timeouts.min_rate", "must be at least 1"),
        ("version: 1\nclient_timeouts: {min_rate: few}", "2:19 client_timeouts.min_rate", "must be a whole number"),
        ("version: 1\nclient_timeouts: {min_rate: []}", "2:19 client_timeouts.min_rate", "must be a whole number"),
        ("version: 1\nadmin: localhost:70000", "2:1 admin", "must be at most 65535"),
        ("version: 1\nlisten: 8080", "2:1 listen", "not an address: write host:port, as in 0.0.0.0:8080 or [::]:8080"),
        ("version: 1\nvia: a b", "2:1 via", "does not have the form ^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$"),
        ("version: 1\nlimits: [{name: a, requests: 1, per: 1s, key: [client, user]}]", "2:56 limits[0].key[1]", KEY),
        ("version: 1\nlimits: [{name: a, requests: 1, per: 1s, key: [user]}]", "2:48 limits[0].key[0]", None),
        ("version: 1\nlimits: [{name: a, requests: 1, per: 1s, key: []}]", "2:42 limits[0].key", "must not be empty"),
        ("version: 1\nlimits: [{name: a, requests: 1.5, per: 1s}]", "2:20 limits[0].requests", None),
        ("version: 1\nclients: [{name: a, api_key_sha256: [key]}]", "2:38 clients[0].api_key_sha256[0]", HEX),
        (
            f"version: 1\nlimits: [{{{RATE}, cost: {{post: 2}}}}]",
            "2:49 limits[0].cost.post",
            "not a method that can be",
        ),
        (f"version: 1\nlimits: [{{{RATE}, cost: -1}}]", "2:42 limits[0].cost", "must be at least 1"),
        ("version: 1\nstore: {redis: {url_env: 'redis://a'}}", "2:17 store.redis.url_env", VARIABLE),
        (
            f"version: 1\nstore: {{redis: {{url_env: A, sentinel: {NODES}}}}}",
            "2:65 store.redis.sentinel.nodes[0]",
            NODE,
        ),
        ("", "", "a key is missing: version"),
        ("~", "1:1", MAPPING),
        ("- 1", "1:1", MAPPING),
        ("a: [", "1:5", "not YAML: did not find expected node content"),
    ],
)
def test_each_fault_of_a_gateway_file(text: str, place: str, message: str | None) -> None:
    """The place is that of the value, or of what is around it; the reason is told in words of the file."""
    [fault] = _faults(GatewayFile, text)
    assert fault.startswith(f"a.yaml:{place}: {message or ''}" if place else f"a.yaml: {message}")


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("expose_upstream: 7", "5:1 expose_upstream", "must be true or false"),
        ("expose_upstream: often", "5:1 expose_upstream", "must be true or false"),
        ("expose_upstream: []", "5:1 expose_upstream", "must be true or false"),
        ("request: {headers: {set: []}}", "5:21 request.headers.set", MAPPING),
        ("credentials: {inject: []}", "5:15 credentials.inject", "must not be empty"),
        ("credentials: {inject: [{header: X-Key}]}", "5:24 credentials.inject[0]", WAYS),
        ("credentials: {inject: [{value_env: A}]}", "5:24 credentials.inject[0]", WAYS),
        ("credentials: {inject: [{header: X, query: q, value_env: A}]}", "5:24 credentials.inject[0]", WAYS),
        ("dialect:\n", "5:1 dialect", "name a preset, or auto, or give a dialect of your own"),
        ("dialect: {errors: {}}", "5:11 dialect.errors", "must be a list"),
        ("dialect: {success: {data: 'a || b'}}", "5:21 dialect.success.data", "this path must be plain"),
        (
            "dialect: {codes: {E1: not_fuond}}",
            "5:19 dialect.codes.E1",
            "this is not a code of the catalogue (did",
        ),
        (PICK, "5:21 dialect.errors[0].code", "not a JMESPath expression (character 3)"),
        (PATTERN, "5:45 dialect.errors[0].when.body.matches.a", "not an RE2 pattern: missing )"),
        (STATUS, "5:28 dialect.errors[0].when.status", "this is not a status, a class such as 4xx, or a range"),
        ("dialect: {statuses: {4o2: conflict}}", "5:22 dialect.statuses.4o2", "must be a whole number"),
        ("dialect: {read: {fields: [{from: a, shape: x}]}}", "5:37 dialect.read.fields[0].shape", "must be 'tree', "),
        ("dialect: {read: {fields: [{shape: tree}]}}", "5:27 dialect.read.fields[0]", "a key is missing: from"),
        ("dialect: {read: {code: {}}}", "5:18 dialect.read.code", "name a path, or a header"),
        ("rewrite: {cookies: 2}", "5:11 rewrite.cookies", "must be true or false"),
        ("pool: {max_waiting: -1}", "5:8 pool.max_waiting", "must be at least 0"),
        ("socket: ''", "5:1 socket", NO_PATH),
        ('socket: "a\\0b"', "5:1 socket", NO_PATH),
        ("tls: {key_file: '-----BEGIN PRIVATE KEY----- MIG'}", "5:7 tls.key_file", NO_PATH),
        ("tls: {ca_file: 7}", "5:7 tls.ca_file", "must be a text (put it in quotes)"),
        ("tls: {cert_file: a.pem}", "5:1 tls", "give cert_file and key_file together"),
        ("tls: {key_file: a.key}", "5:1 tls", "give cert_file and key_file together"),
        ("tls: {server_name: 'a.example:443'}", "5:7 tls.server_name", "not a host: "),
        ("tls: {verify: false}", "5:7 tls.verify", "this key is not known"),
        ("capture: {error: 256}", "5:11 capture.error", "a size needs a unit: "),
        ("routes: [{match: {path: /a}, success: unified}]", "5:30 routes[0].success", "must be 'unify' or 'pass'"),
        ("examples: [{name: a, reply: {status: 1}, expect: fail}]", "5:42 examples[0].expect", None),
    ],
)
def test_each_fault_of_an_upstream_file(text: str, place: str, message: str | None) -> None:
    """Every scalar, at every depth, is told at its own line and column."""
    faults = _faults(UpstreamFile, UPSTREAM + text)
    assert {fault.partition(": ")[0] for fault in faults} == {f"a.yaml:{place}"}
    assert all(fault.startswith(f"a.yaml:{place}: {message or ''}") for fault in faults)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("lisen: x", "did you mean listen?"),
        ("limits: [{nmae: a}]", "did you mean name?"),
        ("bounds: {bdoy: 1MiB}", "did you mean body?"),
        ("shutdown: {zzz: 1}", "known keys: delay, grace"),
        (
            "zzzzzz: 1",
            "known keys: access_log, admin, bounds, client_header, client_timeouts, clients, ",
        ),
    ],
)
def test_an_unknown_key_gets_a_suggestion(text: str, hint: str) -> None:
    """The nearest key of the mapping where it stands, or all of that mapping's keys; in the words of the file."""
    [*_, told] = [fault for fault in _faults(GatewayFile, GATEWAY + text) if "not known" in fault]
    assert f"this key is not known ({hint}" in told


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("dialect: {erors: []}", "did you mean errors?"),
        ("dialect: {errors: [{when: {bdy: {}}}]}", "did you mean body?"),
        ("dialect: {errors: [{code: {heder: a}}]}", "did you mean header?"),
        ("dialect: {errors: [{fields: {form: a}}]}", "did you mean from?"),
        ("dialect: {errors: [{when: {any: [{stats: 1}]}}]}", "did you mean status?"),
        ("dialect: {rate_headers: {remaning: a}}", "did you mean remaining?"),
        ("dialect: {success: {pagination: {pag: a}}}", "did you mean page?"),
        ("dialect: {classify: [{az: conflict}]}", "known keys: as, code, fields, says, when"),
        ("credentials: {inject: [{vaule_env: A}]}", "did you mean value_env?"),
        ("match: {prefix: /a, hots: a}", "did you mean host?"),
    ],
)
def test_suggestions_reach_every_depth(text: str, hint: str) -> None:
    """Inside lists, alternatives and short forms the keys are those of the mapping that may stand there."""
    unknown = [fault for fault in _faults(UpstreamFile, UPSTREAM.replace("match:", "x:") + text) if hint in fault]
    assert len(unknown) == 1


class _Inner(Strict):
    size: int = 0


class _Outer(Strict):
    """Types that no file of ours has yet."""

    boxes: tuple[Annotated[_Inner, Field(title="box")], ...] = ()
    either: Literal["none"] | dict[str, _Inner] = "none"


@pytest.mark.parametrize("text", ["boxes: [{sise: 1}]", "either: {a: {sise: 1}}"])
def test_suggestions_reach_into_any_type(text: str) -> None:
    """Marks on a type and alternatives that are no mappings do not hide the mapping behind them."""
    assert any("(did you mean size?)" in fault for fault in _faults(_Outer, text))


SECRETS = """\
version: 1
name: parts
base_url: https://user:hunter2@api.parts.example
match: {prefix: hunter2}
credentials:
  inject:
    - {header: "hunter2 hunter2", value_env: "hunter2!"}
    - {header: X-Key, value: hunter2}
    - {basic: {user_env: "hunter2-", password_env: "hunter2-"}}
    - hunter2
request: {headers: {set: {X-Key: "hunter2\\n", X-Other: [hunter2]}}}
timeouts: {connect: hunter2}
expose_upstream: hunter2
dialect: {errors: [{code: "hunter2["}], success: {data: "hunter2 || b"}, accept: [hunter2],
  codes: {E1: hunter2, E2: {a: b}}, statuses: {404: hunter2},
  detect: {status: hunter2, body: {matches: {a: "hunter2("}}}}
limits: [{name: hunter2, requests: 9, per: 1ms, burst: 99999999999999999}]
routes: [{match: {path: "/hunter2//", methods: [hunter2]}}]
pool: hunter2
"""


def test_values_are_never_shown() -> None:
    """Any value may be a secret that stands in the wrong place: a fault shows keys, never values."""
    faults = _faults(UpstreamFile, SECRETS)
    assert len(faults) >= 20
    assert [fault for fault in faults if "hunter2" in fault] == []


def test_values_of_the_gateway_are_never_shown() -> None:
    """Neither are those of the gateway's own file."""
    text = "version: hunter2\nlisten: hunter2\nvia: 'hunter2 '\ntrusted_proxies: [hunter2]\npublic_url: hunter2\n"
    faults = _faults(GatewayFile, text)
    assert len(faults) == 5
    assert [fault for fault in faults if "hunter2" in fault] == []


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("sk_live_abc-SECRET", "…: this key is not known"),
        ("hunter2", "…: this key is not known"),
        ("a secret", "…: this key is not known"),
        ("abcdefghijklmnopqrstuvwxyz", "…: this key is not known"),
        ("Value_env2", "Value_env2: this key is not known (did you mean value_env?)"),
        ("token", "token: this key is not known (known keys: "),
    ],
)
def test_an_unknown_key_may_be_a_secret(key: str, told: str) -> None:
    """It is shown where it is nearly a known one, or looks like one; its list is not called empty."""
    text = f"{UPSTREAM}credentials:\n  inject:\n    - {{header: X-A, value_env: A, {key}: x}}\n"
    [fault] = _faults(UpstreamFile, text)
    assert fault.startswith(f"a.yaml:7:35 credentials.inject[0].{told}")
    [at_the_top] = _faults(UpstreamFile, f"{UPSTREAM}sk_live_abc-SECRET: x\n")
    assert at_the_top.startswith("a.yaml:5:1 …: this key is not known (known keys: ")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("request: {headers: {set: {'sk live': {}}}}", "request.headers.set.…"),
        ("sk_live_4: {sk-5: 1, sk-5: 2}", "….…"),
    ],
)
def test_a_key_on_the_way_may_be_a_secret_too(text: str, path: str) -> None:
    """In the path to a fault no key is shown that does not look like one."""
    assert any(f" {path}: " in fault for fault in _faults(UpstreamFile, UPSTREAM + text))


def test_a_fault_at_a_place() -> None:
    """What is found wrong later is told at a place of the document, too."""
    document = Document("limits:\n  - {name: a}\n", "a.yaml")
    assert (
        str(fault_at(document, ("limits", 0, "name"), "is odd", "why?")) == "a.yaml:2:6 limits[0].name: is odd (why?)"
    )
