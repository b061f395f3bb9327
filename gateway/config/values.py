"""Scalars of the configuration: durations, sizes, addresses, networks, names, methods, header fields.

Units are always written: `2s`, `500ms`, `8MiB`. In memory durations are seconds and sizes are bytes, and the names of
the values say so. Each scalar can be written back as it stands in a file, and has a title: its name in the reference.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_serializer

from gateway.config.methods import CONFIGURABLE
from gateway.dialects.spec import Strict
from gateway.dialects.spec.durations import Duration, DurationOrNone, Interval
from gateway.headers import NOT_CONFIGURABLE, has_control

__all__ = ["Duration", "DurationOrNone", "Interval"]  # and all that is defined here

HIGHEST_PORT = 65_535
DEFAULT_PORTS = {"http": 80, "https": 443}

_SIZE = re.compile(r"([0-9]{1,15})(B|KiB|MiB|GiB|kB|MB|GB)")
_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "kB": 10**3, "MB": 10**6, "GB": 10**9}
_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,62}$")
_VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_PEM = "-----BEGIN"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def _bytes(value: Any) -> int:
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        message = "a size needs a unit: B, KiB, MiB, GiB, kB, MB or GB, as in 64KiB"
        raise ValueError(message)
    return int(found.group(1)) * _BYTES[found.group(2)]


def spelled(pattern: re.Pattern[str], message: str) -> AfterValidator:
    """Return what refuses every text that is not all of `pattern`, with `message`."""

    def check(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError(message)
        return text

    return AfterValidator(check)


def _spelled_bytes(count: int) -> str:
    for unit in ("GiB", "MiB", "KiB"):
        if count and count % _BYTES[unit] == 0:
            return f"{count // _BYTES[unit]}{unit}"
    return f"{count}B"


def _header_name(name: str) -> str:
    if _TOKEN.fullmatch(name) is None:
        message = "not the name of a header field (letters, digits and !#$%&'*+-.^_`|~)"
        raise ValueError(message)
    return name


def folded(name: str) -> str:
    """Return a field's name as servers compare it: many read `_` and `-` as one (RFC 3875 section 4.1.18)."""
    return name.lower().replace("_", "-")


def _settable(name: str) -> str:
    if folded(name).encode() in NOT_CONFIGURABLE:
        message = "the gateway itself answers for this header field"
        raise ValueError(message)
    return name


def _header_value(value: str) -> str:
    if any((character < " " and character != "\t") or character == "\x7f" for character in value):
        message = "a header field's value must not hold control characters"
        raise ValueError(message)
    return value


def _file_name(name: str) -> str:
    """Refuse what a file holds in place of its name: a private key would be shown wherever a name is."""
    if not name or _PEM in name or has_control(name.encode()):
        message = "write the path of a file, not what is in it"
        raise ValueError(message)
    return name


def _method(name: str) -> str:
    if name not in CONFIGURABLE:
        message = "not a method that can be served; those in upper case that are: " + " ".join(sorted(CONFIGURABLE))
        raise ValueError(message)
    return name


def _network(value: Any) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(value))
    except ValueError as error:
        message = "not an address or network, as in 10.0.0.0/8 or ::1"
        raise ValueError(message) from error


_SIZE_SCHEMA = WithJsonSchema(
    {"title": "size", "type": "string", "pattern": f"^{_SIZE.pattern}$", "examples": ["64KiB", "8MiB"]}
)

Size = Annotated[int, BeforeValidator(_bytes), PlainSerializer(_spelled_bytes), _SIZE_SCHEMA]
"""A size, in bytes."""
HeaderName = Annotated[str, AfterValidator(_header_name), Field(title="field name")]
SettableHeaderName = Annotated[HeaderName, AfterValidator(_settable)]
"""A field that may be set or removed: not one that frames a message or that the gateway itself answers for."""
HeaderValue = Annotated[str, AfterValidator(_header_value), Field(title="field value")]
Network = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(_network),
    PlainSerializer(str),
    WithJsonSchema({"title": "network", "type": "string", "examples": ["10.0.0.0/8", "::1"]}),
]
Name = Annotated[
    str,
    spelled(_NAME, "a name is at most 63 lower-case letters, digits, dots, dashes and underscores"),
    WithJsonSchema({"title": "name", "type": "string", "pattern": _NAME.pattern}),
]
"""A name: lower-case letters, digits, dots, dashes and underscores, at most 63; it becomes a label of metrics."""
Method = Annotated[
    str, AfterValidator(_method), WithJsonSchema({"title": "method", "type": "string", "enum": sorted(CONFIGURABLE)})
]
FileName = Annotated[str, AfterValidator(_file_name), Field(title="file")]
"""The path of a file, where it begins without `/` from the folder of the file that names it."""
Sha256 = Annotated[
    str,
    spelled(_SHA256, 'must be 64 digits of lower-case hex: printf %s "$KEY" | sha256sum'),
    WithJsonSchema({"title": "SHA-256", "type": "string", "pattern": _SHA256.pattern}),
]
EnvironmentVariable = Annotated[
    str,
    spelled(_VARIABLE, "write the name of an environment variable, as in REDIS_URL, not what is in it"),
    WithJsonSchema({"title": "environment variable", "type": "string", "pattern": _VARIABLE.pattern}),
]


class Address(Strict):
    """A host and port to listen on, written `127.0.0.1:8081` or `[::]:8080`."""

    host: str
    port: Annotated[int, Field(ge=0, le=HIGHEST_PORT)]

    @model_serializer
    def _as_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class BaseUrl(Strict):
    """The address of an upstream: scheme, host, port and the path that stands before every target."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str
    """Without a slash at its end; empty for the root."""

    @model_serializer
    def _as_text(self) -> str:
        return str(self)

    @property
    def authority(self) -> str:
        """The host, and the port where it is not the scheme's own, as `Host` carries them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"
