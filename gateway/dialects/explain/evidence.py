"""A condition taken apart: each key by itself, with what it wants and what was found.

Nothing is tested in a way of its own: every key becomes a condition of one key and is compiled as any other is
(`gateway.dialects.conditions`). What is said of the value found is for people and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from pydantic import BaseModel

from gateway.dialects.conditions import compile_condition
from gateway.dialects.explain.shown import LONGEST_SHOWN, printable, shown
from gateway.dialects.spec import BodyTest, Condition, HeaderTest
from gateway.dialects.view import in_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.dialects.view import View

_NOTHING: Final = "nothing"


class Evidence(Struct, frozen=True, kw_only=True):
    """One key of a condition on one reply. `key` is where it stands in the condition: `body.type.error`."""

    key: str
    wanted: str
    found: str
    holds: bool


def examined(condition: Condition, view: View) -> tuple[Evidence, ...]:
    """Return every key of a condition with what came of it; all must hold for the condition to hold."""
    return tuple(
        Evidence(
            key=printable(".".join(at)),
            wanted=_wanted(single, at),
            found=_found(single, at, view),
            holds=compile_condition(single)(view),
        )
        for at, single in parts(condition)
    )


def parts(condition: Condition) -> Iterator[tuple[tuple[str, ...], Condition]]:
    """Take a condition apart into conditions of one key each, with the place of that key."""
    for at, value in _keys(condition):
        yield at, _alone(at, value)


def _keys(model: BaseModel) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give each key that says something: its place, the last part of which may be a path or a field's name."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from (((name, *at), inner) for at, inner in _keys(value))
        elif isinstance(value, Mapping):
            yield from (((name, key), {key: inner}) for key, inner in value.items())
        elif name in _EACH and not isinstance(model, Condition):
            yield from (((name, item), (item,)) for item in value)
        elif value is not None and value != ():
            yield (name,), value


_EACH: Final = frozenset({"has", "lacks"})
"""Keys with a list of which every member must hold; a list anywhere else is one of alternatives."""
_SECTIONS: Final[dict[str, type[BaseModel]]] = {"headers": HeaderTest, "body": BodyTest}


def _alone(at: tuple[str, ...], value: Any) -> Condition:
    if at[0] not in _SECTIONS:
        return Condition().model_copy(update={at[0]: value})
    section = _SECTIONS[at[0]]().model_copy(update={at[1]: value})
    return Condition().model_copy(update={at[0]: section})


def _wanted(single: Condition, at: tuple[str, ...]) -> str:
    """Return what stands at a key, as a file would say it."""
    if at[0] in _NESTED:
        return f"{_NESTED[at[0]]} of {len(getattr(single, at[0]))}"
    written: Any = single.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for part in at:
        if not isinstance(written, dict):
            return "something" if at[1] == "has" else _NOTHING  # has, lacks: the last part is the path itself
        written = written[part]
    options = written if isinstance(written, list) else [written]
    quoted = at[-2:-1] and at[-2] in _QUOTED
    text = " or ".join(shown(option) if quoted or not isinstance(option, str) else option for option in options)
    return printable(text)


_QUOTED: Final = frozenset({"equals", "contains", "matches"})
"""Keys whose texts are compared: there `"1"` is not `1`."""
_NESTED: Final = {"any": "one", "none": "none"}


def _found(single: Condition, at: tuple[str, ...], view: View) -> str:
    return _PLACES[at[0]](single, at, view)


def _in_body(_single: Condition, at: tuple[str, ...], view: View) -> str:
    value = in_body(at[2])(view)
    return _NOTHING if value is None else shown(value)


def _in_header(_single: Condition, at: tuple[str, ...], view: View) -> str:
    value = view.text(at[2].lower().encode())
    return _NOTHING if value is None else shown(value)


def _nested(single: Condition, at: tuple[str, ...], view: View) -> str:
    """Say of each alternative why it does not hold, or that it does."""
    told = []
    for number, option in enumerate(getattr(single, at[0]), 1):
        failed = next((test for test in examined(option, view) if not test.holds), None)
        reason = "holds" if failed is None else f"{failed.key} wants {failed.wanted}, found {failed.found}"
        told.append(f"({number}) {reason}")
    text = "; ".join(told)
    return text if len(text) <= 4 * LONGEST_SHOWN else text[: 4 * LONGEST_SHOWN - 1] + "…"


_PLACES: Final[dict[str, Callable[[Condition, tuple[str, ...], View], str]]] = {
    "status": lambda _single, _at, view: str(view.status),
    "kind": lambda _single, _at, view: str(view.kind),
    "content_type": lambda _single, _at, view: printable(view.content_type) or _NOTHING,
    "headers": _in_header,
    "body": _in_body,
    "any": _nested,
    "none": _nested,
}
