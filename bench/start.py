"""From the start of the container's process until it is ready, and what memory it keeps while nobody asks anything.

It runs what is in the image as the image runs it: the compiled wheel with the locked dependencies in an environment of
its own, bytecode written beforehand and none written later. What an engine needs for its own work is not in the figure.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

from bench.workshop import CACHE, ROOT, compiled, family, folder, free_port, rss_bytes, upstream

if TYPE_CHECKING:
    from collections.abc import Sequence

START_BAR_S, RSS_BAR_BYTES = 1.5, 80 * 2**20
_ABOUT = (
    "From the start of the process to ready, and resident memory of each process while idle, the supervisor first; "
    "pages that processes share count for each of them."
)
_PATIENCE_S = 30.0
_SETTLE_S = 2.0
_LOOK_S = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What was measured with so many processes: seconds to ready, a run a figure; bytes of each process at the end."""

    processes: int
    ready_s: Sequence[float]
    rss_bytes: Sequence[int]


def start(rounds: int) -> str:
    """Measure one process and two, and return the section of the page."""
    home = _environment()
    found = [_measured(home, processes, rounds) for processes in (1, 2)]
    lines = [
        "## Start",
        "",
        f"{_ABOUT} Bars: {START_BAR_S:g} s, and {RSS_BAR_BYTES >> 20} MB for one process.",
        "",
        "| processes | ready after (median) | (least) | RSS, each process |",
        "|---|---|---|---|",
    ]
    for one in found:
        memory = ", ".join(f"{size / 2**20:.0f} MB" for size in one.rss_bytes)
        lines.append(
            f"| {one.processes} | {statistics.median(one.ready_s):.2f} s | {min(one.ready_s):.2f} s | {memory} |"
        )
    return "\n".join(lines)


def _environment() -> Path:
    """Return an environment as the Dockerfile makes it; what is there from an older code is made anew."""
    home, uv = CACHE / "image", str(Path(sys.executable).with_name("uv"))
    shutil.rmtree(home, ignore_errors=True)
    (wheel,) = (compiled().parent / "dist").glob("*.whl")
    requirements = home / "runtime.txt"
    home.mkdir(parents=True)
    exported = ("--frozen", "--no-dev", "--no-emit-project", "--output-file", str(requirements))
    _run([uv, "export", "--quiet", *exported, "--project", str(ROOT)])
    _run([uv, "venv", "--quiet", "--python", sys.executable, str(home / "env")])
    python = str(home / "env" / "bin" / "python")
    _run([uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "--requirement", str(requirements)])
    _run([uv, "pip", "install", "--quiet", "--python", python, "--no-deps", str(wheel)])
    _run([python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(home / "env" / "lib")])
    return home / "env"


def _measured(home: Path, processes: int, rounds: int) -> Start:
    ready_s: list[float] = []
    rss: list[int] = []
    for _ in range(rounds):
        with folder() as into:
            took_s, rss = _one(home, into, processes)
        ready_s.append(took_s)
        sys.stderr.write(f"start, by {processes}: {took_s:.2f} s, {[size >> 20 for size in rss]} MB\n")
    return Start(processes=processes, ready_s=ready_s, rss_bytes=rss)


def _one(home: Path, into: Path, processes: int) -> tuple[float, list[int]]:
    """Start it once; return the seconds until `/-/ready` said yes, and the memory of each process a while later."""
    admin = free_port()
    (into / "upstreams").mkdir()
    (into / "upstreams" / "api.yaml").write_text(json.dumps(upstream(free_port())))
    said = {"version": 1, "listen": f"127.0.0.1:{free_port()}", "admin": f"127.0.0.1:{admin}"}
    (into / "gateway.yaml").write_text(json.dumps(said))
    accord, config = str(home / "bin" / "accord"), str(into / "gateway.yaml")
    began_s = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [accord, "serve", "--config", config, "--processes", str(processes)],
        env={"PATH": str(home / "bin"), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        stdout=subprocess.DEVNULL,
    )
    try:
        _until_ready(process, admin, began_s)
        took_s = time.perf_counter() - began_s
        time.sleep(_SETTLE_S)  # noqa: TID251 - a measuring tool's own clock
        return took_s, [rss_bytes(pid) for pid in family(process.pid)]
    finally:
        process.terminate()
        process.wait()


def _until_ready(process: subprocess.Popen[bytes], port: int, began_s: float) -> None:
    """Ask from this process: the start of another interpreter for `accord health` would be in the figure."""
    while process.poll() is None and time.perf_counter() - began_s < _PATIENCE_S:
        if _answers(port):
            return
        time.sleep(_LOOK_S)  # noqa: TID251 - as above
    raise RuntimeError("the gateway was never ready")


def _answers(port: int) -> bool:
    asked = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        asked.request("GET", "/-/ready")
        return asked.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        asked.close()


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, env=dict(os.environ))  # noqa: S603, TID251 - the tools that are installed with us
