"""`accord infer` and `accord check`, as a person runs them one after the other."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

STOCK = b'HTTP/1.1 409 Gone\r\nX-Trace: t-1\r\n\r\n{"fault": {"kind": "E_STOCK", "text": "None left."}}'


@pytest.fixture
def captured(tmp_path: Path) -> Path:
    """Give a folder of captures in three forms."""
    folder = tmp_path / "captured"
    folder.mkdir()
    (folder / "stock.http").write_bytes(STOCK)
    (folder / "400-order.json").write_text('{"fault": {"kind": "E_IN", "text": "Key k-0123456789abcdef01 is bad."}}')
    (folder / "200-order.json").write_text('{"id": 7}')
    return folder


def test_from_captures_to_a_passing_check(captured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file that `infer` writes passes `check` at once, and the report says what reads which reply."""
    output = tmp_path / "config" / "upstreams" / "parts.yaml"
    assert main(["infer", str(captured), "--base-url", "https://api.parts.example", "--output", str(output)]) == 0
    report = capsys.readouterr().err
    assert "stock: conflict, read by own rules: None left." in report
    assert "200-order: a success" in report
    assert "0123456789abcdef01" not in report + output.read_text()
    (tmp_path / "config" / "gateway.yaml").write_text("version: 1\n")
    assert main(["check", "--config", str(tmp_path / "config" / "gateway.yaml")]) == 0
    assert "1 upstreams, 3 examples: all is well" in capsys.readouterr().out


def test_a_file_is_not_overwritten(captured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there already stays, unless one says otherwise."""
    output = tmp_path / "parts.yaml"
    output.write_text("mine")
    assert main(["infer", str(captured), "--output", str(output)]) == 1
    assert "--force overwrites it" in capsys.readouterr().err
    assert output.read_text() == "mine"
    assert main(["infer", str(captured), "--output", str(output), "--force"]) == 0
    assert "name: parts\n" in output.read_text()


def test_standard_output(captured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an output file the text goes to standard output, and the report to standard error."""
    files = [str(file) for file in sorted(captured.iterdir())]
    assert main(["infer", *files, "--name", "parts", "--prefix", "/p"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("# yaml-language-server:")
    assert "match: {prefix: /p}" in told.out
    assert "the file: 3 examples, all pass" in told.err


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What `curl -si` prints can be piped in."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(STOCK)))
    assert main(["infer", "-"]) == 0
    assert "kind" in capsys.readouterr().out


def test_json_for_tools(captured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--json` a tool gets the dialect, what became of each reply, and the file."""
    assert main(["infer", str(captured), "--json", "--own", "--output", str(tmp_path / "o.yaml")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dialect"]["read"]["code"] == "fault.kind"
    assert [reply["is_error"] for reply in told["replies"]] == [False, True, True]
    assert told["file"] == (tmp_path / "o.yaml").read_text()
    assert told["faults"] == []


def test_a_har_file_tells_the_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A recording knows where the API is, and so what to call it."""
    entry = {
        "request": {"method": "GET", "url": "https://api.quarry.example/v2/stones"},
        "response": {"status": 404, "headers": [], "content": {"text": '{"oops": "There is no such stone."}'}},
    }
    (tmp_path / "s.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    assert main(["infer", str(tmp_path / "s.har")]) == 0
    told = capsys.readouterr().out
    assert "name: quarry\nbase_url: https://api.quarry.example\nmatch: {prefix: /quarry}\n" in told


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [("order.json", "{}", "has no status"), ("r.jsonl", "nonsense", "line 1 is not JSON")],
)
def test_wrong_input(name: str, text: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that holds no reply is told with its name and what to do."""
    (tmp_path / name).write_text(text)
    assert main(["infer", str(tmp_path / name)]) == 1
    assert f"{name} {reason}" in capsys.readouterr().err


def test_wrong_options(captured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there, a folder in the place of one, and an address that is none are told."""
    assert main(["infer", str(tmp_path / "404.json")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert main(["infer", str(captured), "--output", str(tmp_path), "--force"]) == 1
    assert "directory" in capsys.readouterr().err
    assert main(["infer", str(captured), "--base-url", "nowhere"]) == 1
    assert "fault: " in capsys.readouterr().err


def test_an_address_that_is_none(captured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that cannot be taken apart is told in a sentence."""
    assert main(["infer", str(captured), "--base-url", "http://[x"]) == 1
    assert capsys.readouterr().err.startswith("accord infer: the API's address is none such as https://api.example.com")


def test_nothing_to_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without a reply in it is no ground for a file."""
    assert main(["infer", str(tmp_path)]) == 1
    assert "no replies" in capsys.readouterr().err
