"""What cannot change without a restart is told with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.fixed import FIXED, restart_faults
from gateway.config.load import Configuration, load
from gateway.config.models import GatewayFile

if TYPE_CHECKING:
    from pathlib import Path

UPSTREAM = "version: 1\nname: api\nbase_url: https://api.example\nmatch: {prefix: /api}\n"


def configuration(folder: Path, text: str) -> Configuration:
    """Load a gateway's file, and one upstream."""
    (folder / "upstreams").mkdir(exist_ok=True)
    (folder / "upstreams" / "api.yaml").write_text(UPSTREAM)
    (folder / "gateway.yaml").write_text(f"version: 1\n{text}")
    return load(folder / "gateway.yaml")


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Each key by itself; one that was taken out at the beginning of the file."""
    running = configuration(tmp_path, "listen: 127.0.0.1:80\n")
    wanted = configuration(tmp_path, "via: other\nadmin: 127.0.0.1:9\nstore: shared\n")
    assert [str(fault).removeprefix(str(tmp_path)) for fault in restart_faults(running, wanted)] == [
        "/gateway.yaml:1:1: listen cannot be changed while the gateway runs (restart it for that)",
        "/gateway.yaml:3:1 admin: admin cannot be changed while the gateway runs (restart it for that)",
        "/gateway.yaml:4:1 store: store cannot be changed while the gateway runs (restart it for that)",
    ]


def test_everything_else_may_change(tmp_path: Path) -> None:
    """And what says the same in other words is the same."""
    running = configuration(tmp_path, "listen: 127.0.0.1:8080\nvia: one\n")
    assert restart_faults(running, configuration(tmp_path, "store: memory\nvia: two\nbounds: {body: 1KiB}\n")) == []
    assert set(FIXED) <= set(GatewayFile.model_fields)
