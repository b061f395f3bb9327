"""Reloads in tests, without a signal: have another configuration served, and see what is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.app.loading import load_all
from tests.integration.harness import get
from tests.integration.wire import ask

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from tests.integration.harness import Running

TOKEN = {"TOKEN": "0123456789"}
OURS = {"inject": [{"header": "Authorization", "value_env": "TOKEN"}]}
"""Credentials that are ours, and the variable that they are in."""


async def reload(accord: Running, config: Path) -> None:
    """Have what is written served, as a signal would."""
    await accord.application.take(load_all(config, TOKEN, accord.application.config))


async def statuses(accord: Running, target: str, number: int) -> list[int]:
    """Ask so often, one after the other."""
    return [(await accord.get(target)).status for _ in range(number)]


async def status(accord: Running) -> Any:  # noqa: ANN401 - JSON
    """Return the status page."""
    return (await ask(accord.application.admin_port, get("/status"))).json()
