"""Faults of a file: all at once, each with its place, its path, its reason and a suggestion; values are never shown."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from gateway.config.document import Document
from gateway.config.faults import fault_at, validate
from gateway.config.models import GatewayFile, UpstreamFile
from gateway.dialects.spec import DialectSpec

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
    assert sorted(_faults(UpstreamFile, text)) == [
        "a.yaml:5:1 tiemouts: this key is not known (did you mean timeouts?)",
        "a.yaml:6:12 timeouts.connect: a duration needs a unit: ms, s, m, h or d, as in 500ms or 2s",
        "a.yaml:6:24 timeouts.fisrt_byte: this key is not known (did you mean first_byte?)",
        "a.yaml:7:1 timeouts: this key is given twice (it stands first in line 6)",
        r"a.yaml:9:13 routes[0].match.path: does not have the form ^/[^?#\s%\\;]*$",
        "a.yaml:9:27 routes[0].errors: must be 'translate' or 'pass'",
        "a.yaml:10:6 routes[1].match: a key is missing: path",
        "a.yaml:10:17 routes[1].limits: must be a list",
    ]


@pytest.mark.parametrize(
    ("model", "text", "faults"),
    [
        (GatewayFile, "", ["a.yaml: a key is missing: version"]),
        (GatewayFile, "~", ["a.yaml:1:1: must be a mapping of keys to values"]),
        (GatewayFile, "- 1", ["a.yaml:1:1: must be a mapping of keys to values"]),
        (GatewayFile, "a: [", ["a.yaml:1:5: not YAML: did not find expected node content"]),
        (GatewayFile, "version: 2", ["a.yaml:1:1 version: must be 1"]),
        (GatewayFile, "version: 1\nvia: 7", ["a.yaml:2:1 via: must be a text (put it in quotes)"]),
        (GatewayFile, "version: 1\nbounds: 7", ["a.yaml:2:1 bounds: must be a mapping of keys to values"]),
        (GatewayFile, "version: 1\ntrusted_proxies: 7", ["a.yaml:2:1 trusted_proxies: must be a list"]),
        (GatewayFile, "version: 1\nupstreams: []", ["a.yaml:2:1 upstreams: must not be empty"]),
        (
            GatewayFile,
            "version: 1\nclient_timeouts: {min_rate: 0}",
            ["a.yaml:2:19 client_timeouts.min_rate: must be at least 1"],
        ),
        (
            GatewayFile,
            "version: 1\nclient_timeouts: {min_rate: many}",
            ["a.yaml:2:19 client_timeouts.min_rate: must be a whole number"],
        ),
        (
            GatewayFile,
            "version: 1\nclient_timeouts: {min_rate: []}",
            ["a.yaml:2:19 client_timeouts.min_rate: must be a whole number"],
        ),
        (GatewayFile, "version: 1\nadmin: localhost:70000", ["a.yaml:2:1 admin: must be at most 65535"]),
        (
            GatewayFile,
            "version: 1\nlisten: 8080",
            ["a.yaml:2:1 listen: not an address: write host:port, as in 0.0.0.0:8080 or [::]:8080"],
        ),
        (GatewayFile, "version: 1\npublic_url: https://a/", [r"a.yaml:2:1 public_url: does not have the form ^https?://[^/?#\s]+(/[^?#\s]*[^/?#\s])?$"]),
        (GatewayFile, "version: 1\nlimits: [{name: a, requests: 1.5, per: 1s}]", ["a.yaml:2:20 limits[0].requests: Input should be a valid integer, got a number with a fractional part"]),
        (GatewayFile, "version: 1\nlimits: [{name: a, requests: 1, per: 1s, key: [user]}]", [r"a.yaml:2:48 limits[0].key[0]: does not have the form ^(client|ip|upstream|route|header:[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$"]),
        (UpstreamFile, UPSTREAM + "expose_upstream: 7", ["a.yaml:5:1 expose_upstream: must be true or false"]),
        (UpstreamFile, UPSTREAM + "expose_upstream: often", ["a.yaml:5:1 expose_upstream: must be true or false"]),
        (UpstreamFile, UPSTREAM + "expose_upstream: []", ["a.yaml:5:1 expose_upstream: must be true or false"]),
        (UpstreamFile, UPSTREAM + "request: {headers: {set: []}}", ["a.yaml:5:21 request.headers.set: must be a mapping of keys to values"]),
        (UpstreamFile, UPSTREAM + "credentials: {inject: []}", ["a.yaml:5:15 credentials.inject: must not be empty"]),
        (UpstreamFile, UPSTREAM + "credentials: {inject: [{header: X-Key}]}", ["a.yaml:5:24 credentials.inject[0]: give one of: header with value_env, query with value_env, basic with user_env and password_env"]),
        (UpstreamFile, UPSTREAM + "dialect:\n", ["a.yaml:5:1 dialect: name a preset, or auto, or give a dialect of your own"]),
        (UpstreamFile, UPSTREAM + "dialect: {errors: {}}", ["a.yaml:5:11 dialect.errors: must be a list"]),
        (UpstreamFile, UPSTREAM + "dialect: {success: {data: 'a || b'}}", ["a.yaml:5:21 dialect.success.data: this path must be plain (keys and indexes only), for the bytes it names are passed on unchanged"]),
        (UpstreamFile, UPSTREAM + "dialect: {codes: {E1: not_fuond}}", ['a.yaml:5:19 dialect.codes.E1: "not_fuond" is not a code of the catalogue (did you mean not_found?)']),
        (UpstreamFile, UPSTREAM + "dialect: {errors: [{code: 'a['}]}", ["a.yaml:5:21 dialect.errors[0].code: not a JMESPath expression (character 3)"]),
        (UpstreamFile, UPSTREAM + "dialect: {errors: [{when: {body: {matches: {a: '('}}}}]}", ["a.yaml:5:45 dialect.errors[0].when.body.matches.a: not an RE2 pattern: missing ): ("]),
        (UpstreamFile, UPSTREAM + "dialect: {errors: [{when: {status: 6xx}}]}", ['a.yaml:5:28 dialect.errors[0].when.status: "6xx" is not a status, a class such as 4xx, or a range such as 500-504']),
        (DialectSpec, "statuses: {4o2: conflict}", ["a.yaml:1:12 statuses.4o2: must be a whole number"]),
        (DialectSpec, "read: {fields: [{from: a}, {shape: bush}]}", ["a.yaml:1:28 read.fields[1]: a key is missing: from", "a.yaml:1:29 read.fields[1].shape: must be 'tree', 'list', 'positions' or 'param'"]),
    ],
)  # fmt: skip
def test_each_fault_says_where_and_why(model: type[BaseModel], text: str, faults: list[str]) -> None:
    """The place is that of the value, or of what is around it; the reason is told in words of the file."""
    assert _faults(model, text) == faults


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("lisen: x", "did you mean listen?"),
        ("limits: [{nmae: a}]", "did you mean name?"),
        ("bounds: {bdoy: 1MiB}", "did you mean body?"),
        ("shutdown: {zzz: 1}", "known keys: delay, grace"),
        (
            "zzzzzz: 1",
            "known keys: access_log, admin, bounds, client_header, client_timeouts, clients, limits, listen, ",
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
        ("dialect: {classify: [{az: conflict}]}", "did you mean as?"),
        ("credentials: {inject: [{vaule_env: A}]}", "did you mean value_env?"),
        ("match: {prefix: /a, hots: a}", "did you mean host?"),
    ],
)
def test_suggestions_reach_every_depth(text: str, hint: str) -> None:
    """Inside lists, alternatives and short forms the keys are those of the mapping that may stand there."""
    unknown = [fault for fault in _faults(UpstreamFile, UPSTREAM.replace("match:", "x:") + text) if hint in fault]
    assert len(unknown) == 1


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
dialect: {errors: [{code: "hunter2["}], success: {data: "hunter2 || b"}, accept: [hunter2], codes: {E1: {a: hunter2}}}
pool: hunter2
"""


def test_values_are_never_shown() -> None:
    """Any value may be a secret that stands in the wrong place: a fault shows keys, never what was written as a value."""
    faults = _faults(UpstreamFile, SECRETS)
    assert len(faults) >= 14
    assert [fault for fault in faults if "hunter2" in fault] == []


def test_a_fault_at_a_place() -> None:
    """What is found wrong later is told at a place of the document, too."""
    document = Document("limits:\n  - {name: a}\n", "a.yaml")
    assert (
        str(fault_at(document, ("limits", 0, "name"), "is odd", "why?")) == "a.yaml:2:6 limits[0].name: is odd (why?)"
    )
