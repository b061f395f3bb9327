"""PromQL in a few words: what every panel's query is made of.

All selectors keep to the variables `cluster`, `namespace`, `job` and `instance`, and those of upstreams to `upstream`.
Rates are over Grafana's `$__rate_interval`, counts over the whole stretch of time that is looked at (`$__range`).
"""

from __future__ import annotations

from typing import Final

HERE: Final = 'cluster=~"$cluster", namespace=~"$namespace", job=~"$job", instance=~"$instance"'
"""What is selected in every query."""
UPSTREAM: Final = 'upstream=~"$upstream"'

MOST: Final = 20
"""So many upstreams a graph shows, of which there may be a thousand: a browser draws no more, and nobody reads more."""

FAILING: Final = 0.05
"""An upstream fails while at least this share of the requests to it fails."""
_REACHED: Final = f'{UPSTREAM}, upstream!="none"'
"""Requests that reached no upstream have no upstream to tell of."""


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""


def of(metric: str, *matchers: str) -> str:
    """Select a metric's series."""
    return f"{metric}{{{', '.join([HERE, *matchers])}}}"


def rate(metric: str, *matchers: str, by: str = "") -> str:
    """Return how often a second, added up by labels."""
    return f"sum{_by(by)} (rate({of(metric, *matchers)}[$__rate_interval]))"


def most(query: str, how: str = "topk") -> str:
    """Return the series of a query that are largest, or with `bottomk` smallest, at each moment."""
    return f"{how}({MOST}, {query})"


def busiest(metric: str, *matchers: str) -> str:
    """Return how often a second, of those upstreams that are busiest in the whole time that is looked at."""
    chosen = f"sum by (upstream) (increase({of(metric, *matchers)}[$__range] @ end()))"
    return f"{rate(metric, *matchers, by='upstream')} and on (upstream) {most(chosen)}"


def count(metric: str, *matchers: str, by: str = "") -> str:
    """Return how often in the time that is looked at."""
    return f"sum{_by(by)} (increase({of(metric, *matchers)}[$__range]))"


def happened(metric: str, *matchers: str, by: str = "") -> str:
    """Return the same without what did not happen.

    `increase` sees no first time, since there was no count before it: where that is all, the count itself is taken.
    """
    here = of(metric, *matchers)
    begun = f"sum{_by(by)} ({here} unless {here} offset $__range)"
    return f"{count(metric, *matchers, by=by)} > 0 or {begun} > 0"


def now(how: str, metric: str, *matchers: str, by: str = "") -> str:
    """Return gauges as they are, put together by `how`: sum, min, max."""
    return f"{how}{_by(by)} ({of(metric, *matchers)})"


def quantile(share: float, histogram: str, *matchers: str, by: str = "") -> str:
    """Return the duration in seconds that this share of all did not exceed."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', *matchers, by=labels)})"


def mean(total: str, number: str, *matchers: str, by: str = "") -> str:
    """Return how much of `total` there is for each of `number`."""
    return f"{rate(total, *matchers, by=by)} / {rate(number, *matchers, by=by)}"


def share(part: str, *matchers: str, by: str = "") -> str:
    """Return the part of requests that `part` selects among those that `matchers` do."""
    return f"{rate(_REQUESTS, *matchers, part, by=by)} / {rate(_REQUESTS, *matchers, by=by)}"


_REQUESTS: Final = "accord_requests_total"
NOT_FINE: Final = 'fault!="none"'

FAILED: Final = " / on (upstream) group_left () ".join(
    [rate(_REQUESTS, _REACHED, NOT_FINE, by="upstream, fault"), rate(_REQUESTS, _REACHED, by="upstream")]
)
"""Which share of each upstream's requests failed, by who must act; NaN where nobody asks."""

SINCE: Final = (
    f"clamp_min(max_over_time((time() * ({FAILED} < bool {FAILING}))[$__range:$__interval]), time() - $__range_s)"
    f" and {FAILED} >= {FAILING}"
)
"""When each that fails now was last seen not to: a Unix time, the begin of the time that is looked at where never."""

_ENDS: Final = rate(_REQUESTS, _REACHED, NOT_FINE, by="upstream, fault, outcome")
MOSTLY: Final = f"topk by (upstream, fault) (1, {_ENDS}) and on (upstream, fault) {FAILED} >= {FAILING}"
"""How most of these requests end that fail now: so many a second."""

_RANKS: Final = " or ".join(
    f'label_replace(vector({rank}), "fault", "{fault}", "", "")'
    for rank, fault in enumerate(("client", "upstream", "gateway"), start=1)
)
WORST: Final = most(f"max by (upstream) (({FAILED} >= bool {FAILING}) * on (fault) group_left () ({_RANKS}))")
"""Who fails at each upstream: 0 nobody, 1 its clients, 2 itself, 3 the gateway; the worst of them."""
