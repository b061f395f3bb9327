"""Bodies of dialects, from templates."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from gateway.catalog import CODES
from gateway.config import presets, views
from gateway.dialects.spec import WriteSpec
from gateway.model import FieldCode, Problem
from gateway.pipeline.document import document_of
from gateway.pipeline.writers.template import carried, template_writer
from gateway.pipeline.writers.writer import Extent
from tests.unit.pipeline.writers.problems import FULL, ID, PLAIN, URL, field


def written(template: Any, problem: Problem = FULL, language: str = "en") -> Any:  # noqa: ANN401 - any JSON
    """Return what a template gives for a problem."""
    writer = template_writer("own", WriteSpec(body=template))
    return json.loads(writer.write(problem, ID, URL, language))


def with_errors(*errors: Any) -> Problem:  # noqa: ANN401 - field errors
    """Return a problem with these field errors."""
    return msgspec.structs.replace(FULL, errors=errors)


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ({"a": 1, "b": [True, None, "x"], "c": {}, "d": []}, {"a": 1, "b": [True, None, "x"], "c": {}, "d": []}),
        ({"s": "$status", "d": "$detail", "o": "$source.origin"}, {"s": 422, "d": "Two are wrong", "o": "upstream"}),
        ({"t": "$type", "r": "$retry.after"}, {"t": f"{URL}/-/problems/validation_failed", "r": 1.5}),
        ({"u": "$upstream.code"}, {"u": "E1"}),
        ("$$5 and $status", "$5 and $status"),
        ({"s": {"$": "status", "as": "text"}}, {"s": "422"}),
        ({"c": {"$": "code", "as": "upper"}}, {"c": "VALIDATION_FAILED"}),
        ({"r": {"$": "retry.after", "as": "duration"}}, {"r": "1.5s"}),
        ({"w": {"$": "category", "words": {"validation": "bad"}, "else": "?"}}, {"w": "bad"}),
        ({"w": {"$": "category", "words": {"conflict": "bad"}, "else": "?"}}, {"w": "?"}),
        ({"w": {"$": "status", "words": {422: "bad"}}}, {"w": "bad"}),
        ({"f": "$first.field", "p": "$first.pointer"}, {"f": "size", "p": "#/size"}),
        ({"d": {"$": ["upstream.type", "upstream.message", "detail"]}}, {"d": "no"}),
        ({"e": {"$errors": {"n": "$error.field", "why": "$error.detail", "at": "$error.position", "of": "$status"}}},
         {"e": [{"n": "size", "why": "too small", "of": 422}, {"n": "paint.colour", "at": 4, "of": 422}]}),
        ({"e": {"$errors": "$error.field"}}, {"e": ["size", "paint.colour"]}),
        ({"e": {"$errors": "tree"}}, {"e": {"size": ["too small"], "paint.colour": ["required"]}}),
        ({"e": {"$errors": "positions"}}, {"e": {"0": "size", "1": "paint.colour"}}),
    ],
)  # fmt: skip
def test_places_are_filled(template: object, body: object) -> None:
    """What begins with `$` takes its value from the document; the rest stands as it is."""
    assert written(template) == body


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ({"a": "$upstream.code", "b": 1}, {"b": 1}),
        ({"a": {"$": "upstream.code", "else": None}}, {"a": None}),
        ({"a": {"$": "category", "words": {"conflict": "x"}}, "b": 1}, {"b": 1}),
        ({"a": {"b": "$retry.after", "c": "literal"}, "d": 1}, {"d": 1}),
        ({"a": {"b": "$retry.after", "c": "$status"}}, {"a": {"c": 404}}),
        ({"a": ["$retry.after", {"x": 1, "y": "$first.field"}], "b": ["$status", "$retry.after"]}, {"b": [404]}),
        ({"a": {"$errors": "tree"}, "b": {"$errors": "positions", "else": []}}, {"b": []}),
        ({"a": {"$errors": {"n": "$error.field"}, "else": "none"}}, {"a": "none"}),
        ({"a": "$retry.after"}, {}),
    ],
)
def test_what_is_not_there_is_left_out(template: object, body: object) -> None:
    """A member without a value, and an object or a list in which every place came to nothing; `else` stands in."""
    assert written(template, PLAIN) == body


def test_errors_that_come_to_nothing() -> None:
    """A field error that has none of what is taken of it is not in the list."""
    problem = with_errors(field(None), field("size"))
    assert written({"e": {"$errors": {"n": "$error.field"}}}, problem) == {"e": [{"n": "size"}]}


def test_a_tree() -> None:
    """Texts by name, in order; what has no name has no place, and our word stands where there is no text."""
    problem = with_errors(field("a", "x"), field("b", None, code=FieldCode.REQUIRED), field("a", "y"), field(None, "z"))
    assert written({"$errors": "tree"}, problem) == {"a": ["x", "y"], "b": ["required"]}


def test_positions() -> None:
    """As the upstream counted where each has its own; else from 0, so that no name takes another's place."""
    assert written({"$errors": "positions"}, with_errors(field("a", position=4), field("b", position=1))) == {
        "4": "a",
        "1": "b",
    }
    for other in (field("b"), field("b", position=4)):
        assert written({"$errors": "positions"}, with_errors(field("a", position=4), other, field(None))) == {
            "0": "a",
            "1": "b",
        }


