"""The demo: its upstreams, a gateway configured for them as a user would configure one, and what to try."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import app
from gateway.cli.running import stop_signal
from gateway.config.load import load
from gateway.demo import servers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.app import Application
    from gateway.config.load import Configuration

HOST: Final = "127.0.0.1"
TRIES: Final = 50
"""How many ports are tried, from the one that is wanted upwards."""


class _Upstream(NamedTuple):
    """A demo upstream: its name, which is its prefix too, its dialect, and a call to it that goes wrong."""

    name: str
    dialect: str
    path: str
    body: str


_UPSTREAMS: Final = (
    _Upstream("salla", "salla", "/customers", '{"first_name": ""}'),
    _Upstream("subscriptions", "status-message-body", "/plans", '{"titel": "Gold"}'),
    _Upstream("store", "type-code-param", "/products", "{}"),
)


async def demonstrate(port: int) -> None:
    """Run the demo on `port`, or the next free one, until told to stop. Raises OSError when there is none."""
    stop = stop_signal()
    upstreams = await servers.start()
    try:
        application = await start(upstreams.urls, port)
        print(welcome(upstreams.urls, application, port), flush=True)
        await stop.wait()
        await application.stop()
    finally:
        await upstreams.stop()


async def start(urls: Mapping[str, str], port: int) -> Application:
    """Start a gateway in front of the demo APIs at `urls` (by dialect)."""
    application = app.build(configuration(urls, port), environ={})
    await application.start(tries=TRIES)
    return application


def configuration(urls: Mapping[str, str], port: int) -> Configuration:
    """Return the demo's configuration, read from files as any other."""
    with TemporaryDirectory(prefix="accord-demo-") as name:
        folder = Path(name)
        admin = port + 1 if port else 0
        (folder / "gateway.yaml").write_text(f"version: 1\nlisten: {HOST}:{port}\nadmin: {HOST}:{admin}\n")
        (folder / "upstreams").mkdir()
        for upstream in _UPSTREAMS:
            text = (
                f"version: 1\nname: {upstream.name}\nbase_url: {urls[upstream.dialect]}\n"
                f"match: {{prefix: /{upstream.name}}}\ndialect: {upstream.dialect}\n"
            )
            (folder / "upstreams" / f"{upstream.name}.yaml").write_text(text)
        return load(folder / "gateway.yaml")


def welcome(urls: Mapping[str, str], application: Application, wanted: int) -> str:
    """Return what the demo prints: where it is, and calls to try."""
    here = f"http://{HOST}:{application.port}"
    lines = [f"Accord serves three demo APIs on {here} (Ctrl-C ends it)."]
    if wanted not in (0, application.port):
        lines.append(f"Port {wanted} was taken.")
    lines += ["", "Each fails in its own way when asked directly, and all in one way through Accord:"]
    for upstream in _UPSTREAMS:
        call = f"-H 'Content-Type: application/json' -d '{upstream.body}'"
        lines += [
            "",
            f"  {upstream.name} (dialect {upstream.dialect})",
            f"    before  curl -i {call} -H 'Accept: application/json' {urls[upstream.dialect]}{upstream.path}",
            f"    after   curl -i {call} {here}/{upstream.name}{upstream.path}",
        ]
    lines += [
        "",
        f"  every documented status   curl -i {here}/salla/status/429",
        f"  what a code means         {here}/-/problems/",
        f"  metrics, and each upstream   http://{HOST}:{application.admin_port}/metrics and /status",
    ]
    return "\n".join(lines)
