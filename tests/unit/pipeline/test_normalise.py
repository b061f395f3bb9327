"""Any reply to an answer; that there always is one is a property (tests/property/test_normalise.py)."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET

from gateway.catalog import CODES
from gateway.errors import TransportReason
from gateway.headers import AddressMap
from gateway.model import Origin, Party, Problem, Reply, Stage, Success
from gateway.pipeline.normalise import normalise, own_problem, transport_problem
from tests.unit.pipeline.plans import plan_with

if TYPE_CHECKING:
    from gateway.pipeline.plan import Plan

NOW_S = 1_767_225_600.0
JSON = (b"Content-Type", b"application/json")
OWN: dict[str, Any] = {
    "errors": [
        {"name": "masked", "when": {"status": "2xx", "body": {"equals": {"ok": False}}}},
        {"name": "any", "when": {"body": {"type": {"@": "object"}}}},
    ],
    "read": {"status": "status", "code": "code", "message": "message", "extensions": True},
    "codes": {
        "E_SCOPE": "insufficient_scope",
        "E_SLOW": "rate_limited",
        "E_SPENT": "quota_exhausted",
        "E_GONE": "gone",
        "E_KEY": "token_invalid",
        "E_BILL": "account_disabled",
    },
    "statuses": {418: "maintenance", 420: "rate_limited"},
    "success": {"data": "data", "pagination": {"from": "page", "next": "next", "prev": "prev"}},
}


def _reply(body: object, status: int, *headers: tuple[bytes, bytes]) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers=(JSON, *headers), body=data)


def _problem(body: object, status: int, *headers: tuple[bytes, bytes], **changes: Any) -> Problem:  # noqa: ANN401
    result = normalise(_reply(body, status, *headers), plan_with(OWN, **changes), NOW_S)
    assert isinstance(result, Problem)
    return result


@pytest.mark.parametrize(
    ("status", "body", "told", "code"),
    [
        (401, {"code": "E_SCOPE"}, 403, "insufficient_scope"),
        (403, {"code": "E_SLOW"}, 429, "rate_limited"),
        (400, {"code": "E_GONE"}, 410, "gone"),
        (404, {"code": "E_OTHER"}, 404, "not_found"),
        (418, {}, 418, "maintenance"),
        (409, {}, 409, "conflict"),
        (507, {}, 507, "upstream_error"),
        (200, {"ok": False, "status": 404}, 404, "not_found"),
        (200, {"ok": False, "status": 200}, 502, "upstream_error"),
        (200, {"ok": False, "code": "E_GONE"}, 410, "gone"),
        (200, {"ok": False}, 502, "upstream_error"),
        (407, {}, 502, "upstream_credentials_rejected"),
        (600, {}, 502, "upstream_error"),
        (999, {"code": "E_GONE"}, 502, "upstream_error"),
    ],
)
def test_which_status_the_client_gets(status: int, body: object, told: int, code: str) -> None:
    """A named code brings its own status, a derived one keeps the upstream's, and an error is never below 400."""
    problem = _problem(body, status)
    assert (problem.status, problem.code) == (told, CODES[code])
    assert problem.upstream is not None
    assert problem.upstream.status == status


@pytest.mark.parametrize(
    ("status", "body", "told", "code"),
    [
        (401, {}, 502, "upstream_credentials_rejected"),
        (400, {"code": "E_KEY"}, 502, "upstream_credentials_rejected"),
        (401, {"code": "E_SCOPE"}, 502, "upstream_credentials_rejected"),
        (402, {"code": "E_BILL"}, 502, "upstream_credentials_rejected"),
        (200, {"ok": False, "status": 401}, 502, "upstream_credentials_rejected"),
        (407, {}, 502, "upstream_credentials_rejected"),
        (403, {}, 403, "permission_denied"),
        (429, {}, 503, "upstream_budget_exhausted"),
        (403, {"code": "E_SLOW"}, 503, "upstream_budget_exhausted"),
        (400, {"code": "E_SPENT"}, 503, "upstream_budget_exhausted"),
        (420, {}, 503, "upstream_budget_exhausted"),
        (404, {}, 404, "not_found"),
        (500, {}, 500, "upstream_error"),
    ],
)
def test_faults_of_our_own_credential_are_not_the_clients(status: int, body: object, told: int, code: str) -> None:
    """The client cannot mend a token that it never saw, nor wait out a quota that others share."""
    problem = _problem(body, status, owns_credential=True)
    assert (problem.status, problem.code) == (told, CODES[code])
    assert problem.upstream is not None
    assert problem.upstream.status == status


