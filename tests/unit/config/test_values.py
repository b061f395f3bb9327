"""Scalars of the configuration; that they can be written back is tested in test_spelling.py."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.config.addresses import Address, BaseUrl, ListenAddress, UpstreamUrl
from gateway.config.values import (
    Duration,
    DurationOrNone,
    EnvironmentVariable,
    HeaderName,
    HeaderValue,
    Interval,
    Method,
    Name,
    Network,
    SettableHeaderName,
    Size,
)

KINDS: dict[str, TypeAdapter[Any]] = {
    "Duration": TypeAdapter(Duration),
    "DurationOrNone": TypeAdapter(DurationOrNone),
    "Interval": TypeAdapter(Interval),
    "Size": TypeAdapter(Size),
    "Name": TypeAdapter(Name),
    "Method": TypeAdapter(Method),
    "EnvironmentVariable": TypeAdapter(EnvironmentVariable),
    "HeaderName": TypeAdapter(HeaderName),
    "SettableHeaderName": TypeAdapter(SettableHeaderName),
    "HeaderValue": TypeAdapter(HeaderValue),
    "Network": TypeAdapter(Network),
}
LISTEN: TypeAdapter[Address] = TypeAdapter(ListenAddress)
URL: TypeAdapter[BaseUrl] = TypeAdapter(UpstreamUrl)
NO_UNIT = "a duration needs a unit: ms, s, m, h or d, as in 500ms or 2s"
NO_SIZE = "a size needs a unit: B, KiB, MiB, GiB, kB, MB or GB, as in 64KiB"
NO_ADDRESS = "not an address: write host:port, as in 0.0.0.0:8080 or [::]:8080"
NO_BASE = "not a base URL: write http:// or https://, a host, and perhaps a port and path; no user"
NOT_PLAIN = "a base URL has no query, no fragment, no space, and is in ASCII"
NO_HOST = "the host must be a name or an address in ASCII, and a port one from 1 to 65535"
DOTS = "the path must not hold the segments . and .."
NO_NAME = "a name is at most 63 lower-case letters"
NO_FIELD = "not the name of a header field"


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        ("Duration", "500ms", 0.5),
        ("Duration", "2s", 2.0),
        ("Duration", "1.5m", 90.0),
        ("Duration", "2h", 7_200.0),
        ("Duration", "1d", 86_400.0),
        ("DurationOrNone", "0s", 0.0),
        ("Interval", "off", 0.0),
        ("Interval", "100ms", 0.1),
        ("Size", "0B", 0),
        ("Size", "64KiB", 65_536),
        ("Size", "8MiB", 8_388_608),
        ("Size", "2GiB", 2_147_483_648),
        ("Size", "1kB", 1_000),
        ("Size", "1MB", 1_000_000),
        ("Size", "1GB", 1_000_000_000),
        ("Name", "web-shop.2_a", "web-shop.2_a"),
        ("Name", "0" * 63, "0" * 63),
        ("Method", "M-SEARCH", "M-SEARCH"),
        ("EnvironmentVariable", "_TOKEN_2", "_TOKEN_2"),
        ("HeaderName", "X-Store!Id", "X-Store!Id"),
        ("SettableHeaderName", "X-Store-Id", "X-Store-Id"),
        ("HeaderValue", "a\tb لا", "a\tb لا"),
        ("HeaderValue", "", ""),
        ("Network", "10.0.0.0/8", "10.0.0.0/8"),
        ("Network", "192.0.2.1", "192.0.2.1/32"),
        ("Network", "2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_what_is_read(kind: str, written: str, read: object) -> None:
    """Units are written in a file and settled in memory: seconds and bytes."""
    found = KINDS[kind].validate_python(written)
    assert (str(found) if kind == "Network" else found) == read


@pytest.mark.parametrize(
    ("kind", "written", "message"),
    [
        *(
            ("Duration", written, NO_UNIT)
            for written in ("5", "", "s", "-1s", "1 s", "1S", "1w", "1e3s", ".5s", 7, True)
        ),
        ("Duration", "9" * 400 + "s", NO_UNIT),
        ("Duration", "0s", "this duration must be longer than nothing"),
        ("Interval", "99ms", "write off, or at least 0.1s: each time all files are looked at"),
        ("Interval", "never", "a duration needs a unit: ms, s, m, h or d, as in 500ms or 2s"),
        ("Duration", "0.0ms", "this duration must be longer than nothing"),
        *(("Size", written, NO_SIZE) for written in ("5", "5K", "5kb", "1.5MiB", "-1B", "", 7, None)),
        ("Size", "9" * 5_000 + "B", NO_SIZE),
        *(("Name", written, NO_NAME) for written in ("", "A", "-a", "a b", "a/b", "é", "a\n", "a" * 64)),
        *(("Method", written, "not a method that can be served") for written in ("get", "FOO", "CONNECT", "")),
        ("EnvironmentVariable", "2TOKEN", "write the name of an environment variable"),
        *(("HeaderName", written, NO_FIELD) for written in ("", "X Y", "X:", "Ü", "X\n")),
        ("SettableHeaderName", "X Y", NO_FIELD),
        ("SettableHeaderName", "content-LENGTH", "the gateway itself answers for this header field"),
        ("SettableHeaderName", "content_length", "the gateway itself answers for this header field"),
        ("SettableHeaderName", "Transfer_Encoding", "the gateway itself answers for this header field"),
        ("SettableHeaderName", "Via", "the gateway itself answers for this header field"),
        *(("HeaderValue", f"a{character}b", "must not hold control characters") for character in "\n\r\0\x7f\x1b"),
        ("Network", "10.0.0.0/33", "not an address or network"),
        ("Network", "10.0.0.1/8", "not an address or network"),
        ("Network", "example.com", "not an address or network"),
        ("Network", None, "not an address or network"),
    ],
)
def test_what_is_refused(kind: str, written: object, message: str) -> None:
    """A value that could be meant in two ways, or in none, is not guessed at."""
    with pytest.raises(ValidationError) as caught:
        KINDS[kind].validate_python(written)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("[::]:0", "::", 0),
        ("[2001:db8::1]:65535", "2001:db8::1", 65_535),
        ("localhost:80", "localhost", 80),
    ],
)
def test_addresses(written: str, host: str, port: int) -> None:
    """Host and port; IPv6 in brackets."""
    address = LISTEN.validate_python(written)
    assert (address.host, address.port, str(address)) == (host, port, written)
    assert Address(host=host, port=port) == address


@pytest.mark.parametrize(
    "written",
    [
        *("8080", ":8080", "localhost", "localhost:", "::1:80", "[::1]", "a b:80", "a:8o", "a:٨", 80, None, ["a:80"]),
        *("a,b:80", "é:80", "1.2.3:80", "a:999999", {"host": "a", "port": 80}),
    ],
)
def test_what_is_no_address(written: object) -> None:
    """A port alone does not say where to listen, and brackets are what tells an IPv6 address from its port."""
    with pytest.raises(ValidationError) as caught:
        LISTEN.validate_python(written)
    assert NO_ADDRESS in str(caught.value)


def test_ports_end_at_65535() -> None:
    """As TCP has it."""
    with pytest.raises(ValidationError, match="less than or equal to 65535"):
        LISTEN.validate_python("localhost:65536")


@pytest.mark.parametrize(
    ("written", "parts", "authority", "spelled"),
    [
        ("https://api.parts.example", ("https", "api.parts.example", 443, ""), "api.parts.example", None),
        (
            "https://API.parts.example:443/v1/",
            ("https", "api.parts.example", 443, "/v1"),
            "api.parts.example",
            "https://api.parts.example/v1",
        ),
        ("http://10.0.0.1:8080/a/b", ("http", "10.0.0.1", 8080, "/a/b"), "10.0.0.1:8080", None),
        ("http://[2001:db8::1]", ("http", "2001:db8::1", 80, ""), "[2001:db8::1]", None),
        ("https://[::1]:80/a%20b", ("https", "::1", 80, "/a%20b"), "[::1]:80", None),
        ("http://host/", ("http", "host", 80, ""), "host", "http://host"),
    ],
)
def test_base_urls(written: str, parts: tuple[str, str, int, str], authority: str, spelled: str | None) -> None:
    """Scheme, host, port and path; the path's bytes stay as they are, its last slash goes."""
    url = URL.validate_python(written)
    assert (url.scheme, url.host, url.port, url.path) == parts
    assert (url.authority, str(url)) == (authority, spelled or written)
    assert BaseUrl(scheme=url.scheme, host=url.host, port=url.port, path=url.path) == url


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("ftp://host", NO_BASE),
        ("api.parts.example", NO_BASE),
        ("//host", NO_BASE),
        ("https://", NO_BASE),
        ("https:///path", NO_BASE),
        ("https://me:pass@host", NO_BASE),
        ("https://me@host", NO_BASE),
        ("https://:pass@host", NO_BASE),
        (7, NO_BASE),
        (None, NO_BASE),
        ("https://host/?a=1", NOT_PLAIN),
        ("https://host/#a", NOT_PLAIN),
        ("https://host/a b", NOT_PLAIN),
        ("https://höst/", NO_HOST),
        ("https://host/é", NOT_PLAIN),
        ("https://host/%2", NOT_PLAIN),
        ("https://host/a\n", NOT_PLAIN),
        ("https://host?a=1", NOT_PLAIN),
        ("https://a,b", NO_HOST),
        ("https://a b", NO_HOST),
        ("https://a..b", NO_HOST),
        ("https://" + "a" * 64 + ".example", NO_HOST),
        ("https://999.1.1.1", NO_HOST),
        ("https://host:", NO_HOST),
        ("https://host:0", NO_HOST),
        ("https://host:65536", NO_HOST),
        ("https://host/a/../b", DOTS),
        ("https://host/.", DOTS),
        ("https://host/%2e%2E/b", DOTS),
        ({"scheme": "https", "host": "a,b", "port": 0, "path": "/.."}, NO_BASE),
        ("https://host/\x07", NOT_PLAIN),
        ("https://host:99999", NO_HOST),
        ("https://host:port", NO_HOST),
        ("https://[::1", NO_HOST),
    ],
)
def test_what_is_no_base_url(written: object, message: str) -> None:
    """A base URL is an address and perhaps a path: no user, no query, nothing that would have to be encoded."""
    with pytest.raises(ValidationError) as caught:
        URL.validate_python(written)
    assert message in str(caught.value)
