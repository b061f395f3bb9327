"""What things look like, on every dashboard alike: a colour for each party that can be at fault, and units."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.models import units

FINE: Final = "green"
CLIENT: Final = "blue"
UPSTREAM: Final = "orange"
GATEWAY: Final = "red"
NEUTRAL: Final = "#8e8e8e"

FAULTS: Final = {"none": FINE, "client": CLIENT, "upstream": UPSTREAM, "gateway": GATEWAY}
"""By who must act. Shades of one colour are one party."""

OUTCOMES: Final = {
    "ok": FINE,
    "idle": "semi-dark-green",
    "client_error": CLIENT,
    "rate_limited": "light-blue",
    "no_route": "dark-blue",
    "upstream_4xx": "super-light-blue",
    "cancelled": "semi-dark-blue",
    "upstream_5xx": UPSTREAM,
    "upstream_masked": "light-orange",
    "transport": "dark-orange",
    "timeout": "dark-yellow",
    "cut": "semi-dark-orange",
    "upstream_budget": "super-light-orange",
    "gateway_error": GATEWAY,
}

PER_SECOND: Final = units.RequestsPerSecond
SHARE: Final = units.PercentUnit
SECONDS: Final = units.Seconds
BYTES: Final = units.BytesIEC
BYTES_PER_SECOND: Final = units.BytesPerSecondIEC
NUMBER: Final = units.Short
MOMENT: Final = units.DatetimeISONotToday
"""Milliseconds of Unix time, as a clock."""
AGO: Final = "dateTimeFromNow"
"""The same, as "3 minutes ago"."""
