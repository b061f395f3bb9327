"""The unified format as OpenAPI 3.1 components, made from the values that are sent.

Invariants: what a schema says of a member comes from the struct that is encoded; the lists of codes and statuses come
from the catalogue. Nothing is written down here a second time but the header fields.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import msgspec

from gateway.catalog import CODES
from gateway.model import ItemWarning
from gateway.pipeline.document import Document, Meta

_AT: Final = "#/components"
_NAMES: Final = {"Document": "Problem"}
"""Names of structs that the format calls otherwise."""
_OPENAPI: Final = "3.1.0"
_ABOUT: Final = """\
What every client of the gateway gets: problem documents (RFC 9457) with one closed list of codes, and, where a route \
unifies them, successes in one envelope. Refer to these components from the description of an API behind the gateway.\
"""


def openapi(version: str, public_url: str | None = None) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document of components alone, ready to be written as JSON.

    Args:
        version: of the program, for `info.version`.
        public_url: where clients reach the gateway, if that is known; it stands before the pages of the codes.
    """
    return {
        "openapi": _OPENAPI,
        "info": {"title": "The unified format of Accord", "version": version, "description": _ABOUT},
        "externalDocs": {"description": "What each code means", "url": f"{public_url or ''}/-/problems/"},
        "paths": {},
        "components": {"schemas": _schemas(), "responses": _responses(), "headers": _HEADERS},
    }


def _schemas() -> dict[str, Any]:
    _, found = msgspec.json.schema_components([Document, Meta, ItemWarning], ref_template=_AT + "/schemas/{name}")
    named = {_NAMES.get(name, name): _described(name, schema) for name, schema in found.items()}
    problem = named["Problem"]["properties"]
    problem["code"] = _ref("schemas", "Code")
    problem["errors"]["description"] = "What is wrong with single fields; empty where nothing is known of any."
    return {
        **named,
        "Code": {"description": "What a program branches on: a closed list.", "type": "string", "enum": list(CODES)},
        "UnifiedSuccess": {
            "description": "A success, where the route unifies them. `data` is what the upstream sent, unchanged.",
            "type": "object",
            "properties": {
                "data": {"description": "The payload, of any type."},
                "meta": _ref("schemas", "Meta"),
                "warnings": {
                    "description": "Items of a partial success that failed; there only where some did.",
                    "type": "array",
                    "items": _ref("schemas", "ItemWarning"),
                },
            },
            "required": ["data", "meta"],
        },
    }


def _described(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema under the format's own name, its text as one paragraph; what may be null has null for None."""
    text = " ".join(schema.get("description", "").split()).replace("None", "null")
    return {**schema, "title": _NAMES.get(name, name), "description": text}


def _responses() -> dict[str, Any]:
    """Return a response for the unified success, for any problem, and for the problems of each status."""
    success = {
        "description": "A success in the unified envelope.",
        "headers": {name: _ref("headers", name) for name in _ON_SUCCESS},
        "content": {"application/json": {"schema": _ref("schemas", "UnifiedSuccess")}},
    }
    by_status: dict[int, list[str]] = {}
    for code in CODES.values():
        by_status.setdefault(code.status, []).append(code.name)
    problems = {f"Problem{status}": _problems(status, codes) for status, codes in sorted(by_status.items())}
    return {"UnifiedSuccess": success, "Problem": _response("Any failure.", _ref("schemas", "Problem")), **problems}


def _problems(status: int, codes: list[str]) -> dict[str, Any]:
    """Return the response of one status; a code whose own status is another may come under it too."""
    told = {"allOf": [_ref("schemas", "Problem"), {"type": "object", "properties": {"status": {"const": status}}}]}
    about = f"{HTTPStatus(status).phrase}. Codes that have this status of their own: {', '.join(codes)}."
    return _response(about, told)


def _response(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    headers = {name: _ref("headers", name) for name in _ON_PROBLEM}
    return {
        "description": description,
        "headers": headers,
        "content": {"application/problem+json": {"schema": schema}},
    }


def _ref(kind: str, name: str) -> dict[str, Any]:
    return {"$ref": f"{_AT}/{kind}/{name}"}


def _header(description: str, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


_HEADERS: Final = {
    "X-Request-Id": _header("The gateway's id of the request; it stands in the document and in the log."),
    "Accord-Format": _header("`unified`, or `passed` for a success that goes through untouched."),
    "Retry-After": _header("Whole seconds, rounded up; agrees with `retry.after`.", "integer"),
    "Proxy-Status": _header("Who failed, in the words of RFC 9209."),
    "RateLimit": _header("What the limits of the gateway still grant, where a route has some."),
    "RateLimit-Policy": _header("The limits of the gateway that count here."),
}
_ON_SUCCESS: Final = ("X-Request-Id", "Accord-Format", "RateLimit", "RateLimit-Policy")
_ON_PROBLEM: Final = ("X-Request-Id", "Proxy-Status", "Retry-After", "RateLimit", "RateLimit-Policy")
