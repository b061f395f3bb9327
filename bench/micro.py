"""`python -m bench micro`: the pure functions of the hot path, in microseconds a call.

Each figure is the median of several runs, and the least of them, on a machine that may be busy: compare figures of one
run only.
"""

from __future__ import annotations

import statistics
import timeit
from itertools import cycle
from typing import TYPE_CHECKING, ClassVar, cast

from prometheus_client import CollectorRegistry

from gateway.config import presets
from gateway.config.models import GatewayFile
from gateway.edge.access_log import AccessLog, LineBuffer
from gateway.edge.admission import Admission
from gateway.edge.call import Call
from gateway.edge.clock import SystemClock, UuidsV7
from gateway.edge.limiting.limit_metrics import LimitMetrics
from gateway.edge.metrics import Metrics
from gateway.edge.status import StatusBoard
from gateway.limits import Decision, Policy, rate_fields
from gateway.limits.stores import MemoryStore
from gateway.limits.stores.shared import SharedStore
from gateway.model import Problem, Reply, Stage, Success, Translation
from gateway.pipeline.examples import EXAMPLE_NOW_S, EXAMPLE_REQUEST_ID, plan_for
from gateway.pipeline.normalise import normalise, own_problem
from gateway.pipeline.render import problem_document, success_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.edge.ways import Way
    from gateway.limits.stores import Store
    from gateway.pipeline.counted import Counted

_RUNS = 15
_CALLS = 2_000
_HEADERS = (
    (b"Server", b"nginx"),
    (b"Date", b"Thu, 01 Jan 2026 00:00:00 GMT"),
    (b"Content-Type", b"application/json"),
    (b"Content-Length", b"240"),
    (b"Connection", b"keep-alive"),
)
_ASKED = (
    (b"Host", b"gateway.example"),
    (b"User-Agent", b"bench"),
    (b"Accept", b"*/*"),
    (b"Authorization", b"Bearer 0123456789abcdef"),
)
_BATCH = 200
_SALLA_422 = (
    '{"status":422,"success":false,"error":{"code":"error","message":"alert.invalid_fields",'
    '"fields":{"last_name":["الاسم الاخير مطلوب"],"mobile":["bad number","taken"]}}}'
).encode()
_SALLA_200 = (
    b'{"status":200,"success":true,"data":[' + b",".join(b'{"id":%d,"name":"x"}' % i for i in range(40)) + b"]}"
)


class _NoPolicies:
    """A way without policies of its own."""

    policies: tuple[Policy, ...] = ()
    counted: ClassVar[dict[str, Counted]] = {}


def table() -> str:
    """Measure, and return a Markdown table."""
    cases: dict[str, Callable[[], object]] = {
        "a Salla 422 to a problem document": _call("salla", 422, _SALLA_422),
        "the same, with dialect: auto": _call("auto", 422, _SALLA_422),
        "a Salla success of 1 kB, unified": _call("salla", 200, _SALLA_200),
        "an id": UuidsV7(SystemClock()).mint,
        "limits: one policy by client, and its fields": _limits(),
        "limits in memory: a decision, one policy": _decision(1),
        "limits in memory: a decision, four policies": _decision(4),
        "limits in shared memory: a decision, one policy": _decision(1, shared=True),
        "limits in shared memory: a decision, four policies": _decision(4, shared=True),
        "settle: outcome, log line, metrics, status": _settle(),
    }
    lines = ["## Pure functions", "", "| what | µs a call (median) | (least) |", "|---|---|---|"]
    for name, run in cases.items():
        seconds = [timeit.timeit(run, number=_CALLS) / _CALLS for _ in range(_RUNS)]
        lines.append(f"| {name} | {statistics.median(seconds) * 1e6:.2f} | {min(seconds) * 1e6:.2f} |")
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


def _asked() -> Call:
    """Return a request that an upstream answered with an error."""
    call = Call("019a0000-0000-7000-8000-000000000000", "GET", "/salla/orders/7", "192.0.2.1", 0.0)
    call.upstream, call.status, call.upstream_status, call.dialect = "salla", 422, 422, "salla"
    call.problem, call.translation = own_problem("internal", Stage.RESPONSE, upstream="salla"), Translation.PROBLEM
    call.upstream_began_s, call.upstream_ended_s = 0.001, 0.002
    return call


def _limits() -> Callable[[], object]:
    """Count a request by its client, and write the fields of its answer."""
    limits = [{"name": "per-client", "key": "client", "requests": 1_000_000, "per": "1s"}]
    gateway = GatewayFile.model_validate({"version": 1, "limits": limits})
    admission = Admission(
        gateway, secret=b"secret", clock=SystemClock(), store=MemoryStore(), metrics=LimitMetrics(CollectorRegistry())
    )
    call, way = _asked(), cast("Way", _NoPolicies())

    def run() -> object:
        decision = admission.decide(admission.facts(call, _ASKED), way)
        assert isinstance(decision, Decision)
        return rate_fields(decision.verdicts, status=422)

    return run


def _decision(policies: int, *, shared: bool = False) -> Callable[[], object]:
    """Decide a request by policies with keys of many clients."""
    rates = [
        Policy(name=f"p{number}", requests=1_000_000, per_us=1_000_000, burst=1_000_000, key=("client",))
        for number in range(policies)
    ]
    asks = cycle([[(policy, b"client=%d" % client, 1) for policy in rates] for client in range(1_000)])
    clock = SystemClock()
    store: Store = MemoryStore()
    if shared:
        store = SharedStore.open(SharedStore.create(rates, processes=1).fileno(), rates, index=0)

    def run() -> object:
        return store.decide(next(asks), int(clock.monotonic_s() * 1e6), int(clock.now_s() * 1e6))

    return run


def _settle() -> Callable[[], object]:
    """Tell every observer of a request, its share in encoding a batch of lines included."""
    clock, call, told = SystemClock(), _asked(), 0
    buffer = LineBuffer(lambda _data, _lines: None, lambda _flush: None)
    metrics = Metrics(CollectorRegistry(), lambda: 0, lambda: 0)
    observers = (metrics, AccessLog(buffer, clock), StatusBoard(("salla",)))

    def run() -> None:
        nonlocal told
        outcome = call.outcome(clock.monotonic_s(), clock.now_s())
        for observer in observers:
            observer.observe(outcome)
        told += 1
        if told % _BATCH == 0:
            buffer.flush()

    return run
