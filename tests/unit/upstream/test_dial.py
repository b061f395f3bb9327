"""From a name to a connection: what is asked of the resolver, and what becomes of its answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import TransportFailure, TransportReason
from gateway.upstream.dial import Addresses
from tests.integration.loops import VirtualTimeLoop, on_loops
from tests.integration.origin import close, gone, head, send, serve
from tests.integration.pools import get, pool_to
from tests.unit.upstream.samples import OK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.origin import Step


@dataclass(frozen=True)
class Somewhere:
    """An endpoint with a name."""

    host: str = "a.example"
    port: int = 80
    scheme: str = "http"
    server_name: str = "a.example"
    socket: None = None


class AskedLoop(VirtualTimeLoop):
    """A loop whose resolver says what the test says, after a second."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int]] = []
        self.answers: list[list[str] | Exception] = []

    async def getaddrinfo(self, host: Any, port: Any, **_more: Any) -> Any:  # noqa: ANN401
        """Answer with the next answer, or the last."""
        self.asked.append((host, port))
        await asyncio.sleep(1.0)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]


def asked_loop(*answers: list[str] | Exception) -> AskedLoop:
    """The running loop, told what to answer."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, AskedLoop)
    loop.answers = list(answers)
    return loop


asked = on_loops({"virtual": AskedLoop})


@asked
async def test_an_answer_is_kept_for_a_while() -> None:
    """Within its time an answer is not asked for again, and then it is."""
    loop = asked_loop(["10.0.0.1"], ["10.0.0.2"])
    addresses = Addresses(Somewhere(), loop, ttl_s=10.0)
    for _ in range(3):
        assert (await addresses.get())[0][4] == ("10.0.0.1", 80)
    await asyncio.sleep(9.9)
    await addresses.get()
    assert loop.asked == [("a.example", 80)]
    await asyncio.sleep(0.2)
    assert (await addresses.get())[0][4] == ("10.0.0.2", 80)
    assert len(loop.asked) == 2


@asked
async def test_those_who_ask_together_share_one_question() -> None:
    """A hundred connections at once are one question to the resolver."""
    loop = asked_loop(["10.0.0.1"])
    addresses = Addresses(Somewhere(), loop)
    results = await asyncio.gather(*(addresses.get() for _ in range(100)))
    assert len(loop.asked) == 1
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("answer", [socket.gaierror(socket.EAI_NONAME, "unknown"), []])
@asked
async def test_a_failure_is_told_to_all_and_not_kept(answer: list[str] | Exception) -> None:
    """Whoever asked gets the failure; who asks next asks anew. No address is a failure too."""
    loop = asked_loop(answer, ["10.0.0.1"])
    addresses = Addresses(Somewhere(), loop)
    results = await asyncio.gather(addresses.get(), addresses.get(), return_exceptions=True)
    assert all(isinstance(result, socket.gaierror) for result in results)
    assert await addresses.get()
    assert len(loop.asked) == 2


@asked
async def test_one_who_leaves_takes_no_answer_away() -> None:
    """The question goes on for the others, and its failure troubles nobody when all have left."""
    loop = asked_loop(["10.0.0.1"], OSError("out of order"))
    addresses = Addresses(Somewhere(), loop, ttl_s=0.0)
    leaving, staying = asyncio.ensure_future(addresses.get()), asyncio.ensure_future(addresses.get())
    await asyncio.sleep(0.5)
    leaving.cancel()
    assert await staying
    alone = asyncio.ensure_future(addresses.get())
    await asyncio.sleep(0.5)
    alone.cancel()
    await asyncio.sleep(1.0)
    assert alone.cancelled()


@asked
async def test_a_question_can_be_given_up() -> None:
    """Closing asks no longer."""
    addresses = Addresses(Somewhere(), asked_loop(["10.0.0.1"]))
    addresses.close()
    asking = asyncio.ensure_future(addresses.get())
    await asyncio.sleep(0.5)
    addresses.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


@asked
async def test_one_address_that_refuses_is_not_the_end() -> None:
    """Every address of a name is tried (RFC 8305)."""
    asked_loop(["127.1.2.3", "127.0.0.1"])
    async with serve((head(), send(OK + b"Content-Length: 0\r\n\r\n"))) as origin:
        endpoint = Somewhere(port=origin.port)
        async with pool_to(endpoint) as pool:
            (await pool.send(get())).close()
    async with pool_to(endpoint) as pool:
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is TransportReason.CONNECTION_REFUSED


@contextlib.contextmanager
def mute_address(port: int) -> Iterator[str]:
    """An address where nobody answers: its listener's queue is full, and the kernel drops what comes."""
    address = "127.1.2.3"
    with contextlib.ExitStack() as stack:
        stack.enter_context(socket.create_server((address, port), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex((address, port))
        yield address


@asked
async def test_one_address_that_is_silent_is_not_waited_for() -> None:
    """The next address is tried a quarter of a second later, while the first is still being tried (RFC 8305)."""
    async with serve((head(), send(OK + b"Content-Length: 0\r\n\r\n"))) as origin:
        with mute_address(origin.port) as mute:
            loop = asked_loop([mute, "127.0.0.1"])
            async with pool_to(Somewhere(port=origin.port)) as pool:
                (await pool.send(get())).close()
                assert loop.time() == pytest.approx(1.25, abs=0.01)


class SlowLoop(VirtualTimeLoop):
    """A loop that is slow to tell of a connection: the upstream can do something first."""

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Wait a second behind connecting."""
        connected = await super().create_connection(*args, **kwargs)
        await asyncio.sleep(1.0)
        return connected


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (send(OK + b"Content-Length: 0\r\n\r\n"), TransportReason.HTTP_PROTOCOL_ERROR),
        (close(), TransportReason.CONNECTION_TERMINATED),
    ],
)
@on_loops({"virtual": SlowLoop})
async def test_what_comes_before_any_request_is_no_reply(step: Step, reason: TransportReason) -> None:
    """An upstream that speaks first, or leaves first, never gets the request."""
    async with serve((step, gone())) as origin, pool_to(origin) as pool:
        with pytest.raises(TransportFailure) as caught:
            await pool.send(get())
        assert caught.value.reason is reason
        assert not origin.conversations[0].received
        assert pool.stats().open == 0


@asked
async def test_a_pool_that_closes_gives_up_asking() -> None:
    """A request that waits for the resolver is told when its pool closes."""
    asked_loop(["127.0.0.1"])
    async with pool_to(Somewhere()) as pool:
        sending = asyncio.ensure_future(pool.send(get()))
        await asyncio.sleep(0.5)
        await pool.aclose()
        with pytest.raises(TransportFailure):
            await sending
