"""A dialect, compiled: what a reply says, as values.

A dialect is a chain: its own rules, then those of the dialects it extends. A rule is read with the tables of its own
dialect and of those that extend it, never with those of a dialect further down: `server_error` means something to
OAuth and nothing to an API that only falls back on OAuth. The first rule whose condition holds reads the error; a
status of 4xx or 5xx that no rule knows is still an error and is told by its status alone. The rule's own `problem`
names the code of the catalogue; else `naming` settles it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from gateway.catalog import CODES
from gateway.dialects import sources, timing
from gateway.dialects.conditions import as_status, compile_condition
from gateway.dialects.fields import FieldReader
from gateway.dialects.header import FieldNames, fields_in
from gateway.dialects.media import is_among, types_read
from gateway.dialects.members import Members, names_in
from gateway.dialects.naming import CLIENT_ERRORS, STATUSES, Naming, Said
from gateway.dialects.outline import outline_of
from gateway.dialects.rates import RateReader, clock
from gateway.dialects.success import SuccessReader
from gateway.dialects.text import is_trace
from gateway.dialects.view import in_body
from gateway.model import Code, FieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.dialects.outline import Outline
    from gateway.dialects.spec import DialectSpec, Rule, TimePick
    from gateway.dialects.view import View

_ALWAYS_READ = ("Content-Type", "Content-Encoding")
_RFC9457 = frozenset({"type", "title", "status", "detail", "instance"})
_LARGEST_EXTENSIONS = 16_384  # bytes; what an upstream adds must not swell our answer


class ErrorReading(Struct, frozen=True, kw_only=True):
    """What an upstream's error says. `named` tells whether something named the code, or the status alone gave it.

    `unread`: no rule knew the reply.
    """

    dialect: str
    rule: str | None
    status: int
    code: Code
    named: bool
    upstream_code: str | None = None
    upstream_type: str | None = None
    said: str | None = None
    detail: str | None = None
    errors: tuple[FieldError, ...] = ()
    request_id: str | None = None
    retry_after_s: float | None = None
    extensions: Mapping[str, Raw] | None = None
    unread: bool = False


class Dialect:
    """One dialect with all that it extends, ready to read replies."""

    __slots__ = (
        "_by_status",
        "_last_naming",
        "_media",
        "_unwrap",
        "accept",
        "field_names",
        "fields",
        "members",
        "name",
        "names",
        "outline",
        "rates",
        "success",
    )

    def __init__(self, chain: Sequence[DialectSpec]) -> None:
        """Compile a dialect; `chain` begins with it and goes on with the dialects it extends, nearest first."""
        self.name = chain[0].name or "unnamed"
        self.accept = next((spec.accept for spec in chain if spec.accept is not None), None)
        self.rates = RateReader(next((spec.rate_headers for spec in chain if spec.rate_headers), ()))
        self.success = _success(chain)
        self.names = frozenset(name for spec in chain for name in names_in(spec))
        self.members = Members(self.names)
        self.field_names = self.rates.names.union(_ALWAYS_READ, *map(fields_in, chain))
        self.fields = FieldNames(self.field_names)
        self.outline = _outline(chain)
        self._unwrap = any(spec.unwrap for spec in chain)
        self._media = types_read(rule.when for spec in chain for rule in spec.errors)
        namings = [Naming(chain[: index + 1]) for index in range(len(chain))]
        self._last_naming = namings[-1]
        rules = [
            _CompiledRule(rule, spec, own) for spec, own in zip(chain, namings, strict=True) for rule in spec.errors
        ]
        self._by_status = {status: tuple(rule for rule in rules if status in rule.statuses) for status in STATUSES}

    def may_be_error(self, status: int) -> bool:
        """Say whether a reply of this status has to be looked into for an error."""
        return status >= CLIENT_ERRORS or bool(self._by_status.get(status))

    def reads(self, status: int, content_type: bytes) -> bool:
        """Say whether a success that is not JSON by its `Content-Type` has to be looked into for an error."""
        types = self._media.get(status)
        return types is not None and is_among(content_type, types)

    def read_error(self, view: View, now_s: float, *, in_body: bool = True) -> ErrorReading | None:
        """Return what the reply's error says, or None when it is no error.

        Args:
            view: the reply; its tree is unwrapped and its status set to the one that counts.
            now_s: Unix time.
            in_body: whether the request had a body, so that its fields were there.
        """
        outer = view.tree
        if self._unwrap and type(outer) is list:
            view.tree = view.unwrapped()
        for rule in self._by_status.get(view.status, ()):
            if rule.when(view):
                if view.payload is not None:
                    view.complete()
                return self._read(rule, view, now_s, in_body=in_body) if rule.error else None
        view.tree = outer
        return self._unread(view, now_s) if view.status >= CLIENT_ERRORS else None

    def _read(self, rule: _CompiledRule, view: View, now_s: float, *, in_body: bool) -> ErrorReading:
        if rule.status_wins or view.status < CLIENT_ERRORS:
            view.status = rule.declared_status(view)
        code = rule.code(view)
        kind = rule.type(view)
        said, detail = rule.words(view)
        errors = rule.field_errors(view, said, in_body=in_body)
        named = rule.problem or rule.naming.named(view, Said(code, kind, said, _names_fields(errors)))
        if detail is None and errors and rule.sentence is not None:
            detail = _sentence(rule.sentence, errors)
        after = rule.retry_after(view, now_s)
        if after is None:
            after = self.rates.retry_after(view, now_s)
        if after is None:
            after = rule.retry_after_words(view, now_s)
        return ErrorReading(
            dialect=rule.dialect,
            rule=rule.name,
            status=view.status,
            code=named or rule.naming.derived(view.status),
            named=named is not None,
            upstream_code=code,
            upstream_type=kind,
            said=said,
            detail=detail,
            errors=errors,
            request_id=rule.request_id(view),
            retry_after_s=after,
            extensions=_extensions(view) if rule.extensions else None,
        )

    def _unread(self, view: View, now_s: float) -> ErrorReading:
        return ErrorReading(
            dialect=self.name,
            rule=None,
            status=view.status,
            code=self._last_naming.derived(view.status),
            named=False,
            retry_after_s=self.rates.retry_after(view, now_s),
            unread=True,
        )


class _CompiledRule:
    __slots__ = (
        "_fields",
        "_retry_after",
        "_retry_after_last",
        "_status",
        "code",
        "dialect",
        "error",
        "extensions",
        "name",
        "naming",
        "problem",
        "request_id",
        "sentence",
        "status_wins",
        "statuses",
        "type",
        "when",
        "words",
    )

    def __init__(self, rule: Rule, spec: DialectSpec, naming: Naming) -> None:
        read = spec.read
        self.name = rule.name
        self.dialect = spec.name or "unnamed"
        self.naming = naming
        self.error = rule.error
        self.problem = CODES[rule.problem] if rule.problem is not None else None
        self.statuses = rule.when.status or frozenset()
        self.when = compile_condition(rule.when.model_copy(update={"status": None}))  # `_by_status` has tested it
        status = rule.status or read.status
        self._status = sources.compile_picks(status.from_) if status is not None else ()
        self.status_wins = status is not None and status.wins
        self.code = sources.code_at(rule.code or read.code)
        self.type = sources.code_at(rule.type or read.type)
        self.words = sources.words_at(rule.message or read.message)
        self.request_id = sources.code_at(rule.request_id or read.request_id)
        self.sentence = rule.sentence or read.sentence
        self.extensions = rule.extensions or read.extensions
        self._fields = [FieldReader(fields, naming.field_codes) for fields in rule.fields or read.fields]
        times = rule.retry_after or read.retry_after
        self._retry_after = [_compiled_time(pick) for pick in times if not pick.last]
        self._retry_after_last = [_compiled_time(pick) for pick in times if pick.last]

    def declared_status(self, view: View) -> int:
        """Return the status that the body declares, if it is an error's, else the one that the view has."""
        for at in self._status:
            if (found := as_status(at(view))) is not None:
                return found if found >= CLIENT_ERRORS else view.status
        return view.status

    def field_errors(self, view: View, message: str | None, *, in_body: bool) -> tuple[FieldError, ...]:
        for reader in self._fields:
            if errors := reader.read(view, message, in_body=in_body):
                return tuple(errors)
        return ()

    def retry_after(self, view: View, now_s: float) -> float | None:
        return _first_time(self._retry_after, view, now_s)

    def retry_after_words(self, view: View, now_s: float) -> float | None:
        return _first_time(self._retry_after_last, view, now_s)


