"""How a dialect read a reply: the rules, the places, what named the code."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config import presets
from gateway.dialects.explain import Trace, trace
from gateway.dialects.reader import Dialect
from gateway.dialects.spec import DialectSpec
from tests.unit.dialects.views import view_of

NOW_S = 1_000_000.0
JSON = {"Content-Type": "application/json"}


def _trace(
    dialect: dict[str, Any] | str, body: object = None, status: int = 400, headers: dict[str, str] | None = None
) -> Trace:
    if isinstance(dialect, str):
        compiled = presets.preset(dialect)
    else:
        compiled = Dialect(presets.chain(DialectSpec.model_validate({"name": "own", "extends": [], **dialect})))
    return trace(compiled, lambda: view_of(body, status=status, headers={**JSON, **(headers or {})}), NOW_S)


def _places(dialect: dict[str, Any], body: object, **more: Any) -> list[tuple[str, str, str | None, str | None, bool]]:  # noqa: ANN401 - of `_trace`
    found = _trace(dialect, body, **more)
    return [(one.member, one.place, one.found, one.gave, one.counts) for one in found.places]


def _naming(dialect: dict[str, Any] | str, body: object, status: int = 400) -> list[tuple[str, str, str | None]]:
    return [(step.step, step.said, step.code) for step in _trace(dialect, body, status).naming]


def test_rules_up_to_the_one_that_fires() -> None:
    """Each rule that was tried, with the first key that failed, or with all that held."""
    found = _trace(
        {
            "errors": [
                {"name": "a", "when": {"status": "2xx", "body": {"has": ["a"]}}},
                {"when": {"body": {"has": ["b", "c"]}}},
                {"name": "b", "when": {"body": {"has": ["b"]}}},
                {"name": "never", "when": {}},
            ]
        },
        {"b": 1},
    )
    told = [
        (rule.dialect, rule.number, rule.name, rule.fired, [(one.key, one.holds) for one in rule.evidence])
        for rule in found.rules
    ]
    assert told == [
        ("own", 1, "a", False, [("status", False)]),
        ("own", 2, None, False, [("body.has.c", False)]),
        ("own", 3, "b", True, [("status", True), ("body.has.b", True)]),
    ]
    assert found.untried == 1
    assert found.fired is found.rules[-1]
    assert found.error is not None
    assert (found.error.rule, found.error.status, found.error.code) == ("b", 400, "invalid_request")


def test_rules_of_a_dialect_below() -> None:
    """Rules of what is extended are tried after its own, and are told by its name."""
    found = _trace("salla", {"error": "invalid_grant", "error_description": "no"})
    assert [rule.dialect for rule in found.rules] == ["salla"] * 3 + ["oauth2"] * 2
    assert found.dialect == "salla"
    assert found.error is not None
    assert found.error.dialect == "oauth2"


def test_no_rule_at_all() -> None:
    """A status of an error that no rule knows is an error all the same; its status alone tells the code."""
    found = _trace({}, {"b": 1}, 418)
    assert (found.rules, found.fired, found.places) == ((), None, ())
    assert [(step.step, step.code) for step in found.naming] == [("table", "invalid_request")]


@pytest.mark.parametrize(
    ("dialect", "status"),
    [
        ({"errors": [{"when": {"body": {"has": ["b"]}}, "error": False}]}, 400),
        ({"errors": [{"when": {"body": {"has": ["a"]}}}]}, 200),
    ],
)
def test_what_is_no_error(dialect: dict[str, Any], status: int) -> None:
    """Nothing was looked for in what is no error."""
    found = _trace(dialect, {"b": 1}, status)
    assert (found.error, found.places, found.naming) == (None, (), ())
    assert len(found.rules) == 1


def test_rules_see_what_is_unwrapped() -> None:
    """Where an answer may come as a list of one, it is that one that is looked at."""
    rules = [{"when": {"body": {"has": ["b"]}}, "code": "b"}]
    found = _trace({"unwrap": True, "errors": rules}, [{"b": "x"}])
    assert found.fired is not None
    assert [(place.found, place.gave) for place in found.places] == [('"x"', '"x"')]


def test_places_in_their_order() -> None:
    """The first place that gives a value of the right type counts; what stood at the others is told."""
    read = {"code": ["a", "b", "c", "d"], "type": {"header": "X-Type"}, "request_id": "id"}
    found = _places({"errors": [read]}, {"a": {"x": 1}, "b": 7, "c": "late", "id": "r-1"}, headers={"X-Type": "t"})
    assert found == [
        ("code", "a", '{"x": 1}', None, False),
        ("code", "b", "7", '"7"', True),
        ("code", "c", '"late"', '"late"', False),
        ("code", "d", None, None, False),
        ("type", "header: X-Type", '"t"', '"t"', True),
        ("request_id", "id", '"r-1"', '"r-1"', True),
    ]


def test_a_rules_own_places_stand_before_those_of_read() -> None:
    """What a rule names, its dialect's `read` does not add to."""
    found = _places({"read": {"code": "a", "type": "t"}, "errors": [{"code": "b"}]}, {"a": "x", "b": "y", "t": "z"})
    assert [(member, place) for member, place, *_ in found] == [("code", "b"), ("type", "t")]