def test_a_401_of_our_own_credential_never_reaches_the_client() -> None:
    """Not even where a dialect calls it something that is no fault of a credential."""
    plan = plan_with({**OWN, "statuses": {401: "maintenance"}}, owns_credential=True)
    result = normalise(_reply({}, 401), plan, NOW_S)
    assert isinstance(result, Problem)
    assert result.status == 502


def test_when_to_try_again_survives() -> None:
    """A shared quota that is spent is told with the time that the upstream named."""
    problem = _problem({}, 429, (b"Retry-After", b"30"), owns_credential=True)
    assert (problem.retry.retryable, problem.retry.after) == (True, 30)


@pytest.mark.parametrize(
    ("value", "after", "kind"),
    [(b"30", 30, int), (b"1.5", 1.5, float), (b"2.0", 2, int), (b"1.0001", 1.001, float), (b"1e300", None, type(None))],
)
def test_whole_seconds_are_whole_numbers(value: bytes, after: float | None, kind: type) -> None:
    """`23`, not `23.0`; at most milliseconds, and never earlier than was said."""
    found = _problem({}, 503, (b"Retry-After", value)).retry.after
    assert found == after
    assert type(found) is kind


def test_what_the_upstream_said_is_kept_beside_what_is_told() -> None:
    """Its words are its own; who must act is the catalogue's."""
    problem = _problem({"code": "E_GONE", "message": "It went"}, 400)
    assert problem.detail == "It went"
    assert (problem.source.origin, problem.source.fault) == (Origin.UPSTREAM, Party.CLIENT)
    assert (problem.source.upstream, problem.source.stage) == ("shop", Stage.RESPONSE)
    assert problem.upstream is not None
    assert (problem.upstream.code, problem.upstream.message, problem.upstream.dialect) == ("E_GONE", "It went", "own")


def test_the_upstreams_words_may_be_kept_from_clients() -> None:
    """Where the upstream must not be shown, nothing but our own members is told."""
    assert _problem({"code": "E_GONE"}, 400, expose_upstream=False).upstream is None


def test_extension_members_do_not_take_our_names() -> None:
    """Those that clash are shown among what the upstream said; `errors` that were understood stand in our own."""
    problem = _problem({"balance": 30, "category": "coins", "request_id": 7, "errors": [1]}, 400)
    assert {name: bytes(raw) for name, raw in (problem.extensions or {}).items()} == {"balance": b"30"}
    assert problem.upstream is not None
    assert problem.upstream.extensions is not UNSET
    clashing = {name: bytes(raw) for name, raw in problem.upstream.extensions.items()}
    assert clashing == {"category": b'"coins"', "request_id": b"7", "errors": b"[1]"}


def test_errors_that_were_understood_are_not_told_twice() -> None:
    """Field errors in our form stand for the upstream's."""
    dialect = {**OWN, "read": {**OWN["read"], "fields": {"from": "errors"}}}
    result = normalise(_reply({"errors": {"size": "no"}}, 400), plan_with(dialect), NOW_S)
    assert isinstance(result, Problem)
    assert (len(result.errors), result.extensions) == (1, None)
    assert result.upstream is not None
    assert result.upstream.extensions is UNSET


@pytest.mark.parametrize(
    ("body", "status", "changes", "kind"),
    [
        ({"data": 1}, 200, {}, Success),
        ({"data": 1}, 200, {"unify": False}, None),
        ({"data": 1}, 200, {"translate": False}, Success),
        ({"ok": False}, 200, {"translate": False}, Success),
        ({"ok": False}, 200, {"unify": False}, Problem),
        ({"ok": False}, 400, {"translate": False}, None),
        ({}, 400, {"unify": False}, Problem),
        (b"words", 200, {}, None),
        (b"<html>", 500, {}, Problem),
    ],
)
def test_what_is_not_to_be_changed_passes(
    body: object, status: int, changes: dict[str, Any], kind: type[Problem | Success] | None
) -> None:
    """Errors are told in our format unless the route passes them, successes only where they are unified."""
    result = normalise(_reply(body, status), plan_with(OWN, **changes), NOW_S)
    assert (type(result) if result is not None else None) is kind


