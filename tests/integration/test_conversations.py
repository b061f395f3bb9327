"""Conversations through the whole gateway, cut anywhere on both sides: the same comes of them, to the byte."""

from __future__ import annotations

import asyncio
import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest
import uvloop
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.integration.harness import gateway, get, upstream
from tests.integration.loops import run
from tests.integration.origin import Conversation, Step, half_close, head, send, serve, tell
from tests.integration.pools import turns
from tests.integration.talks import HELLO, MALFORMED, SAMPLES, TALKS, Talk
from tests.integration.test_refused_heads import BOUNDS, BROKEN_CHUNKS, CASES, Case, chunked
from tests.integration.wire import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.integration.harness import Running
    from tests.integration.wire import Reply, Wire

AFTER = get("/api/after")
SOON = 4
"""Turns of the loop in which what was sent on loopback is read, so that the next piece is a piece of its own."""
_OF_ONE_ANSWER = frozenset({b"date", b"x-request-id"})
_REQUEST_ID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Outcome(NamedTuple):
    """All that can be seen of a conversation: the answers, what the origin was sent, and which connections stayed."""

    answers: tuple[Reply | None, ...]
    received: tuple[bytes, ...]
    kept: bool
    reused: bool


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut `data` at `places`, taken modulo its length; nothing in it gets lost."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [piece for begin, end in itertools.pairwise(edges) if (piece := data[begin:end])]


def say(pieces: Sequence[bytes]) -> Step:
    """Send each piece and let it arrive before the next, until the gateway has cut the connection."""

    async def step(conversation: Conversation) -> None:
        for piece in pieces:
            if not conversation.writer.is_closing():
                await send(piece)(conversation)
                await turns(SOON)

    return step


async def tell_gateway(wire: Wire, pieces: Sequence[bytes]) -> None:
    """Send each piece of a client's bytes and let it arrive; who was answered may be gone already."""
    for piece in pieces:
        if wire.writer.is_closing():
            return
        wire.writer.write(piece)
        await turns(SOON)


async def answer_to(wire: Wire, *, to_head: bool) -> Reply | None:
    """Read an answer behind any interim ones; None when it is cut. What differs each time is left out."""
    try:
        while (answer := await wire.reply(head=to_head)).status < 200:
            pass
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    fields = tuple(field for field in answer.headers if field[0].lower() not in _OF_ONE_ANSWER)
    return type(answer)(
        status=answer.status,
        headers=tuple(field for field in fields if field[0] != b"Content-Length" or answer.status != 502),
        body=_REQUEST_ID.sub(b"id", answer.body),
        closed=answer.closed,
    )


def stays(answer: Reply | None) -> bool:
    """Tell whether an answer leaves the client's connection as it was."""
    return answer is not None and not answer.closed and answer.header("Connection") != b"close"


async def play(folder: Path, talk: Talk, request: Sequence[bytes], replies: Sequence[Sequence[bytes]]) -> Outcome:
    """Carry a conversation out in these pieces, then ask once more to see what became of the connections."""
    said = asyncio.Event()
    ending = (half_close(),) if talk.ends else ()
    lines = itertools.chain.from_iterable((*talk.takes, say(reply)) for reply in replies)
    after = (head(), send(HELLO))
    async with (
        serve((*lines, tell(said), *ending, *after), after) as origin,
        gateway(folder, upstream(origin, request={"host": "api.test"})) as accord,
        await connect(accord.port) as wire,
    ):
        await tell_gateway(wire, request)
        answers = tuple([await answer_to(wire, to_head=talk.to_head) for _ in replies])
        if talk.reused or talk.body is not None:
            await said.wait()
        await turns(SOON)
        kept = stays(answers[-1])
        assert (await _after(accord, wire if kept else None)).body == b"hello"
        received = bytes(origin.conversations[0].received) if talk.whole_request else b""
        return Outcome(answers, _requests(received), kept, len(origin.conversations) == 1)


async def _after(accord: Running, wire: Wire | None) -> Reply:
    if wire is None:
        return await accord.ask(AFTER)
    await wire.send(AFTER)
    return await wire.reply()


def _requests(received: bytes) -> tuple[bytes, ...]:
    """Return what the origin received before the last request, less the ids."""
    return tuple(_REQUEST_ID.sub(b"id", received).partition(b"GET /after")[0].split(b"\r\n"))


