"""Limits that do not do what they seem to: each is told at its place, and none that could make sense."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gateway.config.load import load
from gateway.errors import Fault, Severity
from gateway.pipeline.vain import vain_limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Vain = Callable[..., list[str]]

UPSTREAM = "version: 1\nname: {name}\nbase_url: https://{name}.example\n"
ANYTHING = "match: {prefix: /a}\n"
POSTS = "match: {prefix: /a, methods: [POST]}\n"
GETS = "match: {prefix: /a, methods: [GET]}\n"
ROUTES = ANYTHING + "routes: [{match: {path: /orders}}]\n"
REDIS = "store: {redis: {url_env: REDIS_URL}}\n"
LIMIT = re.compile(r'^limit "[^"]*": ')
KEY = "api_key_sha256: ['" + "ab" * 32 + "']"
OWN = "clients: [{name: shop, " + KEY + ", limits: [%s]}]\n"
KNOWN = "clients: [{name: shop, " + KEY + "}]\n"


@pytest.fixture
def vain(tmp_path: Path) -> Vain:
    """Return what is in vain in a gateway's file and upstream files: line, path and message of each."""

    def run(gateway: str = "", *upstreams: str) -> list[str]:
        (tmp_path / "upstreams").mkdir()
        (tmp_path / "gateway.yaml").write_text("version: 1\n" + gateway, encoding="utf-8")
        for name, text in zip("abc", upstreams or (ANYTHING,), strict=False):
            (tmp_path / "upstreams" / f"{name}.yaml").write_text(UPSTREAM.format(name=name) + text, encoding="utf-8")
        found = vain_limits(load(tmp_path / "gateway.yaml"))
        assert all(fault.severity is Severity.WARNING and fault.hint and fault.column for fault in found)
        return [_told(fault) for fault in found]

    return run


def _told(fault: Fault) -> str:
    return f"{fault.line} {fault.path}: {LIMIT.sub('', fault.message)}"


def limits(*policies: str) -> str:
    """Return a list of limits; one that says no numbers has 10 in a second."""
    items = [f"  - {{name: l{index}, {_numbered(policy)}}}\n" for index, policy in enumerate(policies)]
    return "limits:\n" + "".join(items)


def _numbered(policy: str) -> str:
    return policy if "requests" in policy or "concurrent" in policy else f"requests: 10, per: 1s, {policy}"


def route(policy: str, match: str = "{path: /orders}") -> str:
    """Return an upstream with one route and its limit."""
    return f"{ANYTHING}routes:\n  - match: {match}\n    limits: [{{name: r, {_numbered(policy)}}}]\n"


def test_nothing_is_told_of_what_makes_sense(vain: Vain) -> None:
    """The usual limits at every level are fine, and so are keys of one part that say: all together."""
    general = limits("key: client", "key: ip", "key: [client, method], requests: 5, per: 2s", "key: upstream")
    own = OWN % "{name: gold, requests: 100, per: 1s}"
    other = ANYTHING.replace("/a", "/b") + limits("key: upstream, cost: {POST: 5}")
    assert vain(general + own, route("key: route, requests: 5, per: 1s"), other) == []


@pytest.mark.parametrize(
    ("upstream", "place", "message", "reason"),
    [
        (POSTS + limits("key: method"), "6 limits[0].key", "method tells no requests apart", "are POST"),
        (POSTS + limits("key: [ip, method]"), "6 limits[0].key[1]", "method adds nothing to the key", "are POST"),
        (
            ANYTHING + limits("key: [ip, upstream]"),
            "6 limits[0].key[1]",
            "upstream adds nothing to the key",
            "are this upstream's",
        ),
        (
            ANYTHING + limits("key: route"),
            "6 limits[0].key",
            "route tells no requests apart",
            "this upstream has no routes",
        ),
        (
            ANYTHING + limits("key: [ip, route]"),
            "6 limits[0].key[1]",
            "route adds nothing to the key",
            "this upstream has no routes",
        ),
        (route("key: upstream"), "7 routes[0].limits[0].key", "upstream tells no requests apart", "are this route's"),
        (
            route("key: [client, route]"),
            "7 routes[0].limits[0].key[1]",
            "route adds nothing to the key",
            "are this route's",
        ),
        (
            route("key: method", "{path: /orders, methods: [DELETE]}"),
            "7 routes[0].limits[0].key",
            "method tells no requests apart",
            "are DELETE",
        ),
    ],
)
def test_parts_of_a_key_that_never_differ(vain: Vain, upstream: str, place: str, message: str, reason: str) -> None:
    """What is the same for all requests that meet a limit tells none of them apart."""
    [told] = vain("", upstream)
    assert told.startswith(f"{place}: {message}: ")
    assert told.endswith(f" {reason}")


