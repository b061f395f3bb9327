"""`accord check` tells what is wrong, to people and to programs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from gateway.cli.main import main
from tests.unit.cli.folders import configure

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WRONG = "dialect: sala\n"
FAILING = "examples: [{name: lost, reply: {status: 404}, expect: {status: 400}}]\n"
SECRET = "credentials: {inject: [{header: X-Key, value_env: ACCORD_TEST_NOWHERE_SET}]}\n"


def test_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was looked at is counted; a variable that is not set is a warning, and no failure."""
    file = configure(tmp_path, parts=SECRET)
    assert main(["check", "--config", str(file)]) == 0
    warning, series, told = capsys.readouterr().out.splitlines()
    assert ": warning: " in warning
    assert "ACCORD_TEST_NOWHERE_SET" in warning
    assert re.fullmatch(rf"{file}: \d+ series at /metrics from the start, [\d,]+ at most", series)
    assert told == f"{file}: 1 upstreams, 0 examples: all is well"


def test_more_series_than_are_good_for_prometheus_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their number, and where to read what to do; all is well nevertheless."""
    file = configure(tmp_path)
    for number in range(400):
        (file.parent / "upstreams" / f"{number}.yaml").write_text(
            f"version: 1\nname: n{number}\nbase_url: https://a.example\nmatch: {{prefix: /n{number}}}\n"
        )
    assert main(["check", "--json", "--config", str(file)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["series"]["most"] > 250_000 > report["series"]["start"]
    (warning,) = report["faults"]
    assert (warning["severity"], warning["file"]) == ("warning", str(file))
    assert f"{report['series']['most']:,} series" in warning["message"]


def test_faults_go_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One a line with its place, and how many there are."""
    file = configure(tmp_path, parts=WRONG, more=WRONG)
    assert main(["check", "--config", str(file)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[0].startswith(f"{tmp_path}/upstreams/more.yaml:5:1 dialect: there is no such preset")
    assert shown.err.splitlines()[-1] == "2 faults"


def test_one_fault_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The count is in words that fit."""
    assert main(["check", "--config", str(configure(tmp_path, parts=FAILING))]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "1 fault"


def test_faults_as_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--json` each fault is an object, on standard output."""
    file = configure(tmp_path, parts=FAILING)
    assert main(["check", "--json", "--config", str(file)]) == 1
    shown = capsys.readouterr()
    assert shown.err == ""
    report = json.loads(shown.out)
    assert (report["ok"], report["upstreams"], report["examples"]) == (False, 1, 1)
    [fault] = report["faults"]
    assert fault == {
        "file": f"{tmp_path}/upstreams/parts.yaml",
        "line": 5,
        "column": 47,
        "path": "examples[0].expect",
        "message": 'example "lost": status: is 404, but 400 was expected',
        "hint": "",
        "severity": "error",
    }


def test_warnings_as_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning is in the same list, and all is well."""
    assert main(["check", "--json", "--config", str(configure(tmp_path, parts=SECRET))]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert [fault["severity"] for fault in report["faults"]] == ["warning"]


def test_limits_in_vain_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a limit does not do is told at its place, among the other warnings, and all is well."""
    upstream = "limits: [{name: posts, key: route, requests: 5, per: 1s}]\n" + SECRET
    file = configure(tmp_path, parts=upstream)
    assert main(["check", "--config", str(file)]) == 0
    limit, variable, _, _ = capsys.readouterr().out.splitlines()
    assert limit.startswith(
        f"{tmp_path}/upstreams/parts.yaml:5:24 limits[0].key: warning: "
        'limit "posts": route tells no requests apart: this upstream has no routes ('
    )
    assert ":6:" in variable


def test_a_cost_that_no_burst_covers_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Such a request could never pass: that is no warning."""
    upstream = "limits: [{name: dear, requests: 5, per: 1s, burst: 2, cost: {POST: 3}}]\n"
    assert main(["check", "--config", str(configure(tmp_path, parts=upstream))]) == 1
    assert capsys.readouterr().err.splitlines()[0] == (
        f"{tmp_path}/upstreams/parts.yaml:5:10 limits[0]: "
        "a request costs 3, more than the burst of 2: none could ever pass"
    )


def test_what_cannot_be_read_has_no_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where files do not load, nothing can be counted."""
    assert main(["check", "--json", "--config", str(tmp_path / "no.yaml")]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["upstreams"], report["examples"], len(report["faults"])) == (None, None, 1)
