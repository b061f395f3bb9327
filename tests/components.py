"""The outside programs that some tests need (a Redis server, a browser), and the rule for a machine that lacks one.

A test asks for its program with `require_component`; where it is missing the test is skipped and says what to install.
With `ACCORD_REQUIRE_ALL=1`, as in CI, `tests/conftest.py` turns that skip and every other into a failure: there, green
means that it ran. `.ci/run` installs what is asked for here.
"""

from __future__ import annotations

import os
import shutil

import pytest


def all_required() -> bool:
    """Say whether a test may no longer be skipped."""
    return os.environ.get("ACCORD_REQUIRE_ALL", "") not in {"", "0"}  # noqa: TID251 - a switch of the test run itself


def require_component(*programs: str, package: str | None = None) -> str:
    """Return the path of the first of `programs` that is on PATH, or skip the test.

    Several names are several builds of one thing (`redis-server`, `valkey-server`). `package` is the Debian package to
    install, where its name is not that of the first program.
    """
    for program in programs:
        if (path := shutil.which(program)) is not None:
            return path
    pytest.skip(f"no {' or '.join(programs)} on PATH; on Debian: apt-get install {package or programs[0]}")
