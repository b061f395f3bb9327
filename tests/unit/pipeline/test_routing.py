"""From host, method and target to an upstream and a route."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.models import UpstreamFile
from gateway.pipeline.matches import Matched, MethodNotAllowed, NotFound, Rejected
from gateway.pipeline.routing import Router

HOST = b"gateway.example"


def upstream(prefix: str, *routes: dict[str, Any], base: str = "https://api.example/v2", **match: Any) -> UpstreamFile:  # noqa: ANN401 - as YAML gives it
    """Return an upstream's file with this prefix, these routes and other conditions of its match."""
    name = prefix.strip("/").replace("/", "-") or "root"
    return UpstreamFile.model_validate(
        {"version": 1, "name": name, "base_url": base, "match": {"prefix": prefix, **match}, "routes": list(routes)}
    )


def route(path: str, *methods: str, name: str | None = None) -> dict[str, Any]:
    """Return a route as a file gives it."""
    return {
        "name": name or path.strip("/*").replace("/", "-") or "root",
        "match": {"path": path, "methods": list(methods)},
    }


def target(router: Router, raw: bytes, method: str = "GET", host: bytes = HOST) -> bytes:
    """Return the target that goes upstream."""
    matched = router.match(host, method, raw)
    assert isinstance(matched, Matched)
    return matched.target


def place(router: Router, raw: bytes, method: str = "GET", host: bytes = HOST) -> int | None:
    """Return the place of the upstream that a request goes to, None for none."""
    matched = router.match(host, method, raw)
    return matched.upstream if isinstance(matched, Matched) else None


def route_name(router: Router, raw: bytes, method: str = "GET") -> str | None:
    """Return the name of the route that a request takes; None when no route is for it."""
    matched = router.match(HOST, method, raw)
    assert isinstance(matched, Matched)
    return None if matched.route is None else matched.route.name


class TestPrefixes:
    """Which upstream a path belongs to."""

    router = Router([upstream("/salla"), upstream("/salla/v1"), upstream("/zid/"), upstream("/zid/deep/er")])

    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (b"/salla", 0),
            (b"/salla/", 0),
            (b"/salla/x", 0),
            (b"/salla?x", 0),
            (b"/salla/v1", 1),
            (b"/salla/v1/x", 1),
            (b"/salla/v11", 0),
            (b"/zid", 2),
            (b"/zid/x", 2),
            (b"/zid/deep/x", 2),
            (b"/zid/deep/er/x", 3),
            (b"/sallax", None),
            (b"/Salla", None),
            (b"/", None),
            (b"/x/salla", None),
        ],
    )
    def test_whole_segments(self, raw: bytes, expected: int | None) -> None:
        """A prefix is whole segments, and the longest one counts."""
        assert place(self.router, raw) == expected

    def test_not_found(self) -> None:
        """A path that is nobody's, and a target that is no path."""
        assert self.router.match(HOST, "GET", b"/nobody") == NotFound()
        assert self.router.match(HOST, "OPTIONS", b"*") == NotFound()
        assert self.router.match(HOST, "GET", b"") == NotFound()
        assert Router([]).match(HOST, "GET", b"/") == NotFound()

    def test_all_paths(self) -> None:
        """The prefix `/` is all paths that no longer prefix takes."""
        router = Router([upstream("/"), upstream("/salla")])
        assert [place(router, raw) for raw in (b"/", b"/x/y", b"/salla/x", b"/sallax")] == [0, 0, 1, 0]

    def test_many_upstreams(self) -> None:
        """The work does not grow with the number of upstreams: each is found by its path alone."""
        router = Router([upstream(f"/u{number}") for number in range(500)])
        assert place(router, b"/u317/x") == 317


