"""What runbooks tell operators to run, on a real gateway: each command works, and finds what it seeks."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.components import require_component
from tests.integration.harness import on_uvloop, written
from tests.system.accord import accord

if TYPE_CHECKING:
    from tests.system.accord import Served

PAGES = sorted((Path(__file__).parents[2] / "docs" / "runbooks").glob("*.md"))
ODD = json.dumps({"zorp": "odd", "quux": {"w": 1}}).encode()
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAVED = re.compile(r"\| (grep .*) > accord\.log$", re.MULTILINE)
_NOTHING = ("upstream_credentials_rejected", "not reloaded", ".limits", ".refused_clients")
"""Our credential is good here, nothing is reloaded, no limit is there: these commands work, and find nothing."""


def _commands() -> list[str]:
    """Return the commands that read a log or the admin port by jq."""
    blocks = [block for page in PAGES for block in _BLOCK.findall(page.read_text(encoding="utf-8"))]
    lines = [line for block in blocks for line in block.splitlines() if re.search(r"\bjq\b", line)]
    return [line for line in lines if "accord.log" in line or "127.0.0.1:8081" in line]


async def _fails(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request by an error that no dialect knows."""
    await reader.readuntil(b"\r\n\r\n")
    head = (
        f"HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: {len(ODD)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + ODD)
    await writer.drain()
    writer.close()


async def _sh(command: str, folder: Path) -> tuple[bytes, bytes]:
    """Run a command as an operator would; return what it said, and what it complained of."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    return await process.communicate()


async def _saved(served: Served, folder: Path) -> None:
    """Make `accord.log` of all that was written, as the page for all pages says."""
    (folder / "all").write_text(served.said + (folder / "log.jsonl").read_text(encoding="utf-8"), encoding="utf-8")
    ways = set(_SAVED.findall((PAGES[0].parent / "README.md").read_text(encoding="utf-8")))
    assert len(ways) == 1
    assert (await _sh(f"{ways.pop()} < all > accord.log", folder))[1] == b""


@on_uvloop
async def test_commands_find_what_they_seek(tmp_path: Path) -> None:
    """Each command of a runbook that reads the log or the admin port works, and finds the failures that there were."""
    require_component("jq")
    async with await asyncio.start_server(_fails, "127.0.0.1", 0) as origin:
        at = f"http://127.0.0.1:{origin.sockets[0].getsockname()[1]}"
        parts = {"version": 1, "name": "parts", "base_url": at, "match": {"prefix": "/parts"}}
        async with accord(written(tmp_path, parts), processes=1) as served:
            for _ in range(3):
                assert (await served.get("/parts/a")).status == 500
            await served.until(lambda _: len(served.log()) >= 3)
            await _saved(served, tmp_path)
            commands = _commands()
            assert len(commands) > 6
            for command in commands:
                said, complaint = await _sh(command.replace(":8081", f":{served.admin_port}"), tmp_path)
                assert complaint == b"", command
                assert (said.strip() in {b"", b"null", b"[]"}) is any(word in command for word in _NOTHING), command
