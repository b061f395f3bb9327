"""The table of an upstream's codes: those whose meaning is plain, and those that a person has to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.catalog import CODES, for_status
from gateway.dialects.conditions import as_status
from gateway.dialects.sources import as_code
from gateway.pipeline.suggest.meanings import meaning_of
from gateway.pipeline.suggest.roles import values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.pipeline.suggest.meanings import Meaning
    from gateway.pipeline.suggest.roles import Roles
    from gateway.pipeline.suggest.seen import Seen

_ERRORS_FROM: Final = 400
_VAGUE: Final = frozenset((400, 403, 409, 422, 500, 503))
"""Statuses under which the word of a code may say more than they do."""
_FINER: Final = frozenset(
    ("token_expired", "token_invalid", "session_expired", "insufficient_scope", "quota_exhausted")
)
_MOST: Final = 60
_LONGEST: Final = 60


class Table(NamedTuple):
    """Upstream code -> ours. `open` holds those of which nobody can be sure: our best guess, and why.

    `told` are those that need no word, because the status under which they came says as much.
    """

    sure: Mapping[str, str]
    open: Mapping[str, tuple[str, str]]
    told: Mapping[str, str]


def table_of(roles: Sequence[Roles], kinds: Sequence[Sequence[Seen]]) -> Table:
    """Return the meanings of the codes in some errors, kind by kind."""
    statuses: dict[str, set[int]] = {}
    for role, kind in zip(roles, kinds, strict=True):
        for seen, value in zip(kind, values(kind, role.code.paths), strict=True):
            code = as_code(value)
            if code is not None and len(code) <= _LONGEST and " " not in code and as_status(value) is None:
                statuses.setdefault(code, set()).add(_counting(seen, role))
    return _table(dict(list(statuses.items())[:_MOST]))


def _counting(seen: Seen, role: Roles) -> int:
    if seen.status >= _ERRORS_FROM:
        return seen.status
    declared = as_status(next(iter(values([seen], role.status)), None))
    return declared if declared is not None and declared >= _ERRORS_FROM else seen.status


def _table(statuses: Mapping[str, set[int]]) -> Table:
    sure: dict[str, str] = {}
    unsure: dict[str, tuple[str, str]] = {}
    told: dict[str, str] = {}
    for code, met in statuses.items():
        meaning = meaning_of(code)
        shown = [status for status in met if status >= _ERRORS_FROM]
        if meaning is not None and _is_plain(meaning, met):
            sure[code] = meaning.code
        elif len(shown) < len(met) and shown:
            sure[code] = for_status(min(shown)).name
        elif not shown:
            where = ", ".join(map(str, sorted(met)))
            unsure[code] = ("upstream_error", f"seen under {where}; nothing says what it means")
        elif meaning is None or meaning.code == for_status(min(shown)).name:
            told[code] = for_status(min(shown)).name
        else:
            where = ", ".join(map(str, sorted(shown)))
            unsure[code] = (meaning.code, f"by its words; {where} says {for_status(min(shown)).name}")
    return Table(sure, unsure, told)


def _is_plain(meaning: Meaning, met: set[int]) -> bool:
    """Say whether a word may decide: where no status speaks, where it agrees, or says more without a doubt."""
    if min(met) < _ERRORS_FROM:
        return True
    derived = {for_status(status).category for status in met}
    if CODES[meaning.code].category in derived and len(derived) == 1:
        return meaning.sure or meaning.code in _FINER
    return meaning.sure and (meaning.code in _FINER or met <= _VAGUE)