class TestTargets:
    """What goes upstream, byte for byte."""

    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (b"/salla", b"/v2"),
            (b"/salla/", b"/v2/"),
            (b"/salla/orders/1", b"/v2/orders/1"),
            (b"/salla?", b"/v2?"),
            (b"/salla/x?", b"/v2/x?"),
            (b"/salla/x?a=/b?c&d=%2F../", b"/v2/x?a=/b?c&d=%2F../"),
            (b"/salla/a%2Fb/%3A/c%2fd", b"/v2/a%2Fb/%3A/c%2fd"),
            (b"/salla//x//", b"/v2//x//"),
            (b"/salla/x/../y", b"/v2/x/../y"),
            (b"/salla/./x", b"/v2/./x"),
            (b"/salla/x;v=1/y", b"/v2/x;v=1/y"),
            (b"/salla/%D9%85/\xd9\x85", b"/v2/%D9%85/\xd9\x85"),
            (b"/salla/%zz%", b"/v2/%zz%"),
            (b"/s%61lla/x", b"/v2/x"),
            (b"/salla/.well-known/x", b"/v2/.well-known/x"),
            (b"/salla/a\\b", b"/v2/a\\b"),
        ],
    )
    def test_stripped(self, raw: bytes, expected: bytes) -> None:
        """The base path and what stands behind the prefix, with the query."""
        assert target(Router([upstream("/salla")]), raw) == expected

    @pytest.mark.parametrize(
        ("base", "raw", "expected"),
        [
            ("https://api.example", b"/salla", b"/"),
            ("https://api.example/", b"/salla?x", b"/?x"),
            ("https://api.example/v2/", b"/salla/x", b"/v2/x"),
            ("https://api.example", b"/salla//evil.example/x", b"//evil.example/x"),
        ],
    )
    def test_always_a_path(self, base: str, raw: bytes, expected: bytes) -> None:
        """A target begins with a slash, whatever is taken off."""
        assert target(Router([upstream("/salla", base=base)]), raw) == expected

    def test_not_stripped(self) -> None:
        """The prefix stays where it is configured to."""
        router = Router([upstream("/salla", strip=False)])
        assert target(router, b"/salla/x?y") == b"/v2/salla/x?y"
        assert target(router, b"/s%61lla") == b"/v2/s%61lla"

    def test_no_prefix(self) -> None:
        """Under the prefix `/` nothing is taken off."""
        router = Router([upstream("/")])
        assert target(router, b"//evil.example/x") == b"/v2//evil.example/x"
        assert target(router, b"/") == b"/v2/"


class TestHosts:
    """Upstreams that have hosts of their own."""

    router = Router(
        [
            upstream("/api"),
            upstream("/api", host=["a.example", "b.example"]),
            upstream("/api/deep"),
            upstream("/x", host="c.example"),
        ]
    )

    @pytest.mark.parametrize(
        ("host", "raw", "expected"),
        [
            (b"a.example", b"/api/x", 1),
            (b"B.Example:8080", b"/api/x", 1),
            (b"a.example.", b"/api/x", 1),
            (b"other.example", b"/api/x", 0),
            (b"", b"/api/x", 0),
            (b"a.example", b"/api/deep/x", 2),
            (b"c.example", b"/x", 3),
            (b"a.example", b"/x", None),
            (b"[2001:db8::1]", b"/api", 0),
        ],
    )
    def test_host(self, host: bytes, raw: bytes, expected: int | None) -> None:
        """The longest prefix goes first, then the one that names the host; port and case do not matter."""
        assert place(self.router, raw, host=host) == expected


