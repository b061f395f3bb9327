"""What a reply's fields say about rates."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects.rates import RateReader
from gateway.dialects.spec import RateWindow
from gateway.model import Allowance
from tests.unit.dialects.views import view_of

NOW_S = 1_767_225_600.0
WINDOWS: list[dict[str, Any]] = [
    {"limit": "X-Limit", "remaining": "X-Left", "reset": {"header": "X-Reset", "as": "epoch_seconds"}},
    {"limit": "X-Day-Limit", "remaining": "X-Day-Left", "reset": {"header": "X-Day-Reset", "as": "delta_seconds"}},
    {"remaining": "X-Tokens"},
    {"limit": "X-Many", "remaining": "X-Many-Left", "reset": "X-Many-Reset"},
    {"limit": "X-Calls", "used": "X-Calls-Used"},
    {"pair": "X-Bucket"},
]


READER = RateReader([RateWindow.model_validate(window) for window in WINDOWS])


@pytest.mark.parametrize(
    ("fields", "allowance"),
    [
        ({}, None),
        ({"X-Limit": "60"}, None),
        ({"X-Limit": "60", "X-Left": "7"}, Allowance(limit=60, remaining=7)),
        ({"X-Left": "7", "X-Reset": "1767225630"}, Allowance(remaining=7, reset_s=30)),
        ({"X-Left": "7", "X-Day-Left": "3", "X-Day-Reset": "60"}, Allowance(remaining=3, reset_s=60)),
        ({"X-Left": "7", "X-Reset": "never"}, Allowance(remaining=7)),
        ({"X-Tokens": "0"}, Allowance(remaining=0)),
        ({"X-Limit": "60;w=1, 900;w=60", "X-Left": "7, 8"}, Allowance(limit=60, remaining=7)),
        ({"X-Left": "-3"}, Allowance(remaining=0)),
        ({"X-Left": "--3"}, None),
        ({"X-Left": "many"}, None),
        ({"X-Left": "٣"}, None),
        ({"X-Left": "9" * 30}, None),
        ({"X-Reset": "1767225630"}, None),
        (
            {"X-Many": "1, 900", "X-Many-Left": "1, 0", "X-Many-Reset": "1, 60"},
            Allowance(limit=900, remaining=0, reset_s=60),
        ),
        ({"X-Many": "1, 900", "X-Many-Left": "1, 0"}, Allowance(limit=900, remaining=0)),
        ({"X-Many": "1, 900, 7", "X-Many-Left": "1, 0"}, Allowance(limit=1, remaining=1)),
        ({"X-Calls": "40", "X-Calls-Used": "32"}, Allowance(limit=40, remaining=8)),
        ({"X-Calls": "40", "X-Calls-Used": "45"}, Allowance(limit=40, remaining=0)),
        ({"X-Calls": "40", "X-Calls-Used": "many"}, None),
        ({"X-Calls-Used": "45"}, None),
        ({"X-Bucket": "32/40"}, Allowance(limit=40, remaining=8)),
        ({"X-Bucket": "32"}, None),
        ({"RateLimit": '"burst";r=3;t=30, "daily";r=2;t=600'}, Allowance(remaining=2, reset_s=600)),
        ({"RateLimit": "limit=100, remaining=3, reset=50"}, Allowance(limit=100, remaining=3, reset_s=50)),
        ({"RateLimit": "nonsense"}, None),
    ],
)
def test_the_tightest_window_counts(fields: dict[str, str], allowance: Allowance | None) -> None:
    """Of several windows the one with the least left is told; counts that are none are ignored, negative ones are 0."""
    assert (
        READER.allowance(tuple((name.encode(), value.encode()) for name, value in fields.items()), NOW_S) == allowance
    )


@pytest.mark.parametrize(
    ("status", "fields", "after"),
    [
        (429, {}, None),
        (503, {"Retry-After-Ms": "1500", "Retry-After": "9"}, 1.5),
        (503, {"x-ms-retry-after-ms": "250"}, 0.25),
        (503, {"Retry-After-Ms": "soon", "Retry-After": "9"}, 9),
        (503, {"Retry-After": "9", "X-Left": "0", "X-Reset": "1767225630"}, 9),
        (503, {"Retry-After": "soon", "X-Left": "0", "X-Reset": "1767225630"}, 30),
        (503, {"X-Left": "5", "X-Reset": "1767225630"}, None),
        (429, {"X-Left": "5", "X-Reset": "1767225630"}, 30),
        (429, {"X-Reset": "1767225630", "X-Day-Reset": "60"}, 60),
        (429, {"X-Left": "0", "X-Reset": "1767225630", "X-Day-Left": "1", "X-Day-Reset": "60"}, 30),
        (403, {"X-Left": "0", "X-Reset": "1767225630", "X-Day-Left": "0", "X-Day-Reset": "60"}, 60),
        (429, {"X-Tokens": "0"}, None),
        (429, {"X-Left": "0", "X-Reset": "never"}, None),
        (429, {"X-Left": "0", "X-Reset": "1"}, 0),
        (429, {"Retry-After": "5, 30"}, 30),
        (429, {"X-Many-Left": "0, 5", "X-Many-Reset": "1, 600"}, 1),
        (429, {"X-Many-Reset": "soon, 600"}, 600),
        (429, {"X-Many-Reset": "Thu, 01 Jan 2026 00:01:00 GMT"}, 60),
        (429, {"RateLimit": '"burst";r=0;t=50'}, 50),
        (200, {"RateLimit": '"burst";r=5;t=50'}, None),
    ],
)
def test_when_to_try_again(status: int, fields: dict[str, str], after: float | None) -> None:
    """Milliseconds, then `Retry-After`, then the reset of what is spent (on a 429 of anything); the longest window."""
    assert READER.retry_after(view_of(headers=fields, status=status), NOW_S) == after


@pytest.mark.parametrize(
    "fields",
    [
        {"Retry-After": "Thu, 01 Jan 2026 01:01:00 GMT"},
        {"X-Reset": "1767229260"},
    ],
)
def test_dates_count_from_the_replys_own(fields: dict[str, str]) -> None:
    """Two clocks need not agree: a moment is compared with the reply's `Date`, where there is one."""
    dated = {"Date": "Thu, 01 Jan 2026 01:00:00 GMT", **fields}
    assert READER.retry_after(view_of(headers=dated, status=429), NOW_S) == 60
    undated = {"Date": "who knows", **fields}
    assert READER.retry_after(view_of(headers=undated, status=429), NOW_S) == 3_660
