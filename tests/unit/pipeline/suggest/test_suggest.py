"""Which dialect is suggested for which replies."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.model import Reply
from gateway.pipeline.suggest import Suggestion, dialect_yaml, suggest

JSON = (b"Content-Type", b"application/json")
FAULT = {"fault": {"kind": "E_ONE", "text": "One thing is wrong."}}


def _reply(status: int, tree: object, *headers: tuple[bytes, bytes]) -> Reply:
    return Reply(status=status, headers=(JSON, *headers), body=msgspec.json.encode(tree))


def _spec(*replies: Reply, failed: tuple[bool | None, ...] = ()) -> dict[str, Any]:
    found = suggest(replies, failed=failed, use_presets=False, always_own=True).dialect
    assert isinstance(found, dict)
    return found


def _rule(*replies: Reply) -> dict[str, Any]:
    """Return the first rule with what the dialect reads."""
    spec = _spec(*replies)
    rule: dict[str, Any] = spec.get("read", {}) | spec["errors"][0]
    return rule


def test_nothing_gives_generic() -> None:
    """Without replies there is nothing to say that `generic` does not know."""
    assert suggest([]).dialect == "generic"


def test_a_preset_is_named_that_knows_the_replies() -> None:
    """Replies whose structure a preset knows, and all of which it reads, give its name."""
    error = {
        "status": 422,
        "success": False,
        "error": {"code": "x", "message": "It is wrong.", "fields": {"a": ["No."]}},
    }
    assert suggest([_reply(422, error)]).dialect == "salla"
    assert dialect_yaml(suggest([_reply(422, error)])) == "dialect: salla\n"


def test_a_preset_must_read_all_of_them() -> None:
    """A preset that knows half of the replies only is not named."""
    known = {"type": "a", "code": "b", "message": "It is wrong.", "param": None}
    assert (
        suggest([_reply(400, known), _reply(400, {"odd": {"says": "Something else is."}})]).dialect != "type-code-param"
    )


def test_a_preset_must_know_half_of_them() -> None:
    """A preset that knows one reply of many is not even tried."""
    known = {"type": "a", "code": "b", "message": "It is wrong.", "param": None}
    others = [_reply(400 + number, {"odd": {"says": "Something else is."}}) for number in range(4)]
    assert suggest([_reply(400, known), *others]).dialect != "type-code-param"


def test_a_preset_is_extended_by_codes() -> None:
    """Where a preset gives no meaning to a code whose word is plain, the dialect extends it."""
    error = {"type": "a", "code": "token_expired", "message": "Sign in again.", "param": None}
    spec = suggest([_reply(400, error)]).dialect
    assert spec == {"extends": "type-code-param", "codes": {"token_expired": "token_expired"}}


def test_presets_can_be_left_out() -> None:
    """A person may ask for rules of their own."""
    error = {"type": "a", "code": "b", "message": "It is wrong.", "param": "c"}
    assert _rule(_reply(400, error))["fields"] == {"from": "param", "shape": "param"}


def test_one_kind_is_read_once() -> None:
    """The same shape under 2xx and 4xx is one rule, and what it reads stands under `read`."""
    spec = _spec(_reply(400, FAULT), _reply(200, FAULT), _reply(200, {"id": 1}))
    assert spec["read"] == {"code": "fault.kind", "message": "fault.text"}
    assert [rule["when"]["status"] for rule in spec["errors"]] == [["2xx", "4xx-5xx"]]


def test_a_kind_in_xml_is_looked_for_under_2xx() -> None:
    """Under 2xx bodies that are not JSON are looked into only where a rule names their kind."""
    xml = (b"Content-Type", b"text/xml")
    bad = Reply(status=200, headers=(xml,), body=b"<r><fault><code>E7</code><text>It is wrong.</text></fault></r>")
    (rule,) = _spec(bad, Reply(status=200, headers=(xml,), body=b"<r><id>7</id></r>"))["errors"]
    assert (rule["when"]["status"], rule["when"]["kind"]) == ("2xx", "xml")


def test_named_fields_make_it_validation() -> None:
    """An error that names fields under 400 is one of validation; under 422 the status says so."""
    wrong = {"text": "It is wrong.", "wrong": [{"name": "a", "why": "It is odd."}]}
    expected = {"as": "validation_failed", "when": {"status": 400}, "fields": True}
    assert _spec(_reply(400, wrong), _reply(422, wrong))["classify"] == [expected]
    assert "classify" not in _spec(_reply(422, wrong))
    hidden = _spec(_reply(400, wrong), _reply(200, wrong | {"ok": False}))["classify"]
    assert hidden == [expected | {"when": {"status": ["2xx", 400]}}]


def test_kinds_are_rules() -> None:
    """Errors that say it at different places have rules of their own."""
    spec = _spec(_reply(400, FAULT), _reply(500, {"oops": "It broke down."}))
    assert [rule["message"] for rule in spec["errors"]] == ["fault.text", "oops"]


def test_request_ids_are_read_by_every_rule() -> None:
    """A field with the id of the request is read whatever the rule."""
    header = (b"X-Correlation-Id", b"c-7731")
    spec = _spec(_reply(400, FAULT, header), _reply(500, {"oops": "It broke down."}))
    assert all(rule["request_id"] == {"header": "X-Correlation-Id"} for rule in spec["errors"])


def test_lists_of_one_are_unwrapped() -> None:
    """An API that wraps its objects into lists is taken at its word."""
    assert _spec(_reply(400, [FAULT]))["unwrap"] is True


@pytest.mark.parametrize(
    ("bad", "good", "when"),
    [
        ({"v": 1, "ok": False, "text": "No."}, {"v": 1, "ok": True, "text": "Yes."}, {"equals": {"ok": False}}),
        ({"failed": "true", "text": "No way."}, {"text": "Yes."}, {"equals": {"failed": "true"}}),
        ({"result": "error", "text": "No."}, {"result": "fine", "text": "Yes."}, {"equals": {"result": "error"}}),
        ({"text": "It is not here.", "status": 404}, {"text": "Yes."}, {"status": {"status": "4xx-5xx"}}),
        ({"error": "It is gone."}, {"id": 1}, {"type": {"error": "string"}}),
        ({"errors": [{"text": "It is gone."}]}, {"id": 1}, {"type": {"errors[0].text": "string"}}),
    ],
)
def test_what_tells_errors_from_successes(bad: object, good: object, when: object) -> None:
    """A flag, a state, the body's own status, or what only errors have tells them apart."""
    (rule, *_) = _spec(_reply(200, bad), _reply(200, good))["errors"]
    assert rule["when"]["body"] == when
    assert rule["when"]["status"] == "2xx"