class TestMethods:
    """Which methods reach an upstream."""

    def test_listed(self) -> None:
        """Upstreams may share a prefix when their methods differ; HEAD goes where GET goes."""
        router = Router([upstream("/x", methods=["GET"]), upstream("/x", methods=["POST", "PURGE"])])
        assert [place(router, b"/x", method) for method in ("GET", "HEAD", "POST", "PURGE")] == [0, 0, 1, 1]
        assert router.match(HOST, "PUT", b"/x") == MethodNotAllowed(("GET", "HEAD", "POST", "PURGE"))

    def test_listed_first(self) -> None:
        """An upstream that lists a method goes before one with the same prefix that takes any."""
        router = Router([upstream("/x"), upstream("/x", methods=["POST"])])
        assert [place(router, b"/x", method) for method in ("GET", "POST")] == [0, 1]

    def test_shorter_prefix(self) -> None:
        """A method that the longer prefix leaves out may be the shorter one's."""
        router = Router([upstream("/x", methods=["POST"]), upstream("/x/y", methods=["GET"])])
        assert place(router, b"/x/y/z", "GET") == 1
        assert place(router, b"/x/y/z", "POST") == 0

    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "get"])
    def test_not_passed_unasked(self, method: str) -> None:
        """TRACE, CONNECT and what nobody registered pass only where they are listed."""
        answer = Router([upstream("/x")]).match(HOST, method, b"/x")
        assert isinstance(answer, MethodNotAllowed)
        assert {"GET", "PATCH", "QUERY"} <= set(answer.allow)
        assert method not in answer.allow

    def test_listed_by_a_route(self) -> None:
        """A route may list a method that its upstream would not pass; other paths stay as they are."""
        router = Router([upstream("/x", route("/tea/*", "TRACE"), route("/milk"))])
        assert route_name(router, b"/x/tea/1", "TRACE") == "tea"
        assert isinstance(router.match(HOST, "TRACE", b"/x/coffee"), MethodNotAllowed)
        assert isinstance(router.match(HOST, "TRACE", b"/x/milk"), MethodNotAllowed)

    def test_upstream_list_is_final(self) -> None:
        """What the upstream's own list leaves out no route brings in."""
        router = Router([upstream("/x", route("/y", "PUT"), methods=["GET"])])
        assert router.match(HOST, "PUT", b"/x/y") == MethodNotAllowed(("GET", "HEAD"))


class TestRoutes:
    """Which route of an upstream a path takes."""

    router = Router(
        [
            upstream(
                "/x",
                route("/**", name="all"),
                route("/orders/**", name="below"),
                route("/orders/*", name="one"),
                route("/orders/*", "POST", name="one-post"),
                route("/orders/new", name="new"),
                route("/orders/*/lines/*", "GET", name="line"),
                route("/orders/7/**", name="seven"),
                route("/only", "POST", name="only"),
            ),
            upstream("/bare", route("/a/b")),
        ]
    )

    @pytest.mark.parametrize(
        ("raw", "method", "expected"),
        [
            (b"/x", "GET", "all"),
            (b"/x/", "GET", "all"),
            (b"/x/y/z", "GET", "all"),
            (b"/x/orders", "GET", "below"),
            (b"/x/orders/", "GET", "below"),
            (b"/x/orders/1", "GET", "one"),
            (b"/x/orders/1/", "GET", "one"),
            (b"/x/orders/1?x", "GET", "one"),
            (b"/x/orders/1", "POST", "one-post"),
            (b"/x/orders/new", "POST", "new"),
            (b"/x/orders/1/lines/2", "GET", "line"),
            (b"/x/orders/1/lines/2", "HEAD", "line"),
            (b"/x/orders/1/lines/2", "POST", "below"),
            (b"/x/orders/1/lines", "GET", "below"),
            (b"/x/orders/7", "GET", "seven"),
            (b"/x/orders/7/lines/2", "GET", "seven"),
            (b"/x/only", "POST", "only"),
            (b"/x/only", "GET", "all"),
            (b"/bare/a", "GET", None),
            (b"/bare/a/b", "GET", "a-b"),
            (b"/bare/a/b/c", "GET", None),
        ],
    )
    def test_most_specific(self, raw: bytes, method: str, expected: str | None) -> None:
        """Written-out segments go before `*`, and `*` before `**`, wherever they stand; a route with methods first."""
        assert route_name(self.router, raw, method) == expected

    def test_decoded(self) -> None:
        """A route is found whether a letter of it is encoded or not, and whatever alphabet it is in."""
        router = Router([upstream("/x", route("/\u0645/*", name="m"))])
        for raw in (b"/x/%D9%85/1", b"/x/\xd9\x85/1", b"/x/%d9%85/%31"):
            assert route_name(router, raw) == "m"


