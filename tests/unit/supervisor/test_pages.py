"""What operators are shown of several processes, as of one gateway."""

from __future__ import annotations

from typing import Any

from gateway.edge.status import CLIENTS_SHOWN, FAILURES_KEPT
from gateway.supervisor import pages


def _status(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    upstream = {
        "name": "api",
        "base_url": "https://api.example",
        "pool": {"open": 2, "idle": 1, "waiting": 0},
        "outcomes": {"ok": 5},
        "last_failures": [],
    }
    page = {"version": "1", "state": "ready", "uptime_s": 3.0, "in_flight": 1, "refused_clients": []}
    return page | {"upstreams": [upstream | changes.pop("upstream", {})]} | changes


def test_one_is_itself() -> None:
    """And what nobody has a rule for is shown as it is."""
    page = _status(budgets={"a": 1}, upstream={"last_failures": [{"time": 1.0}]})
    assert pages.status([page]) == page


def test_numbers_are_added_up() -> None:
    """Pools, outcomes, requests under way; the uptime is the longest."""
    merged = pages.status([_status(), _status(uptime_s=9.0, upstream={"outcomes": {"ok": 1, "timeout": 2}})])
    assert (merged["uptime_s"], merged["in_flight"]) == (9.0, 2)
    assert merged["upstreams"][0]["pool"] == {"open": 4, "idle": 2, "waiting": 0}
    assert merged["upstreams"][0]["outcomes"] == {"ok": 6, "timeout": 2}
    assert merged["upstreams"][0]["base_url"] == "https://api.example"


def test_failures_are_the_newest_of_all() -> None:
    """As many as one process remembers."""
    odd = [{"time": float(time)} for time in range(99, 0, -2)]
    even = [{"time": float(time)} for time in range(98, 0, -2)]
    merged = pages.status([_status(upstream={"last_failures": one}) for one in (even, odd)])
    assert [one["time"] for one in merged["upstreams"][0]["last_failures"]] == list(range(99, 99 - FAILURES_KEPT, -1))


def test_refused_clients_are_ranked_by_their_sums() -> None:
    """The worst first, and no more of them than one process shows."""
    one = [{"client": str(number), "refused": 10} for number in range(CLIENTS_SHOWN)]
    other = [{"client": "b", "refused": 11}, {"client": "3", "refused": 2}]
    refused = pages.status([_status(refused_clients=clients) for clients in (one, other)])["refused_clients"]
    assert refused[:2] == [{"client": "3", "refused": 12}, {"client": "b", "refused": 11}]
    assert len(refused) == CLIENTS_SHOWN


def test_what_differs_is_shown_as_a_list() -> None:
    """Each value once; nothing is hidden because nobody thought of it."""
    assert pages.status([_status(store="ok"), _status(store="open"), _status(store="ok")])["store"] == ["ok", "open"]


def test_no_page_is_no_page() -> None:
    """When nobody answered."""
    assert pages.status([]) == {}
    assert pages.unknown_shapes([]) == {"upstreams": []}


def _shapes(name: str, *shapes: dict[str, Any]) -> dict[str, Any]:
    return {"upstreams": [{"name": name, "seen": sum(shape["count"] for shape in shapes), "shapes": list(shapes)}]}


def _shape(fingerprint: str, count: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    base = {"kind": "json", "first_seen": 5.0, "last_seen": 6.0, "statuses": [400], "sample": {}}
    return base | {"fingerprint": fingerprint, "count": count, "suggested_rule": None} | more


def test_shapes_of_one_fingerprint_are_one() -> None:
    """Counted together, seen from the first time to the last, with all statuses and the rule that somebody found."""
    merged = pages.unknown_shapes(
        [
            _shapes("api", _shape("f", 2, sample={"a": "<text 3>"}), _shape("g", 3)),
            _shapes("other", _shape("f", 9)),
            _shapes(
                "api", _shape("f", 4, first_seen=1.0, last_seen=9.0, statuses=[409, 400], suggested_rule="dialect:")
            ),
        ]
    )
    assert [(one["name"], one["seen"]) for one in merged["upstreams"]] == [("api", 9), ("other", 9)]
    first, second = merged["upstreams"][0]["shapes"]
    assert (first["fingerprint"], first["count"], first["first_seen"], first["last_seen"]) == ("f", 6, 1.0, 9.0)
    assert (first["statuses"], first["suggested_rule"], first["sample"]) == ([400, 409], "dialect:", {"a": "<text 3>"})
    assert (second["fingerprint"], second["suggested_rule"]) == ("g", None)
