"""What goes to an upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.headers import Hop, Refusal, RequestHead, RequestRules, read_request, request_to_upstream

if TYPE_CHECKING:
    from gateway.model import Header, Headers

HOST: Header = (b"Host", b"gateway.example:8443")
HOP = Hop(peer="192.0.2.1", request_id=b"minted", scheme=b"https")
ADDED = {
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"forwarded",
    b"x-request-id",
}


def rules(**changes: Any) -> RequestRules:  # noqa: ANN401 - each field has a type of its own
    """Return the rules of a plain upstream, with changes."""
    plain: dict[str, Any] = {"host": b"api.example", "via": b"accord"}
    return RequestRules(**(plain | changes))


def send(*headers: Header, hop: Hop = HOP, **changes: Any) -> Headers:  # noqa: ANN401 - as rules()
    """Return what goes upstream for a request with these fields, beside Host."""
    head = read_request((HOST, *headers))
    assert isinstance(head, RequestHead), head
    sent = request_to_upstream(head, rules(**changes), hop)
    assert not isinstance(sent, Refusal), sent
    return sent


def own(sent: Headers) -> list[Header]:
    """Return what is neither added by us nor Host."""
    return [header for header in sent[1:] if header[0].lower() not in {*ADDED, b"via"}]


def values(sent: Headers, name: bytes) -> list[bytes]:
    """Return the values of a field that was sent."""
    return [value for field, value in sent if field.lower() == name]


def test_plain() -> None:
    """The upstream's own Host first; the client's fields as they came; what a proxy must add."""
    assert send(
        (b"x-A", b"1"), (b"X-B", b"\xff"), (b"X-a", b"2"), (b"Cookie", b"a=b"), (b"Authorization", b"theirs")
    ) == (
        (b"Host", b"api.example"),
        (b"x-A", b"1"),
        (b"X-B", b"\xff"),
        (b"X-a", b"2"),
        (b"Cookie", b"a=b"),
        (b"Authorization", b"theirs"),
        (b"X-Forwarded-For", b"192.0.2.1"),
        (b"Forwarded", b'for=192.0.2.1;proto=https;host="gateway.example:8443"'),
        (b"X-Forwarded-Proto", b"https"),
        (b"X-Forwarded-Host", b"gateway.example:8443"),
        (b"X-Forwarded-Port", b"8443"),
        (b"X-Request-Id", b"minted"),
        (b"Via", b"1.1 accord"),
    )


def test_not_sent() -> None:
    """The framing, an expectation, and the client's own request id stay here."""
    sent = send(
        (b"Content-Length", b"5"), (b"Expect", b"100-continue"), (b"X-Request-ID", b"theirs"), (b"TE", b"trailers")
    )
    assert own(sent) == []
    assert values(sent, b"x-request-id") == [b"minted"]


def test_an_id_that_is_written_later() -> None:
    """Without the id the same fields go upstream, and the rules say whether it is to follow."""
    without = send((b"X-Request-Id", b"theirs"), hop=Hop(peer="192.0.2.1", scheme=b"https"))
    assert values(without, b"x-request-id") == []
    assert sorted((*without, (b"X-Request-Id", b"minted"))) == sorted(send((b"X-Request-Id", b"theirs")))
    assert rules().identifies
    assert not rules(remove=frozenset({b"x-request-id"})).identifies
    assert not rules(fixed=((b"x-request-id", b"fixed"),)).identifies


