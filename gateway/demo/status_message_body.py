"""A demo of the status/message/body dialect: statuses are texts, and an error may come in a list of one.

It answers in JSON alone, and only to a request whose `Accept` says application/json.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from gateway.demo.rows import ANY, JSON, Asked, DemoApi, Row, as_json, hazards

if TYPE_CHECKING:
    from gateway.model import Header, Headers

_ACCEPT: Final[Header] = (b"Accept", b"application/json")
_FIELDS: Final = ("name", "price", "interval", "currency", "trial_days", "description")
_REQUIRED: Final = ("name", "price", "interval")
_PLANS: Final = (
    {"id": "31", "store_id": "7", "name": "Weekly box", "price": "12.50", "interval": "week", "retired": None},
    {"id": "32", "store_id": "7", "name": "Monthly box", "price": "40.00", "interval": "month", "retired": None},
)


def _tokens(left: int) -> Headers:
    return JSON, (b"X-Tokens-Left", str(left).encode())


def _document(status: int, body: object = None) -> dict[str, Any]:
    """Return what the API says under `status`: a text, the status's own phrase, and a body where there is one."""
    phrase = {422: "Unprocessable Entity"}.get(status, HTTPStatus(status).phrase)
    return {"status": str(status), "message": phrase} | ({} if body is None else {"body": body})


def _says(status: int, body: object = None) -> bytes:
    return as_json(_document(status, body))


def _by_position(names: dict[int, str]) -> list[str] | dict[str, str]:
    """Write a PHP array: a list where its keys are 0 to n-1 in order, else an object."""
    if list(names) == list(range(len(names))):
        return list(names.values())
    return {str(position): name for position, name in names.items()}


def _missing(asked: Asked) -> dict[int, str]:
    """Return the required fields that are not there, by their position in the API's own list."""
    given = asked.members()
    return {position: name for position, name in enumerate(_REQUIRED) if not given.get(name)}


def _unknown(asked: Asked) -> dict[int, str]:
    """Return the fields that the API does not know, by their position in what was sent."""
    return {position: name for position, name in enumerate(asked.members()) if name not in _FIELDS}


def _refuses_accept(asked: Asked) -> bool:
    return "application/json" not in asked.headers.get("accept", "")


_ERRORS: Final[dict[int, tuple[str, object]]] = {
    400: (
        "Bad request: an unknown field.",
        {"text": "There is an unknown field in this plan", "fields": {"4": "colour"}},
    ),
    401: ("Store and key do not match; no body member.", None),
    402: ("The account is disabled.", {"text": "The last invoice of this store is open"}),
    404: ("Not found.", {"text": "There is no plan with this number"}),
    406: ("Accept does not say application/json.", {"text": "Ask for JSON"}),
    412: ("A header is missing.", {"text": "Say which store in X-Store-Id"}),
    422: ("Processing failed; no field is wrong.", {"text": "The card network did not take the charge"}),
    429: ("Too many requests.", None),
    500: ("A failure of the API.", {"text": "Our box has a hole"}),
    503: ("Out of service.", {"text": "We are repainting"}),
}

_NOT_ACCEPTABLE: Final = Row(
    ANY,
    "/anything",
    406,
    "Any path, where Accept does not say application/json.",
    body=_says(406, {"text": "Ask for JSON"}),
    when=_refuses_accept,
    everywhere=True,
    sample_headers=((b"Accept", b"*/*"),),
)
_STATUSES: Final = (
    Row(ANY, "/status/200", 200, "A success with a text.", headers=_tokens(41), body=_says(200, {"text": "Good day"})),
    Row(ANY, "/status/201", 201, "Created; no body member.", headers=_tokens(40), body=_says(201)),
    Row(ANY, "/status/204", 204, "Nothing to return.", headers=()),
    *(
        Row(
            ANY,
            f"/status/{status}",
            status,
            about,
            headers=_tokens(0 if status == 429 else 39),
            body=_says(status, body),
        )
        for status, (about, body) in _ERRORS.items()
    ),
    *(
        Row(
            ANY,
            f"/wrapped/{status}",
            status,
            f"{about} In a list of one.",
            headers=_tokens(0 if status == 429 else 39),
            body=as_json([_document(status, body)]),
        )
        for status, (about, body) in _ERRORS.items()
    ),
)