@pytest.mark.parametrize(
    ("good", "values"),
    [({"code": 0, "msg": "fine"}, 0), ({"code": "000", "msg": "fine"}, "000"), (None, [0, "0", 200])],
)
def test_a_number_tells_errors_from_successes(good: object, values: object) -> None:
    """Where the successes have one code, every other is an error; without a success the usual ones count."""
    replies = [_reply(200, {"code": 1017, "msg": "This is not right."}), *([_reply(200, good)] if good else [])]
    assert _spec(*replies)["errors"][0]["when"]["none"] == [{"body": {"equals": {"code": values}}}]


def test_several_good_numbers() -> None:
    """Successes with several codes are told by all of them."""
    spec = _spec(
        _reply(200, {"code": 1017, "msg": "This is not right."}),
        _reply(200, {"code": 0, "msg": "fine"}),
        _reply(200, {"code": 1, "msg": "fine"}),
    )
    assert spec["errors"][0]["when"]["none"] == [{"body": {"equals": {"code": [0, 1]}}}]


def test_what_cannot_be_told_is_said() -> None:
    """An error that looks like a success, and that only a person knows for one, is not guessed at."""
    replies = [_reply(200, {"text": "It is not here."}), _reply(200, {"text": "Here it is."})]
    found = suggest(replies, failed=[True, False], always_own=True)
    assert any("nothing tells the 1 errors under 2xx" in doubt for doubt in found.unsure)
    assert any("is no error" in doubt for doubt in found.unsure)


