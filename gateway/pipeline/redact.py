"""Our credentials taken out of what an upstream said, before it is written down for a client."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.fields import pointer_of
from gateway.model import Code, FieldError, Retry, Source

if TYPE_CHECKING:
    from gateway.headers import Secrets
    from gateway.model import Problem, Success


def redacted(found: Problem | Success, secrets: Secrets) -> Problem | Success:
    """Return `found` with `[redacted]` wherever one of `secrets` stood in a text of the upstream's."""
    cleaned: Problem | Success = _cleaned(found, secrets)
    return cleaned


def _cleaned(value: Any, secrets: Secrets) -> Any:  # noqa: ANN401 - any member of a problem or a success
    """Clean a value and all below it. What is the gateway's own word stays: codes, sources, times."""
    match value:
        case Enum() | Code() | Source() | Retry():
            return value
        case str():
            return secrets.redact_text(value)
        case bytes():
            return secrets.redact_json(value)
        case Raw():
            return Raw(secrets.redact_json(bytes(value)))
        case Struct():
            return _struct(value, secrets)
        case tuple():
            return tuple(_cleaned(one, secrets) for one in value)
        case dict():
            return {secrets.redact_text(name): _cleaned(one, secrets) for name, one in value.items()}
    return value


def _struct(value: Struct, secrets: Secrets) -> Struct:
    changes = {name: _cleaned(getattr(value, name), secrets) for name in value.__struct_fields__}
    clean = msgspec.structs.replace(value, **changes)
    if isinstance(clean, FieldError) and clean.pointer is not None and clean.field != getattr(value, "field", None):
        pointer = pointer_of(clean.field or "")  # from the name, for in a pointer a credential is spelled otherwise
        return msgspec.structs.replace(clean, pointer=pointer)
    return clean