def test_a_plan_that_unifies_without_a_reader_passes() -> None:
    """A dialect that says nothing of successes has nothing to unify them by."""
    assert normalise(_reply({"data": 1}, 200), plan_with("auto", unify=True), NOW_S) is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("https://api.shop.example/v2/a?page=2", "/shop/a?page=2"),
        ("HTTP://API.shop.example:80/v2/a", "/shop/a"),
        ("/v2/a?page=2&key=k", "/shop/a?page=2"),
        ("/other/a", None),
        ("https://api.shop.example/v3", None),
        ("?page=2&key=k", "?page=2"),
        ("https://cdn.example/a?key=k", "https://cdn.example/a?key=k"),
        ("\u0645/a", "\u0645/a"),
        (None, None),
    ],
)
def test_page_links_lead_through_us(said: str | None, told: str | None) -> None:
    """Addresses of the upstream are rewritten or left out, others are left."""
    links = AddressMap(authority=b"api.shop.example", path=b"/v2", public=b"/shop", parameters=frozenset({b"key"}))
    result = normalise(_reply({"data": [], "page": {"next": said}}, 200), plan_with(OWN, links=links), NOW_S)
    assert isinstance(result, Success)
    assert result.pagination is not None or said is None
    assert (result.pagination and result.pagination.next) == told


def test_page_links_are_left_where_nobody_says_what_they_become() -> None:
    """An example of a dialect knows no address."""
    body = {"data": [], "page": {"next": "https://api.shop.example/a"}}
    result = normalise(_reply(body, 200), plan_with(OWN, links=None), NOW_S)
    assert isinstance(result, Success)
    assert result.pagination is not None
    assert result.pagination.next == "https://api.shop.example/a"


def test_what_is_said_of_our_credential_is_not_told() -> None:
    """It may quote it, and would help no client: the catalogue's sentence stands in its place."""
    problem = _problem({"code": "E_KEY", "message": "Bad token abc"}, 401, owns_credential=True)
    assert problem.code is CODES["upstream_credentials_rejected"]
    assert problem.detail is None
    assert problem.upstream is not None
    assert (problem.upstream.code, problem.upstream.message) == ("E_KEY", None)


GZIP = (b"Content-Encoding", b"gzip")
_PACKED = gzip.compress(b'{"message": "It went' + bytes(range(48, 91)) * 9 + b'", "code": "E_GONE"}', mtime=0)


@pytest.mark.parametrize(
    ("body", "cut", "headers", "truncated"),
    [
        (b'{"message": "It went"}', False, (), UNSET),
        (b'{"message": "It went', False, (), True),
        (b'{"message": "It went"}', True, (), True),
        (b'{"message": "It went", "code": "E_GO', True, (), True),
        (gzip.compress(b'{"message": "It went"}', mtime=0), False, (GZIP,), UNSET),
        (gzip.compress(b'{"message": "It went"}', mtime=0)[:-8], False, (GZIP,), True),
        (_PACKED[:40], True, (GZIP,), True),
    ],
)
def test_that_more_may_have_been_said_is_told(
    body: bytes, cut: bool, headers: tuple[tuple[bytes, bytes], ...], truncated: object
) -> None:
    """A body that ends early, or of which only the beginning was held, is read, and clients know of it."""
    reply = Reply(status=500, headers=(JSON, *headers), body=body, cut=cut)
    problem = normalise(reply, plan_with(OWN), NOW_S)
    assert isinstance(problem, Problem)
    assert problem.upstream is not None
    assert problem.detail is not None
    assert problem.detail.startswith("It went")
    assert problem.upstream.truncated is truncated


def _limited(**limits: int) -> Plan:
    return plan_with(OWN, **{"success_bytes": 1_000, "error_bytes": 1_000, **limits})


@pytest.mark.parametrize(
    ("body", "status", "limits", "detail"),
    [
        (gzip.compress(b'{"message": "It went"}', mtime=0), 400, {}, "It went"),
        (gzip.compress(b'{"message": "It went"}', mtime=0), 400, {"error_bytes": 5}, None),
        (b'{"message": "It went"}', 400, {}, None),
        (gzip.compress(b'{"ok": false, "message": "It went"}', mtime=0), 200, {}, "It went"),
    ],
)
def test_an_error_in_a_coding_is_read(body: bytes, status: int, limits: dict[str, int], detail: str | None) -> None:
    """An error whose coding cannot be undone is still an error, told by its status alone."""
    result = normalise(_reply(body, status, GZIP), _limited(**limits), NOW_S)
    assert isinstance(result, Problem)
    assert result.detail == detail


@pytest.mark.parametrize(
    ("body", "limits", "data"),
    [
        (gzip.compress(b'{"data": 1e400}', mtime=0), {}, b"1e400"),
        (gzip.compress(b'{"data": 1e400}', mtime=0), {"success_bytes": 5}, None),
        (b'{"data": 1e400}', {}, None),
    ],
)
def test_a_success_whose_coding_cannot_be_undone_passes(
    body: bytes, limits: dict[str, int], data: bytes | None
) -> None:
    """What was not read is not touched."""
    result = normalise(_reply(body, 200, GZIP), _limited(**limits), NOW_S)
    assert (result.data if isinstance(result, Success) else result) == data