@pytest.mark.parametrize(
    "upstream",
    [
        ANYTHING + limits("key: method"),
        GETS + limits("key: method"),
        ROUTES + limits("key: route"),
        ROUTES + limits("key: [ip, route]"),
        ANYTHING + limits("key: upstream"),
        route("key: route"),
        route("key: method"),
    ],
)
def test_parts_of_a_key_that_differ(vain: Vain, upstream: str) -> None:
    """A method that is GET may be HEAD, too; a single word for all together is no mistake."""
    assert vain("", upstream) == []


def test_routes_where_no_upstream_has_any(vain: Vain) -> None:
    """For a limit of the gateway the routes of any upstream count."""
    assert vain(limits("key: route"), ANYTHING, ANYTHING.replace("/a", "/b")) == [
        "3 limits[0].key: route tells no requests apart: no upstream has routes"
    ]


def test_routes_where_one_upstream_has_some(vain: Vain) -> None:
    """Then requests differ by them."""
    assert vain(limits("key: route"), ANYTHING, ROUTES.replace("/a", "/b")) == []


def test_a_clients_own_key(vain: Vain) -> None:
    """`client` on a client's own limit says all together, and adds nothing beside another part."""
    assert vain(OWN % "{name: a, requests: 9, per: 1s}, {name: b, requests: 1, per: 1s, key: [client, ip]}") == [
        "2 clients[0].limits[1].key[0]: client adds nothing to the key: all that meet this limit are this client's"
    ]


@pytest.mark.parametrize(
    ("gateway", "told"),
    [
        (limits("key: header:content_type"), "3 limits[0].key: no request has header:content_type"),
        (limits("key: [ip, header:X_Forwarded_For]"), "3 limits[0].key[1]: no request has header:X_Forwarded_For"),
        (KNOWN + limits("key: header:X-API-Key"), "4 limits[0].key: header:X-API-Key is where clients send their keys"),
        (KNOWN + "client_header: X-Shop\n" + limits("key: header:x_shop"), "5 limits[0].key: header:x_shop is where"),
        (limits("key: header:x-forwarded-for"), "3 limits[0].key: clients write header:x-forwarded-for themselves"),
        (limits("key: header:Forwarded"), "3 limits[0].key: clients write header:Forwarded themselves"),
    ],
)
def test_fields_that_are_no_good_key(vain: Vain, gateway: str, told: str) -> None:
    """A field that no request has, the one with clients' keys, and those in which clients claim addresses."""
    [found] = vain(gateway)
    assert found.startswith(told)


def test_fields_that_are_keys(vain: Vain) -> None:
    """Without clients that are known, the field of their keys is one like others."""
    assert vain(limits("key: header:X-Api-Key", "key: header:X-Tenant")) == []


@pytest.mark.parametrize(
    ("upstream", "told"),
    [
        (POSTS + limits("cost: {GET: 2}"), "6 limits[0].cost.GET: no request that meets this limit can be"),
        (ANYTHING + limits("cost: {TRACE: 2}"), "6 limits[0].cost.TRACE: no request that meets this limit can be"),
        (GETS + limits("cost: {GET: 0}"), "6 limits[0].cost: every request that meets this limit costs 0"),
    ],
)
def test_costs_in_vain(vain: Vain, upstream: str, told: str) -> None:
    """A cost of a method that never comes, and costs that come to nothing."""
    [found] = vain("", upstream)
    assert found.startswith(told)


