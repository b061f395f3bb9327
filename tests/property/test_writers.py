"""Any problem in any view; and what a dialect writes, the same dialect reads."""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from gateway.catalog import CODES
from gateway.config import presets, views
from gateway.dialects.spec import WriteSpec
from gateway.dialects.spec.writing import ERROR_MEMBERS, FORMS, MEMBERS, SHAPES
from gateway.dialects.view import View
from gateway.headers import is_json
from gateway.headers.preferences import preferred_language, preferred_type, weights
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
from gateway.pipeline.document import Document, document_of
from gateway.pipeline.preference import preference_of
from gateway.pipeline.writers.table import Writers
from gateway.pipeline.writers.template import carried, template_writer

if TYPE_CHECKING:
    from gateway.dialects.reader import ErrorReading
    from gateway.pipeline.writers.writer import Writer

ID = "019ab4c2-77aa-7d2e-9e0b-3d1f5f1c2a10"
PRESETS = {"google": "google-rpc"}
"""The presets of views that are called otherwise."""
NOW_S = 1_767_225_600.0
WRITERS = Writers(views.of_presets())
WRITTEN = tuple(views.of_presets())
"""Dialects with a reader and a writer."""

hostile = st.text(max_size=20)
names = st.lists(st.text(string.ascii_letters + "_-أب", min_size=1, max_size=8), min_size=1, max_size=3).map(".".join)
sentences = st.lists(st.text(string.ascii_letters + "ابتثم,", min_size=1, max_size=8), min_size=2, max_size=5).map(
    lambda words: " ".join(words) + "."
)
"""Words that any reader takes for a person's, so that none of them is cleaned."""


def problems(texts: st.SearchStrategy[str], fields: st.SearchStrategy[str]) -> st.SearchStrategy[Problem]:
    """Return problems whose foreign texts are `texts`, and whose fields have names of `fields`."""
    maybe = st.one_of(st.none(), texts)
    errors = st.builds(
        FieldError,
        field=st.one_of(st.none(), fields),
        pointer=maybe,
        location=st.sampled_from([None, *Location]),
        code=st.sampled_from(FieldCode),
        detail=maybe,
        position=st.one_of(st.just(UNSET), st.integers(0, 99)),
    )
    said = st.builds(UpstreamError, status=st.integers(100, 599), code=maybe, message=maybe, dialect=st.just("salla"))
    return st.builds(
        Problem,
        code=st.sampled_from(list(CODES.values())),
        status=st.integers(400, 599),
        source=st.builds(
            Source,
            origin=st.sampled_from(Origin),
            fault=st.sampled_from(Party),
            upstream=st.one_of(st.none(), st.just("shop")),
            stage=st.sampled_from(Stage),
        ),
        retry=st.builds(
            Retry, retryable=st.booleans(), after=st.one_of(st.none(), st.integers(0, 10**6), st.just(1.5))
        ),
        detail=maybe,
        errors=st.lists(errors, max_size=4).map(tuple),
        upstream=st.one_of(st.none(), said),
        extensions=st.one_of(
            st.none(),
            st.dictionaries(
                texts,
                st.one_of(st.just(Raw(b"1e999")), texts.map(msgspec.json.encode).map(Raw)),
                min_size=1,
                max_size=2,
            ),
        ),
    )


def read_back(name: str, problem: Problem, body: bytes, document: Document) -> Document:
    """Read a body in the dialect that it was written in, and return what it says as a document.

    What a dialect calls its code, or its type, is where our code was put; what it does not speak of is as it was.
    """
    dialect = presets.preset(PRESETS.get(name, name))
    headers = ((b"Content-Type", b"application/json"),)
    reading: ErrorReading | None = dialect.read_error(
        View(problem.status, dialect.fields.of(headers), body), NOW_S, in_body=True
    )
    assert reading is not None, body
    return msgspec.structs.replace(
        document,
        status=reading.status,
        code=reading.upstream_type if _is(reading.upstream_type, document.code) else reading.upstream_code or "",
        detail=reading.said or "",
        errors=reading.errors,
        retry=Retry(retryable=document.retry.retryable, after=_seconds(reading.retry_after_s)),
        request_id=reading.request_id or document.request_id,
    )


def _is(word: str | None, code: str) -> bool:
    return word is not None and word.lower() == code


def _seconds(after: float | None) -> float | int | None:
    return int(after) if after is not None and after.is_integer() else after


@pytest.mark.parametrize("name", WRITTEN)
@given(problem=problems(sentences, names))
@example(problem=Problem(
    code=CODES["validation_failed"], status=400,
    source=Source(origin=Origin.UPSTREAM, fault=Party.CLIENT, upstream=None, stage=Stage.RESPONSE),
    retry=Retry(retryable=False, after=None),
    errors=(FieldError(field="a", pointer=None, location=None, code=FieldCode.REQUIRED, detail=None),),
))  # fmt: skip
def test_what_is_written_reads_back(name: str, problem: Problem) -> None:
    """A dialect that reads what it wrote gets the record, projected to what it carries."""
    spec = views.of_presets()[name]
    document = document_of(problem, ID, "https://gateway.example")
    body = WRITERS.named(name).write(problem, ID, "https://gateway.example", "en")
    assert carried(spec, read_back(name, problem, body, document)) == carried(spec, document)


