"""Which upstream and route take a request, and why the others do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.pipeline.candidates import Way, way
from gateway.pipeline.matches import Matched
from tests.unit.pipeline.test_routing import HOST, route, upstream

if TYPE_CHECKING:
    from gateway.config.models import UpstreamFile

SHOP = upstream("/shop", route("/orders/*"), route("/orders/new", "POST"), route("/**"))
ADMIN = upstream("/shop/admin", methods=["GET"])
OTHER = upstream("/other", host="other.example")
UPSTREAMS = [SHOP, ADMIN, OTHER]


def _way(method: str, target: str, host: bytes = HOST, upstreams: list[UpstreamFile] = UPSTREAMS) -> Way:
    return way(upstreams, host, method, target.encode())[0]


def test_where_it_goes() -> None:
    """The upstream, its route, and the target that is sent."""
    found, match = way(UPSTREAMS, HOST, "GET", b"/shop/orders/9?full=1")
    assert isinstance(match, Matched)
    assert (found.method, found.host, found.path) == ("GET", "gateway.example", "/shop/orders/9?full=1")
    assert (found.upstream, found.route, found.target) == ("shop", "orders", "/v2/orders/9?full=1")
    assert found.refused is None


@pytest.mark.parametrize(
    ("method", "target", "refused"),
    [
        ("GET", "/nowhere", "404 route_not_found"),
        ("PUT", "/a/b", "405 method_not_allowed: allowed are GET, HEAD"),
        ("GET", "/shop/../other", "400 malformed_request: the path leads out of its place"),
    ],
)
def test_where_it_does_not_go(method: str, target: str, refused: str) -> None:
    """Why a request is refused, with what the client gets."""
    found = _way(method, target, upstreams=[SHOP, upstream("/a", methods=["GET"])])
    assert (found.refused, found.upstream, found.route, found.target) == (refused, None, None, None)


@pytest.mark.parametrize(
    ("method", "target", "host", "told"),
    [
        (
            "GET",
            "/shop/admin/x",
            HOST,
            [
                (False, "prefix /shop would do, but another goes before it"),
                (True, "prefix /shop/admin, method GET"),
                (False, "prefix: it wants /other"),
            ],
        ),
        (
            "POST",
            "/shop/admin/x",
            HOST,
            [(True, "prefix /shop"), (False, "method: it takes GET"), (False, "prefix: it wants /other")],
        ),
        (
            "GET",
            "/other",
            HOST,
            [
                (False, "prefix: it wants /shop"),
                (False, "prefix: it wants /shop/admin"),
                (False, "host: it wants other.example"),
            ],
        ),
        (
            "GET",
            "/other",
            b"other.example",
            [
                (False, "prefix: it wants /shop"),
                (False, "prefix: it wants /shop/admin"),
                (True, "prefix /other, host other.example"),
            ],
        ),
        (
            "TRACE",
            "/other",
            b"other.example",
            [
                (False, "prefix: it wants /shop"),
                (False, "prefix: it wants /shop/admin"),
                (False, "method: it takes those that are registered"),
            ],
        ),
        (
            "GET",
            "/shop/../other",
            HOST,
            [
                (False, "the path leads out of its place"),
                (False, "prefix: it wants /shop/admin"),
                (False, "prefix: it wants /other"),
            ],
        ),
    ],
)
def test_each_upstream_with_its_reason(method: str, target: str, host: bytes, told: list[tuple[bool, str]]) -> None:
    """Prefix, host or method: the first that keeps it from taking the request; or that another goes first."""
    assert [(one.taken, one.reason) for one in _way(method, target, host).candidates] == told


@pytest.mark.parametrize(
    ("method", "target", "told"),
    [
        (
            "GET",
            "/shop/orders/new/",
            [
                (True, "path /orders/*"),
                (False, "method: it wants POST"),
                (False, "path /** would do, but a more specific route goes before it"),
            ],
        ),
        (
            "POST",
            "/shop/orders/new",
            [
                (False, "path /orders/* would do, but a more specific route goes before it"),
                (True, "path /orders/new"),
                (False, "path /** would do, but a more specific route goes before it"),
            ],
        ),
        (
            "GET",
            "/shop/else",
            [(False, "path: it wants /orders/*"), (False, "path: it wants /orders/new"), (True, "path /**")],
        ),
    ],
)
def test_each_route_with_its_reason(method: str, target: str, told: list[tuple[bool, str]]) -> None:
    """Of the upstream that takes the request, each route: path, method, or that another is more specific."""
    [taken] = [one for one in _way(method, target).candidates if one.taken]
    assert [(one.taken, one.reason) for one in taken.routes] == told


def test_no_route_is_for_it() -> None:
    """An upstream takes requests that none of its routes is for."""
    found = _way("GET", "/shop/else", upstreams=[upstream("/shop", route("/orders"))])
    assert (found.upstream, found.route) == ("shop", None)
