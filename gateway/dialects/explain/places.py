"""Where the values of an error came from: each place that was named, what stood there, and which one counted.

What a single place gives is asked of the reader itself, by a dialect of one rule that names that place alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from gateway.dialects.conditions import as_status
from gateway.dialects.explain.shown import printable, shown
from gateway.dialects.header import fields_in, text_of
from gateway.dialects.reader import Dialect, may_pass
from gateway.dialects.sources import compile_pick
from gateway.dialects.spec import Condition, DialectSpec, Pick, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gateway.dialects.rates import RateReader
    from gateway.dialects.reader import ErrorReading
    from gateway.dialects.view import View

_ERRORS_SHOWN: Final = 3
_UNTIMED: Final = frozenset({b"content-type", b"date"})


class PlaceTrial(Struct, frozen=True, kw_only=True):
    """One place where a value was looked for: what stood there, and what it gave as `member` of the error."""

    member: str
    place: str
    found: str | None
    gave: str | None
    counts: bool


class Reader:
    """Reads a reply as if one place were all that its rule named."""

    def __init__(
        self, views: Callable[[], View], tables: Sequence[DialectSpec], chain: Sequence[DialectSpec], now_s: float
    ) -> None:
        """Take views of the reply, the dialects whose words for fields count, and all of the chain."""
        self._views = views
        self._now_s = now_s
        self._unwrap = any(spec.unwrap for spec in chain)
        self._words = {word: code for spec in reversed(tables) for word, code in spec.field_codes.items()}

    def read(self, status: int, members: dict[str, Any]) -> ErrorReading | None:
        """Return what these members of a rule find in an error of this status."""
        view = self._views()
        view.status = status
        for entry in members.get("retry_after", ()):  # what fields say unasked must not answer for this place
            wanted = _UNTIMED.union(name.lower().encode() for name in fields_in(entry))
            view.fields = {name: value for name, value in view.fields.items() if name in wanted}
            members = {**members, "retry_after": (entry.model_copy(update={"last": False}),)}
        rule = Rule(when=Condition(status=frozenset({status}))).model_copy(update=members)
        said = {"unwrap": self._unwrap, "field_codes": self._words, "errors": (rule,)}
        return Dialect([DialectSpec().model_copy(update=said)]).read_error(view, self._now_s)

    def value(self, pick: Pick) -> Any:
        """Return what stands at a place."""
        view = self._views()
        if self._unwrap:
            view.tree = view.unwrapped()
        return compile_pick(pick)(view)


def places(rule: Rule, spec: DialectSpec, reading: ErrorReading, reader: Reader) -> Iterator[PlaceTrial]:
    """Give every place of every member that the rule, or its dialect's `read`, names; but for the times."""
    status = rule.status or spec.read.status
    if status is not None:
        yield from _of_status(status.from_, reading, reader)
    message, fields = rule.message or spec.read.message, rule.fields or spec.read.fields
    worded = False
    for member in GIVES:
        if member == "retry_after":
            continue
        beside = {"message": message} if member == "fields" else {}
        tried = list(_tried(member, _named(rule, spec, member), reading, reader, beside))
        yield from tried
        worded = worded or (member == "message" and any(trial.counts for trial in tried))
    sentence = rule.sentence or spec.read.sentence
    if sentence is not None and not worded:
        read = reader.read(reading.status, {"sentence": sentence, "message": message, "fields": fields})
        gave = _text(read.detail) if read is not None else None
        yield _trial("message", f"sentence: {printable(sentence)}", None, gave, counts=gave is not None)


def times(
    rule: Rule | None, spec: DialectSpec, reading: ErrorReading, reader: Reader, headers: PlaceTrial | None
) -> Iterator[PlaceTrial]:
    """Give the places of the time to try again: those of the rule, the header fields, and what is asked last."""
    entries = _named(rule, spec, "retry_after") if rule is not None else ()
    first = list(_tried("retry_after", [one for one in entries if not one.last], reading, reader, {}))
    yield from first
    settled = any(trial.counts for trial in first)
    if headers is not None and not settled:
        yield headers
    rest = _tried("retry_after", [one for one in entries if one.last], reading, reader, {})
    asked = not settled and headers is None and may_pass(reading.code)
    for trial in rest:
        yield trial if asked else replace(trial, counts=False)


