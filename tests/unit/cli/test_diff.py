"""`accord diff` shows what clients would see otherwise after a change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main
from tests.unit.cli.folders import HEAD, configure

if TYPE_CHECKING:
    from pathlib import Path

RULES = "dialect: {{extends: [], errors: [{{code: code}}], codes: {{{codes}}}}}\n"
EXAMPLE = "examples: [{name: lost, reply: {status: 404, json: {code: E1}}, expect: {}}]\n"
OLD = RULES.format(codes="E1: conflict") + EXAMPLE
NEW = RULES.format(codes="E1: gone") + EXAMPLE


@pytest.fixture
def old(tmp_path: Path) -> str:
    """A configuration."""
    return str(configure(tmp_path / "old", parts=OLD, shop="dialect: salla\n"))


def _said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def _upstream(folder: Path, name: str, text: str) -> str:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.yaml"
    file.write_text(HEAD.format(name=name) + text, encoding="utf-8")
    return str(file)


def test_nothing_changes(old: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration compared with itself is status 0."""
    assert main(["diff", old, old]) == 0
    [said] = _said(capsys)
    assert said.startswith("no answer changes; ")


def test_a_configuration_that_changes(old: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Settings first, then each upstream whose answers change; status 1."""
    new = configure(tmp_path / "new", "via: edge\nlimits: [{name: all, requests: 5, per: 1s}]\n", parts=NEW, more=OLD)
    assert main(["diff", old, str(new)]) == 1
    shown = _said(capsys)
    assert shown[:9] == [
        "Settings",
        '~ the gateway via (default) → "edge"',
        '~ the gateway limits (default) → [{"name": "all", "requests": 5, "per": "1s"}]',
        "- shop removed",
        "+ more added",
        "parts",
        'status 409 → 410 1 reply: "lost"',
        'code conflict → gone 1 reply: "lost"',
        'category conflict → gone 1 reply: "lost"',
    ]
    assert shown[-1] == "1 of 1 replies would be answered otherwise"


def test_two_upstream_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An upstream that is called otherwise is compared all the same; what may be secret is not shown."""
    secret = "request: {headers: {set: {X-Key: s3cret}}}\n"
    old, new = _upstream(tmp_path, "parts", OLD), _upstream(tmp_path, "spares", NEW + secret)
    assert main(["diff", old, new]) == 1
    shown = _said(capsys)
    assert "~ spares request differs (its values are not shown)" in shown
    assert '~ spares match {"prefix": "/parts"} → {"prefix": "/spares"}' in shown
    assert 'code conflict → gone 1 reply: "lost"' in shown
    assert "s3cret" not in "".join(shown)


def test_recorded_replies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is a reply; alike changes are one, with a few of the replies by name."""
    old, new = (_upstream(tmp_path / code, "parts", RULES.format(codes=f"E1: {code}")) for code in ("conflict", "gone"))
    replies = tmp_path / "replies.jsonl"
    lines = [{"status": 400 + number, "body": '{"code": "E1"}', "id": f"r{number}"} for number in range(4)]
    lines += [{"status": 404, "body": '{"code": "E2"}'}, {"upstream": "else", "status": 409, "body": '{"code": "E1"}'}]
    replies.write_text("\n\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    assert main(["diff", old, new, "--replies", str(replies)]) == 1
    shown = _said(capsys)
    assert "code conflict → gone 4 replies: r0, r1, r2 and 1 more" in shown
    assert shown[-1] == "4 of 5 replies would be answered otherwise"


def test_as_one_object(old: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--json`, the same for programs."""
    new = configure(tmp_path / "new", parts=NEW, shop="dialect: salla\n")
    assert main(["diff", "--json", old, str(new)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["settings"] == []
    assert found["changed"] == 1
    assert found["changes"][1] == {
        "upstream": "parts",
        "member": "code",
        "old": "conflict",
        "new": "gone",
        "replies": ['"lost"'],
    }


def test_two_presets(capsys: pytest.CaptureFixture[str]) -> None:
    """Presets are compared by all of their examples, and those of what they extend."""
    assert main(["diff", "generic", "salla"]) == 1
    shown = capsys.readouterr().out
    assert 'salla "a missing scope is a matter of permission"' in " ".join(shown.split())
    assert main(["diff", "salla", "salla"]) == 0


def test_auto_is_a_preset_too(capsys: pytest.CaptureFixture[str]) -> None:
    """`auto` is tried with the examples of every preset."""
    assert main(["diff", "auto", "auto"]) == 0
    assert int(_said(capsys)[0].split()[3]) > 50


def test_dialects_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that holds a dialect alone, as presets do, is compared by its examples."""
    for name, code in (("old", "conflict"), ("new", "gone")):
        text = f"errors: [{{code: code}}]\nextends: []\ncodes: {{E1: {code}}}\n" + EXAMPLE
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert main(["diff", str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml")]) == 1
    assert 'code conflict → gone 1 reply: dialect "lost"' in _said(capsys)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["salla", "nobody"], "there is no dialect 'nobody': docs/reference/presets has a page for each"),
        (["salla", "nowhere.yaml"], "nowhere.yaml: cannot be read: No such file or directory"),
        (["salla", "salla", "--replies", "/nowhere"], "[Errno 2] No such file or directory: '/nowhere'"),
    ],
)
def test_bad_input(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be used is told, and is status 2: 1 means that something changes."""
    assert main(["diff", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"accord diff: {told}")


def test_two_of_a_kind(old: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration cannot be compared with one dialect."""
    assert main(["diff", old, "salla"]) == 2
    assert capsys.readouterr().err == "accord diff: OLD is a configuration and NEW is a dialect: give two of a kind\n"


def test_a_line_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reply that cannot be read is told with its line."""
    replies = tmp_path / "replies.jsonl"
    replies.write_text('{"status": 404}\n{"status": "x"}\n', encoding="utf-8")
    assert main(["diff", "salla", "salla", "--replies", str(replies)]) == 2
    assert capsys.readouterr().err.startswith(f"accord diff: {replies}: line 2: ")
