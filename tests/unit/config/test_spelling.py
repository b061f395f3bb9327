"""Values written back: what a file says once it was read is what it said."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from gateway.config.addresses import ListenAddress, UpstreamUrl
from gateway.config.models import DialectChoice
from gateway.config.values import Duration, DurationOrNone, Interval, Network, Size
from gateway.dialects.spec.values import Statuses

KINDS: dict[str, TypeAdapter[Any]] = {
    "address": TypeAdapter(ListenAddress),
    "dialect": TypeAdapter(DialectChoice),
    "duration": TypeAdapter(Duration),
    "duration or none": TypeAdapter(DurationOrNone),
    "interval": TypeAdapter(Interval),
    "network": TypeAdapter(Network),
    "size": TypeAdapter(Size),
    "statuses": TypeAdapter(Statuses),
    "URL": TypeAdapter(UpstreamUrl),
}
SPELLINGS = [
    *(("duration", text) for text in ("1ms", "1500ms", "2s", "90s", "5m", "2h", "7d", "0.5ms")),
    ("duration or none", "0s"),
    ("interval", "off"),
    ("interval", "2s"),
    *(("size", text) for text in ("0B", "100B", "64KiB", "1000KiB", "8MiB", "2GiB")),
    *(("statuses", written) for written in (404, "4xx", "4xx-5xx", "500-504", [404, "500-502", 504], ["1xx", "4xx"])),
    *(("address", text) for text in ("0.0.0.0:8080", "[::1]:0")),
    *(("URL", text) for text in ("https://api.parts.example", "http://[::1]:8080/v1")),
    *(("network", text) for text in ("10.0.0.0/8", "2001:db8::/32")),
    ("dialect", "salla"),
]


def _written_back(kind: str, written: object) -> object:
    adapter = KINDS[kind]
    return adapter.dump_python(adapter.validate_python(written), mode="json", by_alias=True, exclude_defaults=True)


@pytest.mark.parametrize(("kind", "written"), SPELLINGS, ids=str)
def test_round_trip(kind: str, written: object) -> None:
    """Reading and writing a value changes nothing of it."""
    assert _written_back(kind, written) == written


@pytest.mark.parametrize(
    ("kind", "written", "spelled"),
    [
        ("duration", "60s", "1m"),
        ("duration", "0.5s", "500ms"),
        ("size", "1024B", "1KiB"),
        ("size", "1MB", "1000000B"),
        ("statuses", [500, 501, 502], "500-502"),
        ("statuses", "400-499", "4xx"),
        ("statuses", ["4xx", "5xx"], "4xx-5xx"),
        ("URL", "https://api.parts.example:443/v1/", "https://api.parts.example/v1"),
        ("dialect", {"extends": [], "success": "pass"}, {"extends": [], "success": {"unify": False}}),
    ],
    ids=str,
)
def test_shortest_spelling(kind: str, written: object, spelled: object) -> None:
    """Of several spellings the shortest is written, and a short form is written out."""
    assert _written_back(kind, written) == spelled
