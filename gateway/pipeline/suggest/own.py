"""A dialect of one's own, drafted from errors and successes: plain values as they stand in YAML.

Errors that say what they say at one place are one kind and get one rule. Whatever no rule knows is left to `generic`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.dialects.conditions import as_status, compile_condition
from gateway.dialects.header import FieldNames
from gateway.dialects.spec import BodyKind, Condition
from gateway.dialects.view import View
from gateway.pipeline.suggest.codes import Table, table_of
from gateway.pipeline.suggest.envelope import envelope_of
from gateway.pipeline.suggest.fields import FieldsFound, fields_of
from gateway.pipeline.suggest.leaves import at, spelled
from gateway.pipeline.suggest.rates import rate_headers_of, request_id_headers
from gateway.pipeline.suggest.roles import Roles, roles_of
from gateway.pipeline.suggest.telling import flag_of, sentinel_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.pipeline.suggest.leaves import Path
    from gateway.pipeline.suggest.seen import Seen

_ERRORS_FROM: Final = 400
_FAILURES: Final = "4xx-5xx"
_BOTH: Final = ["2xx", _FAILURES]
_NO_FIELDS = FieldNames(())
_MOST_KINDS: Final = 6


class Draft(NamedTuple):
    """What stands under `dialect:`, the table of codes that it was drafted with, and what could not be told."""

    spec: dict[str, Any]
    codes: Table
    unsure: list[str]


class _Kind(NamedTuple):
    """Errors that say what they say at one place, and the test on the body that knows them."""

    anchor: Path
    errors: list[Seen]
    test: dict[str, Any]


def draft(errors: Sequence[Seen], successes: Sequence[Seen]) -> Draft:
    """Draft a dialect that reads these errors and leaves these successes alone."""
    readable = [seen for seen in errors if isinstance(seen.tree, dict | list)]
    everywhere = fields_of(readable)
    kinds = _ordered(_kinds(readable, roles_of(readable, everywhere), everywhere))[:_MOST_KINDS]
    rules: list[dict[str, Any]] = []
    validated: set[int] = set()
    unsure: list[str] = []
    readings: list[dict[str, Any]] = []
    played: list[Roles] = []
    for kind in kinds:
        found = fields_of(kind.errors)
        roles = roles_of(kind.errors, found)
        played.append(roles)
        readings.append(_reading(roles, found))
        whens, doubts = _whens(kind, successes, roles)
        unsure += doubts
        rules += [{"name": _name(kind, when), "when": when} | readings[-1] for when in whens]
        validated |= {
            seen.status for entry in found if entry.named for seen in kind.errors if at(seen.tree, entry.path)
        }
    table = table_of(played, [kind.errors for kind in kinds])
    parts = {
        "errors": rules,
        "classify": _classified(validated),
        "codes": table.sure,
        "success": envelope_of(successes),
    }
    return Draft(_spec(parts, readings, [*errors, *successes]), table, unsure)


def _spec(parts: dict[str, Any], readings: list[dict[str, Any]], replies: Sequence[Seen]) -> dict[str, Any]:
    """Put the parts in order; what the only kind of error reads stands under `read`."""
    bare = [seen.reply for seen in replies]
    rules = parts["errors"]
    shared: dict[str, Any] = {}
    if len(readings) == 1:
        shared = dict(readings[0])
        rules = [{key: rule[key] for key in ("name", "when")} for rule in rules]
    ids = [{"header": name} for name in request_id_headers(bare)]
    for reading in ([shared] if shared else rules) if ids else ():
        reading["request_id"] = _one_or_list([*_listed(reading.get("request_id")), *ids])
    ordered = {
        "unwrap": any(seen.wrapped for seen in replies),
        "read": shared,
        "errors": rules,
        "classify": parts["classify"],
        "codes": parts["codes"],
        "rate_headers": rate_headers_of(bare),
        "success": parts["success"],
    }
    return {key: value for key, value in ordered.items() if value}


def _kinds(errors: Sequence[Seen], roles: Roles, fields: Sequence[FieldsFound]) -> list[_Kind]:
    """Sort errors by the place of what they say: the object that it stands in, or its path where that is the root.

    The message of a single field is not what an error is known by where it has a code.
    """
    kinds: dict[Path, _Kind] = {}
    for place, seen in enumerate(errors):
        message, code = roles.message.chosen.get(place), roles.code.chosen.get(place)
        of_a_field = message is not None and any(message[: len(one.path)] == one.path for one in fields if one.path)
        path = code if message is None or (of_a_field and code is not None) else message
        if path:
            anchor = path[:-1]
            kind = kinds.setdefault(anchor or path, _Kind(anchor, [], {}))
            kind.errors.append(seen)
            kind.test.setdefault(spelled(path), []).append(_type(at(seen.tree, path)))
    return [kind._replace(test=_test(kind.test)) for kind in kinds.values()]


def _test(types: dict[str, list[str]]) -> dict[str, Any]:
    """Return the condition by which a kind is known: what is said stands there, and is of the right type."""
    tests = [{"body": {"type": {path: _one_or_list(sorted(set(met)))}}} for path, met in types.items()]
    return tests[0] if len(tests) == 1 else {"any": tests}


def _type(value: Any) -> str:
    return "string" if isinstance(value, str) else "number"


def _holds(when: dict[str, Any], seen: Seen) -> bool:
    """Say whether a condition holds for a reply, by the compiled language itself."""
    condition = Condition.model_validate(when)
    view = View(seen.status, _NO_FIELDS.of(()), b"")
    view.kind, view.tree = seen.kind, seen.tree
    return compile_condition(condition)(view)


def _ordered(kinds: list[_Kind]) -> list[_Kind]:
    """Put those first whose test holds for fewest errors of another kind; then those with most errors."""
    strangers = [
        sum(_holds(kind.test, seen) for other in kinds if other is not kind for seen in other.errors) for kind in kinds
    ]
    order = sorted(range(len(kinds)), key=lambda place: (strangers[place], -len(kinds[place].errors)))
    return [kinds[place] for place in order]


def _whens(kind: _Kind, successes: Sequence[Seen], roles: Roles) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the conditions of a kind's rules, and what is not told by them."""
    hidden = [seen for seen in kind.errors if seen.status < _ERRORS_FROM]
    named = {"kind": "xml"} if any(seen.kind is BodyKind.XML for seen in hidden) else {}
    shown = [kind.test] if len(hidden) < len(kind.errors) else []
    if not hidden:
        return shown, []
    telling = bool(kind.anchor) and not any(_holds(kind.test, seen) for seen in successes)
    if telling:
        return [{"status": _BOTH if shown else "2xx"} | named | kind.test], []
    condition = _hidden(kind, hidden, successes, roles)
    if condition is None:
        return shown, [f"nothing tells the {len(hidden)} errors under 2xx with {_where(kind)} from the successes"]
    doubts = [] if successes else ["no success was given: check that none is taken for an error"]
    return [*shown, {"status": "2xx"} | named | condition], doubts


