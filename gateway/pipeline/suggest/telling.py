"""What tells errors from successes, where the status does not: a flag, a code, an object that only errors have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.dialects.conditions import as_status, is_filled
from gateway.dialects.spec import BodyKind
from gateway.pipeline.suggest import words
from gateway.pipeline.suggest.leaves import Leaf, at, spelled

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gateway.pipeline.suggest.leaves import Path
    from gateway.pipeline.suggest.seen import Seen

_ERRORS_FROM: Final = 400
_GOOD_FLAGS: Final = frozenset(
    (
        "ok",
        "success",
        "succeeded",
        "successful",
        "is success",
        "is ok",
        "is successful",
        "valid",
        "is valid",
        "done",
        "worked",
        "accepted",
        "result",
        "status",
    )
)
_BAD_FLAGS: Final = frozenset(
    ("error", "is error", "has error", "has errors", "failed", "failure", "is failed", "fault", "err")
)
_STATE_NAMES: Final = frozenset(
    ("status", "result", "outcome", "state", "response", "ack", "answer", "verdict", "response status")
)
_BAD_STATES: Final = frozenset(
    [
        "error",
        "err",
        "fail",
        "failed",
        "failure",
        "ko",
        "nok",
        "nack",
        "fault",
        "unsuccessful",
        "faulty",
        "bad",
        "exception",
    ]
)
_GOOD_NUMBERS: Final = frozenset(("0", "00", "000", "0000", "1", "200", "201", "202", "ok", "success", "none", "00000"))
_ERROR_NAMES: Final = frozenset(("error", "errors", "fault", "faults", "failure", "exception", "problem", "err"))
_DATA_NAMES: Final = ("data", "result", "results", "payload", "items", "content")
_HEADS: Final = frozenset(("meta", "head", "header", "status", "response", "result", "envelope", "response status"))
_MOST_VALUES: Final = 3


def failures(all_seen: Sequence[Seen], said: Sequence[bool | None]) -> list[bool]:
    """Return which replies are errors: by status, by what a person said, else by what the body shows."""
    sure = [seen.status >= _ERRORS_FROM or hint is True for seen, hint in zip(all_seen, said, strict=True)]
    objects = {path for seen, failed in zip(all_seen, sure, strict=True) if failed for path in _error_objects(seen)}
    return [
        failed or (hint is not False and _shows_failure(seen, objects))
        for seen, failed, hint in zip(all_seen, sure, said, strict=True)
    ]


def _error_objects(seen: Seen) -> list[Path]:
    return [
        leaf.path
        for leaf in seen.leaves
        if len(leaf.path) == 1 and type(leaf.value) is dict and words.folded(leaf.name) not in _DATA_NAMES
    ]


def _shows_failure(seen: Seen, objects: Collection[Path]) -> bool:
    """Say whether a body under 2xx speaks of a failure; `objects` are what the root of known errors has."""
    if type(seen.tree) is not dict:
        return False
    if any(_only_speaks(at(seen.tree, path)) for path in objects):
        return True
    only = next(iter(seen.tree.values())) if seen.kind is BodyKind.XML else None
    inside = [Leaf(leaf.path[1:], leaf.value) for leaf in seen.leaves] if type(only) is dict else []
    return _has_bad(seen.leaves, seen.tree) or _has_bad(inside, only)


def _has_bad(leaves: Sequence[Leaf], tree: Any) -> bool:
    if any(_is_bad(leaf, tree) for leaf in leaves if _is_head(leaf)):
        return True
    return any(map(_is_bad_state, leaves)) and any(map(_explains, leaves))


def _explains(leaf: Leaf) -> bool:
    named = words.weight(leaf.name, words.MESSAGE) >= 6 and words.is_text(leaf.value)
    return named or words.is_sentence(leaf.value)


def _is_bad_state(leaf: Leaf) -> bool:
    """Say whether a text says that something failed; an object of the API may be in such a state, and is no error."""
    if type(leaf.value) is not str or leaf.value.lower() not in _BAD_STATES:
        return False
    return len(leaf.path) == 1 or (_is_head(leaf) and words.folded(leaf.name) in _STATE_NAMES)


def _is_head(leaf: Leaf) -> bool:
    path = leaf.path
    return len(path) == 1 or (len(path) == 2 and words.folded(str(path[0])) in _HEADS)


def _only_speaks(value: Any) -> bool:
    return type(value) is dict and any(
        words.weight(key, words.MESSAGE) > 6 and words.is_text(one) for key, one in value.items()
    )


def _is_bad(leaf: Leaf, tree: dict[str, Any]) -> bool:
    name, value = words.folded(leaf.name), leaf.value
    if (name in _GOOD_FLAGS and value in (False, "false", "False", "no")) and type(value) in (bool, str):
        return True
    if name in _BAD_FLAGS and (value is True or value == "true"):
        return True
    empty = not any(is_filled(tree.get(key)) for key in tree if words.folded(key) in _DATA_NAMES)
    if name in _ERROR_NAMES and len(leaf.path) == 1:
        return empty and _speaks(value)
    return empty and _is_bad_number(leaf, tree)


def _speaks(value: Any) -> bool:
    if type(value) is list:
        return bool(value) and all(type(one) in (dict, str) and one for one in value[:3])
    return (type(value) is dict and bool(value)) or words.is_text(value) or words.is_mark(value)


def _is_bad_number(leaf: Leaf, tree: dict[str, Any]) -> bool:
    """Say whether a result code other than that of success stands beside a message."""
    if words.weight(leaf.name, words.CODE) < 7 and not words.names_a_status(leaf.name):
        return False
    text = str(leaf.value).lower()
    if type(leaf.value) not in (int, str) or not text.lstrip("-").isdigit() or text in _GOOD_NUMBERS:
        return False
    declared = as_status(leaf.value)
    worded = any(words.weight(key, words.MESSAGE) >= 6 and words.is_text(one) for key, one in tree.items())
    return declared >= _ERRORS_FROM if declared is not None else worded and len(leaf.path) == 1


def flag_of(failed: Sequence[Seen], successes: Sequence[Seen]) -> dict[str, Any] | None:
    """Return a test on the body that holds for the errors `failed` and for none of the successes, or None.

    First a flag with one value in all errors, then a code that the successes have in one of few values.
    """
    ranked = sorted(_flags(failed, successes).items(), key=lambda one: (-_flag_weight(one[0], one[1]), len(one[0])))
    for path, found in ranked:
        if _flag_weight(path, found) > 0:
            return {"equals": {spelled(path): found[0] if len(found) == 1 else found}}
    return None


def _flags(failed: Sequence[Seen], successes: Sequence[Seen]) -> Mapping[Path, list[Any]]:
    found: dict[Path, list[Any]] = {}
    for leaf in failed[0].leaves:
        values = [at(seen.tree, leaf.path) for seen in failed]
        others = [at(seen.tree, leaf.path) for seen in successes]
        plain = all(type(value) in (bool, int, str) for value in values)
        if not plain or any(isinstance(step, int) for step in leaf.path) or len(leaf.path) > 3:
            continue
        distinct = list(dict.fromkeys((type(value), value) for value in values))
        if len(distinct) <= _MOST_VALUES and all((type(other), other) not in distinct for other in others):
            found[leaf.path] = [value for _, value in distinct]
    return found


def _flag_weight(path: Path, found: Sequence[Any]) -> int:
    name, value = words.folded(str(path[-1])), found[0]
    says = type(value) is bool or value in ("true", "false")
    weight = 6 * says - len(path)
    weight += 6 * (name in _GOOD_FLAGS or name in _BAD_FLAGS) + 4 * (name in _STATE_NAMES)
    if type(value) is str and not says and (value.lower() not in _BAD_STATES or len(found) > 2):
        weight -= 8
    return weight - (20 if type(value) is int else 0)


def sentinel_of(failed: Sequence[Seen], successes: Sequence[Seen], code: Sequence[Path]) -> dict[str, Any] | None:
    """Return a condition by the code that successes have: there it is one value, and in errors another."""
    for path in code:
        met = [one for seen in successes if (one := at(seen.tree, path)) is not None]
        good = list(dict.fromkeys((type(one), one) for one in met if type(one) in (int, str)))
        bad = [at(seen.tree, path) for seen in failed]
        if 0 < len(good) <= _MOST_VALUES and all(one is not None and (type(one), one) not in good for one in bad):
            return _other_than(path, [one for _, one in good])
        if not met and all(type(one) is int and one for one in bad):
            return _other_than(path, [0, "0", 200])
    return None


def _other_than(path: Path, good: list[Any]) -> dict[str, Any]:
    """Return the condition that a code is there, and is none of those that successes have."""
    values = good[0] if len(good) == 1 else good
    return {
        "body": {"type": {spelled(path): ["number", "string"]}},
        "none": [{"body": {"equals": {spelled(path): values}}}],
    }
