"""Configurations in a folder, for commands that read one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "version: 1\nname: {name}\nbase_url: https://api.{name}.example\nmatch: {{prefix: /{name}}}\n"


def configure(folder: Path, gateway: str = "", **upstreams: str) -> Path:
    """Write a gateway's file and an upstream file for each name, made of `HEAD` and the text; return the first."""
    (folder / "upstreams").mkdir(parents=True, exist_ok=True)
    file = folder / "gateway.yaml"
    file.write_text(f"version: 1\n{gateway}", encoding="utf-8")
    for name, text in upstreams.items():
        (folder / "upstreams" / f"{name}.yaml").write_text(HEAD.format(name=name) + text, encoding="utf-8")
    return file
