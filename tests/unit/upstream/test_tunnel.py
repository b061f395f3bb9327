"""Two sockets joined, over transports that only take notes: what cannot be seen from outside, in any order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream import Ending, Tunnel, TunnelEnd
from gateway.upstream.tunnel import CLOSING_S
from tests.integration.loops import VirtualTimeLoop, in_virtual_time, run
from tests.unit.upstream.fakes import FakeTransport

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_S = 600.0
RESET = ConnectionResetError("reset by peer")


class Pipe(FakeTransport):
    """One end's transport: what it is told, and what its protocol is told in turn, as a loop would."""

    def __init__(self, *, half: bool = True) -> None:
        super().__init__()
        self.half = half
        self.ended = False
        self.was_cut = False
        self.protocol: TunnelEnd

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Know who hears."""
        assert isinstance(protocol, TunnelEnd)
        self.protocol = protocol

    def get_extra_info(self, name: str, default: object = None) -> Any:  # noqa: ANN401
        """Be one's own socket."""
        assert name == "socket"
        return self

    def setsockopt(self, *_: object) -> None:
        """Note that closing will be a reset."""
        self.was_cut = True

    def can_write_eof(self) -> bool:
        """Return whether it can end one direction alone."""
        return self.half

    def write(self, data: Any) -> None:  # noqa: ANN401
        """Keep `data`, which comes in time."""
        assert not self.ended
        assert not self.closing
        super().write(data)

    def write_eof(self) -> None:
        """Note it."""
        self.ended = True

    def close(self) -> None:
        """Be closing, and gone once all is sent."""
        if not self.closing:
            super().close()
            if not self.backlog_bytes:
                asyncio.get_running_loop().call_soon(self.gone)

    def abort(self) -> None:
        """Be gone soon."""
        super().abort()
        asyncio.get_running_loop().call_soon(self.gone)

    def pause_reading(self) -> None:
        """Note it; once more makes no difference."""
        self.reading = False

    def resume_reading(self) -> None:
        """Note it; once more makes no difference."""
        self.reading = True

    def gone(self, error: Exception | None = None) -> None:
        """Tell of the loss, once."""
        if not self.protocol.gone:
            self.closing = True
            self.protocol.connection_lost(error)


@dataclass
class Joined:
    """A tunnel that runs."""

    client: Pipe
    upstream: Pipe
    running: asyncio.Task[Ending]
    lost: list[str]

    async def ending(self) -> Ending:
        """Wait until it is over."""
        return await self.running


async def joined(*, early: tuple[bytes, bytes] = (b"", b""), half: bool = True) -> Joined:
    """Join two fakes; without `half` the upstream's cannot end one direction alone."""
    client, upstream = Pipe(), Pipe(half=half)
    lost: list[str] = []

    def note(name: str) -> Callable[[Exception | None], None]:
        return lambda _error: lost.append(name)

    ends = (
        TunnelEnd(client, note("client"), early=early[0]),
        TunnelEnd(upstream, note("upstream"), early=early[1]),
    )
    running = asyncio.create_task(Tunnel(*ends, IDLE_S).run())
    await asyncio.sleep(0)
    return Joined(client, upstream, running, lost)


@in_virtual_time
async def test_bytes_go_across_and_are_counted() -> None:
    """Those that came before the ends were joined go first."""
    tunnel = await joined(early=(b"a", b"1"))
    tunnel.client.protocol.data_received(b"bc")
    tunnel.upstream.protocol.data_received(b"2")
    assert (tunnel.upstream.written, tunnel.client.written) == (b"abc", b"12")
    assert (tunnel.client.protocol.received_bytes, tunnel.upstream.protocol.received_bytes) == (3, 2)
    tunnel.client.gone()
    await tunnel.ending()
    assert tunnel.lost == ["client", "upstream"]


