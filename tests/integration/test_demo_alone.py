"""The demo APIs by themselves, as compose.yaml runs them."""

from __future__ import annotations

import asyncio
import re
import signal
import sys

from tests.integration.harness import get
from tests.integration.wire import ask


async def test_serves_until_told_to_end() -> None:
    """`python -m gateway.demo` says where each API is, answers there, and leaves with 0 when it is told to."""
    command = (sys.executable, "-m", "gateway.demo", "127.0.0.1", "0")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    said = [(await process.stdout.readline()).decode() for _ in range(3)]
    ports = {name: int(port) for name, port in re.findall(r"(\S+): http://127\.0\.0\.1:(\d+)", "".join(said))}
    assert ports.keys() == {"salla", "status-message-body", "type-code-param"}
    reply = await ask(ports["salla"], get("/status/404", "Connection: close"))
    assert reply.status == 404
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