class TestConfigured:
    """Fields that are set, removed, or for us."""

    def test_fixed(self) -> None:
        """What is set stands in place of the client's, whatever its spelling."""
        sent = send(
            (b"x-api-version", b"1"), (b"X_Api_Version", b"2"), (b"X-B", b"3"), fixed=((b"X-Api-Version", b"9"),)
        )
        assert own(sent) == [(b"X-B", b"3"), (b"X-Api-Version", b"9")]

    def test_credential_of_ours(self) -> None:
        """A credential of ours takes the place of the client's."""
        sent = send((b"Authorization", b"theirs"), fixed=((b"Authorization", b"ours"),))
        assert values(sent, b"authorization") == [b"ours"]

    def test_secrets_are_not_shown(self) -> None:
        """The rules hold credentials, so their text does not."""
        assert "secret" not in repr(rules(fixed=((b"Authorization", b"secret"),)))

    def test_remove(self) -> None:
        """What is removed is gone, ours included."""
        sent = send((b"X-Internal", b"1"), remove=frozenset({b"x-internal", b"x-forwarded-for", b"forwarded"}))
        assert own(sent) == []
        assert values(sent, b"x-forwarded-for") == values(sent, b"forwarded") == []
        assert values(sent, b"x-forwarded-proto") == [b"https"]

    def test_fixed_in_place_of_ours(self) -> None:
        """A field that we would add can be set."""
        sent = send((b"Accept", b"text/html"), fixed=((b"Accept", b"a/b"), (b"X-Forwarded-Host", b"public.example")))
        assert values(sent, b"accept") == [b"a/b"]
        assert values(sent, b"x-forwarded-host") == [b"public.example"]

    def test_drop(self) -> None:
        """The client's credential for us never goes upstream, nor what an upstream would take for it."""
        sent = send((b"X-API-Key", b"secret"), (b"X_API_KEY", b"secret"), drop=frozenset({b"x-api-key"}))
        assert own(sent) == []

    @pytest.mark.parametrize("name", [b"Host", b"Content-Length", b"Connection", b"Via", b"TE", b"Expect"])
    def test_not_configurable(self, name: bytes) -> None:
        """What this package answers for cannot be set or removed."""
        with pytest.raises(ValueError, match=r"^[a-z-]+: the gateway itself answers for it$"):
            rules(fixed=((name, b"x"),))
        with pytest.raises(ValueError, match="the gateway itself"):
            rules(remove=frozenset({name.lower()}))


class TestNegotiation:
    """Accept and Accept-Encoding."""

    @pytest.mark.parametrize(
        ("said", "sent"),
        [
            ([], []),
            ([b"application/json"], [b"application/json"]),
            (
                [b"text/html,  application/json;q=0.5", b"*/*;q=0.1"],
                [b"text/html,  application/json;q=0.5", b"*/*;q=0.1"],
            ),
            ([b"application/problem+json"], [b"*/*"]),
            ([b"application/vnd.api+json;q=0.5, text/plain, application/xml"], [b"text/plain, application/xml"]),
            ([b"Application/Problem+XML;q=0.5, application/problem+json"], [b"*/*"]),
            (
                [b"application/problem+json, application/json;q=0.9", b"text/html"],
                [b"application/json;q=0.9, text/html"],
            ),
            ([b'a/b;x="application/problem+json, c"'], [b'a/b;x="application/problem+json, c"']),
            ([b"application/problem+json," + b"a/b," * 100], [b", ".join([b"a/b"] * 100)]),
        ],
    )
    def test_accept(self, said: list[bytes], sent: list[bytes]) -> None:
        """The client's own, as it came, less the views that it asks of us."""
        assert values(send(*[(b"accept", value) for value in said]), b"accept") == sent

    def test_accept_of_the_preset(self) -> None:
        """What an API needs stands in place of what the client said, and where it said nothing."""
        assert values(send((b"Accept", b"text/html"), accept=b"application/json"), b"accept") == [b"application/json"]
        assert values(send(accept=b"application/json"), b"accept") == [b"application/json"]

    def test_other_views(self) -> None:
        """Which media types are views is told."""
        assert values(send((b"Accept", b"a/b, c/d"), views=frozenset({b"a/b"})), b"accept") == [b"c/d"]

    @pytest.mark.parametrize(
        ("said", "sent"),
        [
            ([], b"identity"),
            ([b""], b"identity"),
            ([b"br"], b"identity"),
            ([b"*"], b"identity"),
            ([b"GZIP;q=0.5, br, zstd"], b"GZIP;q=0.5"),
            ([b"gzip", b"deflate, br"], b"gzip, deflate"),
            ([b"br," * 200 + b"gzip"], b"gzip"),
        ],
    )
    def test_encodings_that_we_know(self, said: list[bytes], sent: bytes) -> None:
        """Where a reply may be captured, only codings that can be undone are asked for, and always said."""
        sent_fields = send(*[(b"Accept-Encoding", value) for value in said], encodings=frozenset({b"gzip", b"deflate"}))
        assert values(sent_fields, b"accept-encoding") == [sent]

    def test_all_encodings(self) -> None:
        """Where nothing is captured they pass as they came."""
        assert values(send((b"Accept-Encoding", b"br"), (b"Accept-Encoding", b"zstd")), b"accept-encoding") == [
            b"br",
            b"zstd",
        ]
        assert values(send(), b"accept-encoding") == []


