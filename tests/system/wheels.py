"""The compiled wheel of the code as it is now, built once for all tests that need it, in whichever process they run.

Compiling takes minutes. What is kept lies in pytest's cache under a digest of all that goes into it, so that a change
of any of it builds anew.
"""

from __future__ import annotations

import faulthandler
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.components import require_component

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
BUILD_S = 480


def compiled_wheel(config: pytest.Config) -> Path:
    """Return the wheel as `make wheel` builds it; the caller may not write where it lies."""
    require_component("gcc")
    faulthandler.cancel_dump_traceback_later()  # a compiler takes longer than a test may; it has its own limit
    kept = Path(config.cache.mkdir("accord-wheel"))
    home = kept / _digest()
    with (kept / "lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        if not list(home.glob("*.whl")):
            for old in kept.glob("[0-9a-f]" * 16):
                shutil.rmtree(old)
            _build(home)
    (wheel,) = home.glob("*.whl")
    return wheel


def _digest() -> str:
    """Return what names all that a wheel is made from."""
    digest = hashlib.sha256(sys.version.encode())
    sources = (ROOT / "gateway").rglob("*")
    files = [path for path in sources if path.is_file() and "__pycache__" not in path.parts]
    for path in sorted([*files, *(ROOT / name for name in ("pyproject.toml", "uv.lock", "README.md", "LICENSE"))]):
        digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _build(home: Path) -> None:
    """Build it beside, and move it to its place whole.

    By way of the archive of sources, in a folder of its own: the compiler's hook moves pyproject.toml away while it
    works, which other tests read meanwhile.
    """
    half = home.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    uv = str(Path(sys.executable).with_name("uv"))
    done = subprocess.run(  # `timeout` ends the compiler too, which would go on without uv
        ["timeout", str(BUILD_S), uv, "build", "--quiet", "--out-dir", str(half)],
        cwd=ROOT,
        env={**os.environ, "HATCH_BUILD_HOOKS_ENABLE": "true"},  # noqa: TID251 - what the tools of this machine need
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5_000:]
    half.rename(home)