def _named(rule: Rule, spec: DialectSpec, member: str) -> Any:
    return getattr(rule, member) or getattr(spec.read, member)


def _tried(
    member: str, entries: Iterable[Any], reading: ErrorReading, reader: Reader, beside: dict[str, Any]
) -> Iterator[PlaceTrial]:
    settled = False
    for entry, pick in _single(entries):
        found = reader.value(pick) if pick is not None else None
        read = reader.read(reading.status, {member: (entry,), **beside})
        gave = GIVES[member](read) if read is not None else None
        counts = gave is not None and not settled
        settled = settled or counts
        yield _trial(member, _spelled(entry), found, gave, counts=counts)


def _trial(member: str, place: str, found: Any, gave: str | None, *, counts: bool) -> PlaceTrial:
    shown_as = None if found is None else shown(found)
    return PlaceTrial(member=member, place=place, found=shown_as, gave=gave, counts=counts)


def _of_status(picks: Iterable[Pick], reading: ErrorReading, reader: Reader) -> Iterator[PlaceTrial]:
    """Give the places of the body's own status; the first that holds one is the one that could count."""
    settled = False
    for pick in picks:
        found = reader.value(pick)
        status = as_status(found)
        counts = status == reading.status and not settled
        yield _trial("status", _spelled(pick), found, None if status is None else str(status), counts=counts)
        settled = settled or status is not None


def header_time(rates: RateReader, view: View, now_s: float) -> PlaceTrial | None:
    """Return the header fields that tell when to try again without being named by a rule, if some do."""
    after = rates.retry_after(view, now_s)
    if after is None:
        return None
    said = ((name, text_of(view.fields, name.lower().encode())) for name in sorted(rates.names) if name != "date")
    there = ", ".join(f"{name}: {text}" for name, text in said if text is not None)
    found = printable(there)
    return PlaceTrial(member="retry_after", place="header fields", found=found, gave=_seconds(after), counts=True)


def _single(entries: Iterable[Any]) -> Iterator[tuple[Any, Pick | None]]:
    """Take entries apart into those with one place each, which is given beside them if it is a plain one."""
    for entry in entries:
        if isinstance(entry, Pick):
            yield entry, entry
        elif getattr(entry, "from_", ()):
            yield from ((entry.model_copy(update={"from_": (pick,)}), pick) for pick in entry.from_)
        else:
            yield entry, None


def _spelled(entry: Any) -> str:
    """Write a place: its path, and in brackets what else is said of it."""
    written = entry.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for place in written.pop("from", ()):  # one at most: `_single` has taken them apart
        written = {**place, **written}
    path = written.pop("path", None)
    rest = ", ".join(f"{key}: {_short(value)}" for key, value in written.items())
    return printable(rest if path is None else f"{path} ({rest})" if rest else path)


def _short(value: Any) -> str:
    """Write what stands at a key as a person would: no brackets around one thing, no key for a path alone."""
    if isinstance(value, list) and len(value) == 1:
        [value] = value
    if isinstance(value, dict):
        inner = ", ".join(f"{key}: {_short(one)}" for key, one in value.items())
        return _short(value["path"]) if list(value) == ["path"] else f"{{{inner}}}"
    return value if isinstance(value, str) else shown(value)


def _fields(reading: ErrorReading) -> str | None:
    if not reading.errors:
        return None
    told = [f"{error.field or '(the whole)'} {error.code}" for error in reading.errors[:_ERRORS_SHOWN]]
    more = len(reading.errors) - len(told)
    return printable(", ".join(told) + (f" and {more} more" if more else ""))


def _after(reading: ErrorReading) -> str | None:
    return None if reading.retry_after_s is None else _seconds(reading.retry_after_s)


def _seconds(after_s: float) -> str:
    return f"{after_s:g} s"


def _text(text: str | None) -> str | None:
    return None if text is None else shown(text)


GIVES: Final[dict[str, Callable[[ErrorReading], str | None]]] = {
    "code": lambda reading: _text(reading.upstream_code),
    "type": lambda reading: _text(reading.upstream_type),
    "message": lambda reading: _text(reading.detail),
    "fields": _fields,
    "request_id": lambda reading: _text(reading.request_id),
    "retry_after": _after,
}
"""The members of an error that have lists of places, with what a reading of one place gave for each."""
