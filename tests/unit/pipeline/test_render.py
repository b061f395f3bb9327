"""Problems and successes to bytes, and the header fields that go with them."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec import Raw

from gateway.catalog import CODES
from gateway.errors import TransportReason
from gateway.model import ItemWarning, Origin, Pagination, Problem, Stage, Success
from gateway.pipeline.document import OWN_MEMBERS
from gateway.pipeline.normalise import own_problem, transport_problem
from gateway.pipeline.render import problem_document, proxy_status, retry_after, success_document

ID = "019ab4c2-77aa-7d2e-9e0b-3d1f5f1c2a10"
PROBLEM = own_problem("not_found", Stage.RESPONSE, upstream="shop", origin=Origin.UPSTREAM)


def test_extension_members_stand_behind_ours() -> None:
    """Byte for byte, whatever numbers and spaces they hold."""
    problem = msgspec.structs.replace(PROBLEM, extensions={"balance": Raw(b"1e400"), "a": Raw(b"[ 1,2 ]")})
    document = problem_document(problem, ID, None)
    assert document.endswith(b',"balance":1e400,"a":[ 1,2 ]}')
    assert list(json.loads(document))[-2:] == ["balance", "a"]
    assert set(json.loads(problem_document(PROBLEM, ID, None))) == OWN_MEMBERS - {"upstream"}


@pytest.mark.parametrize(
    ("success", "document"),
    [
        (
            Success(status=200, data=b"[1e400, 0.10]", dialect="a"),
            b'{"data":[1e400, 0.10],"meta":{"request_id":"%s","upstream":"shop"}}',
        ),
        (
            Success(status=200, data=b"null", dialect="a", message="Done"),
            b'{"data":null,"meta":{"request_id":"%s","upstream":"shop","message":"Done"}}',
        ),
        (
            Success(status=200, data=b"[]", dialect="a", pagination=Pagination(page=1, has_more=False)),
            (
                b'{"data":[],"meta":{"request_id":"%s","upstream":"shop","pagination":{"page":1,"per_page":null,"total":null,'
                b'"total_pages":null,"next":null,"prev":null,"has_more":false}}}'
            ),
        ),
        (
            Success(
                status=207,
                data=b"{}",
                dialect="a",
                warnings=(ItemWarning(index=1, upstream_code="E1", detail=None, field="size"),),
            ),
            (
                b'{"data":{},"meta":{"request_id":"%s","upstream":"shop"},'
                b'"warnings":[{"index":1,"upstream_code":"E1","detail":null,"field":"size"}]}'
            ),
        ),
    ],
)
def test_a_success(success: Success, document: bytes) -> None:
    """`data` as it came, `meta` with what is known, `warnings` only where something failed."""
    assert success_document(success, ID, "shop") == document % ID.encode()


@pytest.mark.parametrize(
    ("after", "value"), [(None, None), (0, b"1"), (5, b"5"), (0.001, b"1"), (1.5, b"2"), (86_400.0, b"86400")]
)
def test_retry_after_is_rounded_up(after: float | None, value: bytes | None) -> None:
    """The field has whole seconds; a client that waits as it says has waited long enough."""
    assert retry_after(own_problem("rate_limited", Stage.LIMIT, after=after)) == value


def test_only_a_limit_of_ours_rounds_nothing_up_to_a_second() -> None:
    """What somebody else said stands: now means now."""
    assert retry_after(own_problem("service_unavailable", Stage.RESPONSE, after=0)) == b"0"


def _own(code: str, stage: Stage) -> Problem:
    return own_problem(code, stage)


@pytest.mark.parametrize(
    ("problem", "reason", "received", "value"),
    [
        (PROBLEM, None, 410, b"accord; received-status=410"),
        (PROBLEM, None, None, b"accord; received-status=404"),
        (_own("route_not_found", Stage.ROUTE), None, None, b"accord; error=http_request_denied"),
        (_own("rate_limited", Stage.LIMIT), None, None, b"accord; error=http_request_denied"),
        (_own("unauthenticated", Stage.AUTH), None, None, b"accord; error=http_request_denied"),
        (_own("malformed_request", Stage.REQUEST), None, None, b"accord; error=http_request_error"),
        (_own("body_too_large", Stage.REQUEST), None, None, b"accord; error=http_request_error"),
        (_own("upstream_saturated", Stage.CONNECT), None, None, b"accord; error=connection_limit_reached"),
        (_own("upstream_unavailable", Stage.CONNECT), None, None, b"accord; error=destination_unavailable"),
        (_own("loop_detected", Stage.ROUTE), None, None, b"accord; error=proxy_loop_detected"),
        (_own("internal", Stage.TRANSLATE), None, None, b"accord; error=proxy_internal_error"),
        (
            transport_problem(TransportReason.DNS_ERROR, "shop"),
            TransportReason.DNS_ERROR,
            None,
            b"accord; error=dns_error",
        ),
        (
            transport_problem(TransportReason.HTTP_RESPONSE_TIMEOUT, "shop"),
            TransportReason.HTTP_RESPONSE_TIMEOUT,
            None,
            b"accord; error=http_response_timeout",
        ),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else None,
)
def test_proxy_status(problem: Problem, reason: TransportReason | None, received: int | None, value: bytes) -> None:
    """RFC 9209: the status that the upstream gave, or the type of error that this gateway met."""
    assert proxy_status(problem, "accord", reason, received) == value


ERROR_TYPES = {
    "dns_error", "connection_refused", "destination_ip_unroutable", "connection_terminated", "tls_protocol_error",
    "tls_certificate_error", "connection_limit_reached", "connection_timeout", "http_response_timeout",
    "http_response_incomplete", "http_protocol_error", "http_request_error", "http_request_denied",
    "destination_unavailable", "proxy_loop_detected", "proxy_internal_error",
}  # fmt: skip


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("code", CODES)
def test_every_failure_of_ours_has_a_registered_type(code: str, stage: Stage) -> None:
    """Whatever fails at whatever stage, the type is one of RFC 9209 section 2.3."""
    name, _, kind = proxy_status(own_problem(code, stage), "eu-1").decode().partition("; error=")
    assert name == "eu-1"
    assert kind in ERROR_TYPES
