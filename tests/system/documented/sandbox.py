"""A machine for one page: a fresh copy of the project, a network with nothing but loopback, and no other processes.

So a page is run word for word, with its ports, while other pages and other tests run; and what it starts ends with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.components import require_component
from tests.integration.certificates import Authority
from tests.system.documented.parts import HOST

ROOT: Final = Path(__file__).parents[3]
NAMES: Final = (HOST, "redis.internal")
"""Hosts of the examples that are this machine here, with a certificate by an authority that everything trusts."""
GIVEN: Final = Path(__file__).parent / "given"
PAGE_S: Final = 300.0
_LINKED: Final = ("gateway", "tests", "bench")
"""Large, and nothing that a page writes to."""
_NOT_OURS: Final = ("dist", "build", "htmlcov")
_SETUP: Final = 'ip link set lo up && mount --bind "$1" /etc/hosts && shift && exec "$@"'


def copy_of_the_project(folder: Path) -> None:
    """Copy what a reader has after `make install`; the environment itself is the one that runs the tests."""
    for entry in ROOT.iterdir():
        target = folder / entry.name
        if entry.name.startswith(".") or entry.name in _NOT_OURS:
            continue
        if entry.name in _LINKED:
            target.symlink_to(entry)
        elif entry.is_dir():
            shutil.copytree(entry, target)
        else:
            shutil.copy2(entry, target)
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("pyproject.toml", "uv.lock"):
        os.utime(folder / name, (0, 0))  # older than the environment: `make` has nothing to install


def play(page: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run a page; the status is 0 when all is as it says, else the output says what is not."""
    folder, scratch = tmp_path / "accord", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    copy_of_the_project(folder)
    given = GIVEN / page.relative_to(ROOT).with_suffix("").name
    if given.is_dir():
        shutil.copytree(given, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("before.sh"))
    authority = Authority(scratch)
    authority.issue("server", *(f"DNS:{name}" for name in NAMES))
    hosts = scratch / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {' '.join(NAMES)}\n::1 localhost\n", encoding="ascii")
    arguments = [str(one) for one in (page, folder, scratch, given)]
    return subprocess.run(
        [*_namespaces(), "sh", "-c", _SETUP, "-", str(hosts), sys.executable, "-m", f"{__package__}.play", *arguments],
        env=_environment(scratch, authority.file),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PAGE_S,
        check=False,
    )


def _namespaces() -> list[str]:
    """Return the command that makes them; who is not root becomes it inside."""
    require_component("ip", package="iproute2")
    unshare = require_component("unshare", package="util-linux")
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return [unshare, *user, "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]


def _environment(scratch: Path, authority: Path) -> dict[str, str]:
    """Return what a page's commands see: nothing of the caller's but where programs are."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # noqa: TID251 - where this machine's programs are
        "PYTHONPATH": str(ROOT),
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "SSL_CERT_FILE": str(authority),
        "CURL_CA_BUNDLE": str(authority),
    }
