"""A reader's terminals: one shell for all commands of a page, and one more for each server."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import signal
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_S: Final = 60.0
START_S: Final = 60.0
_LOOK_S: Final = 0.05


class DidNotWorkError(Exception):
    """What a page says did not come true; the text says what happened."""


class Shell:
    """One bash: variables and the folder stay from command to command, as in a terminal."""

    def __init__(self, folder: Path, scratch: Path, environment: dict[str, str]) -> None:
        self._scratch = scratch
        self._told, telling = os.pipe()
        command = ["bash", "--noprofile", "--norc", "-o", "pipefail"]
        self._bash = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, pass_fds=[telling], text=True
        )
        self._end = f'echo "$?" >&{telling}\n'
        os.close(telling)

    def run(self, command: str) -> tuple[int, str]:
        """Run a command to its end; return its status, and what it wrote to both outputs."""
        script, output = self._scratch / "command.sh", self._scratch / "output"
        script.write_text(command + "\n", encoding="utf-8")
        assert self._bash.stdin is not None
        self._bash.stdin.write(f". {script} >{output} 2>&1 </dev/null; {self._end}")
        self._bash.stdin.flush()
        ready, _, _ = select.select([self._told], [], [], COMMAND_S)
        if not ready:
            raise DidNotWorkError(f"did not end within {COMMAND_S:g} s\n{_read(output)}")
        status = os.read(self._told, 100).decode().strip()
        if not status:
            raise DidNotWorkError(f"ended the shell\n{_read(output)}")
        return int(status), _read(output)

    def start(self, command: str) -> Server:
        """Start what runs on in another terminal, with this one's folder and exported variables."""
        there = self._scratch / "there"
        self.run(f'{{ printf "%s\\0" "$PWD"; env -0; }} >{there}')
        folder, *variables = there.read_text(encoding="utf-8").rstrip("\0").split("\0")
        return Server(command, folder, dict(one.split("=", 1) for one in variables), self._scratch / "server.log")


class Server:
    """A gateway on 8080 in a terminal of its own, until Ctrl-C."""

    def __init__(self, command: str, folder: str, environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                ["bash", "-c", command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return as soon as it says that it is ready."""
        for _ in range(int(START_S / _LOOK_S)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_LOOK_S)
                raise DidNotWorkError(f"ended at once\n{_read(self._log)}")
            if _is_ready():
                return
        raise DidNotWorkError(f"was not ready within {START_S:g} s\n{_read(self._log)}")

    def stop(self) -> None:
        """Press Ctrl-C, and wait for the end; what does not end is killed."""
        os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.wait(START_S)
        except subprocess.TimeoutExpired:
            raise DidNotWorkError(f"did not end after Ctrl-C\n{_read(self._log)}") from None


def _is_ready() -> bool:
    """Say whether the gateway is ready, and where several processes serve, each of them."""
    ready = _page(8080, "/-/ready")
    status = _page(8081, "/status")  # the demo has its operators' port elsewhere
    processes = json.loads(status).get("processes", []) if status is not None else []
    return ready is not None and all(one["state"] == "ready" for one in processes)


def _page(port: int, target: str) -> bytes | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", target)
        reply = connection.getresponse()
        return reply.read() if reply.status == http.HTTPStatus.OK else None
    except OSError:
        return None
    finally:
        connection.close()


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
