"""The container's own command serves by the files that the chart wrote, and each probe gets the answer it waits for."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any

import yaml

from tests.integration.harness import get
from tests.integration.wire import ask
from tests.system.accord import START_S, until
from tests.system.chart.helm import DEFAULTS, objects, only, template
from tests.system.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.chart.helm import Object

_FOLDER = "/etc/accord"


def _laid_out(found: tuple[Object, ...], folder: Path, version: str) -> None:
    """Write a ConfigMap as the kubelet does: files are links into a link to a folder, which one rename changes."""
    files = only(found, "ConfigMap", "config")["data"]
    (folder / version).mkdir(parents=True)
    for name, text in files.items():
        (folder / version / name).write_text(text, encoding="utf-8")
    (folder / "..new").symlink_to(version)
    (folder / "..new").rename(folder / "..data")
    for name in files:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")


async def _gateway(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", *arguments, stdout=asyncio.subprocess.DEVNULL
    )


async def _status(port: int, path: str) -> int:
    """Return the status of an answer, 0 for none, as the kubelet sees it."""
    try:
        return (await ask(port, get(path, "Connection: close"))).status
    except OSError:
        return 0


async def test_the_pod_serves(tmp_path: Path) -> None:
    """Probes and `helm test` find the gateway alive and ready; SIGTERM ends it well within the time it is given."""
    ports = {"http": free_port(), "admin": free_port()}
    config: dict[str, Any] = {
        "listen": f"0.0.0.0:{ports['http']}",
        "admin": f"0.0.0.0:{ports['admin']}",
        "shutdown": {"delay": "0s", "grace": "1s"},
    }
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    found = objects(template(DEFAULTS, values))
    _laid_out(found, tmp_path / "accord", "..first")
    pod = only(found, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (tested,) = only(found, "Pod")["spec"]["containers"]
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == ports

    async def answer(kind: str) -> int:
        asked = container[f"{kind}Probe"]["httpGet"]
        return await _status(ports[asked["port"]], asked["path"])

    process = await _gateway(*(part.replace(_FOLDER, str(tmp_path / "accord")) for part in container["args"]))
    try:
        await until(lambda: answer("startup"), lambda status: status == 200)
        assert [await answer("readiness"), await answer("liveness")] == [200, 200]
        address = tested["args"][-1].replace("shop-accord.gateways:80", f"127.0.0.1:{ports['http']}")
        assert await (await _gateway(*tested["args"][:-1], address)).wait() == 0
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(START_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