def test_a_code_of_another_type_is_no_sentinel() -> None:
    """Where successes have an object in the place of the code, nothing is told by it."""
    spec = _spec(
        _reply(200, {"code": 1017, "msg": "This is not right."}), _reply(200, {"code": {"a": 1}, "msg": "x y"})
    )
    assert "errors" not in spec


def test_a_status_of_two_kinds() -> None:
    """Where not every error declares its status, its absence says nothing, and the code is looked at."""
    told = {"code": 1017, "msg": "It is wrong.", "status": 404}
    replies = [_reply(200, told), _reply(200, {"code": 1018, "msg": "It is not."})]
    assert _spec(*replies)["errors"][0]["when"]["body"] == {"type": {"code": ["number", "string"]}}


def test_a_state_of_a_thing_is_no_error() -> None:
    """A payment that failed is a payment: a state alone, which nothing explains, makes no error."""
    assert not suggest([_reply(200, {"id": 7, "state": "failed", "sum": 5})]).readings[0].is_error


def test_a_person_knows_better() -> None:
    """What a person says is a success is none of the errors."""
    assert suggest([_reply(200, {"ok": False, "text": "No."})], failed=[False], always_own=True).dialect == "generic"


def test_success_was_taken_for_an_error() -> None:
    """A success that the dialect reads as an error is told."""
    found = suggest([_reply(200, {"success": False, "text": "That is so."})], failed=[False])
    assert any("is an error to this dialect" in doubt for doubt in found.unsure)


@pytest.mark.parametrize(
    ("tree", "fields"),
    [
        ({"text": "It is wrong.", "wrong": {"0": "a", "2": "b"}}, {"from": "wrong", "shape": "positions"}),
        ({"text": "It is wrong.", "missing": ["a", "b"]}, {"from": "missing", "shape": "param"}),
        ({"text": "It is wrong.", "wrong": ["One thing is.", "Another is."]}, {"from": "wrong"}),
        ({"text": "It is wrong.", "wrong": [{"text": "One thing is."}]}, {"from": "wrong", "each": {"detail": "text"}}),
        (
            {"text": "It is wrong.", "wrong": [{"path": ["query", "a"], "why": "No."}]},
            {"from": "wrong", "each": {"field": "path", "detail": "why", "located": True}},
        ),
        (
            {"text": "It is wrong.", "wrong": [{"where": "/data/attributes/a", "why": "No."}]},
            {"from": "wrong", "each": {"pointer": "where", "detail": "why"}, "strip": ["/data/attributes", "/data"]},
        ),
        (
            {
                "text": "It is wrong.",
                "details": [{"kind": "x", "violations": [{"field": "a", "why": "No, it is not."}]}],
            },
            {"from": "details[].violations[]", "each": {"field": "field", "detail": "why"}},
        ),
        (
            {"text": "It is wrong.", "fields": {"a": {"code": "E_A", "text": "No."}}},
            {"from": "fields", "shape": "tree", "each": {"detail": "text", "code": "code"}},
        ),
        (
            {"text": "It is wrong.", "wrong": [{"field": "a", "kind": "required"}]},
            {"from": "wrong", "each": {"field": "field", "detail": "kind", "code": "kind"}},
        ),
    ],
)
def test_fields(tree: object, fields: object) -> None:
    """The shape of field errors is known by its structure."""
    assert _rule(_reply(400, tree))["fields"] == fields


