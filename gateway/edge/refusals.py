"""Why a request is refused before any upstream, and the code that it is refused with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError, LineTooLong
from msgspec.structs import replace

from gateway.errors import AccordError
from gateway.model import Stage
from gateway.pipeline.normalise import own_problem
from gateway.units import US_IN_S

if TYPE_CHECKING:
    from gateway.config.models import Bounds
    from gateway.limits import Decision
    from gateway.model import Problem


_TOO_MANY_FIELDS: Final = "Too many headers received"
"""aiohttp's words; it has no type for this case."""


class MalformedBody(AccordError):  # noqa: N818 - named for what arrived
    """A request body whose chunk framing broke after its head was taken."""


class SlowHead(HttpProcessingError):  # noqa: N818 - named for what happened
    """A request head that was begun and not finished in time."""


class LargeHead(HttpProcessingError):  # noqa: N818 - named for what arrived
    """A request head with more bytes in all than is allowed."""


def field_limit(bounds: Bounds) -> int:
    """Keep aiohttp's limit for a field apart from its limit for the target: by that a `LineTooLong` is told apart."""
    return bounds.head_bytes + (bounds.head_bytes == bounds.target_bytes)


def refusal_code(exc: BaseException, bounds: Bounds) -> str:
    """Name the code for a request that could not be parsed."""
    match exc:
        case SlowHead():
            return "request_timeout"
        case LargeHead():
            return "head_too_large"
        case LineTooLong():
            limit: Any = exc.args[1]
            return "target_too_large" if limit == bounds.target_bytes else "head_too_large"
        case BadHttpMessage() if exc.args[:1] == (_TOO_MANY_FIELDS,):
            return "head_too_large"
        case _:
            return "malformed_request"


def limit_problem(decision: Decision, upstream: str) -> Problem:
    """Return the problem of a request that the limits refuse.

    `violated-policies` names those that it is over (draft-ietf-httpapi-ratelimit-headers), as `RateLimit-Policy` does.
    """
    if decision.unavailable or decision.tightest is None:
        return own_problem("store_unavailable", Stage.LIMIT, upstream=upstream)
    refusing = [verdict.policy for verdict in decision.verdicts if not verdict.admitted]
    code = "upstream_budget_exhausted" if decision.tightest.policy.budget else "rate_limited"
    after_s = decision.tightest.retry_after_us / US_IN_S
    problem = own_problem(code, Stage.LIMIT, upstream=upstream, after=after_s)
    return replace(problem, extensions={"violated-policies": [policy.name for policy in refusing]})
