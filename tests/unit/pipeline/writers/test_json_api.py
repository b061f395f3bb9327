"""`application/vnd.api+json`."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from gateway.model import FieldError, Location
from gateway.pipeline.writers.json_api import write
from tests.unit.pipeline.writers.problems import FULL, ID, PLAIN, URL, field


def read(*errors: FieldError, upstream: bool = False) -> dict[str, Any]:
    """Return the document of a problem with these field errors."""
    problem = msgspec.structs.replace(FULL if upstream else PLAIN, errors=errors)
    found: dict[str, Any] = json.loads(write(problem, ID, URL, "en"))
    return found


def test_one_error_for_the_whole() -> None:
    """Where no field is wrong there is one error object; what has no place in it is in `meta`."""
    assert read() == {
        "jsonapi": {"version": "1.1"},
        "errors": [
            {
                "links": {"type": f"{URL}/-/problems/not_found"},
                "status": "404",
                "code": "not_found",
                "title": "There is nothing at this address",
                "detail": "No such part",
            }
        ],
        "meta": {
            "detail": "No such part",
            "instance": f"urn:uuid:{ID}",
            "category": "not_found",
            "source": {"origin": "upstream", "fault": "client", "upstream": "shop", "stage": "response"},
            "retry": {"retryable": False, "after": None},
            "request_id": ID,
        },
    } | {"errors": [read()["errors"][0] | {"title": PLAIN.code.title}]}


def test_one_error_for_each_field() -> None:
    """Each field error is an error object with the problem's code, its own text, and its own words in `meta`."""
    first, second = read(field(), field("colour", None))["errors"]
    assert (first["code"], first["detail"], first["source"]) == ("not_found", "too small", {"pointer": "/size"})
    assert first["meta"] == {
        "field": "size",
        "pointer": "#/size",
        "location": "body",
        "code": "invalid",
        "detail": "too small",
    }
    assert "detail" not in second


@pytest.mark.parametrize(
    ("error", "source"),
    [
        (field(pointer="#/a%20b/c"), {"pointer": "/a b/c"}),
        (field("page", pointer=None, location=Location.QUERY), {"parameter": "page"}),
        (field("X-Key", pointer=None, location=Location.HEADER), {"header": "X-Key"}),
        (field("id", pointer=None, location=Location.PATH), None),
        (field(None, pointer=None, location=None), None),
    ],
)
def test_where_it_is(error: FieldError, source: dict[str, str] | None) -> None:
    """A pointer is one of RFC 6901, no longer a fragment; parameters and header fields have members of their own."""
    assert read(error)["errors"][0].get("source") == source


def test_what_the_upstream_said() -> None:
    """It stands in `meta`."""
    assert read(upstream=True)["meta"]["upstream"]["code"] == "E1"