@pytest.mark.parametrize(
    ("template", "carries"),
    [
        ({"a": "$status", "b": {"$": "category", "words": {}}}, {"status": Extent.WHOLE, "category": Extent.WORDS}),
        ({"$": ["first.detail", "detail"]}, {"errors[].detail": Extent.FIRST, "detail": Extent.ELSE}),
        ({"a": {"$": ["code", "detail"]}, "b": ["$detail"]}, {"code": Extent.WHOLE, "detail": Extent.WHOLE}),
        ({"$errors": {"a": "$error.code", "b": {"$": ["error.detail", "error.field"]}}},
         {"errors[].code": Extent.WHOLE, "errors[].detail": Extent.WHOLE, "errors[].field": Extent.ELSE}),
        ({"$errors": "positions"}, {"errors[].field": Extent.WHOLE, "errors[].position": Extent.WHOLE}),
        ({"a": 1}, {}),
    ],
)  # fmt: skip
def test_a_writer_says_what_it_carries(template: Any, carries: dict[str, Extent]) -> None:  # noqa: ANN401 - any JSON
    """By what is taken, and how."""
    assert template_writer("own", WriteSpec(body=template)).carries == carries


def test_carried_is_what_the_body_tells() -> None:
    """Of a document, by what each place takes: less the words, and less what is not there."""
    spec = WriteSpec(
        content_type="application/x+json",
        body={
            "a": {"$": "category", "words": {"validation": "bad"}},
            "b": [{"$": ["first.detail", "detail"]}, {"$errors": "tree"}, "$upstream.type", 7],
        },
    )
    assert carried(spec, document_of(FULL, ID, URL)) == {
        "category": "validation",
        "first.detail or detail": "too small",
        "errors": {"size": ["too small"], "paint.colour": ["required"]},
    }
    assert template_writer("own", spec).lines == b"Content-Type: application/x+json\r\nCache-Control: no-store\r\n"


@pytest.mark.parametrize(
    ("problem", "language", "told"),
    [
        (PLAIN, "ar", None),
        (msgspec.structs.replace(PLAIN, language="fr"), "ar", "fr"),
        (msgspec.structs.replace(PLAIN, detail=None, language="fr"), "ar", "ar"),
        (msgspec.structs.replace(FULL, detail=None, language="fr"), "ar", "fr"),
        (msgspec.structs.replace(FULL, detail=None, errors=(field(detail=None),)), "ar", "ar"),
    ],
)
def test_language_of_what_is_said(problem: Problem, language: str, told: str | None) -> None:
    """Ours where the catalogue speaks, else the upstream's; the text of the first field error may be what is said."""
    writer = template_writer("own", WriteSpec(body={"$": ["first.detail", "detail"]}))
    assert writer.language_of(problem, language) == told


BODIES = {
    "salla": {
        "status": 422,
        "success": False,
        "error": {
            "code": "validation_failed",
            "message": "Two are wrong",
            "fields": {"size": ["too small"], "paint.colour": ["required"]},
        },
    },
    "status-message-body": {
        "status": "422",
        "message": CODES["validation_failed"].title,
        "body": {"text": "too small", "fields": {"0": "size", "1": "paint.colour"}},
    },
    "google": {
        "error": {
            "code": 422,
            "message": "Two are wrong",
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "VALIDATION_FAILED",
                    "domain": "shop",
                },
                {
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [
                        {"field": "size", "description": "too small"},
                        {"field": "paint.colour", "description": "required"},
                    ],
                },
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"},
                {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": ID},
            ],
        }
    },
    "stripe": {
        "error": {
            "type": "invalid_request_error",
            "code": "validation_failed",
            "message": "too small",
            "param": "size",
            "doc_url": f"{URL}/-/problems/validation_failed",
        }
    },
    "type-code-param": {
        "type": "invalid_request",
        "code": "validation_failed",
        "message": "too small",
        "param": "size",
    },
}


@pytest.mark.parametrize("name", views.of_presets())
def test_presets(name: str) -> None:
    """A problem in the words of each API whose clients know no other."""
    assert written(views.of_presets()[name].body) == BODIES[name]


def test_a_preset_keeps_what_its_clients_expect() -> None:
    """A parameter that is null is there, where the API itself writes it so."""
    spec = presets.specs()["type-code-param"].write
    assert spec is not None
    assert written(spec.body, PLAIN) == {
        "type": "not_found",
        "code": "not_found",
        "message": "No such part",
        "param": None,
    }