def test_costs_that_count(vain: Vain) -> None:
    """HEAD may be free while GET is not, and a route may list a method of its own."""
    listed = ANYTHING + limits("cost: {TRACE: 2}") + "routes: [{match: {path: /x, methods: [TRACE]}}]\n"
    assert vain("", GETS + limits("cost: {HEAD: 0}"), listed.replace("/a", "/b")) == []


@pytest.mark.parametrize(
    ("policy", "between"),
    [
        ("requests: 1, per: 10s, max_wait: 2s", "10s"),
        ("requests: 4, per: 10s, cost: 2, max_wait: 4s", "5s"),
        ("requests: 4, per: 10s, cost: {GET: 0}, max_wait: 2s", "2.5s"),
        ("requests: 1, calendar: minute, max_wait: 59s", "60s"),
    ],
)
def test_waits_that_are_too_short(vain: Vain, policy: str, between: str) -> None:
    """Nothing comes back while such a request waits, unless it came late."""
    [found] = vain("limits: [{name: a, when_exceeded: wait, " + policy + "}]\n")
    assert found.startswith("2 limits[0].max_wait: a request waits ")
    assert f" one comes back every {between}: " in found


@pytest.mark.parametrize(
    "policy",
    [
        "requests: 1, per: 10s, when_exceeded: wait, max_wait: 10s",
        "requests: 1, per: 10s",
        "requests: 1, per: 10s, when_exceeded: wait, algorithm: sliding_log",
        "concurrent: 5, when_exceeded: wait",
    ],
)
def test_waits_that_help(vain: Vain, policy: str) -> None:
    """When the next comes back is known of GCRA and the calendar alone."""
    assert vain("limits: [{name: a, " + policy + "}]\n") == []


@pytest.mark.parametrize(
    ("gateway", "told"),
    [
        (limits("on_store_error: local"), "3 limits[0].on_store_error: on_store_error does nothing: it is for"),
        (limits("lease: 5"), "3 limits[0].lease: lease does nothing: it is for"),
        (
            "store: shared\n" + limits("on_store_error: refuse"),
            "4 limits[0].on_store_error: on_store_error does nothing",
        ),
        ("store: shared\n" + limits("lease: 5"), "4 limits[0].lease: lease does nothing: it is for"),
        (
            REDIS + limits("local: true, on_store_error: refuse"),
            "4 limits[0].on_store_error: on_store_error does nothing: a",
        ),
        (REDIS + limits("lease: 10"), "4 limits[0].lease: a lease of 10 takes all 10 that there are"),
        (REDIS + limits("lease: 5, algorithm: sliding_log"), "4 limits[0].lease: lease does nothing: a sliding log"),
    ],
)
def test_settings_that_nothing_looks_at(vain: Vain, gateway: str, told: str) -> None:
    """What is said of a store that cannot be away, or is not asked."""
    [found] = vain(gateway)
    assert found.startswith(told)


@pytest.mark.parametrize(
    "gateway",
    [
        limits("local: true"),
        "store: shared\n" + limits("local: true"),
        REDIS + limits("local: true"),
        REDIS + limits("on_store_error: refuse, lease: 5"),
    ],
)
def test_settings_that_count(vain: Vain, gateway: str) -> None:
    """Each where there is something that looks at it."""
    assert vain(gateway) == []


GOLD = OWN % "{name: gold, requests: 10, per: 1s}"
IP = "{name: one, key: ip, requests: 5, per: 1s}, {name: two, key: ip, requests: 6, per: 1s}"
OTHERS = "{name: a, requests: 1, per: 1s}, {name: b, requests: 1, per: 1s, key: ip, burst: 9}"
SHADOWED = OWN % "{name: gold, requests: 10, per: 1s, mode: shadow}"
LOOSE = "requests: 20, per: 1s"


