"""What a request is matched by and sent with: nothing that loads may fail once a request comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import ValidationError

from gateway.config.methods import CONFIGURABLE
from gateway.config.models import GatewayFile, UpstreamFile
from gateway.pipeline.methods import FORWARDED

if TYPE_CHECKING:
    from pydantic import BaseModel

NO_HOST = "not a host: "
PREFIX = "not a path: it begins with /"
SEGMENTS = "must not hold //, the segments . and .., or control characters"


def _validate(model: type[BaseModel], changes: dict[str, Any]) -> None:
    parts = {"name": "parts", "base_url": "https://api.parts.example", "match": {"prefix": "/parts"}}
    model.model_validate({"version": 1, **(parts if model is UpstreamFile else {}), **changes})


@pytest.mark.parametrize("host", ["api.example", "api.example:8443", "[::1]:80", "10.0.0.1"])
def test_hosts_that_are_sent(host: str) -> None:
    """A name or an address, with a port or without."""
    _validate(UpstreamFile, {"request": {"host": host}})


@pytest.mark.parametrize("host", ["h\r\nX-Evil: y", "a b", "é.example", "", "a,b", "a/b", "me@a", "a:99999"])
def test_what_is_no_host_to_send(host: str) -> None:
    """It would be another request than it looks."""
    with pytest.raises(ValidationError, match=NO_HOST):
        _validate(UpstreamFile, {"request": {"host": host}})


@pytest.mark.parametrize("host", ["é.example", "a:80", "a b", "", "1.2.3", "[::1"])
def test_hosts_that_no_request_has(host: str) -> None:
    """What is matched by is a host without a port."""
    _validate(UpstreamFile, {"match": {"prefix": "/", "host": "[::1]"}})
    with pytest.raises(ValidationError, match=NO_HOST):
        _validate(UpstreamFile, {"match": {"prefix": "/", "host": ["a.example.", host]}})


@pytest.mark.parametrize("prefix", ["/", "/a", "/a/", "/a.b/~c:d@e", "/..a/b.."])
def test_prefixes(prefix: str) -> None:
    """Whole segments in ASCII."""
    _validate(UpstreamFile, {"match": {"prefix": prefix}})


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        *(
            (prefix, PREFIX)
            for prefix in ("", "a", "/é", "/a*", "/**", "/a\x07", "/a\n", "/a b", "/a?b", "/%61", "/a;b")
        ),
        *((prefix, SEGMENTS) for prefix in ("//", "/a//b", "/.", "/a/..", "/a/../b", "/./a")),
    ],
)
def test_prefixes_that_no_request_has(prefix: str, message: str) -> None:
    """Nothing would match, or something else than it looks."""
    with pytest.raises(ValidationError, match=message):
        _validate(UpstreamFile, {"match": {"prefix": prefix}})


@pytest.mark.parametrize(
    ("path", "message"),
    [
        *((path, SEGMENTS) for path in ("//", "/a/../b", "/.", "/a\x07")),
        ("/**/a", "nothing can follow it"),
        ("/a?b", "should match pattern"),
    ],
)
def test_paths_of_routes_that_no_request_has(path: str, message: str) -> None:
    """Routes are for what is left of a path once it is read."""
    _validate(UpstreamFile, {"routes": [{"match": {"path": "/é/*/**"}}, {"match": {"path": "/**/"}}]})
    with pytest.raises(ValidationError, match=message):
        _validate(UpstreamFile, {"routes": [{"match": {"path": path}}]})


@pytest.mark.parametrize("url", ["https://gateway.example", "http://[::1]:8080", "https://gateway.example/api"])
def test_public_urls(url: str) -> None:
    """Where clients reach us."""
    _validate(GatewayFile, {"public_url": url})


@pytest.mark.parametrize(
    "url",
    [
        "https://gatewäy.example",
        "https://gateway.example/é",
        "https://gateway.example/",
        "https://gateway.example/a//",
        "https://a\x07",
        "https://a,b",
        "https://a:0",
        "https://a/..",
        "https://a/?b",
        "ftp://a",
    ],
)
def test_what_is_no_public_url(url: str) -> None:
    """It stands in documents and header fields."""
    with pytest.raises(ValidationError):
        _validate(GatewayFile, {"public_url": url})


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (GatewayFile, {"listen": {"host": "a b", "port": 80}}),
        (GatewayFile, {"admin": {"host": "a", "port": 80}}),
        (GatewayFile, {"client_header": "content_length"}),
        (UpstreamFile, {"base_url": {"scheme": "https", "host": "a", "port": 0, "path": "/.."}}),
        (UpstreamFile, {"credentials": {"inject": [{"header": "A", "prefix": "a\nb", "value_env": "A"}]}}),
        (UpstreamFile, {"credentials": {"inject": [{"header": "Content_Length", "value_env": "A"}]}}),
    ],
)
def test_what_went_round_the_checks(model: type[BaseModel], changes: dict[str, Any]) -> None:
    """A mapping in place of a text, a prefix with a line's end, a field that servers read as one that frames."""
    with pytest.raises(ValidationError):
        _validate(model, changes)


def test_values_that_were_made_stay() -> None:
    """A command that sets an address hands over the value, not its text."""
    gateway = GatewayFile.model_validate({"version": 1, "listen": "a:80"})
    assert GatewayFile.model_validate({"version": 1, "listen": gateway.listen}).listen == gateway.listen
    parts: dict[str, Any] = {"version": 1, "name": "parts", "match": {"prefix": "/parts"}}
    base = UpstreamFile.model_validate({**parts, "base_url": "https://a"}).base_url
    assert UpstreamFile.model_validate({**parts, "base_url": base}).base_url == base


async def test_the_methods_are_those_that_the_server_can_parse() -> None:
    """What a file may list can come in, and so can all that is forwarded without a list."""
    assert CONFIGURABLE >= FORWARDED
    loop = asyncio.get_running_loop()
    for method in sorted(CONFIGURABLE):
        parser = HttpRequestParser(BaseProtocol(loop), loop, 2**16)
        messages, _, _ = parser.feed_data(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert messages[0][0].method == method
    for method in ("FOO", "UPDATE", "VERSION-CONTROL"):
        parser = HttpRequestParser(BaseProtocol(loop), loop, 2**16)
        with pytest.raises(HttpProcessingError):
            parser.feed_data(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