def test_what_is_taken_of_a_value() -> None:
    """A place with a transformation is told with it, and what comes of it is what was found."""
    [found] = _places({"errors": [{"code": {"path": "a", "after": "#"}}]}, {"a": "x#late"})
    assert found == ("code", "a (after: #)", '"late"', '"late"', True)


def test_words_that_nobody_can_use() -> None:
    """A message that is no sentence was found, and gave nothing."""
    found = _places({"errors": [{"message": ["a", "b"]}]}, {"a": "alert.no_such_key", "b": "It is late"})
    assert found == [
        ("message", "a", '"alert.no_such_key"', None, False),
        ("message", "b", '"It is late"', '"It is late"', True),
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"wrong": {"size": ["too small"]}}, [("sentence: {field} {detail}", "size too small")]),
        ({"text": "Look here", "wrong": {"size": ["too small"]}}, []),
        ({"text": "null"}, [("sentence: {field} {detail}", None)]),
    ],
)
def test_a_sentence_where_nothing_is_said(body: dict[str, Any], told: list[tuple[str, str | None]]) -> None:
    """A sentence made of the first field error counts where no message does."""
    rule = {"message": "text", "fields": {"from": "wrong"}, "sentence": "{field} {detail}"}
    found = [one for one in _places({"errors": [rule]}, body) if one[1].startswith("sentence")]
    assert [(place, gave) for _, place, _, gave, _ in found] == [
        (place, None if text is None else f'"{text}"') for place, text in told
    ]
    assert [counts for *_, counts in found] == [text is not None for _, text in told]


def test_fields_of_each_entry() -> None:
    """Each entry of `fields`, and each of its places, is tried by itself; a few of the errors are told."""
    fields = [
        {"from": "one", "shape": "param", "strip": ["/a", "/b"]},
        {"from": ["two", "three"], "each": {"field": "f", "code": "c"}},
    ]
    items = [{"f": name, "c": "nope"} for name in "abcde"]
    found = _places({"errors": [{"fields": fields}], "field_codes": {"nope": "unknown"}}, {"three": items})
    assert [(place, gave, counts) for _, place, _, gave, counts in found] == [
        ('one (shape: param, strip: ["/a", "/b"])', None, False),
        ("two (each: {field: f, code: c})", None, False),
        ("three (each: {field: f, code: c})", "a unknown, b unknown, c unknown and 2 more", True),
    ]


def test_a_field_error_of_the_whole() -> None:
    """An error that names no field is of the whole request."""
    [found] = _places({"errors": [{"fields": {"from": "all"}}]}, {"all": ["no"]})
    assert found[3] == "(the whole) other"


