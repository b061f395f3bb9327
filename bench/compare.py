"""The comparison: every peer under every load, in turn, round after round, so that a busy moment hits all alike."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from bench.peers import LOADS, PEERS, folder, origin
from bench.workshop import LOAD_CORE, Missing, Process, debian

if TYPE_CHECKING:
    from pathlib import Path

    from bench.peers import Load, Peer

_CONNECTIONS = 32
_WARM_UP_S = 2


@dataclass(slots=True)
class Result:
    """What was measured of one peer under one load; a run a figure. Seconds, bytes, requests a second."""

    peer: str
    load: str
    rates: list[float] = field(default_factory=list)
    cpu_s_per_request: list[float] = field(default_factory=list)
    p50_s: list[float] = field(default_factory=list)
    p99_s: list[float] = field(default_factory=list)
    rss_bytes: int = 0

    @property
    def rate(self) -> float:
        """The median of the runs."""
        return statistics.median(self.rates)


def compare(rounds: int, seconds: float, only: frozenset[str]) -> list[Result]:
    """Measure everything; a peer that cannot be had is told on standard error and left out."""
    results: list[Result] = []
    with folder() as into, ExitStack() as ends:
        source = origin(into)
        ends.callback(source.end)
        running = _start(into, source.port, only, ends)
        for load in LOADS:
            carrying = [(peer, process) for peer, process in running if load in peer.loads]
            results += _measure(load, carrying, rounds, seconds, into)
    return results


def _start(into: Path, port: int, only: frozenset[str], ends: ExitStack) -> list[tuple[Peer, Process]]:
    running = []
    for peer in PEERS:
        if only and peer.name not in only and peer.name != "Accord":
            continue
        try:
            process = peer.start(into, port)
        except Missing as missing:
            sys.stderr.write(f"{peer.name}: left out: {missing}\n")
            continue
        ends.callback(process.end)
        running.append((peer, process))
    return running


def _measure(load: Load, carrying: list[tuple[Peer, Process]], rounds: int, seconds: float, into: Path) -> list[Result]:
    found = {peer.name: Result(peer=peer.name, load=load.name) for peer, _ in carrying}
    for peer, process in carrying:
        _prove(load, peer, process)
        saturate(process.port, load.path, _WARM_UP_S)
    for number in range(rounds):
        for peer, process in carrying:
            result = found[peer.name]
            before_s = process.cpu_s()
            rate, count = saturate(process.port, load.path, seconds)
            result.rates.append(rate)
            result.cpu_s_per_request.append((process.cpu_s() - before_s) / count)
            sys.stderr.write(f"{load.name}, round {number + 1}: {peer.name}: {rate:.0f}/s\n")
    for number in range(min(rounds, 3)):
        for peer, process in carrying:
            result = found[peer.name]
            p50_s, p99_s = _paced(process.port, load.path, result.rate / 2, seconds, into / f"latency-{number}.tsv")
            result.p50_s.append(p50_s)
            result.p99_s.append(p99_s)
            result.rss_bytes = process.rss_bytes()
    return list(found.values())


def _prove(load: Load, peer: Peer, process: Process) -> None:
    """Refuse to measure a peer that does not do the work."""
    connection = HTTPConnection("127.0.0.1", process.port, timeout=5)
    connection.request("GET", load.path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == load.status, (peer.name, load.name, answer.status)
    assert load.proof in body, (peer.name, load.name, body[:300])


def saturate(port: int, path: str, seconds: float) -> tuple[float, int]:
    """Ask as fast as answers come; return requests a second, and how many they were."""
    wrk = debian("wrk", "wrk")
    command = ["taskset", "-c", LOAD_CORE, wrk, "-t1", f"-c{_CONNECTIONS}", f"-d{max(1, round(seconds))}s"]
    text = subprocess.run(  # noqa: S603
        [*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, check=True, text=True
    ).stdout
    assert "Socket errors" not in text, text
    rate, count = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"(\d+) requests in", text)
    assert rate is not None, text
    assert count is not None, text
    return float(rate.group(1)), int(count.group(1))


def _paced(port: int, path: str, rate: float, seconds: float, log: Path) -> tuple[float, float]:
    """Ask at a fixed rate; return the median and the 99th percentile of the time to answer."""
    times_s = steady(port, path, rate, seconds, log)
    return times_s[len(times_s) // 2], times_s[len(times_s) * 99 // 100]


def steady(port: int, path: str, rate: float, seconds: float, log: Path) -> list[float]:
    """Ask at a fixed rate; return the times to answer in seconds, sorted."""
    h2load = debian("h2load", "nghttp2-client")
    each = max(1, round(rate / _CONNECTIONS))
    command = ["taskset", "-c", LOAD_CORE, h2load, "--h1", f"-c{_CONNECTIONS}", f"-D{max(2, round(seconds))}"]
    command += [f"--rps={each}", f"--log-file={log}", f"http://127.0.0.1:{port}{path}"]
    subprocess.run(command, capture_output=True, check=True)  # noqa: S603
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    log.unlink()
    return [time / 1e6 for time in times]
