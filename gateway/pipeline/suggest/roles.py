"""Which members of the errors play which part: message, code, type, status, request id, time to wait.

Every member of every error is weighed by its name, its value and its place; the weights are taken together over all
errors, so that one odd reply decides nothing, and of each error the member whose path weighs most plays the part.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.dialects.conditions import as_status
from gateway.pipeline.suggest import words
from gateway.pipeline.suggest.leaves import at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.pipeline.suggest.fields import FieldsFound
    from gateway.pipeline.suggest.leaves import Leaf, Path
    from gateway.pipeline.suggest.seen import Seen

    Weigh = Callable[[Seen, Leaf], int]

_MOST_PICKS: Final = 4
_SENTENCE, _MARK = 6, 4
_TELLING: Final = 6  # of names: from here on a name alone says which part its member plays
_BESIDE, _TYPED = 3, 8
_OF_A_FIELD, _UNSAID = 12, 100
_MACHINE = 3  # less for a text such as `cause=x; code=17`


_PHRASES: Final = {status.value: status.phrase.casefold() for status in HTTPStatus}


class Ranked(NamedTuple):
    """The paths of one part, the best first, and which of them each error has (by its place among the errors)."""

    paths: tuple[Path, ...] = ()
    chosen: Mapping[int, Path] = {}


class Roles(NamedTuple):
    """The parts that were found."""

    message: Ranked
    code: Ranked
    type: Ranked
    status: tuple[Path, ...]
    request_id: tuple[Path, ...]
    wait: tuple[Path, ...]


def roles_of(errors: Sequence[Seen], found: Sequence[FieldsFound]) -> Roles:
    """Find the parts in some errors, whose field errors were found before."""
    fields = {one.path: _UNSAID if one.shape in ("tree", "positions") else _OF_A_FIELD for one in found if one.path}
    message = _ranked(errors, lambda seen, leaf: _less(_as_message(seen, leaf), _inside(leaf, fields)))
    code = _without_types(_ranked(errors, _as_code(errors, message, fields)))
    type_ = _ranked(errors, _as_type(errors, code, message, fields))
    return Roles(
        message=message,
        code=code,
        type=type_,
        status=_paths(errors, _is_status),
        request_id=_paths(errors, lambda _, leaf: words.is_request_id(leaf.name, leaf.value)),
        wait=_paths(errors, _is_wait),
    )


def _ranked(errors: Sequence[Seen], weigh: Weigh) -> Ranked:
    """Weigh all members of all errors; a path's weight is the mean over the errors in which it has one."""
    weights: dict[Path, list[int]] = {}
    found: list[dict[Path, int]] = []
    for seen in errors:
        here = {leaf.path: weight for leaf in seen.leaves if (weight := weigh(seen, leaf)) > 0}
        found.append(here)
        for path, weight in here.items():
            weights.setdefault(path, []).append(weight)
    mean = {path: sum(several) / len(several) for path, several in weights.items()}
    order = sorted(mean, key=lambda path: (-mean[path], -len(weights[path]), len(path)))
    rank = {path: place for place, path in enumerate(order)}
    chosen = {place: min(here, key=rank.__getitem__) for place, here in enumerate(found) if here}
    first = [path for path in order if path in set(chosen.values())]
    return Ranked(tuple(first[:_MOST_PICKS]), chosen)


def _without_types(code: Ranked) -> Ranked:
    """Leave out what stands beside a better code and is called a type: it is one."""
    kept: list[Path] = []
    for path in code.paths:
        beside = any(path[:-1] == better[:-1] for better in kept)
        if not beside or words.weight(str(path[-1]), words.TYPE) < _TYPED:
            kept.append(path)
    chosen = {place: path for place, path in code.chosen.items() if path in kept}
    return Ranked(tuple(kept), chosen)


def _less(weight: int, less: int) -> int:
    """Take something off a weight; what weighed anything still does, unless it is out of the question."""
    return 0 if less >= _UNSAID else max(min(weight, 1), weight - less)


def _inside(leaf: Leaf, fields: Mapping[Path, int]) -> int:
    """Return how much less a member weighs because it speaks of a single field."""
    return max((less for path, less in fields.items() if leaf.path[: len(path)] == path), default=0)


def _is_first(leaf: Leaf) -> bool:
    return all(step == 0 for step in leaf.path if isinstance(step, int))


