"""The compiled wheel is the same gateway: it passes the tests that reach it from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.system.wheels import ROOT, compiled_wheel

if TYPE_CHECKING:
    from pathlib import Path

FROM_OUTSIDE = (
    "tests/integration",
    "tests/conformance",
    "tests/system/test_nginx.py",
    "tests/system/test_redis.py",
    "tests/system/test_redis_guarded.py",
)
BY_LINES = "tests/integration/test_shared_store.py::test_killed_at_each_line"
"""Compiled code has no lines at which it could be stopped."""
SEEN_BESIDE = ("tests", "config", "docs", "README.md", "pyproject.toml")
TESTS_S = 480


def run(command: list[str], folder: Path, seconds: float, **environment: str) -> str:
    """Run a command that must succeed, and return what it prints."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},  # noqa: TID251 - what the tools of this machine need
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5_000:]
    return done.stdout


@pytest.mark.long
def test_the_wheel_passes_what_the_sources_pass(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Built as `make wheel` builds it, unpacked beside the tests and without the sources in reach."""
    wheel = compiled_wheel(pytestconfig)  # it takes the limit of time off this test: each step has its own
    unpacked, tree = tmp_path / "wheel", tmp_path / "tree"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    assert list(unpacked.glob("gateway/edge/proxy.*.so")), "nothing was compiled"
    tree.mkdir()
    for name in SEEN_BESIDE:
        (tree / name).symlink_to(ROOT / name)
    report = run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--tb=short",
            "--deselect",
            BY_LINES,
            *FROM_OUTSIDE,
        ],
        tree,
        TESTS_S,
        PYTHONPATH=str(unpacked),
    )
    assert " passed" in report
