"""A demo shop that speaks Salla's dialect: `{status, success, data}` and `{status, success: false, error}`.

The phrases under `/401` are those by which the dialect tells the five cases apart; all other texts are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.demo.rows import ANY, HTML, JSON, Asked, DemoApi, Row, as_json, hazards

if TYPE_CHECKING:
    from collections.abc import Sequence

_PRODUCTS: Final = (
    {
        "id": 101,
        "sku": "LAMP-1",
        "name": {"ar": "مصباح مكتبي", "en": "Desk lamp"},
        "price": {"amount": 149, "currency": "SAR"},
    },
    {
        "id": 102,
        "sku": "MUG-2",
        "name": {"ar": "كوب خزفي", "en": "Ceramic mug"},
        "price": {"amount": 35.5, "currency": "SAR"},
    },
    {
        "id": 103,
        "sku": "BAG-3",
        "name": {"ar": "حقيبة قماشية", "en": "Canvas bag"},
        "price": {"amount": 60, "currency": "SAR"},
    },
)
_ORDERS: Final = tuple(
    {"id": 9000 + number, "status": {"slug": slug, "name": name}}
    for number, (slug, name) in enumerate(
        [
            ("under_review", {"ar": "بانتظار المراجعة", "en": "Waiting for review"}),
            ("in_progress", {"ar": "قيد التجهيز", "en": "Being packed"}),
            ("shipped", {"ar": "في الطريق", "en": "On its way"}),
            ("delivered", {"ar": "وصل إلى العميل", "en": "Handed over"}),
            ("canceled", {"ar": "أُلغي", "en": "Called off"}),
        ],
        start=1,
    )
)
_TAKEN_MOBILE: Final = "+966500000001"


def _good(status: int, data: object, **more: object) -> bytes:
    return as_json({"status": status, "success": True, "data": data, **more})


def _bad(status: int, code: object, message: object, fields: object = None) -> bytes:
    error = {"code": code, "message": message} | ({} if fields is None else {"fields": fields})
    return as_json({"status": status, "success": False, "error": error})


def _page(path: str, items: Sequence[Any], page: int, per_page: int) -> bytes:
    """Return one page of `items`; `links` is a list where there is nothing to link, as PHP writes an empty array."""
    shown = items[(page - 1) * per_page : page * per_page]
    pages = max(1, -(-len(items) // per_page))
    links = {"previous": page - 1, "next": page + 1}
    linked = {name: f"@BASE@{path}?page={number}" for name, number in links.items() if 1 <= number <= pages}
    pagination: dict[str, Any] = {
        "count": len(shown),
        "total": len(items),
        "perPage": per_page,
        "currentPage": page,
        "totalPages": pages,
        "links": linked or [],
    }
    return _good(200, shown, pagination=pagination)


def _refused_fields(asked: Asked) -> dict[str, list[str]]:
    """Return what is wrong with a new customer, by the name of the field."""
    customer = asked.members()
    address = customer.get("address")
    checks = (
        ("first_name", not customer.get("first_name"), "يرجى كتابة الاسم الأول، فهو حقل مطلوب"),
        ("mobile", not customer.get("mobile"), "رقم الجوال مطلوب لإتمام التسجيل"),
        ("mobile", customer.get("mobile") == _TAKEN_MOBILE, "رقم الجوال هذا مستخدم من قبل"),
        ("email", "@" not in str(customer.get("email", "@")), "عنوان البريد المكتوب غير صالح"),
        ("address.city", isinstance(address, dict) and not address.get("city"), "اسم المدينة مطلوب مع العنوان"),
    )
    refused: dict[str, list[str]] = {}
    for name, wrong, text in checks:
        if wrong:
            refused.setdefault(name, []).append(text)
    return refused


_STATUSES: Final = (
    Row(ANY, "/status/200", 200, "A success with a text.", body=_good(200, {"message": "All is well", "code": 200})),
    Row(ANY, "/status/201", 201, "Created.", body=_good(201, {"id": 104})),
    Row(
        ANY,
        "/status/202",
        202,
        "Deleted: 202 means that here.",
        body=_good(202, {"message": "It is off the shelf", "code": 202}),
    ),
    Row(ANY, "/status/204", 204, "Nothing to say.", headers=()),
    Row(
        ANY,
        "/status/400",
        400,
        "A filter that makes no sense.",
        body=_bad(400, "bad_request", "The date filter ends before it begins"),
    ),
    Row(
        ANY,
        "/status/401",
        401,
        "A phrase that nobody knows: the general code.",
        body=_bad(401, "Unauthorized", "Who goes there?"),
    ),
    Row(ANY, "/status/403", 403, "Not permitted.", body=_bad(403, "forbidden", "هذه العملية ليست ضمن باقة المتجر")),
    Row(ANY, "/status/404", 404, "Not found; the code is a number.", body=_bad(404, 404, "لم نجد ما تبحث عنه")),
    Row(
        ANY,
        "/status/405",
        405,
        "The wrong method.",
        headers=(JSON, (b"Allow", b"GET, POST")),
        body=_bad(405, "method_not_allowed", "Try GET or POST"),
    ),
    Row(ANY, "/status/406", 406, "No such format.", body=_bad(406, "not_acceptable", "Only JSON is spoken here")),
    Row(ANY, "/status/410", 410, "Gone for good.", body=_bad(410, "gone", "This shelf was taken down")),
    Row(
        ANY,
        "/status/422",
        422,
        "Two fields are refused; the message is an untranslated key.",
        body=_bad(
            422,
            "error",
            "alert.invalid_fields",
            {
                "mobile": ["رقم الجوال مطلوب لإتمام التسجيل"],
                "address.city": ["اسم المدينة مطلوب مع العنوان", "Pick a city from the list; this one is invalid"],
            },
        ),
    ),
    Row(
        ANY,
        "/status/429",
        429,
        "Too many requests, with rate headers.",
        headers=(
            JSON,
            (b"X-RateLimit-Limit", b"120"),
            (b"X-RateLimit-Remaining", b"0"),
            (b"X-RateLimit-Reset", b"@SOON@"),
            (b"Retry-After", b"30"),
        ),
        body=_bad(429, "too_many_requests", "The shop needs a breath"),
    ),
    Row(ANY, "/status/500", 500, "A failure of the API.", body=_bad(500, "server_error", "A shelf fell over")),
    Row(
        ANY,
        "/status/503",
        503,
        "Out of service.",
        body=_bad(503, "service_unavailable", "The shop is closed for an hour"),
    ),
)

_INVALID_GRANT: Final = as_json(
    {"error": "invalid_grant", "error_description": "This refresh token cannot be exchanged for another one."}
)
_UNAUTHORIZED: Final = (
    ("/401/deleted-user", "The user account was deleted.", "The User is not exists."),
    ("/401/inactive-user", "The user account is not active.", "عفوا لا يمكنك تسجيل الدخول, حسابك غير مفعل"),
    (
        "/401/missing-scope",
        "The token lacks a scope.",
        "The access token should have access to one of those scopes: brands.read_write",
    ),
    ("/401/invalid-token", "The token is not valid.", "The access token is invalid"),
)
_CASES_OF_401: Final = (
    *(Row(ANY, path, 401, about, body=_bad(401, "Unauthorized", message)) for path, about, message in _UNAUTHORIZED),
    Row(ANY, "/401/reused-refresh-token", 401, "Used once before.", body=_INVALID_GRANT),
    Row("POST", "/oauth/token", 401, "The OAuth dialect: invalid_grant.", body=_INVALID_GRANT),
)

_PRODUCT_ROWS: Final = (
    Row("GET", "/products?page=2", 200, "The last page.", body=_page("/products", _PRODUCTS, 2, 2)),
    Row("GET", "/products", 200, "The first page.", body=_page("/products", _PRODUCTS, 1, 2)),
    Row("GET", "/products/101", 200, "One product.", body=_good(200, _PRODUCTS[0])),
    Row("PUT", "/products/101", 201, "Changed.", body=_good(201, _PRODUCTS[0])),
    Row("DELETE", "/products/101", 202, "Deleted.", body=_good(202, {"message": "It is off the shelf", "code": 202})),
    Row("GET", "/products/missing", 404, "No such product.", body=_bad(404, "error", "لا يوجد منتج بهذا الرقم")),
    Row("GET", "/products/retired", 410, "A product that is gone.", body=_bad(410, "gone", "This product was retired")),
)
_ORDER_ROWS: Final = tuple(
    Row("GET", path, 200, f"Page {page} of 3.", body=_page("/orders", _ORDERS, page, 2))
    for path, page in (("/orders?page=2", 2), ("/orders?page=3", 3), ("/orders", 1))
)
_CUSTOMER_ROWS: Final = (
    Row(
        "POST",
        "/customers",
        422,
        "A customer with fields that are refused.",
        when=lambda asked: bool(_refused_fields(asked)),
        body=lambda asked: _bad(422, "error", "alert.invalid_fields", _refused_fields(asked)),
        sample_headers=(JSON,),
        sample_body=b'{"mobile": "+966500000001", "email": "nobody", "address": {}}',
    ),
    Row(
        "POST",
        "/customers",
        201,
        "A customer that is accepted.",
        body=lambda asked: _good(201, {"id": 5001, **asked.members()}),
        sample_headers=(JSON,),
        sample_body='{"first_name": "نورة", "mobile": "+966500000002"}'.encode(),
    ),
)

_ODD: Final = (
    Row("GET", "/brands", 200, "An empty list, whose links are an empty list too.", body=_page("/brands", [], 1, 15)),
    Row(
        "GET",
        "/groups",
        200,
        "A list whose pagination is misspelt.",
        body=_good(
            200,
            [{"id": 7, "name": "Regulars"}],
            pagenation={"count": 1, "total": 1, "perPage": 15, "currentPage": 1, "totalPages": 1, "links": []},
        ),
    ),
    Row("GET", "/hours", 200, "A success without an envelope.", body=as_json({"friday": {"open": False}})),
    Row(ANY, "/masked/404", 200, "Not found, under HTTP 200.", body=_bad(404, "error", "لا يوجد طلب بهذا الرقم")),
    Row(
        ANY,
        "/masked/422",
        200,
        "A refused field, under HTTP 200.",
        body=_bad(422, "error", "alert.invalid_fields", {"zones.0.radius": ["يجب ألا يقل نصف القطر عن 1"]}),
    ),
    Row(
        ANY,
        "/masked/none",
        200,
        "success: false, without a status, under HTTP 200.",
        body=as_json({"success": False, "error": {"code": "error", "message": "The parcel was not weighed"}}),
    ),
    Row(ANY, "/disagree", 422, "HTTP says 422, the body 404.", body=_bad(404, "error", "لا توجد شحنة بهذا الرقم")),
    Row(
        ANY,
        "/odd/null-message",
        422,
        "A message that is the text null.",
        body=_bad(422, "validation_failed", "null", {"sku": ["This SKU is already in use"]}),
    ),
    Row(
        ANY,
        "/odd/no-code",
        400,
        "No code at all.",
        body=as_json({"status": 400, "success": False, "error": {"message": "تعذر حفظ النقاط"}}),
    ),
    Row(ANY, "/odd/zero-code", 401, "A code that is the number 0.", body=_bad(401, 0, "The seal was broken")),
    Row(
        ANY,
        "/odd/no-fields",
        422,
        "A rule of the shop; no field is wrong.",
        body=_bad(422, 422, "رصيد المحفظة أقل من مبلغ الاسترجاع"),
    ),
    Row(
        ANY,
        "/odd/bilingual-message",
        422,
        "A message in two languages about one field.",
        body=as_json(
            {
                "success": False,
                "error": {
                    "field": "webhook",
                    "message": {"en": "This webhook address is invalid", "ar": "عنوان الإشعار غير صالح"},
                },
            }
        ),
    ),
    Row("GET", "/products.xml", 406, "Only JSON.", body=_bad(406, "not_acceptable", "Only JSON is spoken here")),
    Row(
        ANY,
        "/gateway-page",
        502,
        "A page of the server in front of the API.",
        headers=(HTML,),
        body=b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n",
    ),
)

ROWS: Final = (
    *_STATUSES,
    *_CASES_OF_401,
    *_PRODUCT_ROWS,
    *_ORDER_ROWS,
    *_CUSTOMER_ROWS,
    *_ODD,
    *hazards(_good(200, _PRODUCTS), _bad(500, "server_error", "A shelf fell over")),
)

API: Final = DemoApi(
    dialect="salla",
    rows=ROWS,
    not_found=Row(ANY, "/nowhere", 404, "No such path.", body=_bad(404, "not_found", "No such aisle")),
    method_not_allowed=next(row for row in ROWS if row.status == 405),
)
