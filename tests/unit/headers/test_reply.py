"""What goes back to a client."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.headers import AddressMap, Refusal, ReplyRules, forbids_transform, reply_to_client
from gateway.model import Header, Headers, Translation

VIA: Header = (b"Via", b"1.1 accord")
SALLA = AddressMap(authority=b"api.salla.dev", path=b"/admin/v2", public=b"https://gateway.example/salla")
BODY: Headers = (
    (b"Content-Type", b"application/json"),
    (b"Content-Encoding", b"gzip"),
    (b"ETag", b'"x"'),
    (b"Content-MD5", b"x"),
    (b"Digest", b"x"),
    (b"Repr-Digest", b"x"),
    (b"Content-Digest", b"x"),
    (b"Accept-Ranges", b"bytes"),
    (b"Last-Modified", b"x"),
    (b"Content-Range", b"x"),
    (b"Content-Disposition", b"attachment"),
)
ANSWER: Headers = (
    (b"Cache-Control", b"max-age=60"),
    (b"Expires", b"x"),
    (b"Age", b"1"),
    (b"Pragma", b"x"),
    (b"Retry-After", b"5"),
    (b"Proxy-Status", b"x"),
    (b"Content-Language", b"ar"),
)


def answer(*headers: Header, translation: Translation = Translation.NONE, **changes: Any) -> Headers:  # noqa: ANN401 - each field has a type of its own
    """Return what goes to the client, less our Via."""
    plain: dict[str, Any] = {"via": b"accord"}
    sent = reply_to_client(headers, ReplyRules(**(plain | changes)), translation)
    assert not isinstance(sent, Refusal), sent
    assert sent[-1] == VIA
    return sent[:-1]


def test_plain() -> None:
    """Spelling, order and repeats survive, bytes above ASCII too; Server speaks of the origin and passes."""
    headers = (
        (b"server", b"nginx"),
        (b"Set-Cookie", b"a=1"),
        (b"X-A", b"\xff\t"),
        (b"set-cookie", b"b=2"),
        (b"Location", b"https://api.salla.dev/admin/v2/x"),
        (b"WWW-Authenticate", b"Bearer"),
        (b"X-RateLimit-Remaining", b"5"),
    )
    assert answer(*headers) == headers


def test_via() -> None:
    """Ours comes last, with the version that was received."""
    rules = ReplyRules(via=b"accord")
    assert reply_to_client(((b"Via", b"1.1 theirs"),), rules, version=(1, 0)) == (
        (b"Via", b"1.1 theirs"),
        (b"Via", b"1.0 accord"),
    )


@pytest.mark.parametrize(
    "name",
    [
        b"Connection",
        b"Keep-Alive",
        b"Proxy-Authenticate",
        b"Trailer",
        b"Transfer-Encoding",
        b"Upgrade",
        b"Content-Length",
        b"Content_Length",
        b"X-Request-Id",
        b"Accord-Format",
        b"Alt-Svc",
    ],
)
def test_not_sent(name: bytes) -> None:
    """What is of one connection, frames the body, or is ours to say does not pass."""
    assert answer((name, b"x"), (name.lower(), b"x")) == ()


def test_named_by_connection() -> None:
    """Nor does what Connection names, wherever it stands."""
    assert answer((b"X-Hop", b"1"), (b"X-Stays", b"2"), (b"Connection", b"close, x-hop")) == ((b"X-Stays", b"2"),)


@pytest.mark.parametrize("header", [(b"X Y", b"1"), (b"", b"1"), (b"X-A", b"a\rb"), (b"Connection", b"\x00")])
def test_not_http(header: Header) -> None:
    """A head that could break ours is the upstream's protocol error; its text is not lent to the answer."""
    refused = reply_to_client((header,), ReplyRules(via=b"accord"))
    assert refused == Refusal("upstream_protocol_error", "the upstream's reply has a field that is not HTTP")


