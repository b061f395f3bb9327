"""Times in every form, and in none."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.dialects.timing import TimeForm, http_date, retry_after, seconds_until

TIMES = """
    Thu, 01 Jan 2026 00:00:00 GMT|Thursday, 01-Jan-26 00:00:00 GMT|Thu Jan  1 00:00:00 2026|Thu, 01 Jan 2026 00:00:00
    2026-01-01T00:00:00Z|2026-01-01 00:00:00.5+03:00|2026-01-01|0001-01-01T00:00:00+23:59|9999-12-31T23:59:59-23:59
    Sat, 01 Jan 0001 00:00:00 -2359|Fri, 31 Dec 9999 23:59:59 +2359|Mon, 99 Zzz 99999 99:99:99 +9999|1e5|-1|1_0|nan
""".replace("\n", "|").split("|")
values = st.one_of(
    st.text(max_size=80),
    st.sampled_from([text.strip() for text in TIMES]),
    st.integers(-(10**30), 10**30).map(str),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.tuples(st.text(max_size=4), st.sampled_from(TIMES), st.text(max_size=4)).map("".join),
)
nows = st.one_of(st.just(1_767_225_600.0), st.floats(allow_nan=False, allow_infinity=False))


@pytest.mark.parametrize("form", TimeForm)
@given(value=values, now_s=nows)
@example(value=10**5_000, now_s=0.0)
@example(value="9" * 5_000, now_s=0.0)
@example(value=-(10**5_000), now_s=0.0)
def test_any_value_is_a_wait_or_no_time(form: TimeForm, value: object, now_s: float) -> None:
    """Whatever is written where a time should be, there is a finite wait of zero or more, or none."""
    _check(seconds_until(value, form, now_s))


@given(value=st.text(max_size=80) | st.sampled_from(TIMES), now_s=nows)
def test_any_retry_after_is_a_wait_or_no_time(value: str, now_s: float) -> None:
    """`Retry-After` may hold anything; what comes out is a finite wait of zero or more, or none."""
    _check(retry_after(value, now_s))


@given(value=st.text(max_size=80) | st.sampled_from(TIMES))
def test_any_date_is_a_time_or_none(value: str) -> None:
    """A date field may hold anything."""
    found = http_date(value)
    assert found is None or math.isfinite(found)


def _check(seconds: float | None) -> None:
    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)