def _first_time(readers: Sequence[Callable[[View, float], float | None]], view: View, now_s: float) -> float | None:
    for read in readers:
        if (found := read(view, now_s)) is not None:
            return found
    return None


def _compiled_time(pick: TimePick) -> Callable[[View, float], float | None]:
    if pick.refill is not None:
        need, have, rate = (in_body(path) for path in (pick.refill.need, pick.refill.have, pick.refill.per_second))
        return lambda view, _now_s: timing.seconds_to_refill(need(view), have(view), rate(view))
    picks, form = sources.compile_picks(pick.from_), pick.as_

    def read(view: View, now_s: float) -> float | None:
        for at in picks:
            found = timing.seconds_until(at(view), form, clock(view.fields, now_s))
            if found is not None:
                return found
        return None

    return read


def _names_fields(errors: Sequence[FieldError]) -> bool:
    for error in errors:  # noqa: SIM110 - a generator costs more than the one look that is mostly enough
        if error.field is not None:
            return True
    return False


def _sentence(sentence: str, errors: Sequence[FieldError]) -> str | None:
    """Return the first field error that has a text as a sentence."""
    for error in errors:
        if error.detail is not None:
            text = sentence.replace("{field}", error.field or "", 1).strip()
            return text.replace("{detail}", error.detail, 1)
    return None


def _success(chain: Sequence[DialectSpec]) -> SuccessReader | None:
    for spec in chain:
        if spec.success is not None:
            return SuccessReader(spec.success, dialect=spec.name or "unnamed", unwrap=spec.unwrap)
    return None


def _outline(chain: Sequence[DialectSpec]) -> Outline | None:
    success = next((spec.success for spec in chain if spec.success is not None), None)
    conditions = [rule.when for spec in chain for rule in spec.errors]
    return outline_of(success, [one for one in conditions if min(one.status or (), default=0) < CLIENT_ERRORS])


def _extensions(view: View) -> Mapping[str, Raw] | None:
    """Return the members of the body's root that are not of RFC 9457, as the bytes in which they came.

    One that holds a stack trace is left out.
    """
    if view.spliceable is None:
        return None
    try:
        members = msgspec.json.decode(view.spliceable, type=dict[str, Raw])
    except msgspec.ValidationError:  # the root is no object, but perhaps a list of one
        return None
    found = {name: Raw(bytes(raw)) for name, raw in members.items() if name not in _RFC9457 and _is_shown(raw)}
    return found if sum(len(name) + len(bytes(raw)) for name, raw in found.items()) <= _LARGEST_EXTENSIONS else None


def _is_shown(raw: Raw) -> bool:
    return not is_trace(bytes(raw).decode("utf-8", "replace"))