class TestVia:
    """RFC 9110 section 7.6.3."""

    def test_appended(self) -> None:
        """Ours comes last, with the version that was received."""
        old = Hop(peer="192.0.2.1", request_id=b"minted", version=(1, 0))
        sent = send((b"Via", b"1.0 fred, 1.1 p.example.net"), (b"via", b"2 x (accord)"), hop=old)
        assert values(sent, b"via") == [b"1.0 fred, 1.1 p.example.net", b"2 x (accord)", b"1.0 accord"]

    @pytest.mark.parametrize(
        "value",
        [
            b"1.1 accord",
            b"1.1 ACCORD",
            b"1.0 x, HTTP/1.1  accord (comment), 1.1 y",
            b"1.1\taccord",
            b'1.1 x (", 1.1 accord',
        ],
    )
    def test_loop(self, value: bytes) -> None:
        """A request that bears our name came through us already, whatever stands around it."""
        head = read_request((HOST, (b"Via", b"1.1 first"), (b"Via", value)))
        assert isinstance(head, RequestHead)
        sent = request_to_upstream(head, rules(via=b"Accord"), HOP)
        assert sent == Refusal("loop_detected", "the request came through this gateway already")

    @pytest.mark.parametrize("value", [b"1.1 accord-eu", b"accord", b"", b"1.1 x accord", b"1.1"])
    def test_no_loop(self, value: bytes) -> None:
        """A name that only resembles ours is somebody else's."""
        assert values(send((b"Via", value)), b"via") == [value, b"1.1 accord"]


