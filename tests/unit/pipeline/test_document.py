"""The wire form of a problem (RFC 9457)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

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
from gateway.pipeline.document import OWN_MEMBERS, document_of

ID = "019ab4c2-77aa-7d2e-9e0b-3d1f5f1c2a10"
PROBLEM = Problem(
    code=CODES["validation_failed"],
    status=422,
    detail="One is wrong",
    source=Source(origin=Origin.UPSTREAM, fault=Party.CLIENT, upstream="shop", stage=Stage.RESPONSE),
    retry=Retry(retryable=False, after=None),
    errors=(
        FieldError(field="size", pointer="#/size", location=Location.BODY, code=FieldCode.INVALID, detail="too small"),
    ),
    upstream=UpstreamError(status=400, code="E1", message="no", dialect="salla"),
)


def _document(problem: Problem, public_url: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(msgspec.json.encode(document_of(problem, ID, public_url)))
    return found


def test_a_whole_document() -> None:
    """The members of docs/reference/format.md, in their order; what is not known is null."""
    document = _document(PROBLEM)
    assert document == {
        "type": "/-/problems/validation_failed",
        "title": "The request has invalid fields",
        "status": 422,
        "detail": "One is wrong",
        "instance": f"urn:uuid:{ID}",
        "code": "validation_failed",
        "category": "validation",
        "source": {"origin": "upstream", "fault": "client", "upstream": "shop", "stage": "response"},
        "retry": {"retryable": False, "after": None},
        "errors": [
            {"field": "size", "pointer": "#/size", "location": "body", "code": "invalid", "detail": "too small"}
        ],
        "upstream": {
            "status": 400,
            "code": "E1",
            "type": None,
            "message": "no",
            "dialect": "salla",
            "request_id": None,
        },
        "request_id": ID,
    }
    assert list(document)[:3] == ["type", "title", "status"]
    assert set(document) == set(OWN_MEMBERS)


def test_the_upstreams_words_may_be_left_out() -> None:
    """Without them the member is not there at all; `errors` is always there."""
    document = _document(msgspec.structs.replace(PROBLEM, upstream=None, errors=()))
    assert "upstream" not in document
    assert document["errors"] == []


def test_the_type_is_an_address_where_the_gateway_has_one() -> None:
    """Below `public_url` the gateway serves the page that `type` names; else it is a relative reference."""
    document = _document(PROBLEM, "https://gateway.example/api")
    assert document["type"] == "https://gateway.example/api/-/problems/validation_failed"


@pytest.mark.parametrize(
    ("language", "with_fields", "sentence"),
    [
        ("en", True, CODES["validation_failed"].happened["en"]),
        ("en", False, CODES["validation_failed"].happened_without_fields["en"]),
        ("ar", True, CODES["validation_failed"].happened["ar"]),
    ],
)
def test_the_catalogue_speaks_where_the_upstream_said_nothing(
    language: str, sentence: str, *, with_fields: bool
) -> None:
    """A detail is always there; it does not speak of fields that are not listed."""
    problem = msgspec.structs.replace(PROBLEM, detail=None, errors=PROBLEM.errors if with_fields else ())
    assert document_of(problem, ID, None, language).detail == sentence
