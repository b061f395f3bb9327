"""Any head at all: what passes is a head that nobody can read in two ways."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.headers import Hop, Refusal, ReplyRules, RequestRules, has_control, is_token, read_request, reply_to_client
from gateway.headers import request_to_upstream as send
from gateway.headers.names import FRAMING, HOP_BY_HOP
from gateway.model import Header, Headers, Translation

KNOWN = [
    *(b"Host", b"host", b"Connection", b"connection", b"Content-Length", b"Transfer-Encoding", b"TE", b"Upgrade"),
    *(b"Content_Length", b"X_Forwarded_For", b"X-Forwarded-For", b"Forwarded", b"Via", b"Expect", b"Accept"),
    *(b"Accept-Encoding", b"Authorization", b"Cookie", b"X-Api-Key", b"X_Api_Key", b"Keep-Alive", b"X-A", b"X-B"),
    *(b"Set-Cookie", b"Location", b"X-Request-Id", b"Proxy-Authorization"),
]
VALUES = [
    *(b"gateway.example", b"a,b", b"", b"close", b"x-a, close", b"x-b", b"host", b"5", b"chunked", b"gzip, chunked"),
    *(
        b"100-continue",
        b"1.1 accord",
        b"application/problem+json",
        b'"',
        b"/v2/x",
        b"https://api.example/v2/x",
        b"for=a",
    ),
    *(b"a=1; Domain=api.example; Path=/", b"\xff\xfe", b"a\tb", b"a\r\nX: y", b"\x00"),
]
names = st.one_of(st.sampled_from(KNOWN), st.sampled_from(KNOWN), st.binary(max_size=6))
values = st.one_of(st.sampled_from(VALUES), st.sampled_from(VALUES), st.binary(max_size=12))
fields = st.lists(st.tuples(names, values), max_size=10)

RULES = RequestRules(
    host=b"api.example",
    via=b"accord",
    fixed=((b"Authorization", b"ours"),),
    drop=frozenset({b"x-api-key"}),
    encodings=frozenset({b"gzip"}),
)
REPLIES = ReplyRules(via=b"accord", own_credential=True, keep_rate=False)


def lowers(headers: Headers) -> list[bytes]:
    """Return the names, in lower case and with dashes."""
    return [name.lower().replace(b"_", b"-") for name, _ in headers]


def sound(headers: Headers) -> bool:
    """Tell whether every field can be written on a line of its own."""
    return all(is_token(name) and not has_control(value) for name, value in headers)


@given(fields, st.sampled_from([(1, 1), (1, 0)]), st.booleans(), st.booleans())
def test_requests(drawn: list[Header], version: tuple[int, int], trusted: bool, with_host: bool) -> None:
    """What goes upstream has one Host, no field of one connection, no framing, no credential that was for us."""
    headers = ((b"Host", b"gateway.example"), *drawn) if with_host else tuple(drawn)
    head = read_request(headers, version=version)
    if isinstance(head, Refusal):
        assert head.code in {"malformed_request", "expectation_failed"}
        assert head.reason
        return
    sent = send(head, RULES, Hop(peer="192.0.2.1", request_id=b"minted", version=version, trusted=trusted))
    if isinstance(sent, Refusal):
        assert sent.code == "loop_detected"
        return
    assert sound(sent)
    found = lowers(sent)
    assert [value for name, value in sent if name.lower() == b"host"] == [b"api.example"]
    assert HOP_BY_HOP.isdisjoint(found)
    assert FRAMING.isdisjoint(found)
    assert {b"expect", b"x-api-key"}.isdisjoint(found)
    assert found.count(b"authorization") == found.count(b"x-request-id") == 1
    assert found[-1] == b"via"
    connection = {
        option.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for option in value.split(b",")
    }
    assert {b"x-a", b"x-b"}.isdisjoint(connection & set(found))
    assert not (head.chunked and head.length is not None)


@given(fields)
def test_own_fields_pass_untouched(drawn: list[Header]) -> None:
    """Fields that nobody has a rule for come out as they went in, and in their order."""
    head = read_request(((b"Host", b"gateway.example"), *drawn))
    if not isinstance(head, Refusal):
        passed = [header for _, header in head.fields]
        assert passed == [header for header in drawn if header in passed]


@given(fields, st.sampled_from(Translation))
def test_replies(drawn: list[Header], translation: Translation) -> None:
    """What goes to a client has no field of one connection and no framing, and can be written as it is."""
    sent = reply_to_client(drawn, REPLIES, translation)
    if isinstance(sent, Refusal):
        assert sent.code == "upstream_protocol_error"
        assert not sound(tuple(drawn))
        return
    assert sound(sent)
    assert (HOP_BY_HOP | FRAMING).isdisjoint(lowers(sent))
    assert {b"x-request-id", b"www-authenticate"}.isdisjoint(lowers(sent))
    assert sent[-1] == (b"Via", b"1.1 accord")
    assert set(sent[:-1]) <= set(drawn)