def two(first: str, second: str) -> str:
    """Return two limits of the gateway."""
    return f"limits:\n  - {{name: one, {first}}}\n  - {{name: two, {second}}}\n"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ((two("requests: 10, per: 1s", LOOSE),), "4 limits[1].name"),
        ((two(LOOSE, "requests: 10, per: 1s"),), "3 limits[0].name"),
        ((two(LOOSE, LOOSE),), "4 limits[1].name"),
        ((two("requests: 10, per: 1s", "key: [client, ip], " + LOOSE),), "4 limits[1].name"),
        ((two("requests: 10, per: 1s", "mode: shadow, " + LOOSE),), "4 limits[1].name"),
        ((two("requests: 10, per: 1s", "requests: 1000, calendar: minute"),), "4 limits[1].name"),
        ((f"{GOLD}limits: [{IP}]\n",), "3 limits[1].name"),
        (
            (GOLD + limits(""), ANYTHING + limits("key: ip, burst: 20", "key: [ip, client], burst: 30")),
            "7 limits[1].name",
        ),
        ((limits(""), ANYTHING + limits("burst: 20")), "6 limits[0].name"),
        ((limits("key: upstream"), ANYTHING + limits("key: client, burst: 20")), "6 limits[0].name"),
        ((limits("key: upstream"), ROUTES + limits("key: route, burst: 20")), "7 limits[0].name"),
        ((limits("key: upstream", "key: route, burst: 20"), ROUTES), "4 limits[1].name"),
        ((limits("key: [client, route]"), route("burst: 20")), "7 routes[0].limits[0].name"),
        ((OWN % OTHERS,), "2 clients[0].limits[1].name"),
        ((REDIS + two("local: true, requests: 1, per: 1s", "local: true, requests: 2, per: 1s"),), "5 limits[1].name"),
    ],
)
def test_a_limit_that_never_refuses(vain: Vain, files: tuple[str, ...], place: str) -> None:
    """Another one that every such request meets, under keys as coarse or coarser, is always reached first."""
    [told] = vain(*files)
    assert told.startswith(f"{place}: it never refuses a request: ")


@pytest.mark.parametrize(
    "files",
    [
        (two("requests: 10, per: 1s, burst: 30", LOOSE),),
        (two("requests: 10, per: 1s, mode: shadow", LOOSE),),
        (two("requests: 10, per: 1s, cost: {GET: 1}", "cost: {POST: 2}, " + LOOSE),),
        (two("requests: 10, per: 1s, key: [client, ip]", LOOSE),),
        (two("requests: 10, per: 1s, key: ip", LOOSE),),
        (two("requests: 10, per: 1s", "concurrent: 100"),),
        (REDIS + two("requests: 10, per: 1s, local: true", LOOSE),),
        (REDIS + two("requests: 10, per: 1s", "local: true, " + LOOSE),),
        (REDIS + two("requests: 10, per: 1s, on_store_error: allow", LOOSE),),
        (GOLD + limits(""), ANYTHING + limits("burst: 20")),
        (GOLD + limits("burst: 5"), ANYTHING),
        (limits("burst: 20"), ANYTHING + limits("")),
        ("", ANYTHING + limits(""), ANYTHING.replace("/a", "/b") + limits("burst: 20")),
        ("", route("burst: 5") + limits("burst: 10")),
        ("limits: [{name: one, key: upstream, requests: 1, per: 1s}, {name: two, requests: 2, per: 1s}]\n", ANYTHING),
    ],
)
def test_limits_that_can_both_refuse(vain: Vain, files: tuple[str, ...]) -> None:
    """In another order of numbers, keys, costs or levels each of them may be reached first, or counts elsewhere."""
    assert vain(*files) == []


def test_clients_that_only_shadows_limit(vain: Vain) -> None:
    """A client's own limits stand in place of the general ones by client even where they refuse nobody."""
    own = OWN % "{name: gold, requests: 10, per: 1s, mode: shadow}"
    [found] = vain(own + limits(""))
    assert found == (
        "2 clients[0].limits: all of this client's own limits are in shadow mode, and stand in place of l0: "
        "nothing of these refuses it"
    )