def _hidden(kind: _Kind, hidden: Sequence[Seen], successes: Sequence[Seen], roles: Roles) -> dict[str, Any] | None:
    """Return what tells a kind's errors under 2xx from successes."""
    flag = flag_of(hidden, successes)
    if flag is not None:
        return {"body": flag}
    if roles.status and all(_declared(seen, roles.status) for seen in hidden):
        return {"body": {"status": {spelled(roles.status[0]): _FAILURES}}}
    sentinel = sentinel_of(hidden, successes, [*roles.status, *roles.code.paths])
    if sentinel is not None:
        return sentinel
    free = not any(_holds(kind.test, seen) for seen in successes)
    return kind.test if successes and free else None


def _declared(seen: Seen, paths: Sequence[Path]) -> bool:
    return any((as_status(at(seen.tree, path)) or 0) >= _ERRORS_FROM for path in paths)


def _where(kind: _Kind) -> str:
    return spelled(kind.anchor) if kind.anchor else next(iter(kind.test["body"]["type"]))


def _name(kind: _Kind, when: dict[str, Any]) -> str:
    under = {"2xx": " under 2xx"}.get(str(when.get("status")), "")
    return f"{_where(kind)}{under}"[:80]


def _reading(roles: Roles, fields: Sequence[FieldsFound]) -> dict[str, Any]:
    """Return what a rule reads, without what was not found."""
    parts = {
        "status": _picks(roles.status),
        "code": _picks(roles.code.paths),
        "type": _picks(roles.type.paths),
        "message": _picks(roles.message.paths),
        "fields": _one_or_list([dict(one.spec) for one in fields]),
        "sentence": "{field}: {detail}" if fields and not roles.message.paths else None,
        "request_id": _picks(roles.request_id),
        "retry_after": _one_or_list([_wait(path) for path in roles.wait]),
    }
    return {key: value for key, value in parts.items() if value is not None}


def _wait(path: Path) -> dict[str, Any]:
    name = str(path[-1]).lower()
    form = "delta_ms" if name.endswith(("ms", "millis", "milliseconds")) else None
    form = "delta_minutes" if name.endswith(("minutes", "_min")) else form
    return {"from": spelled(path)} | ({"as": form} if form else {})


def _classified(statuses: set[int]) -> list[dict[str, Any]]:
    """Return what makes an error that names fields one of validation, where none of the statuses says so."""
    wanted = [*(["2xx"] if min(statuses, default=_ERRORS_FROM) < _ERRORS_FROM else []), *(statuses & {_ERRORS_FROM})]
    return [{"as": "validation_failed", "when": {"status": _one_or_list(wanted)}, "fields": True}] if wanted else []


def _picks(paths: Sequence[Path]) -> Any:
    return _one_or_list([spelled(path) for path in paths])


def _one_or_list(values: list[Any]) -> Any:
    return None if not values else values[0] if len(values) == 1 else values


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
