"""The script that decides in Redis, as text and as the digest by which a server knows it again."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files
from typing import Final

TEXT: Final = (files("gateway.limits.stores.redis") / "script.lua").read_bytes()
DIGEST: Final = sha1(TEXT, usedforsecurity=False).hexdigest().encode("ascii")
"""SHA-1 is what EVALSHA names scripts by."""
