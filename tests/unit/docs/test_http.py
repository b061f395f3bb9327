"""docs/reference/http.md names the waits and bounds that the code has."""

from __future__ import annotations

from pathlib import Path

from gateway.config.models import ClientTimeouts, Shutdown
from gateway.config.reach import Timeouts
from gateway.edge.connection import LINGER_S
from gateway.edge.request_body import PREFETCH_BYTES
from gateway.upstream.tunnel import CLOSING_S

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "http.md").read_text(encoding="utf-8")


def test_defaults_are_those_of_the_code() -> None:
    """Each wait with its default."""
    times = ClientTimeouts()
    for key, default in (
        ("head", f"{times.head_s:g} s"),
        ("keepalive", f"{times.keepalive_s:g} s"),
        ("body", f"{times.body_s:g} s"),
        ("min_rate", f"{times.min_rate_bytes_s} bytes a second"),
        ("write", f"{times.write_s:g} s"),
    ):
        assert f"| `client_timeouts.{key}`, {default}" in PAGE
    assert f"| {LINGER_S:g} s |" in PAGE
    assert f"collected up to {PREFETCH_BYTES // 1024} KiB" in PAGE


def test_defaults_of_what_stays_open_are_those_of_the_code() -> None:
    """Tunnels, streams and long polls, each with its default."""
    times = Timeouts()
    assert f"| `timeouts.tunnel_idle`, {times.tunnel_idle_s / 60:g} min |" in PAGE
    assert f"| one side has ended, and the other says and takes nothing | {CLOSING_S:g} s |" in PAGE
    assert f"| `shutdown.grace`, {Shutdown().grace_s:g} s |" in PAGE
    assert f"| `first_byte` | {times.first_byte_s:g} s |" in PAGE
    assert f"| `idle` | {times.idle_s:g} s |" in PAGE
    assert f"| `total` | {times.total_s / 60:g} min |" in PAGE
