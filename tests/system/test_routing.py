"""The routing that `docs/how-to/alerts.md` shows, on a real Alertmanager: who is told, and what is held back."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.components import require_component
from tests.system.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "alerts.md"
_TRIES = 500
_HERE = ("cluster=north", "namespace=gateways", "job=accord")


def _amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = require_component("amtool", package="prometheus-alertmanager")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(name="shown")
def _shown(tmp_path: Path) -> Path:
    """Write the file as the page has it."""
    [text] = re.findall(r"```yml\n# alertmanager\.yml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "alertmanager.yml"
    file.write_text(text, encoding="utf-8")
    return file


@contextlib.contextmanager
def _running(config: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Run an Alertmanager and yield what asks it."""
    program = require_component("prometheus-alertmanager", "alertmanager")
    at, data = f"127.0.0.1:{free_port()}", config.parent / "data"
    options = [f"--config.file={config}", f"--storage.path={data}", f"--web.listen-address={at}"]
    with (
        (config.parent / "log").open("w") as log,
        subprocess.Popen([program, *options, "--cluster.listen-address="], stdout=log, stderr=log) as process,
    ):
        try:
            yield lambda *arguments: _amtool(f"--alertmanager.url=http://{at}", *arguments)
        finally:
            process.terminate()


def _until(ask: Callable[..., subprocess.CompletedProcess[str]], number: int) -> list[dict[str, Any]]:
    """Return the alerts that are held back, once so many are: an Alertmanager takes them at its own pace."""
    found: list[dict[str, Any]] = []
    for _ in range(_TRIES):
        answer = ask("alert", "query", "--inhibited", "--output=json")
        alerts = json.loads(answer.stdout) if answer.returncode == 0 else []
        found = [alert for alert in alerts if alert["status"]["inhibitedBy"]]
        if len(found) == number:
            break
    return found


def _add(ask: Callable[..., subprocess.CompletedProcess[str]], *labels: str) -> None:
    for _ in range(_TRIES):
        if ask("alert", "add", *labels).returncode == 0:
            return
    pytest.fail(f"not taken: {labels}")


def test_alertmanager_takes_what_the_page_shows(shown: Path) -> None:
    """The file loads, pages go to the pager, and tickets and all else to the tickets."""
    checked = _amtool("check-config", str(shown))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for severity, receiver in (("page", "pager"), ("ticket", "tickets"), ("other", "tickets")):
        told = _amtool("config", "routes", "test", f"--config.file={shown}", f"severity={severity}")
        assert told.stdout.strip() == receiver


def test_a_page_holds_back_tickets_about_the_same_alone(shown: Path) -> None:
    """The ticket of the same upstream waits for the page; those of another upstream, job, or cluster are told."""
    north, ticket = (
        ("slo=upstream", "upstream=parts", *_HERE),
        ("alertname=AccordUpstreamBurnsSlowly", "severity=ticket"),
    )
    with _running(shown) as ask:
        _add(ask, "alertname=AccordUpstreamBurnsFast", "severity=page", *north)
        _add(ask, "alertname=AccordDown", "severity=page", *_HERE)
        for cluster in ("north", "south"):
            elsewhere = (f"cluster={cluster}", *north[:2], *_HERE[1:])
            _add(ask, *ticket, *elsewhere)
            _add(ask, "alertname=AccordReplicaDown", "severity=ticket", f"cluster={cluster}", *_HERE[1:])
        _add(ask, *ticket, "slo=upstream", "upstream=shop", *_HERE)
        held = {(alert["labels"]["alertname"], alert["labels"]["cluster"]) for alert in _until(ask, 2)}
    assert held == {("AccordUpstreamBurnsSlowly", "north"), ("AccordReplicaDown", "north")}
