"""`accord explain` shows why a reply is read as it is, and who takes a request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main
from tests.unit.cli.folders import configure
from tests.unit.cli.streams import given, on_a_terminal

if TYPE_CHECKING:
    from pathlib import Path

REPLY = '{"fault": {"kind": "E_STOCK", "text": "None\\u001b[31m left, only 2"}, "trace": null}'
OWN = """\
dialect:
  read: {code: fault.kind, message: [fault.title, fault.text]}
  errors:
    - {name: under 200, when: {status: 2xx, body: {type: {fault: object}}}}
    - {name: a fault, when: {body: {type: {fault: object}}}}
  codes: {E_STOCK: conflict}
routes:
  - {name: orders, match: {path: /orders}, errors: pass}
  - {name: write, match: {path: /orders, methods: [POST]}}
"""
ENVELOPE = '{"status": 200, "success": true, "data": 1}'


@pytest.fixture
def reply(tmp_path: Path) -> str:
    """A body in a file."""
    file = tmp_path / "reply.json"
    file.write_text(REPLY, encoding="utf-8")
    return str(file)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration of two upstreams."""
    return str(configure(tmp_path, parts=OWN, shop="dialect: salla\n"))


def _said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines that were written, without runs of space."""
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_from_the_reply_to_the_document(reply: str, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The rule, the values, the code, the status and the document, each with what settled it."""
    assert main(["explain", "--config", config, "--upstream", "parts", "--status", "400", reply]) == 0
    lines = _said(capsys)
    untried = lines.pop(5)
    assert untried.endswith(" rules behind it were not tried")
    assert lines[:13] == [
        "Reply HTTP 400, 84 bytes, read as json",
        'Rule rule 2 "a fault" of parts takes it',
        "✗ parts 1: under 200 status wants 2xx, found 400",
        "✓ parts 2: a fault status is 400",
        r'body.type.fault is {"kind": "E_STOCK", "text": "None\u001b[31m left, only 2"}',
        "Values where each was looked for",
        '✓ code fault.kind "E_STOCK"',
        "message fault.title nothing",
        r'✓ fault.text "None\u001b[31m left, only 2" → "None[31m left, only 2"',
        "Code conflict: named",
        "problem the rule says none",
        '✓ parts codes conflict: "E_STOCK" is listed',
        "Status 409: the code was named, and brings its own status",
    ]
    assert lines[13] == "Answer problem"
    assert json.loads("".join(lines[14:]))["code"] == "conflict"