class TestMisleading:
    """Paths that a server behind us might read as another one."""

    router = Router(
        [
            upstream("/shop", route("/orders/*"), route("/hooks/**")),
            upstream("/shop/admin"),
            upstream("/open"),
        ]
    )

    @pytest.mark.parametrize(
        "raw",
        [
            b"/open/../shop/x",
            b"/open/..",
            b"/open/%2e%2e/shop/x",
            b"/open/.%2E/shop/x",
            b"/open/%252e%252e/shop",
            b"/open/..%2fshop",
            b"/open/..%5cshop",
            b"/open/..\\shop",
            b"/open/..;x/shop",
            b"/open/..%3bx/shop",
            b"/open/x/../../open/y",
            b"/open/a%2fb/../..",
            b"/open/a%2fb/%2e%2e/%2e%2e",
            b"/open/a\\b/../../shop",
            b"/open//../../shop",
            b"/..",
            b"/../open",
            b"//open/x",
            b"/./open/x",
            b"/open%2fx",
            b"/open;v=1/x",
            b"/open\\x",
            b"/open/x%00",
            b"/open/x%2500",
            b"/shop%2fadmin/x",
            b"/shop/%61dmin%2fx",
            b"/shop//admin/x",
            b"/shop/./admin",
            b"/shop/admin;x/y",
            b"/shop/x/../admin",
            b"/shop/admin/../x",
            b"/shop/orders//1",
            b"/shop/orders/1%2f2",
            b"/shop/orders%2f1",
            b"/shop/orders/1/../2",
            b"/shop/orders/.",
            b"/shop/x/%2e%2e/orders/1",
            b"/shop/orders;a/1",
            b"/shop/x%252f..%252forders/1",
            b"/shop/orders/..",
            b"/shop/hooks/../x",
            b"/open/a%252Fb//c;d",
            b"/nobody/../open",
        ],
    )
    def test_rejected(self, raw: bytes) -> None:
        """It is refused where some reading would take it elsewhere, or out of its place."""
        answer = self.router.match(HOST, "GET", raw)
        assert isinstance(answer, Rejected)
        assert answer.reason.startswith("the path ")

    @pytest.mark.parametrize(
        "raw",
        [
            b"/open/a%2Fb",
            b"/open/https:%2F%2Fa.example%2Fb",
            b"/open/x//y",
            b"/open/x;v=1",
            b"/open/x/../y",
            b"/open/x/..",
            b"/open/x\\y",
            b"/open/100%25",
            b"/shop/orders/1;v=2",
            b"/shop/orders/%41",
            b"/shop/orders/a%20b",
            b"/shop/hooks/a/../b",
            b"/shop/hooks/a%2Fb//c",
            b"/shop/products/a%2Fb",
        ],
    )
    def test_forwarded(self, raw: bytes) -> None:
        """Where every reading takes the same way, the path goes as it came."""
        assert target(self.router, raw) == b"/v2/" + raw.split(b"/", 2)[2]

    def test_nobodys(self) -> None:
        """A path that is nobody's in any reading is not found, however odd it is."""
        assert self.router.match(HOST, "GET", b"/nobody/%20;x") == NotFound()

    def test_query(self) -> None:
        """A query is nobody's path."""
        assert target(self.router, b"/open/x?y=/../../%2e%2e//;%00") == b"/v2/x?y=/../../%2e%2e//;%00"


class TestMemory:
    """A path that was matched before is not matched again, and that shows nowhere."""

    def test_the_same_answer(self) -> None:
        """Whatever was asked before, for another method, host or query, a request's way is its own."""
        router = Router([
            upstream("/a", route("/things", "GET", name="read"), route("/things", "POST", name="write")),
            upstream("/b", host=["one.example"]),
            upstream("/b", host=["two.example"], base="https://two.example"),
        ])  # fmt: skip
        for _ in range(2):
            for method, name in (("GET", "read"), ("POST", "write")):
                matched = router.match(HOST, method, b"/a/things?x=1")
                assert isinstance(matched, Matched)
                assert matched.route is not None
                assert (matched.route.name, matched.target) == (name, b"/v2/things?x=1")
            assert target(router, b"/a/things") == b"/v2/things"
            assert target(router, b"/a/things?") == b"/v2/things?"
            assert place(router, b"/b/x", host=b"one.example") == 1
            assert place(router, b"/b/x", host=b"two.example") == 2
            assert place(router, b"/b/x", host=b"three.example") is None

    def test_bounded(self) -> None:
        """More paths than are remembered, and longer ones, are matched all the same."""
        router = Router([upstream("/a")])
        for number in range(5_000):
            assert target(router, b"/a/%d" % (number % 3_000)) == b"/v2/%d" % (number % 3_000)
        assert target(router, b"/a/" + b"x" * 1_000) == b"/v2/" + b"x" * 1_000