@pytest.mark.parametrize("translation", [Translation.NONE, Translation.PASSED])
def test_body_as_it_came(translation: Translation) -> None:
    """A body that passes keeps all that describes it."""
    assert answer(*BODY, *ANSWER, translation=translation) == BODY + ANSWER


def test_body_rewritten() -> None:
    """What described the old body goes; what was said of the answer stays."""
    assert answer(*BODY, *ANSWER, translation=Translation.UNIFIED) == ANSWER


def test_problem() -> None:
    """An answer of ours says itself how long it lives and when to retry."""
    kept = ((b"Vary", b"Accept"), (b"Allow", b"GET"), (b"WWW-Authenticate", b"Bearer"))
    assert answer(*BODY, *kept, *ANSWER, translation=Translation.PROBLEM) == kept


def test_challenge() -> None:
    """A challenge is the client's business only where the credential was the client's."""
    challenge = ((b"WWW-Authenticate", b"Bearer"), (b"Authentication-Info", b"x"))
    assert answer(*challenge, own_credential=True) == ()
    assert answer(*challenge) == challenge


def test_rate_fields() -> None:
    """Rate fields pass, or are left to the named policy."""
    fields = (
        (b"X-RateLimit-Limit", b"1"),
        (b"x-rate-limit-reset", b"1"),
        (b"RateLimit", b"1"),
        (b"RateLimit-Policy", b"1"),
    )
    assert answer(*fields) == fields
    assert answer(*fields, (b"X-Ratings", b"1"), keep_rate=False) == ((b"X-Ratings", b"1"),)


def test_drop() -> None:
    """Further names can be dropped."""
    assert answer((b"X-Calls-Left", b"1"), (b"X-A", b"1"), drop=frozenset({b"x-calls-left"})) == ((b"X-A", b"1"),)


class TestLocation:
    """Addresses of the upstream become ours."""

    @pytest.mark.parametrize(
        ("value", "mapped"),
        [
            (b"https://api.salla.dev/admin/v2/orders/1?a=b#c", b"https://gateway.example/salla/orders/1?a=b#c"),
            (b"HTTPS://API.Salla.dev:443/admin/v2/x", b"https://gateway.example/salla/x"),
            (b"http://api.salla.dev:80/admin/v2/x", b"https://gateway.example/salla/x"),
            (b"//api.salla.dev/admin/v2/x", b"https://gateway.example/salla/x"),
            (b"/admin/v2/x", b"https://gateway.example/salla/x"),
            (b"/admin/v2", b"https://gateway.example/salla"),
            (b"https://api.salla.dev/admin/v2?x", b"https://gateway.example/salla?x"),
            (b"/admin/v2/x?to=/../y", b"https://gateway.example/salla/x?to=/../y"),
            (b"/admin/v2/%D9%85//x", b"https://gateway.example/salla/%D9%85//x"),
        ],
    )
    def test_mapped(self, value: bytes, mapped: bytes) -> None:
        """What lies under the base URL, however it is written."""
        assert answer((b"location", value), (b"Content-Location", value), addresses=SALLA) == (
            (b"location", mapped),
            (b"Content-Location", mapped),
        )

    @pytest.mark.parametrize(
        "value",
        [
            b"https://api.salla.dev/admin/v22/x",
            b"https://api.salla.dev/other",
            b"https://api.salla.dev",
            b"https://api.salla.dev:8443/admin/v2/x",
            b"https://api.salla.dev:80/admin/v2/x",
            b"https://api.salla.dev@evil.example/admin/v2/x",
            b"https://api.salla.dev.evil.example/admin/v2/x",
            b"https://evil.example/?https://api.salla.dev/admin/v2/x",
            b"ftp://api.salla.dev/admin/v2/x",
            b"/admin/v2/../x",
            b"/admin/v2/%2e%2E/x",
            b"/admin/v2/..\\x",
            b"/admin",
            b"orders/1",
            b"?page=2",
            b"mailto:a@api.salla.dev",
            b"",
        ],
    )
    def test_as_it_came(self, value: bytes) -> None:
        """What lies elsewhere, or might."""
        assert answer((b"Location", value), addresses=SALLA) == ((b"Location", value),)

    def test_switched_off(self) -> None:
        """Only where it is asked for."""
        headers = ((b"Location", b"/admin/v2/x"),)
        assert answer(*headers, addresses=SALLA, locations=False) == headers

    @pytest.mark.parametrize(
        ("value", "mapped"), [(b"https://api.example/", b"/"), (b"https://api.example", b"/"), (b"/x", b"/x")]
    )
    def test_root_to_root(self, value: bytes, mapped: bytes) -> None:
        """Without any path on either side an address still has one."""
        root = AddressMap(authority=b"api.example", path=b"", public=b"")
        assert answer((b"Location", value), addresses=root) == ((b"Location", mapped),)


