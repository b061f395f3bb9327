"""What an upstream says that it still grants: shown as a policy of its own where the credential is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.harness import gateway, on_uvloop, upstream
from tests.integration.origin import head, send, serve

if TYPE_CHECKING:
    from pathlib import Path

_BODY = b'{"status":200,"success":true,"data":[]}'
_REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nX-RateLimit-Limit: 120\r\nX-RateLimit-Remaining: 7\r\n"
    b"X-RateLimit-Reset: 1767225640\r\n\r\n" % len(_BODY)
) + _BODY
_OURS = {"inject": [{"header": "Authorization", "prefix": "Bearer ", "value_env": "TOKEN"}]}


@on_uvloop
async def test_our_credential_s_budget_is_a_policy_of_its_own(tmp_path: Path) -> None:
    """Clients that share our credential see what is left of it under the upstream's name, not the upstream's fields."""
    limits = [{"name": "per-address", "key": "ip", "requests": 100, "per": "60s"}]
    async with (
        serve((head(), send(_REPLY))) as origin,
        gateway(tmp_path, upstream(origin, credentials=_OURS), environ={"TOKEN": "secret"}, limits=limits) as accord,
    ):
        answer = await accord.get("/api/orders")
    assert answer.header("RateLimit-Policy") == b'"api";q=120, "per-address";q=100;w=60'
    assert answer.header("RateLimit") == b'"api";r=7;t=40, "per-address";r=99;t=1'
    assert answer.header("X-RateLimit-Remaining") is None


@on_uvloop
async def test_the_client_s_own_budget_passes_as_it_came(tmp_path: Path) -> None:
    """Where the credential is the client's, the upstream's fields are the client's business."""
    async with serve((head(), send(_REPLY))) as origin, gateway(tmp_path, upstream(origin)) as accord:
        answer = await accord.get("/api/orders")
    assert answer.header("X-RateLimit-Remaining") == b"7"
    assert answer.header("RateLimit") is None
