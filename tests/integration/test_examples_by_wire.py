"""Every example of every preset, by wire: an origin sends the reply, and the gateway answers what the core says of it.

What the core says is held to the examples in tests/examples; here the same documents come out of a real socket.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.config import presets
from gateway.pipeline.examples import EXAMPLE_NOW_S, EXAMPLE_REQUEST_ID, answer, plan_for, reply_of
from tests.integration.harness import LoopClock, gateway, on_uvloop, post, upstream
from tests.integration.origin import body, head, send, serve

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.dialects.spec import Example
    from gateway.model import Reply

EXAMPLES = [(name, example) for name in presets.names() for example in presets.specs()[name].examples]
BODILESS = {204, 304}


class ExampleClock(LoopClock):
    """The time at which examples are read."""

    def now_s(self) -> float:
        """Return it."""
        return EXAMPLE_NOW_S


class ExampleId:
    """The id that examples have."""

    def mint(self) -> str:
        """Return it."""
        return EXAMPLE_REQUEST_ID


def on_the_wire(reply: Reply) -> bytes:
    """Return a reply as an origin sends it."""
    fields = [b"%s: %s" % field for field in reply.headers if field[0].lower() != b"content-length"]
    if reply.status not in BODILESS:
        fields.append(b"Content-Length: %d" % len(reply.body))
    return b"\r\n".join([b"HTTP/1.1 %d Whatever" % reply.status, *fields, b"", reply.body])


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{name}: {example.name}" for name, example in EXAMPLES])
@on_uvloop
async def test_example_by_wire(tmp_path: Path, name: str, example: Example) -> None:
    """The document is the core's, and so is the status; what passes is what was sent."""
    reply = reply_of(example.reply)
    found, document = answer(reply, plan_for(presets.preset(name), "api"))
    async with (
        serve((head(), body(2), send(on_the_wire(reply)))) as origin,
        gateway(tmp_path, upstream(origin, dialect=name), clock=ExampleClock(), ids=ExampleId()) as accord,
    ):
        told = await accord.ask(post("/api/a", b"{}"))
    assert told.status == (reply.status if found is None else found.status)
    if document is None:
        assert told.body == (b"" if reply.status in BODILESS else reply.body)
    else:
        assert json.loads(told.body) == json.loads(document)