class TestCookies:
    """Domains and paths of the upstream become ours."""

    @pytest.mark.parametrize(
        ("value", "mapped"),
        [
            (b"a=1", b"a=1"),
            (b"a=1; Domain=api.salla.dev; Secure", b"a=1; Secure"),
            (b"a=1; domain=.SALLA.dev;HttpOnly", b"a=1;HttpOnly"),
            (b"a=1; Domain=other.example", b"a=1; Domain=other.example"),
            (b"a=1; Domain=la.dev", b"a=1; Domain=la.dev"),
            (b"a=1; Path=/admin/v2/orders; Secure", b"a=1; Path=/salla/orders; Secure"),
            (b"a=1; path=/admin/v2/", b"a=1; path=/salla"),
            (b"a=1; Path=/admin", b"a=1; Path=/salla"),
            (b"a=1; Path=/", b"a=1; Path=/salla"),
            (b"a=1; Path=/other", b"a=1; Path=/other"),
            (b"a=1; Path=/admin/v2/../x", b"a=1; Path=/admin/v2/../x"),
            (b"__Host-a=1; Path=/; Secure", b"__Host-a=1; Path=/; Secure"),
            (b"a=Domain=api.salla.dev", b"a=Domain=api.salla.dev"),
            (b"", b""),
        ],
    )
    def test_mapped(self, value: bytes, mapped: bytes) -> None:
        """A domain that the upstream lies in becomes our host's own, a path gets our prefix, the rest stays."""
        assert answer((b"Set-Cookie", value), addresses=SALLA, cookies=True) == ((b"Set-Cookie", mapped),)

    @pytest.mark.parametrize(
        ("public", "mapped"), [(b"", b"a=1; Path=/"), (b"/x", b"a=1; Path=/x"), (b"http://g.example", b"a=1; Path=/")]
    )
    def test_other_places(self, public: bytes, mapped: bytes) -> None:
        """Whether our own address is known or not, and whether there is a prefix or not."""
        addresses = AddressMap(authority=b"api.example", path=b"", public=public)
        assert answer((b"Set-Cookie", b"a=1; Path=/"), addresses=addresses, cookies=True) == ((b"Set-Cookie", mapped),)

    def test_switched_off(self) -> None:
        """Only where it is asked for."""
        headers = ((b"Set-Cookie", b"a=1; Domain=api.salla.dev"),)
        assert answer(*headers, addresses=SALLA) == headers


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"Cache-Control", b"no-transform")], True),
        ([(b"cache-control", b"max-age=5 , No-Transform")], True),
        ([(b"Cache-Control", b"no-store"), (b"Cache-Control", b"no-transform")], True),
        ([(b"Cache-Control", b"no-transformer")], False),
        ([(b"X-Cache-Control", b"no-transform")], False),
        ([], False),
    ],
)
def test_no_transform(headers: list[Header], *, expected: bool) -> None:
    """RFC 9111 section 5.2.2.6, over all lines."""
    assert forbids_transform(headers) is expected
