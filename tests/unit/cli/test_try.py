"""`accord try` shows what clients would get for a reply, or for many."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main
from tests.unit.cli.folders import configure
from tests.unit.cli.streams import given

if TYPE_CHECKING:
    from pathlib import Path

LOST = '{"error": {"code": "gone_for_good", "message": "It is lost"}}'
ENVELOPE = '{"status": 200, "success": true, "data": 1}'
OWN = "dialect: {errors: [{when: {body: {has: [error]}}, code: error.code}], codes: {gone_for_good: gone}}\n"


@pytest.fixture
def reply(tmp_path: Path) -> str:
    """A body in a file."""
    file = tmp_path / "reply.json"
    file.write_text(LOST, encoding="utf-8")
    return str(file)


def test_shows_the_document(reply: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The status, the header and the document that a client would get."""
    assert main(["try", "--status", "404", reply]) == 0
    head, _, document = capsys.readouterr().out.partition("\n\n")
    assert head.splitlines()[:2] == ["HTTP 404", "Content-Type: application/problem+json"]
    assert json.loads(document)["detail"] == "It is lost"


def test_as_one_object(reply: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--json` the same is one object."""
    assert main(["try", "--status", "404", "--json", reply]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["is_error"], answer["status"], answer["document"]["code"]) == (True, 404, "not_found")


def test_a_whole_reply_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--http` the status and the fields stand in the input; a `--header` comes behind them."""
    given(f"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n\r\n{LOST}", monkeypatch)
    assert main(["try", "--http", "--header", "Retry-After: 7", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["document"]["retry"] == {"retryable": True, "after": 7}


def test_a_reply_that_passes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not touched has no document."""
    given('{"fine": 1}', monkeypatch)
    assert main(["try"]) == 0
    assert capsys.readouterr().out == "HTTP 200\nAccord-Format: passed\n\npasses untouched\n"


def test_as_an_upstream_reads_it(reply: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rules of an upstream's file are those of the configuration."""
    file = configure(tmp_path, parts=OWN)
    assert main(["try", "--config", str(file), "--upstream", "parts", "--status", "404", "--json", reply]) == 0
    assert json.loads(capsys.readouterr().out)["document"]["code"] == "gone"


def test_many_replies(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Each line has its answer, in order; one that cannot be read is told with its number."""
    lines = [
        '{"id": 1, "status": 404, "body": "{}"}',
        "",
        '{"id": 2}',
        json.dumps({"id": 3, "status": 200, "dialect": "salla", "body": ENVELOPE}),
        '{"status": 200, "dialect": "nobody"}',
    ]
    given("\n".join(lines), monkeypatch)
    assert main(["try", "--jsonl"]) == 1
    shown = capfdbinary.readouterr()
    answers = [json.loads(line) for line in shown.out.splitlines()]
    assert [(answer["id"], answer["is_error"], answer["dialect"]) for answer in answers] == [
        (1, True, "generic"),
        (3, False, "salla"),
    ]
    assert [line.partition(b": ")[2][:8] for line in shown.err.splitlines()] == [b"line 3: ", b"line 5: "]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--dialect", "nobody"], "there is no dialect 'nobody': docs/reference/presets has a page for each"),
        (["--header", "no colon"], "a field is written NAME:VALUE, not 'no colon'"),
        (["--jsonl"], "with --jsonl the replies come from standard input: accord try --jsonl < FILE"),
        (["--status", "-1"], "a status is a number of three digits, not -1"),
        (["--http"], "with --http the input begins with a status line such as HTTP/1.1 422"),
        (["--config", "/nowhere.yaml", "--upstream", "a"], "/nowhere.yaml: cannot be read: No such file or directory"),
    ],
)
def test_bad_input(arguments: list[str], told: str, reply: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be used is told in a sentence, and is status 1."""
    assert main(["try", *arguments, reply]) == 1
    assert capsys.readouterr().err.startswith(f"accord try: {told}")


def test_no_such_upstream(reply: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An upstream that is not configured."""
    file = configure(tmp_path, parts=OWN)
    assert main(["try", "--config", str(file), "--upstream", "a", reply]) == 1
    assert capsys.readouterr().err == f"accord try: {file} has no upstream 'a'\n"


def test_no_such_file(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there."""
    assert main(["try", "/nowhere.json"]) == 1
    assert capsys.readouterr().err == "accord try: /nowhere.json: No such file or directory\n"


def tried(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[str], str]:
    """Return the header fields and the body that a command shows."""
    assert main(["try", "--status", "404", *arguments]) == 0
    head, _, text = capsys.readouterr().out.partition("\n\n")
    return head.splitlines()[1:], text


def test_in_a_view(reply: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A view by name, or by what a client would send; one that is not JSON is shown as it is."""
    fields, text = tried(capsys, "--view", "salla", reply)
    assert fields == ["Content-Type: application/json", "Cache-Control: no-store"]
    assert json.loads(text)["error"]["message"] == "It is lost"
    fields, text = tried(capsys, "--accept", "application/xml", reply)
    assert fields[0] == "Content-Type: application/problem+xml"
    assert text.startswith("<?xml")
    assert tried(capsys, "--view", "text", "--accept", "application/xml", reply)[1].startswith("404 not_found: ")


def test_in_a_language(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the upstream said nothing, the catalogue speaks the client's language."""
    empty = tmp_path / "empty.json"
    empty.write_text("{}", encoding="utf-8")
    fields, text = tried(capsys, "--language", "ar-SA, en;q=0.5", str(empty))
    assert fields[-1] == "Content-Language: ar"
    assert not json.loads(text)["detail"].isascii()


def test_in_the_view_of_an_upstream(reply: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As its file says, and in any view that the configuration knows."""
    write = "dialect: {write: {body: {kind: $code}}}\n"
    file = str(configure(tmp_path, parts="view: second\n" + OWN, second=write))
    assert json.loads(tried(capsys, "--config", file, "--upstream", "parts", reply)[1]) == {"kind": "gone"}
    assert tried(capsys, "--config", file, "--upstream", "parts", "--view", "text", reply)[1].startswith("410 ")


def test_text_as_json(reply: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In an object for programs a view that is not JSON is a text."""
    assert main(["try", "--status", "404", "--json", "--view", "text", reply]) == 0
    assert json.loads(capsys.readouterr().out)["document"].startswith("404 not_found: ")


def test_no_such_view(reply: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that nobody knows is told, with those that are known."""
    assert main(["try", "--view", "nobody", reply]) == 1
    assert capsys.readouterr().err.startswith("accord try: there is no view 'nobody'; known: problem-json, ")
