"""What a reply's head says about budgets: what is left, in which bucket it counted, and whether to pause.

Only status and header are looked at. What a refusal's body says is read with the rest of it, where it is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.dialects.conditions import compile_condition
from gateway.dialects.header import FieldNames, fields_in
from gateway.dialects.spec import PauseSpec
from gateway.dialects.view import View
from gateway.limits.budget.values import Scope
from gateway.model import Grant, first_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dialects.rates import RateReader
    from gateway.dialects.spec import DialectSpec
    from gateway.limits.budget.values import Kind
    from gateway.model import Headers

_FAILURES: Final = 400
_LONGEST_NAME: Final = 64
_USUAL: Final = tuple(
    PauseSpec.model_validate(pause)
    for pause in (
        {"when": {"status": 429}, "scope": "bucket"},
        {"when": {"status": 503, "headers": {"has": ["Retry-After"]}}, "scope": "bucket"},
    )
)


class BudgetReader:
    """The budgets of one dialect; `chain` begins with it and goes on with the dialects it extends."""

    __slots__ = ("_bucket", "_fields", "_pauses", "by_path", "kinds", "rates")

    def __init__(self, chain: Sequence[DialectSpec], rates: RateReader) -> None:
        """Compile what the dialect says."""
        self.rates = rates
        self.kinds: tuple[Kind, ...] = rates.kinds()
        name = next((spec.rate_bucket for spec in chain if spec.rate_bucket is not None), None)
        self._bucket = None if name is None else name.lower().encode()
        pauses = next((spec.pauses for spec in chain if spec.pauses), _USUAL)
        self.by_path = name is not None or any(pause.scope == "route" for pause in pauses)
        self._pauses = [(compile_condition(pause.when), Scope(pause.scope)) for pause in pauses]
        self._fields = FieldNames(rates.names.union(*(fields_in(pause.when) for pause in pauses)))

    def grants(self, headers: Headers, now_s: float) -> tuple[tuple[Grant, ...], int]:
        """Return what is left of each window, and how many fields say what cannot be."""
        return self.rates.grants(headers, now_s)

    def bucket(self, headers: Headers) -> bytes:
        """Return the name of the bucket in which the request counted, empty where the upstream names none."""
        if self._bucket is None:
            return b""
        value = first_value(headers, self._bucket) or b""
        return value if len(value) <= _LONGEST_NAME else b""

    def pause(self, status: int, headers: Headers, now_s: float) -> tuple[Scope, float | None] | None:
        """Return how far a pause reaches that the head imposes, and for how many seconds it asks; None for no pause."""
        if status < _FAILURES:
            return None
        view = View(status, self._fields.of(headers), b"")
        for holds, scope in self._pauses:
            if holds(view):
                return scope, self.rates.retry_after(view, now_s)
        return None