@in_virtual_time
async def test_the_side_that_is_full_stops_the_other() -> None:
    """And only the other: what it says itself goes on."""
    tunnel = await joined()
    tunnel.upstream.protocol.pause_writing()
    assert (tunnel.client.reading, tunnel.upstream.reading) == (False, True)
    tunnel.upstream.protocol.resume_writing()
    assert tunnel.client.reading
    tunnel.client.gone()
    await tunnel.ending()


@in_virtual_time
async def test_a_side_that_was_full_before_stops_the_other_too() -> None:
    """Nothing is read for a client that takes nothing, from the first moment."""
    client, upstream = Pipe(), Pipe()
    upstream.reading = False
    ends = TunnelEnd(client, lambda _: None, writing_paused=True), TunnelEnd(upstream, lambda _: None)
    running = asyncio.create_task(Tunnel(*ends, IDLE_S).run())
    await asyncio.sleep(0)
    assert not upstream.is_reading()
    ends[0].resume_writing()
    assert upstream.is_reading()
    client.gone()
    await running


@in_virtual_time
async def test_life_on_either_side_keeps_a_tunnel() -> None:
    """Whoever says something, and whoever takes something, moves the limit."""
    tunnel = await joined()
    for moved in (
        partial(tunnel.client.protocol.data_received, b"a"),
        partial(tunnel.upstream.protocol.data_received, b"a"),
        tunnel.client.protocol.resume_writing,
        tunnel.upstream.protocol.resume_writing,
    ):
        await asyncio.sleep(IDLE_S - 1)
        moved()
    began_s = asyncio.get_running_loop().time()
    assert await tunnel.ending() == Ending()
    assert asyncio.get_running_loop().time() - began_s == IDLE_S
    assert not tunnel.client.was_cut
    assert not tunnel.upstream.was_cut


@in_virtual_time
async def test_the_end_of_one_direction_leaves_the_other() -> None:
    """Until that ends, too; the first word says what ended the tunnel."""
    tunnel = await joined()
    assert tunnel.client.protocol.eof_received()
    assert tunnel.upstream.ended
    assert not tunnel.upstream.closing
    tunnel.upstream.protocol.data_received(b"bye")
    assert tunnel.client.written == b"bye"
    tunnel.upstream.protocol.eof_received()
    assert await tunnel.ending() == Ending(tunnel.client.protocol)
    assert tunnel.client.closing
    assert not tunnel.client.was_cut


@in_virtual_time
async def test_tls_has_no_half() -> None:
    """Its end is the end of both directions, and the transport is not asked to stay."""
    tunnel = await joined(half=False)
    assert tunnel.client.protocol.eof_received()
    assert tunnel.upstream.closing
    await tunnel.ending()
    tunnel = await joined(half=False)
    assert not tunnel.upstream.protocol.eof_received()
    tunnel.upstream.gone()
    assert tunnel.client.closing
    await tunnel.ending()


@in_virtual_time
async def test_a_reset_is_a_reset() -> None:
    """On whichever side it came."""
    tunnel = await joined()
    tunnel.client.gone(RESET)
    assert tunnel.upstream.was_cut
    assert await tunnel.ending() == Ending(tunnel.client.protocol, RESET)
    tunnel = await joined()
    tunnel.upstream.gone(RESET)
    assert tunnel.client.was_cut
    assert await tunnel.ending() == Ending(tunnel.upstream.protocol, RESET)


@in_virtual_time
async def test_a_reset_behind_an_end_does_not_change_what_ended_it() -> None:
    """A client that has gone resets what is still sent to it."""
    tunnel = await joined()
    tunnel.client.protocol.eof_received()
    tunnel.client.gone(RESET)
    assert await tunnel.ending() == Ending(tunnel.client.protocol)


