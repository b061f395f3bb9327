"""What a gateway keeps in memory that it never uses."""

from __future__ import annotations

import subprocess
import sys


def test_serves_without_what_only_people_see() -> None:
    """A process that serves imports no library for terminals, though commands that follow in it could."""
    code = "import sys, gateway.cli.running; print(*sys.modules); import rich.console"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"rich", "pygments", "redis"}.isdisjoint(done.stdout.split())