WHOLE: dict[str, Outcome] = {}
"""The outcome of each conversation in one piece, once it was looked at."""


def outcome(folder: Path, talk: Talk, request_cuts: Iterable[int] = (), reply_cuts: Iterable[int] = ()) -> Outcome:
    """Play a conversation cut at these places."""
    seen: list[Outcome] = []

    async def main() -> None:
        pieces = [cut(reply, reply_cuts) for reply in talk.replies]
        seen.append(await play(folder, talk, cut(talk.request, request_cuts), pieces))

    run(main(), uvloop.new_event_loop)
    return seen[0]


@pytest.mark.parametrize("name", [*TALKS, *SAMPLES])
def test_a_conversation_has_its_outcome(tmp_path: Path, name: str) -> None:
    """Each gives its answer, and leaves on both sides the connections that may be used again, and no other."""
    talk = (TALKS | SAMPLES)[name]
    seen = WHOLE[name] = outcome(tmp_path, talk)
    assert {answer and answer.status for answer in seen.answers} == {talk.status}
    assert (seen.kept, seen.reused) == (talk.kept, talk.reused)
    last = seen.answers[-1]
    if talk.body is not None:
        assert last is not None
        assert last.body == talk.body
    if talk.code is not None:
        assert last is not None
        assert last.json()["code"] == talk.code


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_reply_reaches_nobody(tmp_path: Path, name: str) -> None:
    """It is a 502 of ours, or a cut where the answer had begun; its connection is never used again."""
    talk = MALFORMED[name]
    (answer,), _, _, reused = outcome(tmp_path, talk)
    assert not reused
    if talk.status is None:
        assert answer is None
    else:
        assert answer is not None
        assert (answer.status, answer.json()["code"]) == (502, "upstream_protocol_error")


UNSHRUNK = settings(phases=(Phase.explicit, Phase.reuse, Phase.generate), report_multiple_bugs=False)
"""A conversation that goes wrong mostly hangs, and to shrink it would take many times what a test waits for."""
PLACES = st.lists(st.integers(0, 200_000), max_size=5)
EVERY = TALKS | SAMPLES | MALFORMED


@settings(UNSHRUNK, max_examples=250)
@given(name=st.sampled_from(sorted(EVERY)), request_cuts=PLACES, reply_cuts=PLACES)
def test_pieces_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, name: str, request_cuts: list[int], reply_cuts: list[int]
) -> None:
    """However the network cuts what both sides send, the same answers, fields, bodies, codes and connections follow."""
    folder = tmp_path_factory.getbasetemp()
    if name not in WHOLE:
        WHOLE[name] = outcome(folder, EVERY[name])
    assert outcome(folder, EVERY[name], request_cuts, reply_cuts) == WHOLE[name]


@pytest.mark.parametrize("name", [name for name, talk in TALKS.items() if len(talk.request + talk.replies[0]) < 1000])
def test_a_byte_at_a_time_makes_no_difference(tmp_path: Path, name: str) -> None:
    """Nor do segments of one byte each, on both sides."""
    talk = TALKS[name]
    everywhere = range(1000)
    assert outcome(tmp_path, talk, everywhere, everywhere) == outcome(tmp_path, talk)


HOSTILE = CASES | {name: Case(chunked(data)) for name, data in BROKEN_CHUNKS.items()}


@settings(UNSHRUNK, max_examples=150)
@given(name=st.sampled_from(sorted(HOSTILE)), places=PLACES)
def test_pieces_make_no_request_less_hostile(
    tmp_path_factory: pytest.TempPathFactory, name: str, places: list[int]
) -> None:
    """A request that is refused is refused with the same code in any pieces, and no upstream sees a byte of it."""
    case = HOSTILE[name]

    async def main() -> None:
        async with (
            serve((head(), send(HELLO))) as origin,
            gateway(tmp_path_factory.getbasetemp(), upstream(origin), bounds=BOUNDS) as accord,
            await connect(accord.port) as wire,
        ):
            await tell_gateway(wire, cut(case.request, places))
            answer = await wire.reply()
            assert (answer.status, answer.json()["code"]) == (case.status, case.code)
            assert origin.conversations == []

    run(main(), uvloop.new_event_loop)
