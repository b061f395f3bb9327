"""What a client's head may say, and how it is sorted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.headers import Refusal, RequestHead, read_request
from gateway.headers.places import PLACES, Place

if TYPE_CHECKING:
    from gateway.model import Header

HOST: Header = (b"Host", b"gateway.example")


def read(*headers: Header, version: tuple[int, int] = (1, 1), authority: bytes | None = None) -> RequestHead:
    """Return a head that must pass."""
    head = read_request(headers, version=version, authority=authority)
    assert isinstance(head, RequestHead), head
    return head


def refusal(*headers: Header, version: tuple[int, int] = (1, 1), authority: bytes | None = None) -> Refusal:
    """Return why a head is refused, which it must be."""
    refused = read_request(headers, version=version, authority=authority)
    assert isinstance(refused, Refusal)
    return refused


def names(head: RequestHead) -> list[bytes]:
    """Return the names of the fields that pass, as they came."""
    return [header[0] for _, header in head.fields]


def test_plain() -> None:
    """Spelling, order and repeats survive; what has a rule of its own is set apart."""
    head = read(
        HOST,
        (b"x-B", b"2"),
        (b"Accept", b"text/html"),
        (b"X-A", b"1"),
        (b"X-b", b"\xff\t\xd9\x85"),
        (b"ACCEPT", b"*/*"),
        (b"X-Request-ID", b"theirs"),
        (b"X-Forwarded-For", b"192.0.2.1"),
    )
    assert head.host == b"gateway.example"
    assert head.fields == [
        (b"x-b", (b"x-B", b"2")),
        (b"x-a", (b"X-A", b"1")),
        (b"x-b", (b"X-b", b"\xff\t\xd9\x85")),
    ]
    assert head.forwarding == [(b"x-forwarded-for", (b"X-Forwarded-For", b"192.0.2.1"))]
    assert head.values(b"accept") == [b"text/html", b"*/*"]
    assert head.values(b"x-request-id") == [b"theirs"]
    assert head.values(b"via") == ()
    assert (head.length, head.chunked, head.expects_continue) == (None, False, False)


@pytest.mark.parametrize(
    "name",
    [
        b"Connection",
        b"Keep-Alive",
        b"Proxy-Connection",
        b"Proxy-Authenticate",
        b"Proxy-Authorization",
        b"Proxy-Authentication-Info",
        b"TE",
        b"Trailer",
        b"Upgrade",
        b"HTTP2-Settings",
    ],
)
def test_hop_by_hop(name: bytes) -> None:
    """Fields of one connection do not pass (RFC 9110 section 7.6.1)."""
    assert names(read(HOST, (name, b"x"), (name.upper(), b"x"))) == []


def test_named_by_connection() -> None:
    """Nor does what Connection names, however it is spelled, and where it stands before."""
    head = read(
        HOST,
        (b"X-Hop", b"1"),
        (b"Connection", b"close, X-HOP,, Accept-Encoding"),
        (b"connection", b"keep-alive , x-other"),
        (b"Accept-Encoding", b"br"),
        (b"X-Other", b"2"),
        (b"X_Other", b"2"),
        (b"X-Real-IP", b"192.0.2.1"),
        (b"X-Stays", b"3"),
        (b"Connection", b"x-real-ip"),
    )
    assert names(head) == [b"X-Stays"]
    assert head.values(b"accept-encoding") == ()
    assert head.forwarding == []


@pytest.mark.parametrize(
    "option",
    [
        b"Host",
        b"authorization",
        b"Cookie",
        b"Content-Length",
        b"content_length",
        b"Transfer-Encoding",
        b"X-Forwarded-For",
        b"x-forwarded-anything",
        b"Forwarded",
        b"Via",
        b"Content-Type",
        b"Cache-Control",
        b"X-Request-Id",
    ],
)
def test_connection_names_what_matters(option: bytes) -> None:
    """A Connection that would take away what a request means is refused."""
    refused = refusal(HOST, (b"Connection", b"close, " + option))
    assert refused == Refusal("malformed_request", "Connection names a field that is not of one connection")


def test_connection_is_no_list() -> None:
    """Options are tokens."""
    assert refusal(HOST, (b"Connection", b"close; x")).reason == "Connection is not a list of tokens"


@pytest.mark.parametrize("name", [b"", b"X Y", b"X:", b"X\x00", b"X\xff", b"X(1)", b" X"])
def test_name_is_no_token(name: bytes) -> None:
    """A name that is no token is refused."""
    assert refusal(HOST, (name, b"1")) == Refusal("malformed_request", "a field's name is not a token")


@pytest.mark.parametrize("byte", [0x00, 0x01, 0x08, 0x0A, 0x0B, 0x0D, 0x1F, 0x7F])
def test_control_character(byte: int) -> None:
    """A value with a control character is refused, in a field that would be dropped, too."""
    for name in (b"X-A", b"Keep-Alive", b"Accept"):
        refused = refusal(HOST, (name, b"a" + bytes([byte]) + b"b"))
        assert refused == Refusal("malformed_request", "a field's value holds a control character")


@pytest.mark.parametrize(
    "name",
    [
        b"Content_Length",
        b"TRANSFER_ENCODING",
        b"transfer_encoding",
        b"X_Forwarded_For",
        b"x_forwarded-proto",
        b"X_Real_IP",
        b"Set_Cookie",
        b"X_Request_Id",
    ],
)
def test_shadow(name: bytes) -> None:
    """A name that many servers take for a known one is refused."""
    reason = "a field's name has an underscore where a known one has a dash"
    assert refusal(HOST, (name, b"1")) == Refusal("malformed_request", reason)


def test_underscore() -> None:
    """An underscore as such is nothing bad."""
    assert names(read(HOST, (b"X_Store", b"1"))) == [b"X_Store"]


def test_credential_twice() -> None:
    """Of two credentials one server would check the first and another the last."""
    assert (
        refusal(HOST, (b"Authorization", b"a"), (b"authorization", b"a")).reason
        == "a field that comes once is repeated"
    )
    assert names(read(HOST, (b"Authorization", b"a"), (b"X-Authorization", b"a"))) == [
        b"Authorization",
        b"X-Authorization",
    ]


class TestHost:
    """RFC 9112 section 3.2."""

    @pytest.mark.parametrize(
        ("headers", "reason"),
        [
            ([], "Host is missing or empty"),
            ([(b"Host", b"")], "Host is missing or empty"),
            ([HOST, HOST], "Host is repeated"),
            ([HOST, (b"host", b"other.example")], "Host is repeated"),
            ([(b"Host", b"user@gateway.example")], "Host is not a name or an address, with a port or without"),
            ([(b"Host", b"a.example, b.example")], "Host is not a name or an address, with a port or without"),
        ],
    )
    def test_refused(self, headers: list[Header], reason: str) -> None:
        """Exactly one, and a valid one."""
        assert refusal(*headers) == Refusal("malformed_request", reason)

    def test_old_version(self) -> None:
        """HTTP/1.0 knows requests without a host; two are refused all the same."""
        assert read(version=(1, 0)).host == b""
        assert read((b"Host", b""), version=(1, 0)).host == b""
        assert read(version=(1, 0), authority=b"gateway.example").host == b"gateway.example"
        assert refusal(HOST, HOST, version=(1, 0)).code == "malformed_request"
        assert refusal((b"Host", b"a b"), version=(1, 0)).code == "malformed_request"

    def test_absolute_form(self) -> None:
        """The target's own authority must be the same."""
        assert read(HOST, authority=b"Gateway.Example").host == b"gateway.example"
        refused = refusal(HOST, authority=b"other.example")
        assert refused == Refusal("malformed_request", "Host is not that of the target")
        assert refusal(authority=b"gateway.example").reason == "Host is missing or empty"
        reason = "the target's authority is not a name or an address, with a port or without"
        assert refusal(version=(1, 0), authority=b"user@gateway.example").reason == reason


