"""The image: built by its Dockerfile, run as an engine runs it, called over HTTP, stopped by its signals."""

from __future__ import annotations

import json
import os
import re
import signal
import socketserver
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway import __version__
from tests.system.container import Container, container, eventually
from tests.system.images import BASE, Store
from tests.system.wheels import ROOT, compiled_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long
"""What is begun first stays together: the image is built once, after the wheel that `test_compiled` builds before."""
CLIENTS, OPERATORS = 8080, 8081


class Built:
    """The image, unpacked."""

    def __init__(self, store: Store) -> None:
        self.root = store.unpacked()
        self.config = store.config()

    def run(self, config: Path, *command: str) -> Any:  # noqa: ANN401 - a context
        """Run it with this configuration."""
        return container(self.config, self.root, config, *command)


@pytest.fixture(scope="module")
def image(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Build the image once for all tests of this module."""
    store = Store(tmp_path_factory.mktemp("image"))
    wheel = compiled_wheel(pytestconfig)
    store.base()
    store.build(
        wheel, VERSION=__version__, REVISION="4f1d", CREATED="2026-01-02T03:04:05Z", SOURCE="https://git.example"
    )
    yield Built(store)
    store.remove()


class Origin(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """An upstream on a Unix socket: what is asked for below /slow waits for its turn."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Handler)
        path.chmod(0o666)
        self.asked, self.turn = threading.Event(), threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Origin

    def do_GET(self) -> None:
        """Answer in Salla's dialect."""
        if "/slow" in self.path:
            self.server.asked.set()
            assert self.server.turn.wait(60)
        body = b'{"status": 404, "success": false, "error": {"code": "error", "message": "No such part"}}'
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """Say nothing of where the request is from: a Unix socket has no addresses."""
        return ""

    def log_message(self, *_: object) -> None:
        """Write no log."""


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    """Return a folder as it is mounted at /etc/accord: the image's own settings, and an upstream."""
    tmp_path.chmod(0o755)
    (tmp_path / "upstreams").mkdir()
    own = (ROOT / "image" / "gateway.yaml").read_text()
    (tmp_path / "gateway.yaml").write_text(own + "shutdown: {delay: 500ms, grace: 30s}\n")
    (tmp_path / "upstreams" / "parts.yaml").write_text(
        "version: 1\nname: parts\nbase_url: http://parts.example\nmatch: {prefix: /parts}\n"
        "socket: /etc/accord/parts.sock\ndialect: salla\n"
    )
    return tmp_path


@pytest.fixture
def origin(configured: Path) -> Iterator[Origin]:
    """Serve the upstream."""
    with Origin(configured / "parts.sock") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.turn.set()
        server.shutdown()
        thread.join()


def ready(running: Container) -> bool:
    """Say whether the HEALTHCHECK passes."""
    return running.health().returncode == 0


def test_served_and_drained(image: Built, configured: Path, origin: Origin) -> None:
    """As process 1, without root, a capability or a place to write, it translates replies; its HEALTHCHECK passes and
    then fails; told to end, it finishes what is under way and leaves with 0.
    """
    with image.run(configured) as running:
        eventually(lambda: ready(running))
        kernel = running.status()
        assert kernel["NSpid"].split()[-1] == "1"
        assert set(kernel["Uid"].split()) == set(kernel["Gid"].split()) == {"10001"}
        assert kernel["Groups"] in ("", "10001")
        assert int(kernel["CapEff"], 16) == int(kernel["CapPrm"], 16) == int(kernel["CapAmb"], 16) == 0
        assert kernel["NoNewPrivs"] == "1"
        for place in ("/tmp/x", "/etc/accord/x", "/opt/accord/x", "/dev/shm/x"):  # noqa: S108 - that none can be written
            assert "Errno" in running.run("python3", "-c", f"open({place!r}, 'w')").stderr

        status, body = running.get(CLIENTS, "/parts/9")
        assert status == 404
        assert json.loads(body)["code"] == "not_found"

        asked = running.connect(CLIENTS)
        asked.request("GET", "/parts/slow")
        assert origin.asked.wait(60)
        running.signal(signal.SIGTERM)
        eventually(lambda: running.get(OPERATORS, "/-/ready")[0] == 503)
        failed = running.health()
        assert failed.returncode == 1
        origin.turn.set()
        answer = asked.getresponse()
        assert (answer.status, json.loads(answer.read())["code"]) == (404, "not_found")
        asked.close()
        status, said = running.ended()
    assert status == 0, said
    assert "Traceback" not in said


def test_told_again(image: Built, configured: Path) -> None:
    """SIGHUP does not end it."""
    with image.run(configured) as running:
        eventually(lambda: ready(running))
        running.signal(signal.SIGHUP)
        assert running.get(CLIENTS, "/-/ready")[0] == 200
        running.signal(signal.SIGINT)
        assert running.ended()[0] == 0


def test_told_twice(image: Built, configured: Path, origin: Origin) -> None:
    """A second SIGTERM ends it at once, whatever is under way, though process 1 has no default for a signal."""
    with image.run(configured) as running:
        eventually(lambda: ready(running))
        asked = running.connect(CLIENTS)
        asked.request("GET", "/parts/slow")
        assert origin.asked.wait(60)
        running.signal(signal.SIGTERM)
        eventually(lambda: running.get(OPERATORS, "/-/ready")[0] == 503)
        running.signal(signal.SIGTERM)
        assert running.ended()[0] == 128 + signal.SIGTERM
        asked.close()


def test_told_before_it_serves(image: Built, configured: Path) -> None:
    """SIGTERM ends it while it starts, too, whatever it waits for: an engine need not wait until it may kill."""
    (configured / "gateway.yaml").unlink()
    os.mkfifo(configured / "gateway.yaml")
    with image.run(configured) as running:
        eventually(lambda: int(running.status()["SigCgt"], 16) >> (signal.SIGTERM - 1) & 1)
        running.signal(signal.SIGTERM)
        assert running.ended()[0] == 128 + signal.SIGTERM


def test_several_processes(image: Built, configured: Path) -> None:
    """As process 1 the supervisor replaces a process that died, and leaves none unburied; limits are counted together
    without a place to write.
    """
    config = configured / "gateway.yaml"
    config.write_text(config.read_text() + "limits: [{name: all, key: client, requests: 100, per: 1h}]\n")
    with image.run(configured, "serve", "--config", "/etc/accord/gateway.yaml", "--processes", "2") as running:
        eventually(lambda: ready(running))
        first = set(running.processes()) - {running.pid}
        assert len(first) == 2
        killed = first.pop()
        subprocess.run(["kill", "-KILL", str(killed)], check=True)
        eventually(lambda: len(set(running.processes()) - {running.pid, killed} - first) == 1)
        eventually(lambda: ready(running))
        states = {pid: status["State"].split()[0] for pid, status in running.processes().items()}
        assert killed not in states
        assert "Z" not in states.values()
        running.signal(signal.SIGTERM)
        assert running.ended()[0] == 0


def test_nothing_mounted(image: Built) -> None:
    """Without an upstream it says where it looked for one, and leaves with 1."""
    with image.run(image.root / "etc" / "accord") as running:
        status, said = running.ended()
    assert status == 1
    assert said == "/etc/accord/gateway.yaml:7:1 upstreams: no upstream file matches (looked for upstreams/*.yaml)\n"


def test_what_is_in_it(image: Built) -> None:
    """The way of a request is compiled, all bytecode is there; no compiler, pip or uv is, and no pip's cache."""
    (site,) = image.root.glob("opt/accord/lib/python3.*/site-packages")
    assert list(site.glob("gateway/edge/proxy.*.so"))
    sources = [path for path in site.rglob("*.py") if path.stem != "__main__"]
    assert all(list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc")) for path in sources)
    programs = {
        path.name
        for folder in ("opt/accord/bin", "usr/bin", "usr/local/bin")
        for path in (image.root / folder).iterdir()
    }
    assert programs.isdisjoint({"gcc", "cc", "pip", "pip3", "uv", "make"})
    assert not list(image.root.glob("usr/lib/python3*/ensurepip")) + list(site.glob("pip*"))
    assert not (image.root / "root" / ".cache").exists()
    assert not (image.root / "src").exists()


def test_rights(image: Built) -> None:
    """No program gives whoever runs it another's rights; nothing is anybody's to write but in a sticky folder."""
    for path in image.root.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            assert not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH), path
        elif stat.S_ISDIR(mode):
            assert mode & stat.S_ISVTX or not mode & stat.S_IWOTH, path


def test_bill_of_materials(image: Built) -> None:
    """The CycloneDX document names what uv.lock pins for this Python, with the version that is there, and Accord."""
    bill = json.loads((image.root / "usr/share/accord/sbom.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    told = {re.sub(r"[-_.]+", "-", one["name"]).lower(): one["version"] for one in bill["components"]}
    (site,) = image.root.glob("opt/accord/lib/python3.*/site-packages")
    there = {}
    for info in site.glob("*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        there[re.sub(r"[-_.]+", "-", name).lower()] = version
    assert told | {"accord-gateway": __version__} == there
    made = bill["metadata"]["component"]
    assert (made["name"], made["version"]) == ("accord-gateway", __version__)


def test_labels(image: Built) -> None:
    """The labels of OCI say what this is, of which version and revision, from where, and on what."""
    labels = {
        name.rpartition(".")[2]: value for name, value in image.config["Labels"].items() if "opencontainers" in name
    }
    assert labels == {
        "title": "Accord",
        "description": "An HTTP gateway that makes many APIs answer in one format",
        "licenses": "Apache-2.0",
        "version": __version__,
        "revision": "4f1d",
        "created": "2026-01-02T03:04:05Z",
        "source": "https://git.example",
        "name": BASE,
    }
    assert image.config["StopSignal"] == "SIGTERM"
    assert set(image.config["ExposedPorts"]) == {"8080/tcp", "8081/tcp"}


def test_linted() -> None:
    """Hadolint has nothing to say of the Dockerfile."""
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([str(hadolint), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_no_step_goes_on_after_a_failure() -> None:
    """A command of a RUN that fails ends the build there, and not minutes later with another error."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    for line, after in pairwise(lines):
        assert not line.endswith("; \\") or after.split()[0].rstrip(";") in {"else", "fi"}, line
