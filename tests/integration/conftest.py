"""What several files of these tests are set up with."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(name="thawed")
def _thawed() -> Iterator[None]:
    """Have the collector look at everything again, which a reload keeps from it."""
    yield
    gc.unfreeze()