class TestFraming:
    """RFC 9112 section 6."""

    def test_length(self) -> None:
        """A number of bytes."""
        assert read(HOST, (b"Content-Length", b"0")).length == 0
        assert read(HOST, (b"Content-Length", b"0012")).length == 12

    def test_chunked(self) -> None:
        """Exactly `chunked`, in any case."""
        head = read(HOST, (b"Transfer-Encoding", b" Chunked"))
        assert (head.length, head.chunked) == (None, True)

    @pytest.mark.parametrize(
        "value", [b"", b"+5", b"-5", b"1_0", b"0x10", b"5, 5", b"5 5", b"5.0", b"\xd9\xa5", b"9" * 19]
    )
    def test_no_number(self, value: bytes) -> None:
        """Anything but digits is refused."""
        assert refusal(HOST, (b"Content-Length", value)) == Refusal(
            "malformed_request", "Content-Length is not a number"
        )

    @pytest.mark.parametrize("second", [b"5", b"6"])
    def test_two_lengths(self, second: bytes) -> None:
        """Two lengths are refused, even two that agree."""
        assert (
            refusal(HOST, (b"Content-Length", b"5"), (b"content-length", second)).reason == "Content-Length is repeated"
        )

    def test_both(self) -> None:
        """A length beside chunks is how requests are smuggled."""
        refused = refusal(HOST, (b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked"))
        assert refused == Refusal("malformed_request", "both Content-Length and Transfer-Encoding")

    @pytest.mark.parametrize(
        "value",
        [b"", b"identity", b"gzip", b"chunked, gzip", b"chunked, chunked", b"xchunked", b",chunked", b'"chunked"'],
    )
    def test_not_chunked_last(self, value: bytes) -> None:
        """Where the last coding is not one `chunked`, the end of the body is unknown."""
        refused = refusal(HOST, (b"Transfer-Encoding", value))
        assert refused == Refusal("malformed_request", "Transfer-Encoding does not end in one chunked")

    def test_two_codings(self) -> None:
        """Lines are one list: two lines of `chunked` are chunked twice."""
        chunked = (b"Transfer-Encoding", b"chunked")
        assert refusal(HOST, chunked, chunked).code == "malformed_request"

    def test_unknown_coding(self) -> None:
        """A coding below chunks is one that we do not know."""
        refused = refusal(HOST, (b"Transfer-Encoding", b"gzip, chunked"))
        assert refused == Refusal("malformed_request", "a transfer coding other than chunked")

    @pytest.mark.parametrize("version", [(1, 0), (0, 9), (2, 0)])
    def test_other_version(self, version: tuple[int, int]) -> None:
        """Chunks are of HTTP/1.1."""
        refused = refusal(HOST, (b"Transfer-Encoding", b"chunked"), version=version)
        assert refused == Refusal("malformed_request", "Transfer-Encoding is of HTTP/1.1 alone")


class TestExpect:
    """RFC 9110 section 10.1.1."""

    def test_continue(self) -> None:
        """The one expectation there is; HTTP/1.0 cannot have it, and is not answered."""
        assert read(HOST, (b"Expect", b"100-Continue")).expects_continue
        assert not read(HOST, (b"Expect", b"100-continue"), version=(1, 0)).expects_continue

    @pytest.mark.parametrize("value", [b"", b"200-ok", b"100-continue, x"])
    def test_other(self, value: bytes) -> None:
        """Any other is refused."""
        refused = refusal(HOST, (b"Expect", value))
        assert refused == Refusal("expectation_failed", "an expectation other than 100-continue")


def test_remembered_names_are_bounded() -> None:
    """However many names are sent, few are remembered, and none that is long."""
    for number in range(5_000):
        assert PLACES[b"x-flood-%d" % number] == (b"x-flood-%d" % number, Place.PASS)
    assert len(PLACES) <= 2_048
    assert PLACES[b"X-" + b"a" * 100][1] is Place.PASS
    assert b"X-" + b"a" * 100 not in PLACES
    assert PLACES[b"Host"] == (b"host", Place.APART)
