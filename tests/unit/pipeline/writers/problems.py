"""Problems to write."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from gateway.catalog import CODES
from gateway.model import (
    FieldCode,
    FieldError,
    Location,
    Origin,
    Party,
    Problem,
    Retry,
    Source,
    Stage,
    UpstreamError,
)

ID = "019ab4c2-77aa-7d2e-9e0b-3d1f5f1c2a10"
URL = "https://gateway.example"


def field(name: str | None = "size", detail: str | None = "too small", **more: Any) -> FieldError:  # noqa: ANN401
    """Return a field error in the body."""
    pointer = None if name is None else "#/" + name.replace(".", "/")
    values = {"pointer": pointer, "location": Location.BODY, "code": FieldCode.INVALID} | more
    return FieldError(field=name, detail=detail, **values)


PLAIN = Problem(
    code=CODES["not_found"],
    status=404,
    detail="No such part",
    source=Source(origin=Origin.UPSTREAM, fault=Party.CLIENT, upstream="shop", stage=Stage.RESPONSE),
    retry=Retry(retryable=False, after=None),
)
FULL = msgspec.structs.replace(
    PLAIN,
    code=CODES["validation_failed"],
    status=422,
    detail="Two are wrong",
    retry=Retry(retryable=True, after=1.5),
    errors=(field(), field("paint.colour", None, code=FieldCode.REQUIRED, position=4)),
    upstream=UpstreamError(status=400, code="E1", message="no", dialect="salla", request_id="r-7"),
    extensions={"balance": Raw(b"1e400"), "accounts": Raw(b'["/a", {"b": [1, null]}, true]')},
)
