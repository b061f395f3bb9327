"""The closed list of codes, and the strictness of what reads it."""

from __future__ import annotations

import re

import pytest

from gateway.catalog import CODES
from gateway.catalog.codes import parse_codes
from gateway.errors import ConfigError
from gateway.model import Category, Code, Party

CLOSED_LIST = """
    invalid_request 400 invalid_request | malformed_request 400 invalid_request | request_timeout 408 timeout
    validation_failed 422 validation | processing_failed 422 conflict
    unauthenticated 401 unauthenticated | token_invalid 401 unauthenticated | token_expired 401 unauthenticated
    session_expired 401 unauthenticated | account_deleted 401 unauthenticated | account_inactive 401 unauthenticated
    client_invalid 401 unauthenticated | grant_invalid 400 unauthenticated | grant_reused 400 unauthenticated
    permission_denied 403 permission_denied | insufficient_scope 403 permission_denied
    unavailable_for_legal_reasons 451 permission_denied
    not_found 404 not_found | route_not_found 404 not_found | method_not_allowed 405 method_not_allowed
    not_acceptable 406 not_acceptable | gone 410 gone
    conflict 409 conflict | already_exists 409 conflict | idempotency_conflict 409 conflict | locked 423 conflict
    precondition_failed 412 precondition_failed | precondition_required 428 precondition_failed
    header_missing 412 precondition_failed | expectation_failed 417 precondition_failed
    body_too_large 413 too_large | target_too_large 414 too_large | head_too_large 431 too_large
    unsupported_media_type 415 unsupported_media_type | range_not_satisfiable 416 invalid_request
    payment_required 402 payment_required | payment_declined 402 payment_required
    account_disabled 402 payment_required
    rate_limited 429 rate_limited | quota_exhausted 429 quota_exhausted
    upstream_error 502 upstream_error | not_implemented 501 upstream_error
    upstream_protocol_error 502 upstream_error | upstream_credentials_rejected 502 upstream_error
    service_unavailable 503 unavailable | maintenance 503 unavailable | upstream_unreachable 503 unavailable
    upstream_tls_failed 503 unavailable | upstream_saturated 503 unavailable | upstream_unavailable 503 unavailable
    upstream_budget_exhausted 503 unavailable | upstream_timeout 504 timeout
    store_unavailable 503 unavailable | shutting_down 503 unavailable
    loop_detected 502 internal | internal 500 internal
"""
CREDENTIAL = {
    "unauthenticated",
    "token_invalid",
    "token_expired",
    "session_expired",
    "account_deleted",
    "account_inactive",
    "client_invalid",
    "grant_invalid",
    "grant_reused",
    "insufficient_scope",
    "payment_required",
    "account_disabled",
}
GATEWAY = {"upstream_credentials_rejected", "store_unavailable", "shutting_down", "loop_detected", "internal"}
ENTRY = """
teapot:
  category: conflict
  title: It is a teapot
  status: 418
  fault: client
  retryable: false
  happened: {en: Coffee was asked of a teapot., ar: طُلبت القهوة من إبريق شاي.}
  action: {en: Ask for tea., ar: اطلب شايًا.}
"""


def test_list_is_closed() -> None:
    """A code is added, renamed or moved to another status or category on purpose only: SDKs branch on it."""
    listed = [tuple(row.split()) for row in re.split(r"[|\n]", CLOSED_LIST) if row.strip()]
    assert [(code.name, str(code.status), code.category.value) for code in CODES.values()] == listed


def test_each_name_is_its_key() -> None:
    """The mapping and the values agree on names."""
    assert all(code.name == name for name, code in CODES.items())


def test_each_category_has_a_code() -> None:
    """No category is empty: clients may rely on meeting it."""
    assert {code.category for code in CODES.values()} == set(Category)


def test_faults_of_credentials_are_marked() -> None:
    """Those codes, and no others, turn into `upstream_credentials_rejected` where the credential is the gateway's."""
    assert {name for name, code in CODES.items() if code.credential} == CREDENTIAL


