"""The code of an error about which only its HTTP status is known."""

from __future__ import annotations

import pytest

from gateway.catalog import for_status
from gateway.catalog.statuses import STATUSES, parse_statuses
from gateway.errors import ConfigError

EXPECTED = {
    400: "invalid_request",
    401: "unauthenticated",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    409: "conflict",
    410: "gone",
    412: "precondition_failed",
    413: "body_too_large",
    414: "target_too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    417: "expectation_failed",
    419: "session_expired",
    422: "validation_failed",
    423: "locked",
    424: "conflict",
    428: "precondition_required",
    429: "rate_limited",
    431: "head_too_large",
    440: "session_expired",
    451: "unavailable_for_legal_reasons",
    498: "token_invalid",
    500: "upstream_error",
    501: "not_implemented",
    502: "upstream_error",
    503: "service_unavailable",
    504: "upstream_timeout",
    522: "upstream_timeout",
    526: "upstream_tls_failed",
    529: "service_unavailable",
}


@pytest.mark.parametrize(("status", "code"), EXPECTED.items())
def test_status_names_its_code(status: int, code: str) -> None:
    """A status with a meaning of its own gives the code of that meaning."""
    assert for_status(status).name == code


@pytest.mark.parametrize("status", [418, 421, 452, 492])
def test_unlisted_client_error(status: int) -> None:
    """An unlisted 4xx is the request's fault, whatever it is."""
    assert for_status(status).name == "invalid_request"


@pytest.mark.parametrize("status", [505, 508, 510, 555, 600, 999, 200, 302, 0, -1])
def test_everything_else(status: int) -> None:
    """An error under any other status, even one that is no error, is the upstream's."""
    assert for_status(status).name == "upstream_error"


def test_class_of_a_status_is_the_class_of_its_fault() -> None:
    """A 4xx never becomes the upstream's fault, nor a 5xx the client's; 407 is the operator's (see statuses.yaml)."""
    blamed = {status for status, code in STATUSES.items() if (status < 500) != (code.fault == "client")}
    assert blamed == {407}


def test_faults_are_all_told() -> None:
    """A status out of range and a code that is not in the catalogue are each told with their place."""
    with pytest.raises(ConfigError) as caught:
        parse_statuses("200: conflict\n404: lost\nfour: gone\n", "statuses.yaml")
    assert str(caught.value).splitlines() == [
        "statuses.yaml:1:1 200: is no status from 400 to 599",
        "statuses.yaml:2:1 404: 'lost' is no code of the catalogue",
        "statuses.yaml:3:1 four: is no status from 400 to 599",
    ]