@pytest.mark.parametrize(
    "tree",
    [
        {"text": "It is wrong.", "path": "/orders/7"},
        {"text": "It is wrong.", "details": {"tier": "B"}},
        {"text": "It is wrong.", "details": {"a": {"b": 7}}},
        {"text": "It is wrong.", "details": {"a b": "It is."}},
        {"text": "It is wrong.", "errors": {"message": "It is."}},
        {"text": "It is wrong.", "errors": {"a": [[[[[[[[["It is."]]]]]]]]]}},
        {"text": "It is wrong.", "numbers": [1, 2], "wrong": []},
        {"heading": "It is wrong.", "field": "a"},
    ],
)
def test_no_fields(tree: object) -> None:
    """What has another sense is not taken for field errors."""
    rule = _rule(_reply(400, tree))
    assert "fields" not in rule or tree == {"heading": "It is wrong.", "field": "a"}


def test_a_tree_at_the_root() -> None:
    """Names at the root with lists of texts are left to `generic`, which reads them."""
    assert suggest([_reply(400, {"size": ["It is too small."], "a.b": ["It is missing."]})]).readings[0].fields == 2


@pytest.mark.parametrize(
    ("tree", "wait"),
    [
        ({"text": "Slow down, please.", "retry_after": 3}, {"from": "retry_after"}),
        ({"text": "Slow down, please.", "retry": {"wait_ms": 900}}, {"from": "retry.wait_ms", "as": "delta_ms"}),
        ({"text": "Slow down, please.", "wait_minutes": "2"}, {"from": "wait_minutes", "as": "delta_minutes"}),
    ],
)
def test_times_to_wait(tree: object, wait: object) -> None:
    """When to try again is known by its name, and so is its unit."""
    assert _rule(_reply(429, tree))["retry_after"] == wait


@pytest.mark.parametrize(
    ("fields", "window"),
    [
        (((b"X-Calls-Left", b"0"), (b"X-Calls-Reset", b"20")), {"header": "X-Calls-Reset", "as": "delta_seconds"}),
        (
            ((b"X-Quota-Left", b"0"), (b"X-Quota-Reset", b"1767225600")),
            {"header": "X-Quota-Reset", "as": "epoch_seconds"},
        ),
        (
            ((b"X-Quota-Left", b"0"), (b"X-Quota-Resets-In", b"17")),
            {"header": "X-Quota-Resets-In", "as": "delta_seconds"},
        ),
        (((b"Api-Left", b"0"), (b"Api-Reset-At", b"1767225600000")), {"header": "Api-Reset-At", "as": "epoch_ms"}),
    ],
)
def test_windows_of_limits(fields: tuple[tuple[bytes, bytes], ...], window: object) -> None:
    """The fields of a limit are known by their names, the form of its time by its size."""
    assert _spec(_reply(429, FAULT, *fields))["rate_headers"]["reset"] == window


@pytest.mark.parametrize(
    "fields",
    [
        ((b"X-RateLimit-Remaining", b"0"),),
        ((b"X-Calls-Reset", b"20"),),
        ((b"X-Calls-Left", b"soon"),),
        ((b"X-Things-Left", b"3"),),
        ((b"X-Thing", b"3"),),
    ],
)
def test_no_window(fields: tuple[tuple[bytes, bytes], ...]) -> None:
    """What `generic` knows by itself is not said again, and half of a window is none."""
    assert "rate_headers" not in _spec(_reply(429, FAULT, *fields))


@pytest.mark.parametrize(
    ("tree", "success"),
    [
        ({"data": {"id": 1}, "message": "It went well."}, {"data": "data", "message": "message"}),
        (
            {"items": [], "paging": {"page": 1, "pages": "3", "next": "/a?page=2", "has_more": True}},
            {
                "data": "items",
                "pagination": {
                    "page": "paging.page",
                    "total_pages": "paging.pages",
                    "next": "paging.next",
                    "has_more": "paging.has_more",
                },
            },
        ),
        (
            {"results": [], "count": 9, "next": "/a?page=2"},
            {"data": "results", "pagination": {"total": "count", "next": "next"}},
        ),
        ({"results": [], "count": 9}, {"data": "results"}),
    ],
)
def test_envelopes(tree: object, success: object) -> None:
    """An envelope is what stands around the data in every success, and tells its pages."""
    assert _spec(_reply(400, FAULT), _reply(200, tree))["success"] == success


