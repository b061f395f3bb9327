"""A container without a container engine: the image's files, the namespaces and the restrictions that an engine makes.

The image's command is process 1 of its own process namespace, user 10001, without a capability or a way to get one;
its root is read-only, and so is the configuration that is mounted. It has a network of its own.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.components import require_component

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator

PATIENCE_S = 60.0
_LOOK_S = 0.02
_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET."""
_INSIDE = """
set -eu
root=$1 config=$2; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero random urandom; do
    : > "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o remount,ro "$root/dev"
mount --bind "$config" "$root/etc/accord"
mount -o remount,bind,ro "$root/etc/accord"
mount -o remount,bind,ro "$root"
ip link set lo up
exec env -i "$@"
"""


class Container:
    """A container that runs."""

    def __init__(self, outer: subprocess.Popen[str], image: Any) -> None:  # noqa: ANN401 - JSON
        self.outer = outer
        self._image = image
        self.pid = _only_child(outer)
        """Process 1, by its number outside."""

    def signal(self, number: signal.Signals) -> None:
        """Send process 1 a signal, as an engine does to stop a container."""
        os.kill(self.pid, number)

    def ended(self) -> tuple[int, str]:
        """Wait until it ended; return its status and what it said to operators."""
        _, told = self.outer.communicate(timeout=PATIENCE_S)
        return self.outer.returncode, told

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, as `docker exec` and a HEALTHCHECK do."""
        entered = [_tool("nsenter"), "--target", str(self.pid), "--pid", "--net", "--ipc", "--uts", "--mount"]
        entered += [f"--root=/proc/{self.pid}/root", f"--wd=/proc/{self.pid}/root", "-S", "10001", "-G", "10001"]
        return subprocess.run(
            [*entered, "--", *command],
            env=dict(entry.split("=", 1) for entry in self._image["Env"]),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def health(self) -> subprocess.CompletedProcess[str]:
        """Run the image's own HEALTHCHECK."""
        kind, *command = self._image["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.run(*command)

    def connect(self, port: int) -> HTTPConnection:
        """Return a connection that was made inside the container's network."""
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        connection.sock = _in_network(self.pid, lambda: socket.create_connection(("127.0.0.1", port), PATIENCE_S))
        return connection

    def get(self, port: int, target: str) -> tuple[int, bytes]:
        """Ask once, on a connection of its own; return status and body."""
        connection = self.connect(port)
        try:
            connection.request("GET", target, headers={"Connection": "close"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def status(self) -> dict[str, str]:
        """Return what the kernel knows of process 1."""
        return status_of(self.pid)

    def processes(self) -> dict[int, dict[str, str]]:
        """Return what the kernel knows of each process in the container, by its number outside."""
        mine = Path(f"/proc/{self.pid}/ns/pid").readlink()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "ns" / "pid").readlink() == mine:
                    found[int(entry.name)] = status_of(int(entry.name))
            except OSError:
                continue
        return found


@contextmanager
def container(image: Any, root: Path, config: Path, *command: str) -> Iterator[Container]:  # noqa: ANN401
    """Run the image while the context lasts, with a folder as its configuration, and leave no process behind."""
    arguments = [*image["Entrypoint"], *(command or image["Cmd"])]
    dropped = [_tool("setpriv"), "--no-new-privs", _tool("unshare"), "--root", str(root), "--wd", image["WorkingDir"]]
    user, group = image["User"].split(":")
    dropped += ["--setgid", group, "--setuid", user, "--", *arguments]
    apart = [_tool("unshare"), "--fork", "--kill-child", "--pid", "--mount", "--net", "--ipc", "--uts"]
    outer = subprocess.Popen(
        [*apart, "--", _tool("sh"), "-c", _INSIDE, "sh", str(root), str(config), *image["Env"], *dropped],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Container(outer, image)
    finally:
        outer.kill()
        outer.communicate(timeout=PATIENCE_S)


def eventually(look: Callable[[], Any]) -> Any:  # noqa: ANN401 - what `look` says
    """Look again and again until something true is seen, and return it; who refuses a connection is asked again."""
    end_s = time.monotonic() + PATIENCE_S  # noqa: TID251 - the patience of a test with processes of the system
    while True:
        try:
            if seen := look():
                return seen
        except OSError:
            pass
        assert time.monotonic() < end_s, "it never came"  # noqa: TID251 - as above
        time.sleep(_LOOK_S)  # noqa: TID251 - it is in another process


def status_of(pid: int) -> dict[str, str]:
    """Return the fields of a process's status file."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _only_child(outer: subprocess.Popen[str]) -> int:
    """Wait until the process that stays outside has started process 1, and that has become the image's command."""
    listed = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")

    def look() -> int | None:
        assert outer.poll() is None, outer.communicate()[1]
        for child in listed.read_text().split():
            if status_of(int(child))["Uid"].split()[0] == "10001":
                return int(child)
        return None

    pid: int = eventually(look)
    return pid


def _in_network(pid: int, make: Callable[[], socket.socket]) -> socket.socket:
    """Make a socket in the network of a process: a thread of its own goes there, and never comes back."""
    made: list[socket.socket | OSError] = []
    libc = ctypes.CDLL(None, use_errno=True)

    def go() -> None:
        try:
            with open(f"/proc/{pid}/ns/net", "rb") as network:  # noqa: PTH123 - for its descriptor
                if libc.setns(network.fileno(), _NEW_NETWORK) != 0:
                    raise OSError(ctypes.get_errno(), "setns")  # noqa: TRY301 - as every other failure in here
            made.append(make())
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def _tool(name: str) -> str:
    """Return the path of a program that every Debian has, wherever PATH leads."""
    found = shutil.which(name)
    return found if found is not None else require_component(name, package="util-linux")