def test_fields_were_in_the_query_where_there_was_no_body() -> None:
    """A GET has no body to point into."""
    body = {"error": {"message": "no", "fields": {"page": ["no"]}}}
    result = normalise(_reply(body, 422), plan_with("salla"), NOW_S, in_body=False)
    assert isinstance(result, Problem)
    assert [(error.location, error.pointer) for error in result.errors] == [("query", None)]


@pytest.mark.parametrize(
    ("reason", "code", "stage", "origin"),
    [
        (TransportReason.DNS_ERROR, "upstream_unreachable", Stage.CONNECT, Origin.TRANSPORT),
        (TransportReason.CONNECTION_REFUSED, "upstream_unreachable", Stage.CONNECT, Origin.TRANSPORT),
        (TransportReason.DESTINATION_IP_UNROUTABLE, "upstream_unreachable", Stage.CONNECT, Origin.TRANSPORT),
        (TransportReason.TLS_PROTOCOL_ERROR, "upstream_tls_failed", Stage.CONNECT, Origin.TRANSPORT),
        (TransportReason.TLS_CERTIFICATE_ERROR, "upstream_tls_failed", Stage.CONNECT, Origin.TRANSPORT),
        (TransportReason.CONNECTION_LIMIT_REACHED, "upstream_saturated", Stage.CONNECT, Origin.GATEWAY),
        (TransportReason.CONNECTION_TIMEOUT, "upstream_timeout", Stage.CONNECT, Origin.TRANSPORT),
        (TransportReason.HTTP_RESPONSE_TIMEOUT, "upstream_timeout", Stage.RESPONSE, Origin.TRANSPORT),
        (TransportReason.CONNECTION_TERMINATED, "upstream_protocol_error", Stage.RESPONSE, Origin.TRANSPORT),
        (TransportReason.HTTP_RESPONSE_INCOMPLETE, "upstream_protocol_error", Stage.RESPONSE, Origin.TRANSPORT),
        (TransportReason.HTTP_PROTOCOL_ERROR, "upstream_protocol_error", Stage.RESPONSE, Origin.TRANSPORT),
    ],
)
def test_an_exchange_without_an_answer(reason: TransportReason, code: str, stage: Stage, origin: Origin) -> None:
    """Each reason has its code, its status and its stage; the upstream is named, and nothing of it is quoted."""
    problem = transport_problem(reason, "shop")
    assert (problem.code, problem.status) == (CODES[code], CODES[code].status)
    assert (problem.source.origin, problem.source.stage, problem.source.upstream) == (origin, stage, "shop")
    assert (problem.upstream, problem.detail, problem.errors) == (None, None, ())


def test_every_reason_has_a_problem() -> None:
    """No failure of the wire is without an answer."""
    assert all(transport_problem(reason, "shop").status >= 500 for reason in TransportReason)


def test_a_failure_of_our_own() -> None:
    """It names a code of the catalogue, and says when to come back if that is known."""
    problem = own_problem("rate_limited", Stage.LIMIT, after=2.0, detail="Slow down")
    assert (problem.status, problem.retry.after, problem.detail) == (429, 2, "Slow down")
    assert (problem.source.origin, problem.source.fault, problem.source.upstream) == (
        Origin.GATEWAY,
        Party.CLIENT,
        None,
    )
    with pytest.raises(KeyError):
        own_problem("no_such_code", Stage.LIMIT)


@pytest.mark.parametrize("dialect", ["salla", "auto"])
@pytest.mark.parametrize(("said", "told"), [((), None), (((b"content-language", b"fr-CA"),), "fr-CA")])
def test_the_language_of_the_upstreams_words(
    dialect: str, said: tuple[tuple[bytes, bytes], ...], told: str | None
) -> None:
    """It is known where the upstream says it, and nowhere else."""
    result = normalise(_reply({"error": {"message": "No such thing"}}, 404, *said), plan_with(dialect), NOW_S)
    assert isinstance(result, Problem)
    assert (result.detail, result.language) == ("No such thing", told)


def test_the_language_of_our_own_reasons() -> None:
    """They are in English, and the catalogue's sentences in any language of the catalogue."""
    assert own_problem("malformed_request", Stage.REQUEST, detail="it has two lengths").language == "en"
    assert own_problem("malformed_request", Stage.REQUEST).language is None