@pytest.mark.parametrize(
    "gateway",
    [
        SHADOWED + limits("key: ip"),
        SHADOWED + limits("mode: shadow, requests: 5, per: 1s"),
        OWN % "{name: a, requests: 1, per: 1s, mode: shadow}, {name: b, requests: 9, per: 1s}"
        + limits("requests: 5, per: 1s"),
        KNOWN + limits(""),
    ],
)
def test_clients_that_are_limited(vain: Vain, gateway: str) -> None:
    """Where nothing is lost, or one of their own is enforced, all is as it seems."""
    assert vain(gateway) == []


def test_proxies_that_are_everybody(vain: Vain) -> None:
    """Then the left-most address counts, which the client wrote."""
    [found] = vain("trusted_proxies: [10.0.0.0/8, '::/0']\n" + limits(""))
    assert found.startswith("2 trusted_proxies[1]: every address is a trusted proxy: ")


def test_proxies_that_are_everybody_and_no_limit(vain: Vain) -> None:
    """Without limits nothing is counted by an address."""
    assert vain("trusted_proxies: [0.0.0.0/0]\n") == []


OURS = "credentials: {inject: [{header: Authorization, value_env: TOKEN}]}\n"
GRANTED = ANYTHING + OURS + "budget: {requests: 500, per: 60s}\n"
ABOVE = "limits: [{name: one, requests: 600, per: 60s, %s}]\n"


@pytest.mark.parametrize(
    "files",
    [
        ("", GRANTED + ABOVE % "burst: 100"),
        (ABOVE % "key: [client, ip]", GRANTED),
        (OWN % "{name: gold, requests: 600, per: 60s}", GRANTED),
        ("", GRANTED.replace("budget: {", "budget: [{name: a, requests: 900, per: 60s, paths: /b}, {").replace(
            "60s}\n", "60s}]\n") + ABOVE % ""),
        ("", GRANTED + "routes: [{match: {path: /b}, limits: [{name: one, requests: 501, per: 60s, key: ip}]}]\n"),
    ],
)  # fmt: skip
def test_a_limit_above_the_upstreams_budget(vain: Vain, files: tuple[str, ...]) -> None:
    """What the upstream grants is spent before the limit refuses anybody."""
    [told] = vain(*files)
    assert "it never refuses a request: the upstream's budget" in told
    assert told.endswith("is always spent first")


@pytest.mark.parametrize(
    "files",
    [
        ("", GRANTED + ABOVE % "burst: 5"),
        ("", GRANTED + ABOVE.replace("600", "400") % "key: client"),
        ("", GRANTED + ABOVE % "cost: 3"),
        ("", GRANTED.replace(OURS, "") + ABOVE % ""),
        ("", GRANTED.replace("60s}", "60s, paths: /b}") + ABOVE % ""),
        (ABOVE % "", GRANTED, ANYTHING.replace("/a", "/b")),
        ("", GRANTED, ANYTHING.replace("/a", "/b") + ABOVE % ""),
        (REDIS, GRANTED + ABOVE % "on_store_error: refuse"),
    ],
)
def test_a_limit_that_is_reached_before_the_budget(vain: Vain, files: tuple[str, ...]) -> None:
    """Or may be: in bursts, by what costs more, with another upstream, or where the budget is not ours to keep."""
    assert not any("always spent first" in told for told in vain(*files))


BUDGETS = (
    "budget: [{requests: 9, per: 1s}, {name: exports, requests: 5, per: 1s}, {requests: 3, per: 1s, by: address}]\n"
)


def test_budgets_of_the_clients_own(vain: Vain) -> None:
    """Where no credential of ours goes upstream, only what is counted by address holds anybody back."""
    [found] = vain("", ANYTHING + BUDGETS)
    assert re.fullmatch(r'\d+ budget: "a", "exports": counted for each client, and refuses nobody: .*', found)


def test_budgets_of_ours(vain: Vain) -> None:
    """With a credential of ours all of them do."""
    credentials = "credentials: {inject: [{header: Authorization, value_env: TOKEN}]}\n"
    assert vain("", ANYTHING + BUDGETS + credentials) == []