def _as_message(seen: Seen, leaf: Leaf) -> int:
    value = leaf.value
    if type(value) is not str or not _is_first(leaf) or words.is_aside(leaf.name):
        return 0
    name, deep = words.weight(leaf.name, words.MESSAGE), max(0, len(leaf.path) - 2)
    if words.is_sentence(value) and not words.is_foreign(value):
        name -= _MACHINE * ("=" in value) - (leaf.path[-1:] == ("en",))
        return max(1, name + _SENTENCE - deep) if not _is_phrase_of(seen.status, value) else 1
    if not words.is_text(value) or _is_phrase_of(seen.status, value):
        return 1 if name >= _TELLING and words.is_token(value) else 0
    return 0 if words.is_mark(value) or name < _TELLING else max(1, name - deep - 1)


def _is_phrase_of(status: int, text: str) -> bool:
    """Say whether a text is but HTTP's own phrase for the status: it says nothing that the status does not say."""
    return text.casefold() == _PHRASES.get(status)


def _as_code(errors: Sequence[Seen], message: Ranked, fields: Mapping[Path, int]) -> Weigh:
    worded = _worded(errors)
    parents = {place: path[:-1] for place, path in message.chosen.items()}
    places = {id(seen): place for place, seen in enumerate(errors)}

    def weigh(seen: Seen, leaf: Leaf) -> int:
        value, name = leaf.value, words.weight(leaf.name, words.CODE)
        if not words.is_token(value) or not _is_first(leaf) or leaf.path in worded or words.is_aside(leaf.name):
            return 0
        if words.is_request_id(leaf.name, value) or (not name and not words.is_mark(value)):
            return 0
        if as_status(value) == seen.status:
            name -= 7
        weight = name + (_MARK if words.is_mark(value) else 1)
        beside = _BESIDE if leaf.path[:-1] == parents.get(places[id(seen)]) else 0
        weight += beside - max(0, len(leaf.path) - 2)
        return _less(weight, _inside(leaf, fields)) if name > 0 or beside else 0

    return weigh


def _as_type(errors: Sequence[Seen], code: Ranked, message: Ranked, fields: Mapping[Path, int]) -> Weigh:
    taken = frozenset(code.paths) | frozenset(message.paths) | _worded(errors)
    beside = {path[:-1] for path in (*code.paths, *message.paths)}

    def weigh(_seen: Seen, leaf: Leaf) -> int:
        if leaf.path in taken or type(leaf.value) is not str or not words.is_token(leaf.value) or not _is_first(leaf):
            return 0
        near = leaf.path[:-1] in beside and not _inside(leaf, fields) and not leaf.value.isdigit()
        weight = words.weight(leaf.name, words.TYPE)
        return weight if near and weight >= _BESIDE else 0

    return weigh


def _worded(errors: Sequence[Seen]) -> frozenset[Path]:
    """Return the paths at which some error has a text that is no code: what stands there is no code anywhere."""
    return frozenset(
        leaf.path
        for seen in errors
        for leaf in seen.leaves
        if type(leaf.value) is str and leaf.value and not words.is_token(leaf.value)
    )


def _paths(errors: Sequence[Seen], fits: Callable[[Seen, Leaf], bool]) -> tuple[Path, ...]:
    """Return the paths that fit, wherever they are filled, in the order in which they were met."""
    found: dict[Path, None] = {}
    for seen in errors:
        for leaf in seen.leaves:
            if _is_first(leaf) and fits(seen, leaf):
                found[leaf.path] = None
    return tuple(found)[:_MOST_PICKS]


def _is_status(seen: Seen, leaf: Leaf) -> bool:
    status = as_status(leaf.value)
    if status is None or status < 400 or not words.names_a_status(leaf.name):
        return False
    return status == seen.status or seen.status < 400


def _is_wait(_seen: Seen, leaf: Leaf) -> bool:
    value = leaf.value
    number = type(value) in (int, float) or (type(value) is str and value.replace(".", "", 1).isdigit())
    return number and words.names_a_wait(leaf.name)


def values(errors: Sequence[Seen], paths: Sequence[Path]) -> list[object]:
    """Return what is at the first filled path of each error, as a dialect would pick it."""
    return [next((found for path in paths if (found := at(seen.tree, path)) is not None), None) for seen in errors]