TOLD = {
    "salla": {"status", "code", "detail", "errors"},
    "status-message-body": {"status", "first.detail or detail", "errors", "title"},
    "stripe": {"code", "first.detail or detail", "first.field"},
    "google": {"status", "code", "detail", "errors", "retry.after", "request_id"},
    "type-code-param": {"code", "first.detail or detail", "first.field", "category"},
}


@pytest.mark.parametrize("name", TOLD)
def test_what_is_compared_is_not_nothing(name: str) -> None:
    """The projection of a whole record holds what the dialect is known to tell."""
    error = FieldError(field="a", pointer=None, location=None, code=FieldCode.OTHER, detail="no good")
    problem = Problem(
        code=CODES["validation_failed"],
        status=422,
        source=Source(origin=Origin.UPSTREAM, fault=Party.CLIENT, upstream=None, stage=Stage.RESPONSE),
        retry=Retry(retryable=True, after=3),
        detail="it is bad",
        errors=(error,),
    )
    assert set(carried(views.of_presets()[name], document_of(problem, ID, None))) >= TOLD[name]


general_problems = problems(sentences, names).map(
    lambda problem: msgspec.structs.replace(
        problem,
        extensions=None,
        errors=tuple(
            msgspec.structs.replace(
                error, field="a", pointer="#/a", location=Location.BODY, detail=error.detail or "no good"
            )
            for error in problem.errors
        ),
    )
)


@pytest.mark.parametrize("name", ["problem-json", "json-api"])
@given(problem=general_problems)
def test_general_views_read_back(name: str, problem: Problem) -> None:
    """The preset that reads a standard reads what we write by it: status, code, field errors, and the sentence."""
    body = WRITERS.named(name).write(problem, ID, None, "en")
    fields: dict[bytes | None, bytes] = {b"content-type": WRITERS.named(name).media_type}
    reading = presets.preset(PRESETS.get(name, name)).read_error(
        View(problem.status, fields, body), NOW_S, in_body=True
    )
    assert reading is not None
    document = document_of(problem, ID, None)
    first = problem.errors[0].detail if name == "json-api" and problem.errors else document.detail
    assert (reading.status, reading.upstream_code, reading.said) == (problem.status, problem.code.name, first)
    assert (reading.upstream_type, reading.request_id) == (document.type, ID)
    told = [(error.field, error.pointer, error.detail) for error in reading.errors]
    assert told == [(error.field, error.pointer, error.detail) for error in problem.errors]


def _check(writer: Writer, problem: Problem) -> None:
    """Check that a body is what its media type says."""
    body = writer.write(problem, ID, None, "ar")
    if is_json(writer.media_type):
        found = json.loads(body)
        assert found or not writer.carries
    elif b"xml" in writer.media_type:
        assert ET.fromstring(body).tag == "{urn:ietf:rfc:7807}problem"  # noqa: S314 - our own body
    else:
        text = body.decode()
        assert text.endswith("\n")
        assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("name", [*views.GENERAL, *WRITTEN])
@given(problem=problems(hostile, hostile))
def test_any_problem_in_any_view(name: str, problem: Problem) -> None:
    """Whatever an upstream said, the body is well-formed."""
    _check(WRITERS.named(name), problem)


_taken = st.sampled_from([*MEMBERS, *(f"first.{name}" for name in ERROR_MEMBERS)])
_places = st.one_of(
    _taken.map(lambda path: f"${path}"),
    st.builds(
        lambda paths, form, words, other: {"$": paths} | form | words | other,
        st.lists(_taken, min_size=1, max_size=3),
        st.one_of(st.just({}), st.sampled_from(FORMS).map(lambda form: {"as": form})),
        st.one_of(st.just({}), st.dictionaries(st.sampled_from(["client", "422"]), st.text(max_size=3)).map(
            lambda words: {"words": words})),
        st.one_of(st.just({}), st.just({"else": None})),
    ),
    st.sampled_from(SHAPES).map(lambda shape: {"$errors": shape}),
    st.just({"$errors": {"a": "$error.field", "b": ["$error.code", 1]}}),
)  # fmt: skip
_templates: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.integers(-9, 9), st.text("abc", max_size=3), _places),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(template=_templates, problem=problems(hostile, hostile))
def test_any_template(template: Any, problem: Problem) -> None:  # noqa: ANN401 - any JSON
    """Whatever a template says, it is filled, and what it carries is told by nothing else."""
    spec = WriteSpec(body=template)
    json.loads(template_writer("own", spec).write(problem, ID, None, "en"))
    carried(spec, document_of(problem, ID, None))


_lines = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.lists(
            st.sampled_from(
                b'text/plain */* text/html application/xml ar en-GB * ;q=0.5 ;q= " -'.split()
            ),
            max_size=6,
        ).map(b",".join),
    ),
    max_size=3,
)  # fmt: skip


@given(accept=_lines, languages=_lines)
def test_any_field_gives_a_preference(accept: list[bytes], languages: list[bytes]) -> None:
    """Whatever clients say, there is a view and a language, and weights are from 0 to 1."""
    headers = [(b"Accept", line) for line in accept] + [(b"Accept-Language", line) for line in languages]
    found = preference_of(tuple(headers))
    assert found.writer.name in views.GENERAL
    assert found.language in ("en", "ar")
    assert all(0 <= weight <= 1 for _, weight in weights(accept))
    assert preferred_type(accept, ()) is None
    assert preferred_language(languages, ()) is None
