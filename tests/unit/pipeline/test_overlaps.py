"""What can never be reached, or not surely."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.models import UpstreamFile
from gateway.pipeline.overlaps import Overlap, overlaps


def upstream(name: str, prefix: str, *routes: tuple[str, list[str]], **match: Any) -> UpstreamFile:  # noqa: ANN401 - as YAML gives it
    """Return an upstream's file."""
    return UpstreamFile.model_validate(
        {
            "version": 1,
            "name": name,
            "base_url": "https://api.example",
            "match": {"prefix": prefix, **match},
            "routes": [{"match": {"path": path, "methods": methods}} for path, methods in routes],
        }
    )


@pytest.mark.parametrize(
    "second",
    [
        upstream("b", "/y"),
        upstream("b", "/x/y"),
        upstream("b", "/"),
        upstream("b", "/x", host="b.example"),
        upstream("b", "/x", host=["a.example"]),
        upstream("b", "/x", ("/orders/*", []), ("/orders/**", []), ("/orders/1", []), methods=["POST"]),
        upstream("b", "/x", ("/orders", ["POST"]), ("/orders", ["PUT"]), methods=["POST", "PUT"]),
    ],
)
def test_apart(second: UpstreamFile) -> None:
    """Upstreams that differ in prefix, host or methods are apart; so are routes that differ in pattern or methods."""
    assert overlaps([upstream("a", "/x", methods=["GET"]), second]) == []


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (upstream("a", "/x"), upstream("b", "/x/"), "/x/ with any method would go to 'a' as well"),
        (
            upstream("a", "/x", methods=["GET"]),
            upstream("b", "/x", methods=["HEAD"]),
            "/x with HEAD would go to 'a' as well",
        ),
        (
            upstream("a", "/x", host=["A.example", "b.example"]),
            upstream("b", "/x", host="a.Example"),
            "/x with any method would go to 'a' as well",
        ),
    ],
)
def test_upstreams(first: UpstreamFile, second: UpstreamFile, sentence: str) -> None:
    """Two upstreams that one request could go to: the later one is told."""
    assert overlaps([first, upstream("between", "/z"), second]) == [Overlap(upstream=2, sentence=sentence)]


def test_unlisted_methods() -> None:
    """An upstream that lists methods goes before one that takes any."""
    assert overlaps([upstream("a", "/x"), upstream("b", "/x", methods=["PUT"])]) == []


def test_reserved() -> None:
    """The gateway's own pages cannot be taken."""
    sentence = "the prefix /- is reserved for the gateway's own pages"
    assert overlaps([upstream("a", "/-/x"), upstream("b", "/-x")]) == [Overlap(upstream=0, sentence=sentence)]


def test_routes() -> None:
    """Of two routes with one pattern and a method in common the later one is told."""
    both = upstream(
        "a",
        "/x",
        ("/orders/*", []),
        ("/y", ["PUT"]),
        ("/orders/*/", []),
        ("/orders/*", ["PUT"]),
        ("/y", ["PUT", "POST"]),
    )
    assert overlaps([both]) == [
        Overlap(upstream=0, route=2, sentence="the path /orders/*/ with any method is an earlier route's already"),
        Overlap(upstream=0, route=4, sentence="the path /y with PUT is an earlier route's already"),
    ]


def test_methods_left_out() -> None:
    """A route's methods that its upstream leaves out never come so far."""
    sentence = "the path /y lists PUT, which the upstream's own methods leave out"
    assert overlaps([upstream("a", "/x", ("/y", ["PUT", "GET"]), methods=["GET"])]) == [
        Overlap(upstream=0, route=0, sentence=sentence)
    ]
