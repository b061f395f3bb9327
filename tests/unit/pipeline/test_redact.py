"""Our credentials, taken out of problems and successes."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec import Raw

from gateway.catalog import CODES
from gateway.config import presets
from gateway.headers import Secrets
from gateway.model import (
    FieldCode,
    FieldError,
    Origin,
    Pagination,
    Party,
    Problem,
    Reply,
    Retry,
    Source,
    Stage,
    Success,
    UpstreamError,
)
from gateway.pipeline.examples import plan_for
from gateway.pipeline.normalise import normalise, own_problem
from gateway.pipeline.redact import redacted
from gateway.pipeline.render import problem_document, success_document

SECRETS = Secrets.of(["s3cret"])


def test_problems() -> None:
    """Every word of the upstream's: detail, its own code, type and message, field errors, extension members."""
    error = FieldError(field="f s3cret", pointer=None, location=None, code=FieldCode.OTHER, detail="d s3cret")
    said = UpstreamError(status=400, code="c s3cret", type="t s3cret", message="m s3cret", dialect="own")
    problem = Problem(
        code=CODES["conflict"],
        status=409,
        detail="the key s3cret is bad",
        source=Source(origin=Origin.UPSTREAM, fault=Party.CLIENT, upstream="s3cret", stage=Stage.RESPONSE),
        retry=Retry(retryable=False, after=None),
        errors=(error,),
        upstream=said,
        extensions={"s3cret": Raw(b'{"a":"s3cret","b":1.50}')},
    )
    clean = redacted(problem, SECRETS)
    assert isinstance(clean, Problem)
    assert clean.detail == "the key [redacted] is bad"
    assert (clean.code, clean.source, clean.retry) == (problem.code, problem.source, problem.retry)
    document = problem_document(clean, "id", None)
    assert document.count(b"s3cret") == 1  # the operator's own name for the upstream
    assert document.endswith(b',"[redacted]":{"a":"[redacted]","b":1.50}}')


@pytest.mark.parametrize("secret", ["c2VjcmV0/cGFzcw==", "head.pay.load", "p@ss w%rd~x", "a[b]c~d"])
def test_pointers(secret: str) -> None:
    """A pointer spells names in its own way; it is made anew from a name that a credential was taken out of."""
    body = {"errors": {f"of.{secret}": ["is wrong"]}}
    reply = Reply(status=422, headers=((b"Content-Type", b"application/json"),), body=json.dumps(body).encode())
    problem = normalise(reply, plan_for(presets.preset("generic"), "shop"), 0)
    assert isinstance(problem, Problem)
    clean = redacted(problem, Secrets.of([secret]))
    assert isinstance(clean, Problem)
    assert [(one.field, one.pointer) for one in clean.errors] == [("of.[redacted]", "#/of/redacted")]


def test_other_pointers_stay() -> None:
    """A pointer whose name has no credential in it stays as the upstream gave it."""
    error = FieldError(field="a.b", pointer="#/data/a/b", location=None, code=FieldCode.OTHER, detail="s3cret")
    problem = own_problem("conflict", Stage.RESPONSE)
    clean = redacted(msgspec.structs.replace(problem, errors=(error,)), SECRETS)
    assert isinstance(clean, Problem)
    assert [(one.pointer, one.detail) for one in clean.errors] == [("#/data/a/b", "[redacted]")]


def test_successes() -> None:
    """Message, page links and data; numbers stay as they were spelled."""
    success = Success(
        status=200,
        data=b'{"a":"s3cret","b":1.50}',
        dialect="own",
        message="hello s3cret",
        pagination=Pagination(page=1, next="https://elsewhere.example/?k=s3cret"),
    )
    document = success_document(redacted(success, SECRETS), "id", "shop")  # type: ignore[arg-type]
    assert b"s3cret" not in document
    assert document.startswith(b'{"data":{"a":"[redacted]","b":1.50},"meta":')


def test_what_quotes_nothing_stays() -> None:
    """Byte for byte."""
    success = Success(status=200, data=b"[1.50]", dialect="own")
    assert redacted(success, SECRETS) == success