@in_virtual_time
async def test_nobody_keeps_a_tunnel_that_has_ended() -> None:
    """An end that neither closes nor takes what waits for it is cut."""
    tunnel = await joined()
    tunnel.upstream.protocol.data_received(b"bye")
    tunnel.upstream.protocol.eof_received()
    await tunnel.ending()
    assert asyncio.get_running_loop().time() == CLOSING_S
    assert tunnel.client.was_cut


@in_virtual_time
async def test_an_end_that_takes_what_waits_for_it_has_time() -> None:
    """However little it takes each time; one that stops is cut."""
    tunnel = await joined()
    tunnel.client.backlog_bytes = 50_000
    tunnel.upstream.gone()
    for count in range(5):
        await asyncio.sleep(CLOSING_S)
        tunnel.client.backlog_bytes -= 10_000 - count
    assert not tunnel.running.done()
    await tunnel.ending()
    assert tunnel.client.was_cut
    assert asyncio.get_running_loop().time() <= CLOSING_S * 8


@in_virtual_time
async def test_a_tunnel_that_is_broken_off_says_goodbye() -> None:
    """Both ends are closed in order; one that does not take it in a moment is cut."""
    tunnel = await joined()
    tunnel.client.backlog_bytes = 1
    tunnel.running.cancel()
    await asyncio.wait((tunnel.running,))
    assert tunnel.running.cancelled()
    assert (tunnel.upstream.closing, tunnel.upstream.was_cut) == (True, False)
    assert (tunnel.client.closing, tunnel.client.was_cut) == (True, True)
    assert asyncio.get_running_loop().time() == 1.0
    await asyncio.sleep(0)
    assert sorted(tunnel.lost) == ["client", "upstream"]


@in_virtual_time
async def test_an_end_that_nobody_joined_is_heard_of() -> None:
    """What was taken over and not used gives its place back all the same, and passes nothing on."""
    pipe = Pipe()
    lost: list[Exception | None] = []
    end = TunnelEnd(pipe, lost.append)
    end.data_received(b"a")
    end.pause_writing()
    end.resume_writing()
    assert end.eof_received()
    pipe.gone(RESET)
    assert lost == [RESET]


EVENTS = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from(["data", "data", "data", "pause", "resume", "end"]), st.binary(min_size=1)
    ),
    max_size=30,
)


@settings(deadline=None)
@given(EVENTS, st.binary(), st.binary(), st.sampled_from([None, RESET]))
def test_whatever_happens_no_byte_is_lost_or_moved(
    events: list[tuple[bool, str, bytes]], early_client: bytes, early_upstream: bytes, error: Exception | None
) -> None:
    """What one side said before the tunnel was over is what the other got, in order; a full side is never read for."""

    async def play() -> None:
        tunnel = await joined(early=(early_client, early_upstream))
        pipes = (tunnel.client, tunnel.upstream)
        said = {tunnel.client: bytearray(early_client), tunnel.upstream: bytearray(early_upstream)}
        full: set[Pipe] = set()
        ended: set[Pipe] = set()
        for which, what, data in events:
            pipe, peer = pipes[which], pipes[not which]
            if what == "data" and pipe not in ended and pipe.reading:
                pipe.protocol.data_received(data)
                said[pipe] += data
            elif what == "pause" and pipe not in full:
                full.add(pipe)
                pipe.protocol.pause_writing()
            elif what == "resume" and pipe in full:
                full.remove(pipe)
                pipe.protocol.resume_writing()
            elif what == "end" and pipe not in ended:
                ended.add(pipe)
                pipe.protocol.eof_received()
                assert peer.ended or peer.closing
            if len(ended) < 2:
                assert all(pipe.reading is (peer not in full) for pipe, peer in (pipes, pipes[::-1]))
        pipes[0].gone(error)
        await tunnel.ending()
        assert (pipes[0].written, pipes[1].written) == (bytes(said[pipes[1]]), bytes(said[pipes[0]]))
        assert sorted(tunnel.lost) == ["client", "upstream"]

    run(play(), VirtualTimeLoop)