@pytest.mark.parametrize(
    ("wins", "status", "counts"),
    [(True, 400, [False, True, False]), (False, 400, [False, False, False]), (False, 200, [False, True, False])],
)
def test_the_status_that_the_body_declares(wins: bool, status: int, counts: list[bool]) -> None:
    """The first place that holds a status counts, where it may."""
    rule = {"when": {"status": [200, 400]}, "status": {"from": ["a", "b", "c"], "wins": wins}}
    found = _places({"errors": [rule]}, {"a": "none", "b": "404", "c": 410}, status=status)
    assert [(found, gave) for _, _, found, gave, _ in found] == [('"none"', None), ('"404"', "404"), ("410", "410")]
    assert [one[-1] for one in found] == counts


def test_when_to_try_again() -> None:
    """Each place of the body; what fields say unasked must not answer for it."""
    rule = {
        "retry_after": [
            {"from": ["wait", {"header": "X-Wait"}]},
            {"refill": {"need": "n", "have": "h", "per_second": "s"}},
        ]
    }
    headers = {"X-Wait": "5", "Retry-After": "9"}
    found = _places({"errors": [rule]}, {"wait": "soon", "n": 100, "h": 50, "s": 10}, headers=headers)
    assert found == [
        ("retry_after", "wait", '"soon"', None, False),
        ("retry_after", "header: X-Wait", '"5"', "5 s", True),
        ("retry_after", "refill: {need: n, have: h, per_second: s}", None, "5 s", False),
    ]


def test_header_fields_that_say_when_unasked() -> None:
    """Where no place of a rule says it, the fields that did are told."""
    found = _places({"errors": [{"retry_after": {"from": "wait"}}]}, {}, headers={"Retry-After": "9"})
    assert found == [
        ("retry_after", "wait", None, None, False),
        ("retry_after", "header fields", "retry-after: 9", "9 s", True),
    ]


def test_what_is_asked_last() -> None:
    """A time that is asked last counts where no header field tells one either."""
    rule = {"retry_after": [{"from": "words", "last": True}, {"from": "wait"}]}
    last = "words (last: true)"
    body = {"words": 5}
    assert _places({"errors": [rule]}, body, status=429) == [
        ("retry_after", "wait", None, None, False),
        ("retry_after", last, "5", "5 s", True),
    ]
    assert [
        (one[1], one[-1]) for one in _places({"errors": [rule]}, body, status=429, headers={"Retry-After": "9"})
    ] == [
        ("wait", False),
        ("header fields", True),
        (last, False),
    ]
    assert [(one[1], one[-1]) for one in _places({"errors": [rule]}, {**body, "wait": 3}, status=429)] == [
        ("wait", True),
        (last, False),
    ]
    assert _places({"errors": [rule]}, body) == [
        ("retry_after", "wait", None, None, False),
        ("retry_after", last, "5", "5 s", False),
    ]


TABLES: dict[str, Any] = {
    "classify": [
        {"when": {"status": 403}, "as": "permission_denied"},
        {"when": {"body": {"has": ["c"]}}, "as": "gone"},
    ],
    "codes": {"E1": "conflict"},
    "types": {"T1": "not_found"},
    "statuses": {418: "conflict"},
}
FAILED = """\
(1) permission_denied: status wants 403, found 404
(2) gone: body.has.c wants something, found nothing"""
STEPS = ["problem", "classify", "codes", "types", "statuses", "table"]
READ = {"code": "code", "type": "type"}


@pytest.mark.parametrize(
    ("rule", "body", "status", "settled"),
    [
        ({"problem": "gone"}, {"code": "E1"}, 400, ("problem", "the rule itself says so", "gone")),
        ({}, {"c": 1}, 400, ("classify", "(2) body.has.c is 1", "gone")),
        ({}, {"code": "E1"}, 400, ("codes", '"E1" is listed', "conflict")),
        ({}, {"type": "T1"}, 400, ("types", '"T1" is listed', "not_found")),
        ({}, {}, 418, ("statuses", "418 is listed", "conflict")),
        ({}, {}, 404, ("table", "the catalogue's own for 404", "not_found")),
        ({"when": {"status": 200}}, {}, 200, ("table", "the catalogue's own for an error under 200", "upstream_error")),
    ],
)
def test_the_step_that_settled(rule: dict[str, Any], body: object, status: int, settled: tuple[str, str, str]) -> None:
    """The steps are told in their order, and end with the one that settled the code."""
    found = _naming({**TABLES, "errors": [{**READ, **rule}]}, body, status)
    assert found[-1] == settled
    assert [step for step, _, _ in found] == ["problem", "classify", "codes", "types", "statuses", "table"][
        : len(found)
    ]
    assert [code for _, _, code in found[:-1]] == [None] * (len(found) - 1)


