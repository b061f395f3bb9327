"""What clients would see otherwise if other rules read the same replies.

Each reply is answered by both; members that tell one answer from another are compared, and what changes in the same way
is told once, with the replies that it is of. Ids, and what follows from a code (title, type, who must act), are left
out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.explain import printable, shown
from gateway.model import Problem, Reply, Success, Translation
from gateway.pipeline.examples import answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.pipeline.plan import Plan

    Facts = dict[str, Any]

_IGNORED: Final = frozenset({"type", "title", "instance", "request_id", "source"})
_FLATTENED: Final = frozenset({"upstream", "retry", "meta"})
_IDS: Final = frozenset({"meta.request_id", "meta.upstream", "upstream.status"})
_FIRST: Final = ("answer", "status", "code", "category", "detail", "errors")
_OF_ANY_KIND: Final = ("answer", "status", "code")
_PAYLOAD: Final = "data"
"""What an upstream sent, compared as text: numbers of any size count."""
_ERRORS_SHOWN: Final = 4


class Case(Struct, frozen=True, kw_only=True):
    """A reply to compare by. `upstream` is None where it may be of any; `name` is told."""

    upstream: str | None
    name: str
    reply: Reply


class Change(Struct, frozen=True, kw_only=True):
    """One member of the answers of one upstream that changes in one way, and the replies in whose answers it does.

    `old` and `new` are null where the member is not there.
    """

    upstream: str
    member: str
    old: str | None
    new: str | None
    replies: tuple[str, ...]


class Comparison(Struct, frozen=True, kw_only=True):
    """How many replies were compared, how many of their answers change, and how."""

    replies: int
    changed: int
    changes: tuple[Change, ...]


def compare(old: Mapping[str, Plan], new: Mapping[str, Plan], cases: Iterable[Case], now_s: float) -> Comparison:
    """Compare the answers of two plans for each upstream that both have.

    Args:
        old: plans by the names of upstreams.
        new: the same after the change.
        cases: the replies; one that is there twice counts once.
        now_s: Unix time at which both read.
    """
    found: dict[tuple[str, str, str | None, str | None], list[str]] = {}
    met: set[tuple[str, Reply]] = set()
    changed = 0
    for upstream, case in _of_both(old, new, cases):
        if (upstream, case.reply) in met:
            continue
        met.add((upstream, case.reply))
        before, after = (_facts(case.reply, plans[upstream], now_s) for plans in (old, new))
        members = _differing(before, after)
        changed += bool(members)
        for member in members:
            key = (upstream, member, _told(member, before), _told(member, after))
            found.setdefault(key, []).append(case.name)
    changes = [
        Change(upstream=upstream, member=member, old=was, new=becomes, replies=tuple(names))
        for (upstream, member, was, becomes), names in found.items()
    ]
    changes.sort(key=lambda change: (change.upstream, _rank(change.member), change.member))
    return Comparison(replies=len(met), changed=changed, changes=tuple(changes))


def _of_both(old: Mapping[str, Plan], new: Mapping[str, Plan], cases: Iterable[Case]) -> Iterator[tuple[str, Case]]:
    """Give each case with each upstream that it is of and that both have."""
    both = [name for name in new if name in old]
    for case in cases:
        for name in both:
            if case.upstream in {None, name}:
                yield name, case


def _differing(before: Facts, after: Facts) -> list[str]:
    """Return the members that differ; where answers are not of one kind, those alone that all kinds could have."""
    alike = before["answer"] == after["answer"]
    members = (before | after) if alike else _OF_ANY_KIND
    return [member for member in members if before.get(member) != after.get(member)]


def _facts(reply: Reply, plan: Plan, now_s: float) -> Facts:
    """Return what a client sees of an answer, by member."""
    result, document = answer(reply, plan, now_s)
    facts: Facts = {"answer": _ANSWERS[type(result)], "status": reply.status if result is None else result.status}
    if document is None:
        return facts
    for name, raw in _members(document).items():
        if name in _FLATTENED:
            inner = {f"{name}.{key}": one for key, one in _members(raw).items()}
            facts.update({key: _value(one) for key, one in inner.items() if key not in _IDS})
        elif name not in _IGNORED:
            facts[name] = bytes(raw).decode("utf-8", "replace") if name == _PAYLOAD else _value(raw)
    return facts


_members = msgspec.json.Decoder(dict[str, Raw]).decode


def _value(raw: Raw) -> object:
    """Return a member's value; as text where it is JSON that no value here can hold, such as `1e400`."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return bytes(raw).decode("utf-8", "replace")


def _rank(member: str) -> int:
    return _FIRST.index(member) if member in _FIRST else len(_FIRST)


def _told(member: str, facts: Facts) -> str | None:
    if member not in facts:
        return None
    value = facts[member]
    if member == "errors":
        return _errors(value)
    return printable(value) if isinstance(value, str) else shown(value)


def _errors(errors: list[dict[str, Any]]) -> str:
    told = [f"{error['field'] or '(the whole)'} {error['code']}: {error['detail']}" for error in errors[:_ERRORS_SHOWN]]
    more = len(errors) - len(told)
    return printable("; ".join(told) + (f" and {more} more" if more else "")) or "none"


_ANSWERS: Final[dict[type, Translation]] = {
    Problem: Translation.PROBLEM,
    Success: Translation.UNIFIED,
    type(None): Translation.PASSED,
}
