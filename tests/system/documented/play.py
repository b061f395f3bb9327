"""Do what a page says, in a folder, and tell the first thing that is not so. Run by `unshare`; see `sandbox.py`.

python -m tests.system.documented.play PAGE FOLDER SCRATCH
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from tests.system.documented import parts
from tests.system.documented.files import merged
from tests.system.documented.outputs import difference
from tests.system.documented.pages import Command, File, NotRun, Server, Step, steps
from tests.system.documented.shell import DidNotWorkError, Shell
from tests.system.documented.shell import Server as Terminal

NEW: Final = {
    "config/gateway.yaml": "version: 1\n",
    "config/upstreams/parts.yaml": "version: 1\nname: parts\nbase_url: https://api.parts.example/v1\n"
    "match: {prefix: /parts}\n",
    "config/upstreams/shop.yaml": "version: 1\nname: shop\nbase_url: https://api.salla.dev/admin/v2\n"
    "match: {prefix: /shop}\ndialect: salla\n",
}
"""What the keys go into of a file that is not there yet."""


class Play:
    """The reader: at most one server at a time."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self._folder = folder
        environment = dict(os.environ)  # noqa: TID251 - sandbox.py has made it
        self._shell = Shell(folder, scratch, environment)
        self._server: Terminal | None = None

    def prepare(self, script: Path) -> None:
        """Do what a page takes for granted: commands as in a block of it, servers too."""
        if script.exists():
            for step in steps(f"```sh\n{script.read_text(encoding='utf-8')}```\n"):
                self.do(step)

    def do(self, step: Step) -> None:
        """Do one step; `DidNotWorkError` where it is not as the page says."""
        match step:
            case Command():
                self._command(step)
            case Server(text=text):
                self.stop()
                self._server = self._shell.start(text)
                self._server.wait_until_ready()
            case File():
                self._write(step)
            case NotRun():
                pass

    def stop(self) -> None:
        """End the server that runs."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def _command(self, command: Command) -> None:
        status, printed = self._shell.run(command.text)
        if status != command.status:
            raise DidNotWorkError(f"exited with {status}, but {command.status} was expected\n{printed}")
        for shown in command.prints:
            if (found := difference(shown, printed)) is not None:
                raise DidNotWorkError(f"{found}\nIt printed:\n{printed}")

    def _write(self, file: File) -> None:
        path = self._folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        there = path.read_text(encoding="utf-8") if path.exists() else NEW.get(file.path, "")
        path.write_text(file.text if file.whole else merged(there, file.text), encoding="utf-8")


def main(page: Path, folder: Path, scratch: Path, given: Path) -> int:
    """Play a page; 0 when all is as it says."""
    parts.serve(scratch / "server.pem", scratch / "server.key")
    play = Play(folder, scratch)
    play.prepare(given / "before.sh")
    for step in steps(page.read_text(encoding="utf-8")):
        try:
            play.do(step)
        except DidNotWorkError as error:
            what = step.path if isinstance(step, File) else step.text
            sys.stdout.write(f"{page}:{step.line}: {what}\n{error}\n")
            return 1
    play.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