def test_who_must_act() -> None:
    """4xx is the client's; of the others the gateway's are named, and the rest are the upstream's."""
    for name, code in CODES.items():
        expected = Party.CLIENT if code.status < 500 else Party.GATEWAY if name in GATEWAY else Party.UPSTREAM
        assert code.fault is expected, name


def test_validation_sentence() -> None:
    """The sentence that the documented example shows."""
    code = CODES["validation_failed"]
    assert code.title == "The request has invalid fields"
    assert code.happened["en"] == "One or more fields were refused; each is listed under errors."


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_arabic_is_arabic(code: Code) -> None:
    """Sentences are in the language that they are filed under."""
    for sentences in (code.happened, code.action):
        assert list(sentences) == ["en", "ar"]
        assert sentences["en"].isascii()
        letters = [letter for letter in sentences["ar"] if letter.isalpha()]
        assert sum(letter > "\u0600" for letter in letters) > len(letters) * 0.6


def test_catalogue_cannot_be_changed() -> None:
    """The list and its sentences are the same for everybody who reads them."""
    with pytest.raises(TypeError):
        CODES["conflict"] = CODES["gone"]  # type: ignore[index]
    with pytest.raises(TypeError):
        CODES["conflict"].happened["en"] = "No."  # type: ignore[index]


def test_entry_is_read() -> None:
    """`credential` is false unless it is said."""
    code = parse_codes(ENTRY, "codes.yaml")["teapot"]
    assert (code.status, code.category, code.credential) == (418, Category.CONFLICT, False)
    assert code.action["ar"] == "اطلب شايًا."


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (ENTRY.replace(", ar: اطلب شايًا.", ""), ["codes.yaml:2:1 teapot: Object missing required field `ar`"]),
        (ENTRY.replace("ar: اطلب", "fr: اطلب"), ["teapot: Object contains unknown field `fr` - at `$.action`"]),
        (ENTRY.replace("conflict", "quarrel"), ["teapot: Invalid enum value 'quarrel' - at `$.category`"]),
        (ENTRY.replace("client", "nobody"), ["teapot: Invalid enum value 'nobody' - at `$.fault`"]),
        (ENTRY.replace("418", "200"), ["teapot: Expected `int` >= 400 - at `$.status`"]),
        (ENTRY.replace("418", "'418'"), ["teapot: Expected `int`, got `str` - at `$.status`"]),
        (ENTRY.replace("Ask for tea.", "Ask for tea"), [r"teapot: Expected `str` matching regex '^\\S.*\\.$'"]),
        (ENTRY + "  colour: brown\n", ["teapot: Object contains unknown field `colour`"]),
        (ENTRY.replace("teapot:", "Tea-Pot:"), ["Tea-Pot: a code is a name in snake_case, of the letters a to z"]),
        (ENTRY.replace("teapot:", "418:"), ["418: a code is a name in snake_case, of the letters a to z"]),
        (ENTRY + "  status: 419\n", ["codes.yaml:10:3 status: is there twice"]),
        (ENTRY + ENTRY, ["codes.yaml:11:1 teapot: is there twice"]),
        ("a: {}\nb: {}\n", ["codes.yaml:1:1 a: ", "codes.yaml:2:1 b: "]),
        ("- a\n- b\n", ["codes.yaml: must be a mapping"]),
        ("", ["codes.yaml: must be a mapping"]),
        ("a: [1, 2\n", ["codes.yaml:2:1: did not find expected ',' or ']'"]),
    ],
)  # fmt: skip
def test_faults_are_all_told(text: str, faults: list[str]) -> None:
    """What is incomplete, unknown, twice or no YAML stops the load; every entry's fault is told with its place."""
    with pytest.raises(ConfigError) as caught:
        parse_codes(text, "codes.yaml")
    told = str(caught.value).splitlines()
    assert len(told) == len(faults)
    for line, fault in zip(told, faults, strict=True):
        assert fault in line
