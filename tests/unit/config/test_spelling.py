"""Values written back: what a file says once it was read is what it said."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from gateway.config.models import DialectChoice
from gateway.config.values import Address, BaseUrl, Duration, DurationOrNone, Network, Size
from gateway.dialects.spec.values import Statuses

SPELLINGS = [
    *((Duration, text) for text in ("1ms", "1500ms", "2s", "90s", "5m", "2h", "7d", "0.5ms")),
    (DurationOrNone, "0s"),
    *((Size, text) for text in ("0B", "100B", "64KiB", "1000KiB", "8MiB", "2GiB")),
    *((Statuses, written) for written in (404, "4xx", "4xx-5xx", "500-504", [404, "500-502", 504], ["1xx", "4xx"])),
    *((Address, text) for text in ("0.0.0.0:8080", "[::1]:0")),
    *((BaseUrl, text) for text in ("https://api.parts.example", "http://[::1]:8080/v1")),
    *((Network, text) for text in ("10.0.0.0/8", "2001:db8::/32")),
    (DialectChoice, "salla"),
]


@pytest.mark.parametrize(("kind", "written"), SPELLINGS, ids=lambda value: str(value).replace("/", "-")[-20:])
def test_round_trip(kind: Any, written: object) -> None:
    """Reading and writing a value changes nothing of it."""
    adapter = TypeAdapter[Any](kind)
    assert adapter.dump_python(adapter.validate_python(written), mode="json") == written


@pytest.mark.parametrize(
    ("kind", "written", "spelled"),
    [
        (Duration, "60s", "1m"),
        (Duration, "0.5s", "500ms"),
        (Size, "1024B", "1KiB"),
        (Size, "1MB", "1000000B"),
        (Statuses, [500, 501, 502], "500-502"),
        (Statuses, "400-499", "4xx"),
        (Statuses, ["4xx", "5xx"], "4xx-5xx"),
        (BaseUrl, "https://api.parts.example:443/v1/", "https://api.parts.example/v1"),
    ],
)
def test_shortest_spelling(kind: Any, written: object, spelled: object) -> None:
    """Of several spellings the shortest is written."""
    adapter = TypeAdapter[Any](kind)
    assert adapter.dump_python(adapter.validate_python(written), mode="json") == spelled


def test_own_dialect() -> None:
    """A dialect of one's own is written out."""
    choice = DialectChoice.model_validate({"extends": [], "success": "pass"})
    assert choice.model_dump(mode="json", by_alias=True, exclude_defaults=True) == {
        "extends": [],
        "success": {"unify": False},
    }
