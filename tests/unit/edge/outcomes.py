"""Outcomes of requests, as the proxy tells them to the observers."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from gateway.edge.call import Call
from gateway.model import Outcome, Translation


def call(**changes: Any) -> Call:  # noqa: ANN401 - each member has a type of its own
    """Return a request that an upstream answered well, with changes."""
    one = Call("id", "GET", "/a", "192.0.2.1", 10.0)
    plain: dict[str, Any] = {
        "upstream": "api",
        "status": 200,
        "upstream_status": 200,
        "translation": Translation.PASSED,
        "upstream_began_s": 10.5,
        "upstream_ended_s": 10.75,
    }
    for name, value in (plain | changes).items():
        setattr(one, name, value)
    return one


def outcome(**changes: Any) -> Outcome:  # noqa: ANN401 - as call()
    """Return what is told of such a request, a second after it began, with changes."""
    return replace(call().outcome(11.0, 1_795_000_000.0), **changes)