class TestForwarding:
    """X-Forwarded-* and Forwarded."""

    TRUSTED = Hop(peer="10.0.0.1", request_id=b"minted", scheme=b"http", trusted=True)

    def test_stranger(self) -> None:
        """What a peer says that is not trusted does not pass."""
        claims = [
            (b"X-Forwarded-For", b"198.51.100.1"),
            (b"Forwarded", b"for=198.51.100.1"),
            (b"X-Forwarded-Prefix", b"/admin"),
            (b"X-Real-IP", b"198.51.100.1"),
            (b"True-Client-IP", b"198.51.100.1"),
            (b"X-Forwarded-Proto", b"http"),
        ]
        assert send(*claims) == send()

    @pytest.mark.parametrize(
        ("peer", "node", "element"),
        [
            ("2001:db8::1", b"2001:db8::1", b'for="[2001:db8::1]";proto=https;host="gateway.example:8443"'),
            ("", b"unknown", b'for=unknown;proto=https;host="gateway.example:8443"'),
        ],
    )
    def test_peers(self, peer: str, node: bytes, element: bytes) -> None:
        """IPv6 in brackets and quotes (RFC 7239 section 6); a peer without an address is unknown."""
        sent = send(hop=Hop(peer=peer, request_id=b"minted", scheme=b"https"))
        assert values(sent, b"x-forwarded-for") == [node]
        assert values(sent, b"forwarded") == [element]

    @pytest.mark.parametrize(("scheme", "port"), [(b"http", b"80"), (b"https", b"443")])
    def test_default_port(self, scheme: bytes, port: bytes) -> None:
        """Without a port in Host it is the scheme's own."""
        head = read_request(((b"Host", b"gateway.example"),))
        assert isinstance(head, RequestHead)
        sent = request_to_upstream(head, rules(), Hop(peer="192.0.2.1", request_id=b"minted", scheme=scheme))
        assert not isinstance(sent, Refusal)
        assert values(sent, b"x-forwarded-port") == [port]
        assert values(sent, b"forwarded") == [b"for=192.0.2.1;proto=%s;host=gateway.example" % scheme]

    def test_no_host(self) -> None:
        """HTTP/1.0 without Host says nothing of one."""
        head = read_request((), version=(1, 0))
        assert isinstance(head, RequestHead)
        sent = request_to_upstream(head, rules(), HOP)
        assert not isinstance(sent, Refusal)
        assert values(sent, b"forwarded") == [b"for=192.0.2.1;proto=https"]

    def test_trusted_and_silent(self) -> None:
        """A trusted proxy that says nothing is where the chain begins."""
        assert values(send(hop=self.TRUSTED), b"x-forwarded-for") == [b"10.0.0.1"]

    def test_continued(self) -> None:
        """The chain that a trusted proxy wrote goes on; the other one does not begin in the middle."""
        sent = send(
            (b"X-Forwarded-For", b"198.51.100.1"),
            (b"X-Forwarded-Proto", b"https"),
            (b"X-Forwarded-Prefix", b"/a"),
            (b"x-forwarded-for", b"192.0.2.1"),
            (b"X-Real-IP", b"192.0.2.1"),
            hop=self.TRUSTED,
        )
        assert values(sent, b"x-forwarded-for") == [b"198.51.100.1, 192.0.2.1, 10.0.0.1"]
        assert values(sent, b"forwarded") == []
        assert values(sent, b"x-forwarded-proto") == [b"https"]
        assert values(sent, b"x-forwarded-host") == [b"gateway.example:8443"]
        assert own(sent) == [(b"X-Forwarded-Prefix", b"/a"), (b"X-Real-IP", b"192.0.2.1")]

    def test_forwarded_continued(self) -> None:
        """RFC 7239 in the same way."""
        sent = send((b"Forwarded", b"for=192.0.2.1;proto=https"), hop=self.TRUSTED)
        expected = b'for=192.0.2.1;proto=https, for=10.0.0.1;proto=http;host="gateway.example:8443"'
        assert values(sent, b"forwarded") == [expected]
        assert values(sent, b"x-forwarded-for") == []

    def test_both_continued(self) -> None:
        """Where a trusted proxy wrote both, both go on."""
        sent = send((b"Forwarded", b"for=192.0.2.1"), (b"X-Forwarded-For", b"192.0.2.1"), hop=self.TRUSTED)
        assert values(sent, b"forwarded")[0].startswith(b"for=192.0.2.1, for=10.0.0.1;")
        assert values(sent, b"x-forwarded-for") == [b"192.0.2.1, 10.0.0.1"]

    def test_chain_was_empty(self) -> None:
        """Neither chain has an empty beginning; without any, both begin."""
        sent = send((b"X-Forwarded-Host", b"public.example"), hop=self.TRUSTED)
        assert values(sent, b"x-forwarded-host") == [b"public.example"]
        assert values(sent, b"x-forwarded-for") == [b"10.0.0.1"]
        assert values(sent, b"forwarded")[0].startswith(b"for=10.0.0.1;")
        assert values(send((b"X-Forwarded-For", b""), hop=self.TRUSTED), b"x-forwarded-for") == [b"10.0.0.1"]
