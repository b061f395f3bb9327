"""Documents that lie beside a checkout and are read, never copied: the founding APIs' pages, and captured replies."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared"

reads_shared = [
    pytest.mark.platform,  # a checkout elsewhere has no such folder, and nothing can install it
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no shared documents beside this checkout"),
]