@pytest.mark.parametrize("tree", [[1], {"data": 7}, {"id": 1}, {"data": {}, "colour": "red"}])
def test_no_envelope(tree: object) -> None:
    """A success that has members of its own is in no envelope."""
    assert "success" not in _spec(_reply(400, FAULT), _reply(200, tree))


@pytest.mark.parametrize(
    ("met", "codes"),
    [
        (((400, "E_NOT_FOUND"),), {"E_NOT_FOUND": "not_found"}),
        (((404, "E_NOT_FOUND"),), {"E_NOT_FOUND": "not_found"}),
        (((200, "BOAT_NOT_FOUND"),), {"BOAT_NOT_FOUND": "not_found"}),
        (((200, "E_7"), (409, "E_7")), {"E_7": "conflict"}),
        (((401, "KEY_EXPIRED"),), {"KEY_EXPIRED": "token_expired"}),
    ],
)
def test_codes_whose_meaning_is_plain(met: tuple[tuple[int, str], ...], codes: object) -> None:
    """A code is named where its word leaves no doubt, or where only the body says that something failed."""
    replies = [_reply(status, {"fault": {"kind": code, "text": "One thing is wrong."}}) for status, code in met]
    assert _spec(*replies)["codes"] == codes


@pytest.mark.parametrize(
    ("status", "code", "line"),
    [
        (409, "E_STOCK", "#   E_STOCK: conflict   # as the status says"),
        (200, "E_STOCK", "#   E_STOCK: upstream_error   # seen under 200; nothing says what it means"),
        (409, "BOAT_LOCKED", "#   BOAT_LOCKED: locked   # by its words; 409 says conflict"),
    ],
)
def test_codes_that_a_person_settles(status: int, code: str, line: str) -> None:
    """Every other code stands in a comment, with our best guess and why."""
    found = suggest([_reply(status, {"fault": {"kind": code, "text": "One thing is wrong."}})], always_own=True)
    assert line in dialect_yaml(found)


def test_comments_stand_in_the_table() -> None:
    """Where some codes are plain, the others are comments of the same table."""
    other = {"fault": {"kind": "E_NOT_FOUND", "text": "One thing is wrong."}}
    found = suggest([_reply(400, FAULT), _reply(400, other), _reply(200, {"data": {}, "ok": True})], always_own=True)
    text = dialect_yaml(found)
    assert "  codes:\n    E_NOT_FOUND: not_found\n    # E_ONE: invalid_request   # as the status says\n" in text
    assert "  # Clients get what is in `data`" in text


def test_a_type_stands_beside_its_code() -> None:
    """What is called a type is one, though it is all that some errors have for a code."""
    rule = _rule(
        _reply(400, {"code": "E_ONE", "type": "a_kind", "message": "One thing is wrong."}),
        _reply(400, {"code": None, "type": "b_kind", "message": "Another thing is wrong."}),
    )
    assert (rule["code"], rule["type"]) == ("code", "type")


def test_numbers_of_replies_are_bounded() -> None:
    """At most so many replies are looked at."""
    assert len(suggest([_reply(404, FAULT)] * 201).readings) == 200


def test_bodies_are_bounded() -> None:
    """A body with more members than are looked at, keys that no path can name, and lists gives a dialect."""
    wide = {f"k{number}": number for number in range(2_000)} | {'a"b': "x", "l": [[["x"] * 9] * 9] * 9}
    deep: Any = {"text": "One thing is wrong."}
    for _ in range(20):
        deep = {"in": deep}
    found = suggest([_reply(400, wide), _reply(400, deep), _reply(400, {'a"b': "It is wrong."})])
    assert isinstance(found, Suggestion)
    assert found.dialect == "generic"