def test_steps_that_settled_nothing() -> None:
    """Each says why: there is none, it is not listed, or the first key that failed."""
    found = _naming({**TABLES, "errors": [READ]}, {"code": "E9"}, 404)
    assert found[:-1] == [
        ("problem", "the rule says none", None),
        (
            "classify",
            FAILED,
            None,
        ),
        ("codes", '"E9" is not listed', None),
        ("types", "the reply gives none", None),
        ("statuses", "404 is not listed", None),
    ]


def test_tables_that_say_nothing_are_no_steps() -> None:
    """Only what a dialect has is told, each of its tables in its turn, the nearest dialect first."""
    found = _trace({"extends": ["salla"], "codes": {"E1": "gone"}, "errors": [READ]}, {}, 404)
    assert [(step.dialect, step.step) for step in found.naming] == [
        (None, "problem"),
        ("own", "codes"),
        (None, "table"),
    ]
    assert [step for step, _, _ in _naming({"errors": [READ]}, {}, 404)] == ["problem", "table"]


def test_tables_of_each_dialect() -> None:
    """Those of a dialect whose rule reads, and of each that extends it, the nearest to the reader first."""
    found = _trace({"extends": ["salla"], "codes": {"E1": "gone"}}, {"error": {"message": "no"}}, 404)
    assert [(step.dialect, step.step) for step in found.naming] == [
        (None, "problem"),
        ("own", "codes"),
        ("salla", "classify"),
        (None, "table"),
    ]


@pytest.mark.parametrize(
    ("entry", "body", "said", "code"),
    [
        ({"code": "^E[0-9]$"}, {"code": "E7"}, '(1) code is "E7"', "gone"),
        ({"code": "^T"}, {"type": "T7"}, '(1) code is "T7"', "gone"),
        ({"code": "^T"}, {"code": "E7"}, '(1) gone: code wants "^T", found "E7"', None),
        ({"says": ["Too late"]}, {"text": "It is too late"}, '(1) says is "It is too late"', "gone"),
        ({"says": ["a", "b"]}, {}, '(1) gone: says wants ["a", "b"], found nothing', None),
        ({"fields": True}, {"wrong": {"size": "no"}}, "(1) fields is true", "gone"),
        ({"fields": False}, {"wrong": {"size": "no"}}, "(1) gone: fields wants false, found true", None),
        (
            {"when": {"status": 404}, "code": "E", "fields": False},
            {"code": "E7"},
            '(1) status is 404; code is "E7"; fields is false',
            "gone",
        ),
    ],
)
def test_classifications_by_what_was_read(entry: dict[str, Any], body: object, said: str, code: str | None) -> None:
    """The upstream's code or type, its words, and whether fields are named."""
    rule = {**READ, "message": "text", "fields": {"from": "wrong"}}
    found = _trace({"classify": [{"as": "gone", **entry}], "errors": [rule]}, body, 404)
    assert (found.naming[1].step, found.naming[1].said, found.naming[1].code) == ("classify", said, code)


def test_a_classification_without_a_condition() -> None:
    """What always holds needs no evidence."""
    assert _naming({"classify": [{"when": {}, "as": "gone"}], "errors": [READ]}, {})[-1] == (
        "classify",
        "(1) always",
        "gone",
    )


def test_tables_of_a_dialect_below_do_not_reach_up() -> None:
    """A rule is told with the tables that it was read with: `server_error` means something to OAuth alone."""
    body = {"success": False, "error": {"code": "server_error", "message": "no"}}
    steps = _naming("salla", body, 503)
    assert [step for step, _, _ in steps] == ["problem", "classify", "table"]
    assert steps[-1] == ("table", "the catalogue's own for 503", "service_unavailable")