_PLAN_ROWS: Final = (
    Row("GET", "/plans", 200, "A list.", headers=_tokens(38), body=_says(200, {"data": _PLANS})),
    Row("GET", "/plans/31", 200, "One plan.", headers=_tokens(38), body=_says(200, {"data": _PLANS[0]})),
    Row(
        "PUT",
        "/plans/31",
        200,
        "A confirming text.",
        headers=_tokens(37),
        body=_says(200, {"text": "The plan was changed"}),
    ),
    Row(
        "DELETE",
        "/plans/31",
        200,
        "A confirming text.",
        headers=_tokens(36),
        body=_says(200, {"text": "The plan was taken out"}),
    ),
    Row(
        "GET",
        "/plans/missing",
        404,
        "No such plan, in a list of one.",
        body=as_json([_document(404, {"text": "There is no plan with this number"})]),
    ),
    Row(
        "POST",
        "/plans",
        400,
        "Unknown fields, by their position in what was sent.",
        when=lambda asked: bool(_unknown(asked)),
        body=lambda asked: _says(
            400, {"text": "There are unknown fields in this plan", "fields": _by_position(_unknown(asked))}
        ),
        sample_headers=(JSON,),
        sample_body=b'{"name": "Daily box", "price": "3.00", "colour": "red"}',
    ),
    Row(
        "POST",
        "/plans",
        400,
        "Missing fields, by their position in the API's own list.",
        when=lambda asked: bool(_missing(asked)),
        body=lambda asked: _says(
            400, {"text": "Some required fields were left out", "fields": _by_position(_missing(asked))}
        ),
        sample_headers=(JSON,),
        sample_body=b'{"price": "3.00"}',
    ),
    Row(
        "POST",
        "/plans",
        201,
        "A plan that is accepted.",
        headers=_tokens(35),
        body=_says(201),
        sample_headers=(JSON,),
        sample_body=b'{"name": "Daily box", "price": "3.00", "interval": "day"}',
    ),
    Row("GET", "/pauses", 204, "No data.", headers=()),
    Row(
        "POST",
        "/charges",
        422,
        "Processing failed.",
        body=_says(422, {"text": "The card network did not take the charge"}),
    ),
    Row(
        "GET",
        "/store",
        412,
        "Without X-Store-Id.",
        body=_says(412, {"text": "Say which store in X-Store-Id"}),
        when=lambda asked: not asked.headers.get("x-store-id"),
    ),
    Row(
        "GET",
        "/store",
        200,
        "With X-Store-Id.",
        headers=_tokens(34),
        body=_says(200, {"data": {"id": "7", "name": "Boxes"}}),
        sample_headers=((b"X-Store-Id", b"7"),),
    ),
)

_ODD: Final = (
    Row(
        ANY,
        "/fields/map",
        400,
        "Positions with gaps: an object.",
        body=_says(400, {"text": "Some required fields were left out", "fields": {"0": "name", "2": "interval"}}),
    ),
    Row(
        ANY,
        "/fields/list",
        400,
        "Positions without a gap: a list.",
        body=_says(400, {"text": "Some required fields were left out", "fields": ["name", "price"]}),
    ),
    Row(
        ANY,
        "/fields/none",
        400,
        "A bad request that is about no field.",
        body=_says(400, {"text": "This text is not JSON"}),
    ),
    Row(
        ANY,
        "/masked/404",
        200,
        "Not found, under HTTP 200.",
        body=_says(404, {"text": "There is no box with this number"}),
    ),
)

ROWS: Final = (
    _NOT_ACCEPTABLE,
    *_STATUSES,
    *_PLAN_ROWS,
    *_ODD,
    *hazards(_says(200, {"data": _PLANS}), _says(500, {"text": "Our box has a hole"})),
)

_NOT_FOUND: Final = Row(ANY, "/nowhere", 404, "No such path.", body=_says(404))
API: Final = DemoApi(
    dialect="status-message-body",
    rows=ROWS,
    not_found=_NOT_FOUND,
    method_not_allowed=_NOT_FOUND,
    usual_headers=(_ACCEPT,),
)
