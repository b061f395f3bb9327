"""What goes back to a client."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.headers import AddressMap, Refusal, ReplyRules, Secrets, forbids_transform, reply_to_client
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


def test_a_session_that_was_opened_for_us() -> None:
    """Is the client's business only where the configuration says so."""
    cookie = ((b"Set-Cookie", b"a=1"),)
    assert answer(*cookie, own_credential=True) == ()
    assert answer(*cookie, own_credential=True, cookies=True) == cookie


def test_our_credential_is_not_echoed() -> None:
    """Wherever it stands, however it is spelled; the rest stays byte for byte."""
    secrets = Secrets.of(["s3cret/+"])
    echo = ((b"Location", b"https://evil.example/?t=s3cret%2f%2b&a=\xff"), (b"X-A", b"a s3cret/+"), (b"X-B", b"s3cre"))
    assert answer(*echo, secrets=secrets) == (
        (b"Location", b"https://evil.example/?t=[redacted]&a=\xff"),
        (b"X-A", b"a [redacted]"),
        (b"X-B", b"s3cre"),
    )
    assert answer((b"X-A", b"nothing"), secrets=secrets) == ((b"X-A", b"nothing"),)


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
        ("value", "mapped"),
        [
            (b"http://api.salla.dev/admin/v2/x", b"https://gateway.example/salla/x"),
            (b"//api.salla.dev:443/admin/v2/x", b"https://gateway.example/salla/x"),
            (b"//api.salla.dev:/admin/v2/x", b"https://gateway.example/salla/x"),
            (b"https://api.salla.dev:80/admin/v2/x", b"https://gateway.example/salla/x"),
            (b"https://api.salla.dev./admin/v2/x", b"https://gateway.example/salla/x"),
            (b"https://u:p@api.salla.dev/admin/v2/x", b"https://gateway.example/salla/x"),
            (b"ht\ttps://api.salla.dev/admin/v2/x", b"https://gateway.example/salla/x"),
            (b"/admin/v2/.well-known/x", b"https://gateway.example/salla/.well-known/x"),
        ],
    )
    def test_other_spellings(self, value: bytes, mapped: bytes) -> None:
        """A user, a default port, the other scheme, a final dot, what browsers do not see."""
        assert answer((b"Location", value), addresses=SALLA) == ((b"Location", mapped),)

    @pytest.mark.parametrize(
        "value",
        [
            b"https://api.salla.dev/admin/v22/x",
            b"https://api.salla.dev/other",
            b"https://api.salla.dev",
            b"/admin/v2/../x",
            b"/admin/v2/%2e%2E/x",
            b"/admin/v2/..\\x",
            b"/admin",
            b"/\\evil.example/",
        ],
    )
    def test_no_way_through_us(self, value: bytes) -> None:
        """What is the upstream's, but not below its base, would show its address or lead to another upstream."""
        assert answer((b"Location", value), addresses=SALLA) == ()

    @pytest.mark.parametrize(
        "value",
        [
            b"https://api.salla.dev:8443/admin/v2/x",
            b"https://api.salla.dev@evil.example/admin/v2/x",
            b"https://api.salla.dev.evil.example/admin/v2/x",
            b"https://evil.example/?https://api.salla.dev/admin/v2/x",
            b"//evil.example/admin/v2/x",
            b"ftp://api.salla.dev/admin/v2/x",
            b"orders/1",
            b"?page=2",
            b"?",
            b"mailto:a@api.salla.dev",
            b"https:x",
            b"",
        ],
    )
    def test_as_it_came(self, value: bytes) -> None:
        """What lies elsewhere, or is relative to what the client asked for."""
        assert answer((b"Location", value), addresses=SALLA) == ((b"Location", value),)

    @pytest.mark.parametrize(("authority", "mapped"), [(b"h:8080", b"/x"), (b"H:8080", b"/x"), (b"h", None)])
    def test_a_port_of_its_own(self, authority: bytes, mapped: bytes | None) -> None:
        """Is part of the address, whatever the scheme."""
        addresses = AddressMap(authority=b"h:8080", path=b"", public=b"")
        value = b"https://%s/x" % authority
        assert addresses.url(value) == (mapped or value)

    @pytest.mark.parametrize("public", [b"", b"/"])
    @pytest.mark.parametrize(
        "value", [b"https://api.example/v2//evil.example/", b"/v2//evil.example/", b"/v2/\t/evil.example/"]
    )
    def test_no_path_becomes_another_host(self, public: bytes, value: bytes) -> None:
        """Two slashes at the beginning would (RFC 3986 section 4.2)."""
        mapped = AddressMap(authority=b"api.example", path=b"/v2", public=public).url(value)
        assert mapped is not None
        assert mapped.startswith(b"/./")
        assert mapped.endswith(b"//evil.example/")

    @pytest.mark.parametrize(
        ("value", "mapped"),
        [
            (b"/admin/v2/x?a=%20&key=k&b=+#f", b"https://gateway.example/salla/x?a=%20&b=+#f"),
            (b"/admin/v2/x?%6Bey=k", b"https://gateway.example/salla/x"),
            (b"/admin/v2/x?keys=k&Key=k", b"https://gateway.example/salla/x?keys=k&Key=k"),
            (b"/admin/v2?key=k", b"https://gateway.example/salla"),
            (b"?key=k&page=2", b"?page=2"),
            (b"https://evil.example/?key=k", b"https://evil.example/?key=k"),
        ],
    )
    def test_parameters_of_ours(self, value: bytes, mapped: bytes) -> None:
        """A credential that we put into the query does not come back."""
        addresses = AddressMap(
            authority=SALLA.authority, path=SALLA.path, public=SALLA.public, parameters=frozenset({b"key"})
        )
        assert answer((b"Location", value), addresses=addresses) == ((b"Location", mapped),)

    @pytest.mark.parametrize(
        ("value", "mapped"),
        [
            (
                b'<https://api.salla.dev/admin/v2/x?a=1,2>; rel="next", </admin/v2/y>;rel=prev',
                b'<https://gateway.example/salla/x?a=1,2>; rel="next", <https://gateway.example/salla/y>;rel=prev',
            ),
            (b'<//evil.example/>; title="a, <b> \\", c"', b'<//evil.example/>; title="a, <b> \\", c"'),
            (b"</other>; rel=x, <?page=2>; rel=next", b"<?page=2>; rel=next"),
            (b"</other>; rel=x", None),
            (b"nonsense, <a>", b"<a>"),
            (b"x <a>, <a", None),
        ],
    )
    def test_link(self, value: bytes, mapped: bytes | None) -> None:
        """RFC 8288: each target by itself; what has no place here is left out."""
        assert answer((b"Link", value), addresses=SALLA) == (() if mapped is None else ((b"Link", mapped),))

    def test_switched_off(self) -> None:
        """Only where it is asked for."""
        headers = ((b"Location", b"/admin/v2/x"),)
        assert answer(*headers, (b"Link", b"</x>"), addresses=SALLA, locations=False) == (*headers, (b"Link", b"</x>"))

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
