"""The unified format as OpenAPI components: valid, complete, and true of what is sent."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.catalog import CODES
from gateway.catalog.example import example_document
from gateway.config import presets
from gateway.model import Category, FieldCode, ItemWarning, Pagination
from gateway.pipeline.document import OWN_MEMBERS, Meta
from gateway.pipeline.examples import answer, plan_for, reply_of
from gateway.pipeline.openapi import openapi

WHOLE = json.loads(json.dumps(openapi("1.2.3", "https://gateway.example")))
SCHEMAS = WHOLE["components"]["schemas"]
ANSWERS = [
    pytest.param(*answer(reply_of(example.reply), plan_for(presets.preset(name), name)), id=f"{name}: {example.name}")
    for name in presets.names()
    for example in presets.specs()[name].examples
]


def _complaints(name: str, value: object) -> list[str]:
    validator = Draft202012Validator({"$ref": f"#/components/schemas/{name}", **WHOLE})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_is_openapi() -> None:
    """It is valid by the specification, and every reference in it leads somewhere."""
    assert list(OpenAPIV31SpecValidator(WHOLE).iter_errors()) == []


def test_a_reference_into_the_void_would_be_found() -> None:
    """The validator looks at components that no path uses."""
    broken = json.loads(json.dumps(WHOLE).replace("#/components/schemas/Retry", "#/components/schemas/Nothing"))
    with pytest.raises(Exception, match="Nothing"):
        list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_says_where_it_is_from() -> None:
    """The version is the program's, and the pages of the codes are where clients reach them."""
    assert WHOLE["info"]["version"] == "1.2.3"
    assert WHOLE["externalDocs"]["url"] == "https://gateway.example/-/problems/"
    assert openapi("1")["externalDocs"]["url"] == "/-/problems/"


def test_lists_are_closed() -> None:
    """Codes, categories and field codes are enumerated, all of them."""
    assert SCHEMAS["Code"]["enum"] == list(CODES)
    assert set(SCHEMAS["Category"]["enum"]) == {category.value for category in Category}
    assert set(SCHEMAS["FieldCode"]["enum"]) == {code.value for code in FieldCode}


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("Problem", OWN_MEMBERS),
        ("Meta", Meta.__struct_fields__),
        ("Pagination", Pagination.__struct_fields__),
        ("ItemWarning", ItemWarning.__struct_fields__),
        ("UnifiedSuccess", ("data", "meta", "warnings")),
    ],
)
def test_every_member_is_described(name: str, members: Any) -> None:  # noqa: ANN401 - a collection of names
    """A schema has exactly the members of what is sent."""
    assert set(SCHEMAS[name]["properties"]) == set(members)


def test_every_status_has_its_response() -> None:
    """For each status of the catalogue there is a response that names its codes."""
    responses = WHOLE["components"]["responses"]
    assert set(responses) == {"UnifiedSuccess", "Problem", *(f"Problem{code.status}" for code in CODES.values())}
    for code in CODES.values():
        assert code.name in responses[f"Problem{code.status}"]["description"]
    schema = responses["Problem404"]["content"]["application/problem+json"]["schema"]
    assert schema["allOf"][1]["properties"]["status"] == {"const": 404}


@pytest.mark.parametrize(("result", "document"), ANSWERS)
def test_what_examples_give_is_valid(result: object, document: bytes | None) -> None:
    """Every answer to an example of a preset is what the schema of its kind says."""
    if document is not None:
        assert _complaints(type(result).__name__.replace("Success", "UnifiedSuccess"), json.loads(document)) == []


def test_what_is_not_of_the_format_is_refused() -> None:
    """A code of one's own, or a missing member, is no problem document of ours."""
    document = json.loads(msgspec.json.encode(example_document(CODES["not_found"])))
    assert _complaints("Problem", document) == []
    assert _complaints("Problem", document | {"code": "nope"}) != []
    del document["retry"]
    assert _complaints("Problem", document) == ["$: 'retry' is a required property"]
