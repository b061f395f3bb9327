"""Which code an HTTP status means where nothing more precise explains it, from `statuses.yaml`."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from gateway.catalog.codes import CODES
from gateway.catalog.documents import entries, package_text
from gateway.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Code


def parse_statuses(text: str, file: str) -> Mapping[int, Code]:
    """Read status -> code from the YAML `text`. Raises `ConfigError` with every entry that is wrong."""
    rows = entries(text, file)
    faults = [row.fault("is no status from 400 to 599") for row in rows if row.key not in range(400, 600)]
    faults += [row.fault(f"{row.value!r} is no code of the catalogue") for row in rows if row.value not in CODES]
    if faults:
        raise ConfigError(faults)
    return MappingProxyType({row.key: CODES[row.value] for row in rows})


STATUSES: Mapping[int, Code] = parse_statuses(package_text("statuses.yaml"), "statuses.yaml")

_CLIENT_ERROR = CODES["invalid_request"]
_OTHER_ERROR = CODES["upstream_error"]


def for_status(status: int) -> Code:
    """Return the code of an error that came with the HTTP `status` (any integer) and says no more."""
    named = STATUSES.get(status)
    if named is not None:
        return named
    return _CLIENT_ERROR if 400 <= status < 500 else _OTHER_ERROR
