"""What a reply's head says about budgets, and the presets that know how their APIs count."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config import presets
from gateway.dialects.budgets import BudgetReader
from gateway.dialects.rates import RateReader
from gateway.dialects.spec import DialectSpec
from gateway.limits.budget.learned import Learned
from gateway.limits.budget.values import Kind, Scope
from gateway.model import Grant, Headers

NOW_S = 1_767_225_600.0
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
S = 1_000_000
MS = 1_000
ROUTE, OTHER = b"GET /a", b"GET /b"


def fields(**named: str) -> Headers:
    """Return header fields; `_` stands for `-`."""
    return tuple((name.replace("_", "-").encode(), value.encode()) for name, value in named.items())


def reader(**dialect: Any) -> BudgetReader:  # noqa: ANN401 - each key has a type of its own
    """Return what reads the budgets of a dialect."""
    spec = DialectSpec.model_validate(dialect)
    return BudgetReader((spec,), RateReader(spec.rate_headers))


def preset(name: str) -> BudgetReader:
    """Return what reads the budgets of a preset."""
    return presets.preset(name).budgets


def after(name: str, *replies: tuple[int, Headers], ask: bytes = ROUTE) -> float:
    """Send a request on one route for each reply, all at 0, and return how long the next one has to wait on `ask`."""
    read = preset(name)
    learned = Learned(read.kinds)
    for status, headers in replies:
        ticket = learned.sent(ROUTE, 0)
        grants, absurd = read.grants(headers, NOW_S)
        assert absurd == 0
        pause = read.pause(status, headers, NOW_S)
        learned.replied(ticket, grants, 0, bucket=read.bucket(headers), refused=pause is not None)
        if pause is not None:
            scope, after_s = pause
            learned.limited(ticket, scope, None if after_s is None else round(after_s * S), 0, 0.0)
    return learned.wait_us(ask, 0) / S


@pytest.mark.parametrize(
    ("form", "text", "grain_us", "reset_us"),
    [
        ("delta_seconds", "30", S, 30 * S),
        ("delta_seconds", "1.47", MS, 1_470_000),
        ("delta_ms", "250", MS, 250_000),
        ("delta_minutes", "2", 60 * S, 120 * S),
        ("epoch_seconds", "1767225630", S, 30 * S),
        ("epoch_ms", "1767225630500", S, 30_500_000),
        ("rfc3339", "2026-01-01T00:00:30.5Z", S, 30_500_000),
        ("duration", "6m0s", S, 360 * S),
        ("duration", "250ms", MS, 250_000),
        ("duration", "1m12.5s", MS, 72_500_000),
        ("auto", "30", S, 30 * S),
    ],
)
def test_a_reset_is_as_fine_as_it_is_written(form: str, text: str, grain_us: int, reset_us: int) -> None:
    """What counts from a date is no finer than that."""
    read = reader(rate_headers={"limit": "L", "remaining": "R", "reset": {"header": "T", "as": form}})
    assert read.grants(fields(L="100", R="7", T=text, Date=DATE), NOW_S) == ((Grant(0, 100, 7, reset_us, grain_us),), 0)


@pytest.mark.parametrize(
    ("sent", "grants", "absurd"),
    [
        ({}, (), 0),
        ({"L": "100"}, (), 0),
        ({"R": "7"}, (Grant(0, None, 7, None, S),), 0),
        ({"R": "-7"}, (Grant(0, None, 0, None, S),), 0),
        ({"R": "NaN"}, (), 1),
        ({"R": "9" * 30}, (), 1),
        ({"R": "7", "T": "nan"}, (Grant(0, None, 7, None, S),), 1),
        ({"R": "7", "T": "1e300"}, (Grant(0, None, 7, None, S),), 1),
        ({"R": "7", "T": "99999999"}, (Grant(0, None, 7, None, S),), 1),
        ({"R": "7", "T": "-5"}, (Grant(0, None, 7, 0, S),), 0),
        ({"R": "7, 8", "T": "1, 60"}, (Grant(0, None, 7, S, S), Grant(1000, None, 8, 60 * S, S)), 0),
        ({"P": "32/40"}, (Grant(1, 40, 8, None, S),), 0),
        (
            {"RateLimit": '"b";r=3;t=30, "d";r=2'},
            (Grant(10**6, None, 3, 30 * S, S), Grant(1_001_000, None, 2, None, S)),
            0,
        ),
        ({"RateLimit": "nonsense"}, (), 1),
    ],
)
def test_what_cannot_be_is_ignored_and_counted(sent: dict[str, str], grants: tuple[Grant, ...], absurd: int) -> None:
    """A negative wait is none; a number that is none, and a reset in more than a year, are left out."""
    window = {"limit": "L", "remaining": "R", "reset": {"header": "T", "as": "delta_seconds"}}
    assert reader(rate_headers=[window, {"pair": "P"}]).grants(fields(**sent), NOW_S) == (grants, absurd)


@pytest.mark.parametrize(
    ("window", "kind"),
    [
        ({"pair": "P"}, Kind()),
        ({"pair": "P", "refills": "20s"}, Kind(refill_us=20 * S)),
        ({"remaining": "R", "refills": "by_reset", "counts": "other"}, Kind(until_reset=True, requests=False)),
    ],
)
def test_how_a_window_behaves_is_said(window: dict[str, Any], kind: Kind) -> None:
    """All back at once, or evenly; requests, or something else."""
    assert reader(rate_headers=window).kinds == (kind,)


@pytest.mark.parametrize(
    ("status", "sent", "pause"),
    [
        (200, {"Retry-After": "5"}, None),
        (404, {"Retry-After": "5"}, None),
        (429, {}, (Scope.BUCKET, None)),
        (429, {"Retry-After": "5"}, (Scope.BUCKET, 5)),
        (503, {"Retry-After": "5"}, (Scope.BUCKET, 5)),
        (503, {}, None),
    ],
)
def test_a_refusal_is_429_or_503_with_a_time(status: int, sent: dict[str, str], pause: object) -> None:
    """Where the dialect says nothing else."""
    assert (
        reader().pause(status, fields(**{name.replace("-", "_"): value for name, value in sent.items()}), NOW_S)
        == pause
    )


def test_a_name_of_a_bucket_is_short() -> None:
    """A longer one is none, and neither is one that is not sent."""
    read = reader(rate_bucket="X-Bucket")
    assert [read.bucket(fields(X_Bucket=name)) for name in ("b7", "x" * 65)] == [b"b7", b""]
    assert (read.bucket(()), reader().bucket(fields(X_Bucket="b7"))) == (b"", b"")
    assert (read.by_path, reader().by_path) == (True, False)


def test_salla_is_a_bucket_of_a_minute() -> None:
    """A reset is in every reply and says nothing; at 0 of 120 one comes back in half a second."""
    told = {"X_RateLimit_Limit": "120", "X_RateLimit_Reset": "1767225630", "Date": DATE}
    assert after("salla", (200, fields(X_RateLimit_Remaining="119", **told))) == 0
    assert after("salla", (200, fields(X_RateLimit_Remaining="0", **told))) == 0.5
    assert after("salla", (429, fields(X_RateLimit_Remaining="0", Retry_After="7", **told))) == 7


def test_salla_s_plans() -> None:
    """120, 360 or 720 a minute for a credential, and 500 in ten minutes for our address on customers."""
    plans = presets.specs()["salla"].budgets
    assert {name: (plan[0].requests, plan[0].per_s, plan[0].shape, plan[0].by) for name, plan in plans.items()} == {
        "plus": (120, 60, "leaky_bucket", "credential"),
        "pro": (360, 60, "leaky_bucket", "credential"),
        "special": (720, 60, "leaky_bucket", "credential"),
    }
    for _, customers in plans.values():
        assert (customers.requests, customers.per_s, customers.shape, customers.by) == (
            500,
            600,
            "fixed_window",
            "address",
        )
        assert customers.paths == ("/admin/v2/customers", "/admin/v2/customers/**")


def test_github_pauses_until_the_reset_when_nothing_remains() -> None:
    """Under 403; its secondary limits have Retry-After, and are of all that we send."""
    spent = fields(
        X_RateLimit_Limit="5000",
        X_RateLimit_Remaining="0",
        X_RateLimit_Reset="1767226200",
        X_RateLimit_Resource="core",
        Date=DATE,
    )
    assert after("github", (403, spent)) == 601
    assert after("github", (403, spent), ask=OTHER) == 0
    secondary = fields(Retry_After="45", X_RateLimit_Remaining="4000", X_RateLimit_Resource="core")
    assert after("github", (403, secondary)) == 45
    assert after("github", (403, secondary), ask=OTHER) == 45
    assert after("github", (403, fields(X_RateLimit_Remaining="4000"))) == 0


def test_shopify_s_bucket_tells_no_reset() -> None:
    """`40/40` of a bucket that leaks 2 a second has room for one in half a second, and an 80 leaks 4."""
    assert after("shopify", (200, fields(X_Shopify_Shop_Api_Call_Limit="40/40"))) == 0.5
    assert after("shopify", (200, fields(X_Shopify_Shop_Api_Call_Limit="80/80"))) == 0.25
    assert after("shopify", (200, fields(X_Shopify_Shop_Api_Call_Limit="32/40"))) == 0.5
    assert after("shopify", (200, fields(X_Shopify_Shop_Api_Call_Limit="1/40"))) == 0
    assert after("shopify", (429, fields(X_Shopify_Shop_Api_Call_Limit="40/40", Retry_After="2.0"))) == 2


@pytest.mark.parametrize(
    ("said", "route", "other"),
    [
        ({"X_RateLimit_Scope": "shared", "X_RateLimit_Bucket": "b7"}, 5, 0),
        ({"X_RateLimit_Scope": "user", "X_RateLimit_Bucket": "b7"}, 5, 0),
        ({"X_RateLimit_Scope": "global", "X_RateLimit_Global": "true"}, 5, 5),
        ({"X_RateLimit_Scope": "global", "X_RateLimit_Bucket": "b7"}, 5, 5),
        ({}, 5, 5),
    ],
)
def test_discord_s_scopes(said: dict[str, str], route: float, other: float) -> None:
    """What all share on a route pauses that route only; a bucket its routes; the global one, and a page before the API,
    all.
    """
    reply = (429, fields(Retry_After="5", **said))
    assert (after("discord", reply), after("discord", reply, ask=OTHER)) == (route, other)


def test_discord_s_shared_refusal_is_not_our_bucket_s() -> None:
    """Another route in the same bucket goes on."""
    read = preset("discord")
    learned = Learned(read.kinds)
    for route in (ROUTE, OTHER):
        learned.replied(learned.sent(route, 0), (), 0, bucket=b"b7")
    for scope, other_s in (("shared", 0), ("user", 5)):
        headers = fields(Retry_After="5", X_RateLimit_Scope=scope, X_RateLimit_Bucket="b7")
        pause = read.pause(429, headers, NOW_S)
        assert pause is not None
        ticket = learned.sent(ROUTE, 0)
        learned.replied(ticket, (), 0, bucket=b"b7", refused=True)
        learned.limited(ticket, pause[0], 5 * S, 0, 0.0)
        assert learned.wait_us(ROUTE, 0) == 5 * S
        assert learned.wait_us(OTHER, 0) == other_s * S


def test_discord_s_window_has_fractions() -> None:
    """Nothing remains for 1.47 seconds."""
    spent = {"X_RateLimit_Limit": "5", "X_RateLimit_Remaining": "0", "X_RateLimit_Bucket": "b7"}
    assert after("discord", (200, fields(X_RateLimit_Reset_After="1.47", **spent))) == pytest.approx(1.471)


def test_openai_s_two_dimensions() -> None:
    """Whichever is short: 60 requests of which all come back in a minute, or tokens."""
    requests = {"X_Ratelimit_Limit_Requests": "60", "X_Ratelimit_Reset_Requests": "1m0s"}
    tokens = {"X_Ratelimit_Limit_Tokens": "150000", "X_Ratelimit_Reset_Tokens": "250ms"}
    enough = fields(X_Ratelimit_Remaining_Requests="50", X_Ratelimit_Remaining_Tokens="149000", **requests, **tokens)
    assert after("openai", (200, enough)) == 0
    few = fields(X_Ratelimit_Remaining_Requests="0", X_Ratelimit_Remaining_Tokens="149000", **requests, **tokens)
    assert after("openai", (200, few)) == pytest.approx(61 / 60, abs=1e-5)
    tokens["X_Ratelimit_Reset_Tokens"] = "6m0s"
    spent = fields(X_Ratelimit_Remaining_Requests="50", X_Ratelimit_Remaining_Tokens="0", **requests, **tokens)
    assert 0 < after("openai", (200, spent)) < 0.01  # one token: nothing is known yet of what a request costs


def test_openai_s_tokens_cost_what_they_cost() -> None:
    """After requests that took 1,000 tokens each, one is not sent into a bucket with 100."""
    tokens = {"X_Ratelimit_Limit_Tokens": "20000", "X_Ratelimit_Reset_Tokens": "1m0s"}
    replies = [(200, fields(X_Ratelimit_Remaining_Tokens=str(left), **tokens)) for left in range(19_100, 0, -1_000)]
    assert after("openai", *replies) > 1


def test_bigcommerce_s_milliseconds() -> None:
    """Nothing is left of the window for a quarter of a second; and there are no seconds to round."""
    spent = fields(X_Rate_Limit_Requests_Left="0", X_Rate_Limit_Requests_Quota="150", X_Rate_Limit_Time_Reset_Ms="250")
    assert after("bigcommerce", (200, spent)) == pytest.approx(0.251)


def test_a_count_that_is_declared_twice_is_told_once() -> None:
    """APIs with the same two fields differ in the third: the one that is there says which they mean."""
    told = fields(X_RateLimit_Limit="60", X_RateLimit_Remaining="0", X_RateLimit_Reset="30")
    assert after("generic", (200, told)) == 31
    assert preset("generic").grants(told[:2], NOW_S)[0][0] == Grant(0, 60, 0, None, S)


def test_auto_reads_the_usual_fields() -> None:
    """Whatever dialect a reply turns out to be of."""
    assert presets.auto().budgets is presets.preset("generic").budgets
