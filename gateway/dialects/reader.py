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

from gateway.dialects.budgets import BudgetReader
from gateway.dialects.header import FieldNames
from gateway.dialects.media import is_among, types_read
from gateway.dialects.members import Members
from gateway.dialects.naming import CLIENT_ERRORS, STATUSES, Naming, Said
from gateway.dialects.outline import outline_of
from gateway.dialects.rates import RateReader
from gateway.dialects.rules import level_of
from gateway.dialects.success import SuccessReader
from gateway.dialects.text import is_shown
from gateway.model import Category, Code, FieldError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dialects.outline import Outline
    from gateway.dialects.rules import CompiledRule
    from gateway.dialects.spec import DialectSpec
    from gateway.dialects.view import View

    _Rules = tuple[tuple[CompiledRule, Naming], ...]

_ALWAYS_READ = ("Content-Type", "Content-Encoding", "Content-Language")
_QUOTA_EXHAUSTED = Category.QUOTA_EXHAUSTED
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
        "_rules",
        "_unwrap",
        "accept",
        "budgets",
        "chain",
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
        self.chain = tuple(chain)
        self.accept = next((spec.accept for spec in chain if spec.accept is not None), None)
        self.rates = RateReader(next((spec.rate_headers for spec in chain if spec.rate_headers), ()))
        self.budgets = BudgetReader(chain, self.rates)
        self.success = _success(chain)
        levels = [level_of(spec) for spec in chain]
        self.names = frozenset[str]().union(*(level.names for level in levels))
        self.members = Members(self.names)
        self.field_names = self.rates.names.union(_ALWAYS_READ, *(level.field_names for level in levels))
        self.fields = FieldNames(self.field_names)
        self.outline = _outline(chain)
        self._unwrap = any(spec.unwrap for spec in chain)
        self._media = types_read(rule.when for spec in chain for rule in spec.errors)
        tables = [level.tables for level in levels]
        namings = [Naming(tables[: index + 1]) for index in range(len(tables))]
        self._last_naming = namings[-1]
        self._rules = [(rule, own) for level, own in zip(levels, namings, strict=True) for rule in level.rules]
        self._by_status: dict[int, _Rules] = {}

    def _rules_for(self, status: int) -> _Rules:
        """Return the rules for a status, each with the tables that it is read with; worked out when it first comes."""
        found = self._by_status.get(status)
        if found is None:
            found = tuple(pair for pair in self._rules if status in pair[0].statuses)
            if status in STATUSES:
                self._by_status[status] = found
        return found

    def may_be_error(self, status: int) -> bool:
        """Say whether a reply of this status has to be looked into for an error."""
        return status >= CLIENT_ERRORS or bool(self._rules_for(status))

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
        for rule, naming in self._rules_for(view.status):
            if rule.when(view):
                if view.payload is not None:
                    view.complete()
                return self._read(rule, naming, view, now_s, in_body=in_body) if rule.error else None
        view.tree = outer
        return self._unread(view, now_s) if view.status >= CLIENT_ERRORS else None

    def _read(self, rule: CompiledRule, naming: Naming, view: View, now_s: float, *, in_body: bool) -> ErrorReading:
        if rule.status_wins or view.status < CLIENT_ERRORS:
            view.status = rule.declared_status(view)
        code = rule.code(view)
        kind = rule.type(view)
        said, detail = rule.words(view)
        errors = rule.field_errors(view, detail or said, naming.field_codes, in_body=in_body)
        if detail is None and errors and rule.sentence is not None:
            detail = _sentence(rule.sentence, errors)
        named = rule.problem or naming.named(view, Said(code, kind, said or detail, _names_fields(errors)))
        settled = named or naming.derived(view.status)
        after = rule.retry_after(view, now_s)
        if after is None:
            after = self.rates.retry_after(view, now_s)
        if after is None and may_pass(settled):
            after = rule.retry_after_words(view, now_s)
        return ErrorReading(
            dialect=rule.dialect,
            rule=rule.name,
            status=view.status,
            code=settled,
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


def may_pass(code: Code) -> bool:
    """Say whether an error may pass by itself, so that its words may tell when."""
    return code.retryable or code.category is _QUOTA_EXHAUSTED


def _names_fields(errors: Sequence[FieldError]) -> bool:
    for error in errors:  # noqa: SIM110 - a generator costs more than the one look that is mostly enough
        if error.field is not None:
            return True
    return False


def _sentence(sentence: str, errors: Sequence[FieldError]) -> str | None:
    """Return the first field error that has a text as a sentence.

    A name that only a space parts from the text is put before a text that goes on from it, beginning in lower case.
    """
    for error in errors:
        if error.detail is not None:
            if not error.detail[0].islower():
                sentence = sentence.replace("{field} {detail}", "{detail}", 1)
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

    One that holds a stack trace, or what the client sent, is left out.
    """
    tree = view.tree
    if view.spliceable is None or type(tree) is not dict:
        return None
    try:
        members = msgspec.json.decode(view.spliceable, type=dict[str, Raw])
    except msgspec.ValidationError:  # the root is no object, but a list of one
        return None
    found = {name: Raw(bytes(raw)) for name, raw in members.items() if name not in _RFC9457}
    if sum(len(name) + len(bytes(raw)) for name, raw in found.items()) > _LARGEST_EXTENSIONS:
        return None
    return {name: raw for name, raw in found.items() if is_shown({name: tree.get(name)})}
