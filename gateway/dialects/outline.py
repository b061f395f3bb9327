"""The envelope of a success, read without decoding its payload.

Nearly all of a success is its payload, which is passed on as the bytes in which it stands. Where nobody looks into it,
it is only checked to be JSON. An outline answers every path that the dialect follows in a success as the whole tree
would; a dialect whose paths need more of the payload than its type and some of its keys has none. Once a reply turns
out to be an error it is read in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import msgspec
from msgspec import Raw

from gateway.dialects.members import is_declarable
from gateway.dialects.paths import plain_steps
from gateway.dialects.spec import BodyKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.dialects.paths import Step
    from gateway.dialects.spec import Condition, PaginationSpec, SuccessSpec

_SPACE = b" \t\r\n"
_decode = msgspec.json.Decoder().decode
_ROOT: tuple[Step, ...] = ()


class Outline:
    """Reads some members of an object and leaves one, the payload, as it stands."""

    __slots__ = ("_envelope", "_inner", "_payload")

    def __init__(self, payload: str, names: Iterable[str]) -> None:
        """Know the member that is the payload, and the names that matter beside and inside it."""
        members: dict[str, Any] = dict.fromkeys(filter(is_declarable, names), Any)
        self._payload = payload
        self._inner = _object_of(members)
        self._envelope = _object_of({**members, payload: Raw})

    def read(self, data: bytes) -> tuple[dict[str, Any], bytes] | None:
        """Return the tree and the payload's bytes, or None where there is no payload, or `data` is no such object."""
        try:
            if not data.isascii():
                data.decode()  # what is not decoded must be fit to be sent on, too
            tree: dict[str, Any] = self._envelope.decode(data)
            payload = bytes(tree[self._payload])
            tree[self._payload] = self._stand_in(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
            return None
        return tree, payload

    def _stand_in(self, payload: bytes) -> Any:
        """Return a value of the payload's type that is empty where the payload is, and has the keys that matter."""
        if payload[:1] == b"[" and (start := payload[1:64].lstrip(_SPACE)):
            return [] if start[:1] == b"]" else [None, None]
        if payload[:1] == b"{" and (tree := self._inner.decode(payload)):
            return tree
        return _decode(payload)


def outline_of(success: SuccessSpec | None, conditions: Iterable[Condition]) -> Outline | None:
    """Return the outline of a dialect's successes, or None where they have to be read in full.

    `conditions` are those of all rules that can be for a success.
    """
    steps = plain_steps(success.data) if success is not None and success.data is not None else None
    if success is None or not steps or not isinstance(steps[0], str):
        return None
    looked = filter(_is_of_json, conditions)
    tests = [*looked, *([success.envelope] if success.envelope else []), *(one.when for one in success.warnings)]
    tested = [plain_steps(path) for condition in tests for path in _tested(condition)]
    read = [plain_steps(path) for path in _read(success)]
    typed = [plain_steps(path) for condition in tests for path in _typed(condition)]
    found = [steps, *tested, *typed, *read]
    payload = steps[0]
    opaque = None in found or _ROOT in tested or _ROOT in read or (payload,) in read
    if opaque or any(path is not None and _indexes(path, payload) for path in found):
        return None
    names = {step for path in found if path is not None for step in path if isinstance(step, str)}
    return Outline(payload, names)


def _is_of_json(condition: Condition) -> bool:
    return not condition.kind or BodyKind.JSON in condition.kind


def _object_of(members: dict[str, Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(TypedDict("Members", members, total=False))  # type: ignore[operator]


def _indexes(path: Sequence[Step], payload: str) -> bool:
    """Tell whether a path takes an item of the root or of the payload."""
    return not isinstance((*path, "")[0], str) or (path[:1] == (payload,) and not isinstance((*path, "")[1], str))


def _conditions(condition: Condition) -> Iterator[Condition]:
    yield condition
    for inner in (*condition.any, *condition.none):
        yield from _conditions(inner)


def _typed(condition: Condition) -> Iterator[str]:
    for one in _conditions(condition):
        if one.body is not None:
            yield from one.body.type


def _tested(condition: Condition) -> Iterator[str]:
    for one in _conditions(condition):
        if (body := one.body) is not None:
            for paths in (body.has, body.lacks, body.equals, body.items, body.status, body.contains, body.matches):
                yield from paths


def _read(success: SuccessSpec) -> Iterator[str]:
    yield from success.message
    if success.pagination is not None:
        yield from _pagination(success.pagination)
    for warnings in success.warnings:
        for paths in (warnings.from_, warnings.index, warnings.code, warnings.detail, warnings.field):
            yield from paths


def _pagination(spec: PaginationSpec) -> Iterator[str]:
    yield from (path for path in spec.from_ if path != "@")  # only keys are looked for in what it gives
    for paths in (spec.page, spec.per_page, spec.total, spec.total_pages, spec.next, spec.prev, spec.has_more):
        yield from paths
