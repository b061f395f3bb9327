"""Addresses of the configuration: where to listen, upstreams, hosts, and the paths that requests are matched by.

In a file each is one text. What it may hold is what is later put into a request or a socket unchanged, so that nothing
that loads can fail there.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from gateway.config.values import DEFAULT_PORTS, HIGHEST_PORT, Address, BaseUrl
from gateway.headers.host import is_authority, split_authority

__all__ = [
    "Address",
    "Authority",
    "BaseUrl",
    "Host",
    "ListenAddress",
    "PathPattern",
    "PathPrefix",
    "PublicUrl",
    "UpstreamUrl",
]

_LONGEST_LABEL = 63
_URL = re.compile(r"(https?)://([^/?#]+)(.*)", re.DOTALL | re.IGNORECASE)
_URL_PATH = re.compile(r"(/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2[Ee]){1,2}(?=/|$)")
_PREFIX = re.compile(r"/[A-Za-z0-9._~!$&'()+,=:@/-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_REST = "**"


def _is_host(text: str) -> bool:
    """Tell whether a name could be looked up, or is an address (RFC 3986 section 3.2.2, RFC 1035 section 2.3.4)."""
    if not text.isascii() or not is_authority(text.encode()) or split_authority(text.encode())[1] is not None:
        return False
    labels = text.removesuffix(".").split(".")
    if labels[-1].isdigit():  # what ends in a number is meant as an address, and nothing else is looked up
        return _is_ipv4(text)
    return text.startswith("[") or all(0 < len(label) <= _LONGEST_LABEL for label in labels)


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _address(value: Any) -> Any:
    """Read `host:port`; a value that was made already stays."""
    if isinstance(value, Address):
        return value
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if (
        not colon
        or not port.isascii()
        or not port.isdigit()
        or len(port) > len(str(HIGHEST_PORT))
        or not _is_host(host)
    ):
        message = "not an address: write host:port, as in 0.0.0.0:8080 or [::]:8080"
        raise ValueError(message)
    return {"host": host.strip("[]"), "port": int(port)}


def _base_url(value: Any) -> Any:
    """Read a URL into its parts; a value that was made already stays."""
    if isinstance(value, BaseUrl):
        return value
    found = _URL.fullmatch(value) if isinstance(value, str) else None
    if found is None or "@" in found.group(2):
        message = "not a base URL: write http:// or https://, a host, and perhaps a port and path; no user"
        raise ValueError(message)
    scheme, (host, port), path = found.group(1).lower(), _host_and_port(found.group(2)), _url_path(found.group(3))
    return {"scheme": scheme, "host": host, "port": port or DEFAULT_PORTS[scheme], "path": path.rstrip("/")}


def _host_and_port(text: str) -> tuple[str, int | None]:
    """Return the host in lower case and without brackets, and the port, None when none is written."""
    found = text.isascii() and is_authority(text.encode())
    host, port = split_authority(text.encode()) if found else (b"", None)
    if not _is_host(host.decode()) or (port is not None and int(port) == 0):
        message = "the host must be a name or an address in ASCII, and a port one from 1 to 65535"
        raise ValueError(message)
    return host.decode().lower().strip("[]"), None if port is None else int(port)


def _url_path(text: str) -> str:
    if _URL_PATH.fullmatch(text) is None:
        message = "a base URL has no query, no fragment, no space, and is in ASCII"
        raise ValueError(message)
    if _DOT_SEGMENT.search(text) is not None:
        message = "the path must not hold the segments . and .."
        raise ValueError(message)
    return text


def _public_url(value: str) -> str:
    """Check an address of ours with the rules for those of upstreams; it has no slash at its end."""
    _base_url(value)
    if value.endswith("/"):
        message = "a public URL has no slash at its end"
        raise ValueError(message)
    return value


def _authority(value: str) -> str:
    if not value.isascii() or not is_authority(value.encode()):
        message = "not a host: write a name or an address in ASCII, and perhaps a port"
        raise ValueError(message)
    return value


def _host(value: str) -> str:
    if not _is_host(value):
        message = "not a host: write a name or an address in ASCII, without a port"
        raise ValueError(message)
    return value


def _prefix(value: str) -> str:
    if _PREFIX.fullmatch(value) is None:
        message = "not a path: it begins with / and holds letters, digits and -._~!$&'()+,=:@ in ASCII"
        raise ValueError(message)
    return _segments(value)


def _pattern(value: str) -> str:
    value = _segments(value)
    if _REST in value.removesuffix("/").split("/")[:-1]:
        message = "** stands for all the rest, so nothing can follow it"
        raise ValueError(message)
    return value


def _segments(value: str) -> str:
    """Refuse what no request has once its path is read: such a path would match nothing."""
    if "//" in value or _DOT_SEGMENT.search(value) is not None or _CONTROL.search(value) is not None:
        message = "a path must not hold //, the segments . and .., or control characters"
        raise ValueError(message)
    return value


ListenAddress = Annotated[
    Address,
    BeforeValidator(_address),
    WithJsonSchema({"title": "address", "type": "string", "examples": ["0.0.0.0:8080", "[::]:8080"]}),
]
UpstreamUrl = Annotated[
    BaseUrl,
    BeforeValidator(_base_url),
    WithJsonSchema(
        {"title": "URL", "type": "string", "format": "uri", "examples": ["https://api.example.com/v2"]},
    ),
]
PublicUrl = Annotated[str, AfterValidator(_public_url), Field(title="URL", pattern=r"^https?://[!-~]*[^/]$")]
Authority = Annotated[str, AfterValidator(_authority), Field(title="host")]
Host = Annotated[str, AfterValidator(_host), Field(title="host")]
PathPrefix = Annotated[str, AfterValidator(_prefix), Field(title="path")]
PathPattern = Annotated[str, AfterValidator(_pattern), Field(title="path", pattern=r"^/[^?#\s%\\;]*$")]
