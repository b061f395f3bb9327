"""A demo marketplace that speaks the type/code/param dialect: `{type, code, message, param}`, bare or in `error`."""

from __future__ import annotations

from typing import Final

from gateway.demo.rows import ANY, JSON, Asked, DemoApi, Row, as_json, hazards

_PRODUCTS: Final = (
    {"id": "prd_1", "sku": "TEA-1", "name": "Green tea", "price": {"amount": 450, "currency": "GBP"}},
    {"id": "prd_2", "sku": "TEA-2", "name": "Black tea", "price": {"amount": 395, "currency": "GBP"}},
)
_TAKEN_SKU: Final = "TEA-1"

# Status, what the row is about, then the four members in the order type, code, message, param.
_ERRORS: Final = (
    (
        400,
        "A parameter is missing; its name is dotted.",
        "invalid_request",
        "required",
        "Tell us the street; it is required.",
        "collection_address.street",
    ),
    (401, "The key is not valid.", "authentication", "invalid_api_key", "We do not know this key.", None),
    (
        403,
        "Not permitted, although its type says authentication.",
        "authentication",
        "insufficient_permissions",
        "This key may read, but not write.",
        None,
    ),
    (404, "Not found.", "invalid_request", "not_found", "There is no tea under this id.", "id"),
    (409, "A value that must be unique.", "conflict", "already_exists", "Another tea has this SKU already.", "sku"),
    (
        429,
        "Too many requests; no header says until when.",
        "rate_limit",
        "rate_limited",
        "Let the tea steep for a while.",
        None,
    ),
    (500, "A failure of the API.", "api", "internal_error", "The kettle broke.", None),
    (502, "A failure behind the API.", "api", "upstream_error", "Our supplier sent nonsense.", None),
    (503, "Out of service.", "api", "unavailable", "We are out for a minute.", None),
    (504, "Too slow behind the API.", "api", "timeout", "Our supplier did not answer.", None),
)


def _error(kind: str, code: str, message: str, param: str | None) -> dict[str, str | None]:
    return {"type": kind, "code": code, "message": message, "param": param}


def _says(kind: str, code: str, message: str, param: str | None = None) -> bytes:
    return as_json(_error(kind, code, message, param))


def _lacks_price(asked: Asked) -> bool:
    price = asked.members().get("price")
    return not (isinstance(price, dict) and isinstance(price.get("amount"), int))


_STATUSES: Final = (
    Row(ANY, "/status/200", 200, "A success; there is no envelope.", body=as_json({"tea": "ready"})),
    Row(ANY, "/status/201", 201, "Created.", body=as_json({"id": "prd_3"})),
    Row(ANY, "/status/202", 202, "Taken, to be done later.", body=as_json({"job": "job_1"})),
    Row(ANY, "/status/204", 204, "Deleted.", headers=()),
    *(Row(ANY, f"/status/{status}", status, about, body=_says(*error)) for status, about, *error in _ERRORS),
    *(
        Row(ANY, f"/wrapped/{status}", status, f"{about} In an error member.", body=as_json({"error": _error(*error)}))
        for status, about, *error in _ERRORS
    ),
)

_PRODUCT_ROWS: Final = (
    Row("GET", "/products", 200, "A list, bare.", body=as_json(_PRODUCTS)),
    Row("GET", "/products/prd_1", 200, "One product.", body=as_json(_PRODUCTS[0])),
    Row("DELETE", "/products/prd_1", 204, "Deleted.", headers=()),
    Row(
        "GET",
        "/products/missing",
        404,
        "No such product.",
        body=_says("invalid_request", "not_found", "There is no tea under this id.", "id"),
    ),
    Row(
        "GET",
        "/margins",
        403,
        "Not permitted.",
        body=_says("authentication", "insufficient_permissions", "This key may not see margins."),
    ),
    Row(
        "POST",
        "/products",
        400,
        "Without a sku.",
        when=lambda asked: not asked.members().get("sku"),
        body=_says("invalid_request", "required", "Every tea needs a SKU; it is required.", "sku"),
        sample_headers=(JSON,),
        sample_body=b"{}",
    ),
    Row(
        "POST",
        "/products",
        409,
        "With a sku that is taken.",
        when=lambda asked: asked.members().get("sku") == _TAKEN_SKU,
        body=_says("conflict", "already_exists", "Another tea has this SKU already.", "sku"),
        sample_headers=(JSON,),
        sample_body=b'{"sku": "TEA-1"}',
    ),
    Row(
        "POST",
        "/products",
        400,
        "Without price.amount.",
        when=_lacks_price,
        body=_says("invalid_request", "invalid", "The price must be a whole number of pence.", "price.amount"),
        sample_headers=(JSON,),
        sample_body=b'{"sku": "TEA-9"}',
    ),
    Row(
        "POST",
        "/products",
        201,
        "A product that is accepted.",
        body=lambda asked: as_json({"id": "prd_3", **asked.members()}),
        sample_headers=(JSON,),
        sample_body=b'{"sku": "TEA-9", "price": {"amount": 500}}',
    ),
    Row(
        "POST",
        "/products/bulk",
        202,
        "Two were taken, one was not.",
        body=as_json(
            {
                "succeeded": [{"index": 0, "id": "prd_4"}, {"index": 2, "id": "prd_5"}],
                "failed": [
                    {
                        "index": 1,
                        "error": _error("conflict", "already_exists", "Another tea has this SKU already.", "sku"),
                    }
                ],
            }
        ),
    ),
)

ROWS: Final = (
    *_STATUSES,
    *_PRODUCT_ROWS,
    *hazards(as_json(_PRODUCTS), _says("api", "internal_error", "The kettle broke.")),
)

_NOT_FOUND: Final = Row(
    ANY,
    "/nowhere",
    404,
    "No such path.",
    body=_says("invalid_request", "not_found", "Nobody brews tea here."),
)
API: Final = DemoApi(dialect="type-code-param", rows=ROWS, not_found=_NOT_FOUND, method_not_allowed=_NOT_FOUND)
