"""Times in every form that upstreams use; that nothing ever raises is a property (tests/property/test_timing.py)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from gateway.dialects.timing import TimeForm, http_date, retry_after, seconds_to_refill, seconds_until

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW_S = 1_767_225_600.0  # 2026-01-01T00:00:00Z
MINUTE_LATER = "Thu, 01 Jan 2026 00:01:00 GMT"


@pytest.mark.parametrize(
    ("form", "value", "seconds"),
    [
        (TimeForm.DELTA_SECONDS, "60", 60),
        (TimeForm.DELTA_SECONDS, " 0.5 ", 0.5),
        (TimeForm.DELTA_SECONDS, 61, 61),
        (TimeForm.DELTA_SECONDS, 1.5, 1.5),
        (TimeForm.DELTA_SECONDS, "-5", 0),
        (TimeForm.DELTA_SECONDS, "soon", None),
        (TimeForm.DELTA_SECONDS, "1_0", None),
        (TimeForm.DELTA_SECONDS, "nan", None),
        (TimeForm.DELTA_SECONDS, "inf", None),
        (TimeForm.DELTA_SECONDS, "-inf", None),
        (TimeForm.DELTA_SECONDS, "1e300", None),
        (TimeForm.DELTA_SECONDS, 10**400, None),
        (TimeForm.DELTA_SECONDS, "9" * 10_000, None),
        (TimeForm.DELTA_SECONDS, "", None),
        (TimeForm.DELTA_SECONDS, None, None),
        (TimeForm.DELTA_SECONDS, True, None),
        (TimeForm.DELTA_SECONDS, [60], None),
        (TimeForm.DELTA_MS, "1500", 1.5),
        (TimeForm.DELTA_MS, "soon", None),
        (TimeForm.EPOCH_SECONDS, "1767225660", 60),
        (TimeForm.EPOCH_SECONDS, "1767225000", 0),
        (TimeForm.EPOCH_SECONDS, "soon", None),
        (TimeForm.EPOCH_MS, 1_767_225_660_500, 60.5),
        (TimeForm.HTTP_DATE, MINUTE_LATER, 60),
        (TimeForm.HTTP_DATE, "60", None),
        (TimeForm.RFC3339, "2026-01-01T00:01:00Z", 60),
        (TimeForm.RFC3339, "2026-01-01T03:01:00.5+03:00", 60.5),
        (TimeForm.RFC3339, "2026-01-01T00:01:00", None),
        (TimeForm.RFC3339, "tomorrow", None),
        (TimeForm.AUTO, "60", 60),
        (TimeForm.AUTO, "1767225660", 60),
        (TimeForm.AUTO, "1767225660000", 60),
        (TimeForm.AUTO, MINUTE_LATER, 60),
        (TimeForm.AUTO, "2026-01-01T00:01:00Z", 60),
        (TimeForm.AUTO, "soon", None),
        (TimeForm.AUTO, "6m0s", 360),
        (TimeForm.AUTO, "2026-01-01 00:01:00", 60),
        (TimeForm.AUTO, "PT1M", 60),
        (TimeForm.DELTA_MINUTES, "1.5", 90),
        (TimeForm.DATETIME, "2026-01-01 00:01:00", 60),
        (TimeForm.DATETIME, "2026-01-01 00:01:00 UTC", 60),
        (TimeForm.DATETIME, "2026-01-01T03:01:00+03:00", 60),
        (TimeForm.DATETIME, "60", None),
        (TimeForm.DURATION, "1h1m1.5s", 3661.5),
        (TimeForm.DURATION, "250ms", 0.25),
        (TimeForm.DURATION, "5\N{MICRO SIGN}s", 0.000005),
        (TimeForm.DURATION, "34.074824224s", 34.074824224),
        (TimeForm.DURATION, "60", None),
        (TimeForm.DURATION, "1m 30s", None),
        (TimeForm.ISO8601_DURATION, "P1DT1H1M1.5S", 90061.5),
        (TimeForm.ISO8601_DURATION, "PT", None),
        (TimeForm.ISO8601_DURATION, "1M", None),
    ],
)
def test_each_form(form: TimeForm, value: object, seconds: float | None) -> None:
    """The past is now; what is no time, or thousands of years away, is nothing."""
    found = seconds_until(value, form, NOW_S)
    assert found == (pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("60", 60),
        ("0.25", 0.25),
        ("-1", 0),
        (MINUTE_LATER, 60),
        ("5, 30", 30),
        ("Thu, 01 Jan 2026", None),
        ("later", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    """RFC 9110 section 10.2.3, and the decimals that some send."""
    found = retry_after(value, NOW_S)
    assert found == seconds


@pytest.mark.parametrize(
    ("need", "have", "per_second", "seconds"),
    [
        (750, 200, 50, 11),
        ("750", "200.0", 50.0, 11),
        (200, 750, 50, 0),
        (750, 200, 0, None),
        (750, 200, -1, None),
        (1e17, 0, 1e-6, None),
        (None, 200, 50, None),
        (750, "much", 50, None),
    ],
)
def test_a_bucket_that_refills(need: object, have: object, per_second: object, seconds: float | None) -> None:
    """What is missing comes back at a rate; what cannot be worked out is nothing."""
    assert seconds_to_refill(need, have, per_second) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "Thu, 01 Jan 2026 00:01:00 GMT",
        "Thursday, 01-Jan-26 00:01:00 GMT",
        "Thu Jan  1 00:01:00 2026",
        "Thu, 01 Jan 2026 00:01:00 -0000",
        "Thu, 01 Jan 2026 03:01:00 +0300",
    ],
)
def test_all_forms_of_a_date_are_in_utc(value: str) -> None:
    """The three forms of RFC 9110 section 5.6.7 mean the same, whatever zone this machine is in."""
    assert http_date(value) == NOW_S + 60


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put this process in a zone fourteen hours from UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XYZ-14")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_a_date_without_a_zone_is_not_local() -> None:
    """The form of asctime() names no zone; it is in UTC, not in the zone of whoever reads it."""
    assert http_date("Thu Jan  1 00:02:00 2026") == NOW_S + 120


@pytest.mark.parametrize("value", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 +9999"])
def test_what_is_no_date_is_none(value: str) -> None:
    """A date that nobody can read is as good as none."""
    assert http_date(value) is None