def test_plain_where_nobody_looks(reply: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe there are no colours and no spaces at the ends of lines."""
    assert main(["explain", "--status", "400", reply]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert [line for line in shown.splitlines() if line != line.rstrip()] == []


def test_colours_on_a_terminal(reply: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal marks are coloured; what a reply says is never obeyed."""
    terminal = on_a_terminal(monkeypatch)
    assert main(["explain", "--status", "400", reply]) == 0
    assert "\x1b[32m✓" in terminal.getvalue()
    assert "\x1b[31m left" not in terminal.getvalue()


def test_no_colours_where_none_are_wanted(reply: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`NO_COLOR` is respected."""
    terminal = on_a_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["explain", "--status", "400", reply]) == 0
    assert "\x1b[3" not in terminal.getvalue()


def test_which_dialect_auto_takes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With `auto`, the sign that told the dialect, and what others miss."""
    given('{"status": 404, "success": false, "error": {"message": "no"}}', monkeypatch)
    assert main(["explain", "--status", "404"]) == 0
    lines = _said(capsys)
    assert lines[1].startswith("Dialect auto takes salla, known with ")
    assert lines[2].startswith("✓ salla ")
    assert any(line.startswith("✗ ") and " wants " in line for line in lines[3:9])


def test_nobody_knows_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no sign holds, the last resort reads."""
    given("", monkeypatch)
    assert main(["explain", "--status", "500"]) == 0
    assert "Dialect auto takes generic, the last resort; none knows it" in _said(capsys)


def test_an_envelope(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """For a success, the condition of its envelope, and what its rules missed."""
    given(ENVELOPE, monkeypatch)
    assert main(["explain", "--dialect", "salla"]) == 0
    lines = _said(capsys)
    assert "Rule none takes it" in lines
    assert "Envelope is that of a success" in lines
    assert "✓ body.type.success is true" in lines
    assert "Answer unified" in lines


def test_no_envelope(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A success without its envelope says which part is missing."""
    given('{"success": true}', monkeypatch)
    assert main(["explain", "--dialect", "salla"]) == 0
    lines = _said(capsys)
    assert "Envelope is not there" in lines
    assert "✗ body.type.status wants number, found nothing" in lines


def test_a_reply_that_streams(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What passes by its head alone was not looked into."""
    given("words", monkeypatch)
    assert main(["explain", "--status", "204"]) == 0
    assert _said(capsys) == [
        "Reply HTTP 204, 5 bytes, not looked into",
        "Status 204: its head is enough: no rule and no envelope could be looked for in it",
        "Answer the reply passes untouched",
    ]


def test_who_takes_a_request(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With a request alone, every upstream and every route of the one that takes it, with the reason."""
    assert main(["explain", "--config", config, "--request", "GET /parts/orders?x=1"]) == 0
    assert _said(capsys) == [
        "Request GET /parts/orders?x=1: to parts, as /orders?x=1",
        "✓ parts prefix /parts",
        "✓ orders path /orders",
        "✗ write method: it wants POST",
        "✗ shop prefix: it wants /shop",
        "",
    ]


def test_a_request_that_nobody_takes(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The refusal that a client gets; the host of an address is told."""
    assert main(["explain", "--config", config, "--request", "GET https://shop.example/nowhere"]) == 0
    assert _said(capsys)[0] == "Request GET /nowhere (host shop.example): 404 route_not_found"


@pytest.mark.parametrize(("method", "status"), [("GET", 400), ("POST", 409)])
def test_a_reply_on_its_route(
    method: str, status: int, config: str, reply: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With both, the reply is read as the route of the request reads it."""
    request = f"{method} /parts/orders"
    assert main(["explain", "--config", config, "--request", request, "--json", "--status", "400", reply]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["request"]["upstream"] == "parts"
    assert found["reply"]["told"]["status"] == status


def test_another_dialect_than_the_routes(config: str, reply: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A dialect that is named counts, whichever route takes the request."""
    arguments = ["--request", "GET /parts/orders", "--dialect", "generic", "--status", "400", "--json", reply]
    assert main(["explain", "--config", config, *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["reply"]["dialect"] == "generic"


def test_a_request_alone_with_a_dialect(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no reply is given, none is read."""
    arguments = ["--request", "GET /nowhere", "--dialect", "generic", "--json"]
    assert main(["explain", "--config", config, *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reply"] is None
    assert found["request"]["refused"] == "404 route_not_found"


def test_as_one_object(reply: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--json` everything is there for programs."""
    assert main(["explain", "--status", "400", "--json", reply]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["request"] is None
    assert set(found["reply"]) == {"upstream", "dialect", "received", "candidates", "trace", "envelope", "told"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--dialect", "nobody"], "there is no dialect 'nobody': docs/reference/presets has a page for each"),
        (["--request", "GET nowhere"], 'a request is written "GET /path" or "GET https://host/path": the target is '),
        (["--request", "CONNECT a:1"], 'a request is written "GET /path" or "GET https://host/path": CONNECT is not '),
        (["--upstream", "gone"], ""),
        (["--header", "x"], "a field is written NAME:VALUE"),
    ],
)
def test_bad_input(
    arguments: list[str], told: str, config: str, reply: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be used is told in a sentence, and is status 1."""
    assert main(["explain", "--config", config, *arguments, reply]) == 1
    assert capsys.readouterr().err.startswith(f"accord explain: {told}")


def test_a_configuration_that_is_wrong(reply: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its faults are told."""
    assert main(["explain", "--config", "/nowhere.yaml", "--request", "GET /", reply]) == 1
    assert capsys.readouterr().err == "accord explain: /nowhere.yaml: cannot be read: No such file or directory\n"
