"""compose.yaml as far as it can be held without an engine: its form, what it mounts, and what is in those files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gateway.config.load import load
from gateway.demo.servers import APIS
from tests.system.prometheus import promtool
from tests.system.wheels import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPOSE: Any = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: Any = COMPOSE["services"]


def mounted(service: str) -> Iterator[tuple[str, str, str]]:
    """Yield source, target and mode of what a service mounts; of a named volume the source is its name."""
    for volume in SERVICES[service].get("volumes", []):
        source, target, *mode = volume.split(":")
        yield source, target, "".join(mode)


def test_form() -> None:
    """It is what the Compose specification allows."""
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_restricted(service: str) -> None:
    """No service writes to its image, has a capability or can get one; its ports are on this machine alone."""
    said = SERVICES[service]
    assert said["read_only"] is True
    assert said["cap_drop"] == ["ALL"]
    assert said["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & said.keys()
    assert all(port.startswith("127.0.0.1:") for port in said.get("ports", []))


@pytest.mark.parametrize("service", SERVICES)
def test_healthy_or_not(service: str) -> None:
    """Each service says whether it is well: by a check of its own, or Accord by its image's."""
    assert "healthcheck" in SERVICES[service] or service == "accord"
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_pinned(service: str) -> None:
    """An image from elsewhere is named with a version, and never as `latest`."""
    said = SERVICES[service]
    assert "build" in said or re.search(r":v?\d+\.\d+", said["image"])


@pytest.mark.parametrize("service", SERVICES)
def test_mounts(service: str) -> None:
    """What is mounted from here is there and read-only; what is written goes to a volume that has a name."""
    for source, _, mode in mounted(service):
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert mode == "ro"
        else:
            assert source in COMPOSE["volumes"]


def test_waits_for_who_is_there() -> None:
    """Services wait for others that are in the file."""
    waited = {name for service in SERVICES.values() for name in service.get("depends_on", {})}
    assert waited <= SERVICES.keys()


def test_configuration_loads() -> None:
    """Accord's configuration is right, its upstreams are where the demo APIs are, and its store is where Redis is."""
    config = load(ROOT / "compose" / "accord" / "gateway.yaml")
    first = int(SERVICES["apis"]["command"][1])
    where = {dialect: f"http://apis:{first + number}" for number, dialect in enumerate(APIS)}
    assert {one.settings.dialect.preset: str(one.settings.base_url) for one in config.upstreams} == where
    assert config.environment_faults(SERVICES["accord"]["environment"]) == []
    (url,) = SERVICES["accord"]["environment"].values()
    assert re.fullmatch(r"redis://redis:6379/\d", url)
    assert SERVICES["accord"]["ports"] == ["127.0.0.1:8080:8080"]
    assert (config.gateway.listen.port, config.gateway.admin.port) == (8080, 8081)


def test_time_to_drain() -> None:
    """Compose waits longer for the end than Accord takes for it."""
    shutdown = load(ROOT / "compose" / "accord" / "gateway.yaml").gateway.shutdown
    grace = re.fullmatch(r"(\d+)s", SERVICES["accord"]["stop_grace_period"])
    assert grace is not None
    assert int(grace[1]) > shutdown.delay_s + shutdown.grace_s


def test_prometheus(tmp_path: Path) -> None:
    """Promtool finds nothing wrong in its configuration and in the rules that are mounted beside it."""
    for source, target, _ in mounted("prometheus"):
        if target.startswith("/etc/prometheus/"):
            (tmp_path / target.removeprefix("/etc/prometheus/")).symlink_to(ROOT / source)
    config = tmp_path / "prometheus.yml"
    assert re.search(r"SUCCESS: \d+ rules found", promtool("check", "config", config))
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"]
        for job in yaml.safe_load(config.read_text())["scrape_configs"]
    }
    assert jobs["accord"] == ["accord:8081"]


def test_grafana() -> None:
    """Grafana is told where Prometheus is, and to read the dashboards from where they are mounted."""
    places = {target: ROOT / source for source, target, _ in mounted("grafana") if source.startswith(".")}
    (source,) = yaml.safe_load((ROOT / "compose/grafana/datasources/prometheus.yaml").read_text())["datasources"]
    assert (source["type"], source["url"], source["isDefault"]) == ("prometheus", "http://prometheus:9090", True)
    (provider,) = yaml.safe_load((ROOT / "compose/grafana/dashboards/accord.yaml").read_text())["providers"]
    assert list(places[provider["options"]["path"]].glob("*.json"))
