"""Segments, and the ways in which a path can be read."""

from __future__ import annotations

import pytest

from gateway.pipeline.paths import (
    MOST_SEGMENTS,
    Segments,
    after_segments,
    holds_nul,
    is_plain,
    lowest_depth,
    readings,
    segments_of,
)


@pytest.mark.parametrize("path", [b"/", b"/a/b", b"/a/", b"/a.b/c..d", b"/\xd9\x85", b"/a:b@c,d=e&f"])
def test_plain(path: bytes) -> None:
    """Nothing in these can be read in two ways."""
    assert is_plain(path)


@pytest.mark.parametrize("path", [b"/a%20b", b"//a", b"/a//", b"/./a", b"/../a", b"/.hidden", b"/a;b", b"/a\\b"])
def test_not_plain(path: bytes) -> None:
    """These have to be compared."""
    assert not is_plain(path)


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        (b"/", [b""]),
        (b"/a", [b"a"]),
        (b"/a/", [b"a", b""]),
        (b"//a", [b"", b"a"]),
        (b"/s%61lla/a%2Fb", [b"salla", b"a/b"]),
        (b"/%2525", [b"%25"]),
        (b"/%zz%4", [b"%zz%4"]),
    ],
)
def test_segments(path: bytes, segments: Segments) -> None:
    """Segments are split at the slashes that stand there, and decoded once."""
    assert segments_of(path) == segments


@pytest.mark.parametrize(
    ("path", "count", "rest"),
    [
        (b"/a/b/c", 0, b"/a/b/c"),
        (b"/a/b/c", 1, b"/b/c"),
        (b"/%61/b%2Fc/", 1, b"/b%2Fc/"),
        (b"/a/", 1, b"/"),
        (b"/a", 1, b""),
        (b"/a/b", 3, b""),
        (b"//a", 1, b"/a"),
    ],
)
def test_after_segments(path: bytes, count: int, rest: bytes) -> None:
    """What is left is not changed by a byte."""
    assert after_segments(path, count) == rest


@pytest.mark.parametrize(
    ("path", "found"), [(b"/a%00", True), (b"/a%2500b", True), (b"/a%25%30%30", True), (b"/a", False)]
)
def test_nul(path: bytes, *, found: bool) -> None:
    """A NUL is seen however often it is encoded."""
    assert holds_nul(segments_of(path)) is found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/a/b", []),
        (b"/a%20b", []),
        (b"/a/", []),
        (b"/a%2Fb", [[b"a", b"b"]]),
        (b"/a%252Fb", [[b"a/b"], [b"a%2Fb"], [b"a", b"b"]]),
        (b"/a\\b", [[b"a", b"b"]]),
        (b"/a;v=1/b", [[b"a", b"b"]]),
        (b"//a//b/", [[b"a", b"b", b""]]),
        (b"/a/./b", [[b"a", b"b"]]),
        (b"/a/../b", [[b"b"]]),
        (b"/../b", [[b"b"]]),
        (b"/a/..;x/b", [[b"a", b"..", b"b"], [b"a", b"..;x", b"b"], [b"b"]]),
    ],
)
def test_readings(path: bytes, expected: list[Segments]) -> None:
    """Every combination of the ways that change something is one reading."""
    found = readings(segments_of(path))
    assert found is not None
    assert list(found) == expected


@pytest.mark.parametrize(
    "path", [b"/a%252Fb//c;d", b"/a\\b;c//d/./e", b"/a%2F" + b"b/" * MOST_SEGMENTS, b"/" + b"%2f" * MOST_SEGMENTS]
)
def test_too_many_readings(path: bytes) -> None:
    """A path that would cost too much to compare has no readings."""
    assert readings(segments_of(path)) is None


@pytest.mark.parametrize(
    ("segments", "depth"),
    [
        ([b"a", b"b"], 2),
        ([b"a", b"..", b"b"], 0),
        ([b"a", b"b", b"..", b"c"], 1),
        ([b"a", b".", b".."], 0),
        ([b"..", b"a"], -1),
        ([b"a", b"..", b"..", b"a", b"a", b"a"], -1),
    ],
)
def test_lowest_depth(segments: Segments, depth: int) -> None:
    """Coming back later does not undo having left."""
    assert lowest_depth(segments) == depth
