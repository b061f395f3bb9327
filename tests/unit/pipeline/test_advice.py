"""Rules that are suggested for unknown shapes."""

from __future__ import annotations

import json

import pytest
import yaml

from gateway.config import presets
from gateway.dialects.reader import Dialect
from gateway.dialects.spec import DialectSpec
from gateway.dialects.view import View
from gateway.model import Problem, Reply
from gateway.pipeline.advice import advise
from gateway.pipeline.examples import plan_for
from gateway.pipeline.markers import STAND_IN_NAME
from gateway.pipeline.normalise import normalise
from gateway.pipeline.radar import Sightings, UnknownShape

JSON = (b"Content-Type", b"application/json")


def advised(body: bytes, content_type: bytes = b"application/json") -> UnknownShape:
    """Return the shape of a body that was seen once, with its advice."""
    seen = Sightings(frozenset(), None)
    seen.see(409, View(409, {b"content-type": content_type}, body), 1.0)
    (shape,) = seen.shapes()
    advise(shape)
    return shape


def test_a_suggested_rule_reads_the_reply_that_it_was_made_of() -> None:
    """It is `dialect:` of an upstream's file, and finds code, message and field, although it was made without them."""
    body = {
        "fault": {
            "kind": "E_STOCK",
            "text": "Only 2 of these are left",
            "inputs": [{"name": "size", "why": "It is late"}],
        }
    }
    shape = advised(json.dumps(body).encode())
    assert shape.suggested_rule
    assert "STOCK" not in shape.suggested_rule
    assert "SOME_CODE" not in shape.suggested_rule
    spec = DialectSpec.model_validate({"name": "own", **yaml.safe_load(shape.suggested_rule)["dialect"]})
    dialect = Dialect(presets.chain(spec))
    problem = normalise(Reply(status=409, headers=(JSON,), body=json.dumps(body).encode()), plan_for(dialect, "a"), 0.0)
    assert isinstance(problem, Problem)
    assert problem.upstream is not None
    assert (problem.upstream.dialect, problem.upstream.code) == ("own", "E_STOCK")
    assert problem.detail == "Only 2 of these are left"
    assert [(one.field, one.detail) for one in problem.errors] == [("size", "It is late")]


def test_keys_of_a_map_make_a_tree_and_never_a_path() -> None:
    """A rule must not name what stands for the names of a client's fields."""
    shape = advised(b'{"message": "Two are wrong", "errors": {"size": ["It is late"]}}')
    assert "from: errors" in (shape.suggested_rule or "")
    assert advised(b'{"98765": {"text": "It is late", "kind": "E_A"}}').suggested_rule == ""
    assert STAND_IN_NAME not in (shape.suggested_rule or "")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"<html><title>Not now</title></html>", b"text/html"), (b"away", b"text/plain"), (b"7", b"application/json")],
)
def test_where_there_is_nothing_to_name_there_is_no_rule(body: bytes, content_type: bytes) -> None:
    """A page, a text and a bare value have no members."""
    assert advised(body, content_type).suggested_rule == ""


def test_advice_is_given_once() -> None:
    """It takes time, and a shape does not change."""
    shape = advised(b"7")
    shape.suggested_rule = "kept"
    advise(shape)
    assert shape.suggested_rule == "kept"
