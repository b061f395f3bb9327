"""What `Accept` and `Accept-Language` ask for."""

from __future__ import annotations

import pytest

from gateway.headers.preferences import preferred_language, preferred_type, weights

JSON, XML, TEXT = (b"application/json",), (b"application/problem+xml", b"application/xml"), (b"text/plain",)
OFFERS = (JSON, XML, TEXT)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([b"a/b"], [(b"a/b", 1.0)]),
        ([b"A/B;Q=0.5, c/d ; q=0.25"], [(b"a/b", 0.5), (b"c/d", 0.25)]),
        ([b"a/b;level=1;q=0.5;ext=2"], [(b"a/b", 0.5)]),
        ([b'a/b;x="q=0.1;q=0.2,c";q=0.5'], [(b"a/b", 0.5)]),
        ([b"a/b;q=0.5", b"c/d"], [(b"a/b", 0.5), (b"c/d", 1.0)]),
        ([b"a;q=high, b;q=2, c;q=-1, d;q=nan, e;q="], [(name, 0.0) for name in (b"a", b"b", b"c", b"d", b"e")]),
        ([b'a/b;x="open'], [(b'a/b;x="open', 1.0)]),
        ([b"", b" , ,"], []),
    ],
)  # fmt: skip
def test_weights(lines: list[bytes], found: list[tuple[bytes, float]]) -> None:
    """Each element has its weight, 1 where none is said, 0 where it is no number from 0 to 1."""
    assert weights(lines) == found


@pytest.mark.parametrize(
    ("accept", "offer"),
    [
        pytest.param(b"application/json", JSON, id="named"),
        pytest.param(b"TEXT/Plain", TEXT, id="in any case"),
        pytest.param(b"application/xml", XML, id="by a general name"),
        pytest.param(b"*/*", JSON, id="anything is the first"),
        pytest.param(b"*", JSON, id="anything, as old Java clients write it"),
        pytest.param(b"text/*", TEXT, id="a wildcard for subtypes"),
        pytest.param(b"application/*;q=0.5, text/plain;q=0.6", TEXT, id="by weight"),
        pytest.param(b"text/plain, */*", TEXT, id="named before anything"),
        pytest.param(b"text/*, */*", TEXT, id="subtypes before anything"),
        pytest.param(b"*/*;q=0.8, text/plain;q=0.1", JSON, id="weight before nearness"),
        pytest.param(b"application/json;q=0, */*", XML, id="what is not wanted"),
        pytest.param(b"application/problem+xml;q=0, application/xml, */*;q=0.1", JSON, id="its own name counts first"),
        pytest.param(b"application/problem+xml;q=0.1, application/xml, text/plain;q=0.5", TEXT, id="its own weight"),
        pytest.param(b"text/plain;q=0.2, text/plain;q=0.9, application/json;q=0.5", TEXT, id="said twice"),
        pytest.param(b"application/json, text/plain, */*", JSON, id="alike, so the first"),
        pytest.param(b"image/png", None, id="nothing of it"),
        pytest.param(b"*/*;q=0", None, id="nothing at all"),
        pytest.param(b"", None, id="nothing said"),
    ],
)
def test_preferred_type(accept: bytes, offer: tuple[bytes, ...] | None) -> None:
    """The offer that is wanted most; of those wanted alike the one that is named, then the first."""
    found = preferred_type([accept], OFFERS)
    assert (None if found is None else OFFERS[found]) == offer


@pytest.mark.parametrize(
    ("line", "language"),
    [
        (b"ar", "ar"),
        (b"ar-SA", "ar"),
        (b"AR-sa-x-private", "ar"),
        (b"fr, ar;q=0.1", "ar"),
        (b"en;q=0.5, ar;q=0.6", "ar"),
        (b"en-GB, ar", "en"),
        (b"*, ar;q=0.2", "ar"),
        (b"*", None),
        (b"ar;q=0", None),
        (b"arz", None),
        (b"-ar", None),
        (b"\xff", None),
    ],
)
def test_preferred_language(line: bytes, language: str | None) -> None:
    """Lookup of RFC 4647: the range that is wanted most, shortened from its end until it is one of ours."""
    assert preferred_language([line], ("en", "ar")) == language
