"""Successes stay successes: bodies that speak of errors, failed payments and codes, and are none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from gateway.config import presets
from gateway.dialects.view import View

if TYPE_CHECKING:
    from gateway.dialects.header import Fields

LINES = (Path(__file__).parent / "successes.jsonl").read_bytes().splitlines()
SUCCESSES: list[dict[str, Any]] = [msgspec.json.decode(line) for line in LINES]
"""A `name`, and what was sent: `json`, or the text of `xml`."""


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("success", SUCCESSES, ids=[success["name"] for success in SUCCESSES])
@pytest.mark.parametrize("dialect", ["auto", "generic"])
def test_a_success_is_not_taken_for_an_error(dialect: str, success: dict[str, Any], status: int) -> None:
    """What an API of which nothing is known sends under 2xx is an error only where its structure leaves no doubt."""
    xml = success.get("xml")
    body = msgspec.json.encode(success["json"]) if xml is None else xml.encode()
    fields: Fields = {b"content-type": b"application/json" if xml is None else b"application/xml"}
    assert presets.preset(dialect).read_error(View(status, fields, body), 0.0) is None


def test_there_are_enough_of_them() -> None:
    """The fewer there are, the less they hold."""
    assert len(SUCCESSES) >= 60
