"""`python -m bench micro`: the pure functions of the hot path, in microseconds a call.

Each figure is the median of several runs, on a machine that may be busy: compare figures of one run only.
"""

from __future__ import annotations

import statistics
import timeit
from typing import TYPE_CHECKING

from gateway.config import presets
from gateway.model import Problem, Reply, Success
from gateway.pipeline.examples import EXAMPLE_NOW_S, EXAMPLE_REQUEST_ID, plan_for
from gateway.pipeline.normalise import normalise
from gateway.pipeline.render import problem_document, success_document

if TYPE_CHECKING:
    from collections.abc import Callable

_RUNS = 15
_CALLS = 2_000
_HEADERS = (
    (b"Server", b"nginx"),
    (b"Date", b"Thu, 01 Jan 2026 00:00:00 GMT"),
    (b"Content-Type", b"application/json"),
    (b"Content-Length", b"240"),
    (b"Connection", b"keep-alive"),
)
_SALLA_422 = (
    '{"status":422,"success":false,"error":{"code":"error","message":"alert.invalid_fields",'
    '"fields":{"last_name":["الاسم الاخير مطلوب"],"mobile":["bad number","taken"]}}}'
).encode()
_SALLA_200 = (
    b'{"status":200,"success":true,"data":[' + b",".join(b'{"id":%d,"name":"x"}' % i for i in range(40)) + b"]}"
)


def table() -> str:
    """Measure, and return a Markdown table."""
    cases: dict[str, Callable[[], object]] = {
        "a Salla 422 to a problem document": _call("salla", 422, _SALLA_422),
        "the same, with dialect: auto": _call("auto", 422, _SALLA_422),
        "a Salla success of 1 kB, unified": _call("salla", 200, _SALLA_200),
    }
    lines = ["## Pure functions", "", "| what | µs a call (median) |", "|---|---|"]
    for name, run in cases.items():
        seconds = [timeit.timeit(run, number=_CALLS) / _CALLS for _ in range(_RUNS)]
        lines.append(f"| {name} | {statistics.median(seconds) * 1e6:.1f} |")
    return "\n".join(lines)


def _call(dialect: str, status: int, body: bytes) -> Callable[[], object]:
    plan = plan_for(presets.preset(dialect), dialect)
    reply = Reply(status=status, headers=_HEADERS, body=body)

    def run() -> bytes | None:
        match normalise(reply, plan, EXAMPLE_NOW_S):
            case Problem() as problem:
                return problem_document(problem, EXAMPLE_REQUEST_ID, "https://gateway.example")
            case Success() as success:
                return success_document(success, EXAMPLE_REQUEST_ID, "demo")
            case None:
                return None

    return run
