"""`accord check` on files that were spoilt: never a traceback, every fault inside its file, no value shown."""

from __future__ import annotations

import re
import tempfile
from argparse import Namespace
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.cli import check

_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # as YAML 1.1 counts lines
_PLACE = re.compile(r"(gateway|parts)\.yaml:(\d+):(\d+)[ :]")
_SECRET: Final = "hunter2-SECRET"
GATEWAY: Final = """\
version: 1
listen: 0.0.0.0:8080
admin: 127.0.0.1:8081
public_url: https://gateway.example
upstreams: parts.yaml
via: accord
trusted_proxies: [10.0.0.0/8]
limits:
  - {name: per-client, key: client, requests: 600, per: 60s, burst: 100}
clients:
  - {name: shop, api_key_sha256: [%s]}
""" % ("0" * 64)
PARTS: Final = """\
version: 1
name: parts
base_url: https://api.parts.example/v1
match: {prefix: /parts, host: gateway.example, methods: [GET, POST]}
credentials:
  inject:
    - {header: X-Parts-Token, prefix: "Bearer ", value_env: PARTS_TOKEN}
    - basic: {user_env: PARTS_USER, password_env: PARTS_PASSWORD}
request: {host: api.example, headers: {set: {X-Api-Version: "3"}, remove: [X-Internal]}}
timeouts: {connect: 2s, first_byte: 10s}
routes:
  - {match: {path: /webhooks/**}, success: pass, errors: pass}
  - {match: {path: /orders/*, methods: [POST]}, limits: [{name: orders, key: [client, route], requests: 10, per: 1s}]}
dialect:
  extends: generic
  accept: application/json
  errors:
    - when: {status: 4xx-5xx, body: {has: [fault.kind]}}
      code: fault.kind
      message: [fault.text, fault.kind]
  codes: {E_STOCK: conflict}
  rate_headers: {remaining: X-Calls-Left, reset: {header: X-Calls-Reset, as: epoch_seconds}}
  success: {data: payload}
examples:
  - name: out of stock
    reply: {status: 409, body: '{"fault": {"kind": "E_STOCK", "text": "none left"}}'}
    expect: {status: 409, code: conflict, detail: none left}
"""
_WORDS = re.compile(r"[^\s{}\[\],:\"']+")
_NEW = st.one_of(
    st.sampled_from([_SECRET, "{}", "[]", "{a: b}", "[1]", "~", "0", "-1", "1e999", "true", "''", "é", "/..", "//"]),
    st.sampled_from(['"\\r\\n"', '"\\0"', '"\\ud800"', "a,b", "65536", "99999999999999999", "9" * 400, "[" * 70, "*a"]),
    st.sampled_from(["null", "FOO", "0s", "999999999d", "0.0001ms", "GET", "auto", "generic", "%zz", "`1`", "@", "("]),
    st.text(max_size=6),
)


@st.composite
def _spoilt(draw: st.DrawFn, text: str) -> str:
    """Put something else in the place of some words, or cut some of the text."""
    for _ in range(draw(st.integers(0, 3))):
        found = list(_WORDS.finditer(text))
        if draw(st.booleans()) and found:
            word = draw(st.sampled_from(found))
            text = text[: word.start()] + draw(_NEW) + text[word.end() :]
        else:
            start = draw(st.integers(0, len(text)))
            text = text[:start] + draw(_NEW) + text[start + draw(st.integers(0, 20)) :]
    return text


def _told(gateway: str, parts: str) -> tuple[int, str]:
    """Run the command on two files and return its exit status and what it wrote."""
    written = StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(written), redirect_stderr(written):
        Path(folder, "gateway.yaml").write_bytes(gateway.encode("utf-8", "surrogatepass"))
        Path(folder, "parts.yaml").write_bytes(parts.encode("utf-8", "surrogatepass"))
        status = check.run(Namespace(config=Path(folder, "gateway.yaml"), json=False))
    return status, written.getvalue().replace(folder + "/", "")


def test_the_files_are_well() -> None:
    """What is spoilt below is right before; only its variables are not set."""
    status, told = _told(GATEWAY, PARTS)
    assert status == 0
    assert told.endswith("1 upstreams, 1 examples: all is well\n")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(gateway=_spoilt(GATEWAY), parts=_spoilt(PARTS))
@example(gateway=GATEWAY, parts=PARTS.replace("PARTS_USER", _SECRET))
@example(gateway=GATEWAY, parts=PARTS.replace("value_env", _SECRET))
@example(gateway=GATEWAY, parts=PARTS.replace("connect: 2s", _SECRET + ": 1, " + _SECRET + ": 2"))
@example(gateway=GATEWAY.replace("10.0.0.0/8", _SECRET), parts=PARTS.replace("conflict}", _SECRET + "}"))
def test_any_spoilt_file_is_told_of(gateway: str, parts: str) -> None:
    """It ends with 0 or 1, can be written to a terminal, and each place that it names is there."""
    status, told = _told(gateway, parts)
    assert (status, told.endswith("all is well\n")) in {(0, True), (1, False)}
    told.encode()
    lines = {"gateway": _LINE_END.split(gateway), "parts": _LINE_END.split(parts)}
    for file, line, column in _PLACE.findall(told):
        assert 1 <= int(line) <= len(lines[file])
        assert 1 <= int(column) <= len(lines[file][int(line) - 1]) + 1


@settings(deadline=None)
@given(number=st.integers(0, len(_WORDS.findall(PARTS.partition("examples:")[0])) - 1))
def test_a_secret_in_any_place_is_not_shown(number: int) -> None:
    """Whatever word of the file is a secret instead, key or value: nothing quotes it. Examples are to be seen."""
    found = list(_WORDS.finditer(PARTS))[number]
    _, told = _told(GATEWAY, PARTS[: found.start()] + _SECRET + PARTS[found.end() :])
    assert _SECRET not in told
